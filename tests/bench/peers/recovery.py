"""An engine is killed with -9 in the midst of a run, and a new process is to go on with it."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.bench.peers import talk
from tests.bench.peers.conversation import Conversation, NoAnswer, conversing

AMID: Final = 0.2
"""The seconds into the second stage after which the engine is killed."""

PAUSE: Final = 2 * talk.SECONDS
"""The seconds until the new process: what goes on without an engine has ended by then."""

PATIENCE: Final = 60.0
BEAT: Final = 0.002

Command = Callable[..., list[str]]


def measure(command: Command, environment: Mapping[str, str], home: Path) -> dict[str, float]:
    """Kill an engine while the second of three stages runs, and start it again.

    Returns:
        `W6`, the seconds from the start of the new process to the next effect of the run, and
        how many of the twelve effects were `repeated` and `lost` in the end.

    Raises:
        NoAnswer: It did not begin, or did not go on.
    """
    effects, log = home / "effects", home / "log"
    effects.touch()
    stages, actions = talk.RISKED
    with conversing(command(home, "risk", str(effects)), environment, log) as first:
        _await(first, lambda: len(_lines(effects)) >= 2 * actions)
        time.sleep(AMID)
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        time.sleep(PAUSE)
        known = len(_lines(effects))
        with conversing(command(home, "resume", str(effects)), environment, log) as second:
            _await(second, lambda: len(_lines(effects)) > known)
            seconds = time.perf_counter() - second.began
            second.hear()
    counts = Counter(_lines(effects))
    repeated = sum(count - 1 for count in counts.values())
    return {"W6": seconds, "repeated": repeated, "lost": stages * actions - len(counts)}


def _lines(effects: Path) -> list[str]:
    return effects.read_text(encoding="utf-8").splitlines()


def _await(process: Conversation, reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        if process.process.poll() is not None:
            raise process.silent()
        if time.monotonic() > end:
            raise NoAnswer(f"no effect of its run came within {PATIENCE:.0f} s")
        time.sleep(BEAT)
