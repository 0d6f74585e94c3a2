"""How an engine's script talks: it is asked and it answers in lines of JSON.

Questions come over stdin: `{"do": "run", ...}`. Answers go to what was stdout when the script
began, so that nothing that an engine prints is taken for one. All engines run this.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

SECONDS = 0.5
"""How long an action of the workload takes in the midst of which the engine is killed."""

RISKED = (3, 4)
"""The stages of that workload, and the actions side by side in each."""

WHOLE_PEAK = "5"
"""What Linux takes in `clear_refs` to forget the peak of a process's memory."""


class Engine(Protocol):
    """What each engine is to do; an action of `run` and `many` does nothing."""

    def run(self, stages: int, actions: int) -> None:
        """Run an execution to its end: stages after each other, actions of one side by side."""

    def many(self, executions: int, stages: int) -> None:
        """Run so many executions to their end, of stages with one action each."""


class Killable(Engine, Protocol):
    """What an engine is to do besides that goes on by itself after it was killed."""

    def risk(self, effects: Path) -> None:
        """Run `RISKED`, each action writing its name into the file and taking `SECONDS`."""

    def resume(self, effects: Path) -> None:
        """Go on, in a new process, with what `risk` began, to its end."""


Opened = Callable[[Path], AbstractContextManager[Engine | Killable]]


def serve(opened: Opened) -> None:
    """Be an engine's script: open it on a home, run one execution, then do what is asked.

    Arguments of the command line are the home and, where the engine is to be killed, `risk` or
    `resume` and the file of the effects.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(**members: float) -> None:
        answers.write(json.dumps(members) + "\n")
        answers.flush()

    home, *risked = sys.argv[1:]
    with opened(Path(home)) as engine:
        if risked:
            verb, effects = risked
            killable = cast("Killable", engine)
            {"risk": killable.risk, "resume": killable.resume}[verb](Path(effects))
            answer(ended=1)
            return
        engine.run(1, 1)
        answer(mib=_memory("VmRSS"))
        for line in sys.stdin:
            answer(**_measured(engine, json.loads(line)))


def _measured(engine: Engine, asked: Mapping[str, str | int]) -> dict[str, float]:
    numbers = {name: int(value) for name, value in asked.items() if name != "do"}
    work: Callable[..., None] = {"run": engine.run, "many": engine.many}[str(asked["do"])]
    _forget_peak()
    began = time.perf_counter()
    work(**numbers)
    return {"seconds": time.perf_counter() - began, "mib": _memory("VmHWM")}


def happen(effects: Path, name: str) -> None:
    """Write an effect down at once, and take as long as an action takes."""
    with effects.open("a", encoding="utf-8") as file:
        file.write(f"{name}\n")
    time.sleep(SECONDS)


def _forget_peak() -> None:
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text(WHOLE_PEAK, encoding="ascii")


def _memory(member: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    lines = status.read_text(encoding="ascii").splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith(f"{member}:"))
    return int(kib) / 1024
