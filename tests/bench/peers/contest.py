"""Measures all contestants in turn, round after round, in a fresh process and home each."""

import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

from tests import postgres
from tests.bench import detached
from tests.bench.peers import recovery
from tests.bench.peers.contestants import OURS, SPAWN, Contestant
from tests.bench.peers.conversation import Conversation, NoAnswer, conversing
from tests.bench.peers.environments import NotInstalled
from tests.postgres import Server

STAGES, BESIDE, LINE = 3, 10, 4
"""The stages of W1, the actions side by side in each, and the stages of W2."""

SPAWNS: Final = 20
"""How many processes are started in a round."""

Samples = dict[str, dict[str, list[float]]]
"""What was measured: by contestant and figure, a value for each round."""


class Size(NamedTuple):
    """How much is measured.

    Attributes:
        rounds: How many.
        slow_rounds: How many of them slow contestants take part in.
        executions: Of W2.
        slow_executions: Of W2, with slow contestants.
        wide: The actions side by side in W3.
        repeats: How often W1 runs in a round.
    """

    rounds: int
    slow_rounds: int
    executions: int
    slow_executions: int
    wide: int
    repeats: int


FULL: Final = Size(5, 2, 100, 5, 500, 5)
QUICK: Final = Size(2, 1, 100, 2, 500, 3)


class Outcome(NamedTuple):
    """What was measured, and why contestants were left out, by name."""

    samples: Samples
    left_out: dict[str, str]


def compete(contestants: Sequence[Contestant], size: Size) -> Outcome:
    """Measure all, one after the other in each round, so that noise falls on all of them alike.

    The values of all begin with the first round: figures of two can be compared round by round.
    A peer that fails anywhere is left out as a whole.
    """
    samples: Samples = {}
    left_out: dict[str, str] = {}
    with _server(contestants) as server:
        for number in range(size.rounds):
            print(f"round {number + 1} of {size.rounds}", file=sys.stderr, flush=True)
            for each in contestants:
                if each.name in left_out or (each.slow and number >= size.slow_rounds):
                    continue
                try:
                    _keep(samples, each.name, measure(each, size, server))
                except (NoAnswer, NotInstalled) as error:
                    if each.script == "ours":
                        raise
                    left_out[each.name] = str(error)
                    samples.pop(each.name, None)
            process = detached.measure(SPAWNS)
            _keep(samples, SPAWN, {"spawn": process["bare"]})
            _keep(samples, OURS, {"spawn": process["detached"]})
    return Outcome(samples, left_out)


def measure(contestant: Contestant, size: Size, server: Server | None) -> dict[str, float]:
    """Measure one contestant, once.

    Returns:
        `W1` in ms per action, `W2` and `W2 two` in executions per second, `W3` in seconds and
        `W3 MiB` over the idle process, `W5` and `W6` in seconds, `repeated` and `lost` effects.

    Raises:
        NotInstalled: It cannot be installed here.
        NoAnswer: It failed.
    """
    with _home() as home, _process(contestant, home, server) as process:
        found = _alone(process, size, slow=contestant.slow)
    if contestant.several:
        with _home() as home:
            found["W2 two"] = _side_by_side(contestant, home, server, size.executions)
    if contestant.goes_on:
        with _home() as home:
            environment = contestant.environment(home, server)
            found |= recovery.measure(contestant.command, environment, home)
    return found


def _alone(process: Conversation, size: Size, *, slow: bool) -> dict[str, float]:
    idle = process.hear()["mib"]
    cold = perf_counter() - process.began
    narrow = partial(process.ask, "run", stages=STAGES, actions=BESIDE)
    wide = partial(process.ask, "run", stages=1, actions=size.wide)
    executions = size.slow_executions if slow else size.executions
    many = partial(process.ask, "many", executions=executions, stages=LINE)
    narrow()  # what is defined, imported or started once does not count
    actions = [narrow()["seconds"] for _ in range(1 if slow else size.repeats)]
    if not slow:
        many()
        wide()
    lines, broad = many(), wide()
    return {
        "W1": statistics.median(actions) * 1000 / (STAGES * BESIDE),
        "W2": executions / lines["seconds"],
        "W3": broad["seconds"],
        "W3 MiB": broad["mib"] - idle,
        "W5": cold,
    }


def _side_by_side(
    contestant: Contestant, home: Path, server: Server | None, executions: int
) -> float:
    command, environment = contestant.command(home), contestant.environment(home, server)
    half = partial(Conversation.ask, do="many", executions=executions // 2, stages=LINE)
    with (
        conversing(command, environment, home / "log") as one,
        conversing(command, environment, home / "log") as two,
        ThreadPoolExecutor(2) as both,
    ):
        for each in (one, two):
            each.hear()
            half(each)
        return executions / max(said["seconds"] for said in both.map(half, (one, two)))


@contextmanager
def _process(contestant: Contestant, home: Path, server: Server | None) -> Iterator[Conversation]:
    command, environment = contestant.command(home), contestant.environment(home, server)
    with conversing(command, environment, home / "log") as process:
        yield process


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _keep(samples: Samples, name: str, found: dict[str, float]) -> None:
    for figure, value in found.items():
        samples.setdefault(name, {}).setdefault(figure, []).append(value)


@contextmanager
def _server(contestants: Sequence[Contestant]) -> Iterator[Server | None]:
    wanted = any(each.postgres for each in contestants)
    with postgres.running(durable=True) if wanted else nullcontext() as server:
        yield server
