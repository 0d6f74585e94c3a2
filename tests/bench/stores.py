"""What executions cost on each kind of store, durable, in one process and in two."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pipelinekit as pk
from pipelinekit.model.pipeline import ExecutionMode
from tests import postgres
from tests.bench.engine import per_action
from tests.bench.nothing import nothing, source

EXECUTIONS, PIPELINES, STAGES, STARTERS = 100, 4, 4, 16


def lines(name: str) -> list[pk.Pipeline]:
    """Make pipelines of stages with one no-op action each."""
    made = []
    for number in range(PIPELINES):
        line = pk.Pipeline(f"{name}-{number}", mode=ExecutionMode.PARALLEL)
        line = line >> pk.Stage("Source", source("Fetch"))
        for stage in range(STAGES - 1):
            line = line >> pk.Stage(f"S{stage}", nothing(f"a{stage}"))
        made.append(line)
    return made


def executions(kit: pk.Kit, name: str, count: int) -> float:
    """Give the seconds that so many executions take, started by several threads."""
    names = [kit.define(line).name for line in lines(name)]
    began = time.perf_counter()
    with ThreadPoolExecutor(STARTERS) as starters:
        runs = list(starters.map(lambda n: kit.start(names[n % PIPELINES]), range(count)))
    for run in runs:
        run.wait()
    return time.perf_counter() - began


@contextmanager
def urls() -> Iterator[Mapping[str, str]]:
    """Give a fresh store of each kind that there is here."""
    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": f"sqlite:///{folder}/pipelinekit.db"}
        if postgres.obstacle():
            yield found
            return
        with postgres.running(durable=True) as server:
            yield {**found, "PostgreSQL": server.url()}


def side_by_side(url: str, folder: str, count: int) -> float:
    """Give the seconds that two processes take for half of the executions each."""
    command = [sys.executable, "-m", "tests.bench.stores"]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PIPELINEKIT_DB_URL": url}
    processes = [
        subprocess.Popen(
            [*command, f"{folder}/here", name, str(count // 2)],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    return max(float(process.communicate()[0].split()[-1]) for process in processes)


def measure(url: str, rounds: int = 5) -> dict[str, float]:
    """Measure on one store.

    Returns:
        Medians: `action` in milliseconds per action (3 stages x 10 side by side), `one` and `two`
        in executions per second of one process and of two on the same store.
    """
    os.environ["PIPELINEKIT_DB_URL"] = url
    with tempfile.TemporaryDirectory() as folder:
        with pk.Kit(f"{folder}/here", settings=pk.Settings()) as kit:
            action = statistics.median(per_action(kit, 3, 10, 15))
            executions(kit, "warm", EXECUTIONS)
            one = [EXECUTIONS / executions(kit, f"w{each}", EXECUTIONS) for each in range(rounds)]
        two = [EXECUTIONS / side_by_side(url, folder, EXECUTIONS) for _ in range(rounds)]
    del os.environ["PIPELINEKIT_DB_URL"]
    return {"action": action, "one": statistics.median(one), "two": statistics.median(two)}


def main() -> None:
    """Be one of two processes, or measure every store."""
    if len(sys.argv) > 1:
        home, name, count = sys.argv[1:]
        with pk.Kit(home, settings=pk.Settings()) as kit:
            executions(kit, f"{name}-warm", int(count))
            print("ready", flush=True)
            sys.stdin.readline()
            print(executions(kit, f"{name}-{time.time_ns()}", int(count)))
        return
    with urls() as found:
        for kind, url in found.items():
            told = "  ".join(f"{name} {value:8.3f}" for name, value in measure(url).items())
            print(f"{kind:12} {told}")


if __name__ == "__main__":
    main()
