"""Engines in processes of their own, each at a place of its own, which share one store.

Run as a module it is such an engine: `python -m tests.crash.places HOME`.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pipelinekit as pk
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.settings import Compute, Where

WAIT = 40.0


@pk.action("Source", "PlaceSource", repeatable=True)
def fetched(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


@pk.action("Test", "PlaceStep", repeatable=True)
def stepped(job: pk.Job, ledger: str) -> pk.Outcome:
    """Take a moment, and note where."""
    note(ledger, f"{job.order.id} {os.getpid()}")
    time.sleep(0.03)
    return pk.Succeeded()


@pk.action("Test", "PlaceHold")
def held(job: pk.Job, ledger: str, go: str) -> pk.Outcome:
    """Wait for a file; must not be done twice."""
    note(ledger, f"begun {job.order.id}")
    while not Path(go).exists():
        time.sleep(0.01)
    note(ledger, f"ended {job.order.id}")
    return pk.Succeeded()


def note(ledger: str, line: str) -> None:
    """Append a line, in one write."""
    with Path(ledger).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def steps(ledger: Path, stages: int) -> pk.Pipeline:
    """Make a pipeline of steps that may be done twice."""
    line = pk.Pipeline("steps", mode=ExecutionMode.PARALLEL) >> pk.Stage("Source", fetched("f"))
    for stage in range(stages):
        two = (stepped(f"s{stage}{number}", ledger=str(ledger)) for number in range(2))
        line = line >> pk.Stage(f"S{stage}", *two)
    return line


def holding(ledger: Path, go: Path) -> pk.Pipeline:
    """Make a pipeline whose second stage waits for a file."""
    hold = held("h", ledger=str(ledger), go=str(go))
    return pk.Pipeline("hold") >> pk.Stage("Source", fetched("f")) >> pk.Stage("Hold", hold)


@dataclass(frozen=True)
class Engine:
    """An engine in a process of its own.

    Attributes:
        process: Which one.
        log: What it says.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def said(self, what: str) -> None:
        """Wait until it has said something."""
        until(lambda: what in self.log.read_text(encoding="utf-8"), self.log)


def engine(home: Path, url: str) -> Engine:
    """Start an engine and wait until it is at work."""
    home.mkdir(exist_ok=True)
    path = os.pathsep.join(sys.path)
    log = home / "said"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(home)],
            env={**os.environ, "PYTHONPATH": path, "PIPELINEKIT_DB_URL": url},
            stdout=output,
            stderr=output,
        )
    made = Engine(process, log)
    made.said("at work")
    return made


def until(condition: Callable[[], bool], what: object) -> None:
    """Wait until a condition holds."""
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit, what
        time.sleep(0.02)


def main() -> None:
    """Be an engine."""
    logging.basicConfig()
    home = sys.argv[1]
    host = Compute(where=Where.HOST)  # a sandbox would not see the files of the tests
    project = pk.Project(environment={"LEDGER": f"{home}/builds"}, compute=host)
    settings = pk.Settings(folder=home, projects={"p": project})
    with pk.Kit(home, settings=settings, by="engine"):
        print("at work", flush=True)  # noqa: T201 - whoever started it waits for this
        time.sleep(WAIT * 5)


if __name__ == "__main__":
    main()
