"""What the bench counts: medians, spread, ratios round by round, and what is to be reached."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from tests.bench.peers.contest import Samples
from tests.bench.peers.contestants import (
    DBOS,
    DBOS_POSTGRES,
    FLOOR,
    OURS,
    OURS_POSTGRES,
    SPAWN,
)


class Kind(NamedTuple):
    """A figure as it is shown.

    Attributes:
        title: What it is.
        unit: Of its values.
        more: Whether more is better.
    """

    title: str
    unit: str
    more: bool = False


KINDS: Final = {
    "W1": Kind("3 stages x 10 no-op actions side by side", "ms per action"),
    "W2": Kind("100 executions of 4 stages x 1", "executions/s", more=True),
    "W2 two": Kind("the same, two processes on one store", "executions/s", more=True),
    "W3": Kind("500 no-op actions side by side", "s"),
    "W3 MiB": Kind("500 no-op actions side by side, over the idle process", "MiB"),
    "W5": Kind("process start to first execution finished", "s"),
    "W6": Kind("kill -9 in mid-run: process start to next effect", "s"),
    "repeated": Kind("actions repeated after it, of 12", ""),
    "lost": Kind("actions lost by it, of 12", ""),
    "spawn": Kind("a no-op command in a process of its own", "ms"),
}


class Spread(NamedTuple):
    """What rounds gave."""

    median: float
    least: float
    most: float
    rounds: int


def spread(values: Sequence[float]) -> Spread:
    """Give the median of the rounds, the least and the most."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Give the median of the ratios of each round; rounds that only one has do not count."""
    return statistics.median(a / b for a, b in zip(above, below, strict=False))


def times(samples: Samples, name: str, figure: str) -> float | None:
    """Say how many times better this engine is than another; None where that cannot be said."""
    theirs = samples.get(name, {}).get(figure)
    ours = samples.get(OURS, {}).get(figure)
    if not theirs or not ours:
        return None
    above, below = (ours, theirs) if KINDS[figure].more else (theirs, ours)
    return ratio(above, below) if min(below) > 0 else None


class Reading(NamedTuple):
    """A figure of a contestant."""

    name: str
    figure: str


class Bound(NamedTuple):
    """What a figure is to be.

    Attributes:
        title: As it is shown.
        of: The figure.
        limit: What it is to be.
        over: What it is divided by, round by round.
        least: Whether it is to be at least that much, not at most.
        pick: Which of the rounds counts, where it is not divided.
    """

    title: str
    of: Reading
    limit: float
    over: Reading | None = None
    least: bool = False
    pick: Callable[[Sequence[float]], float] = statistics.median


def _all() -> Iterable[Bound]:
    one, two = Reading(OURS, "W1"), Reading(OURS, "W2")
    yield Bound("W1, SQLite, ms per action", one, 0.6)
    yield Bound("W1, PostgreSQL, ms per action", Reading(OURS_POSTGRES, "W1"), 0.9)
    yield Bound("W1, DBOS on SQLite, times ours", Reading(DBOS, "W1"), 10, one, least=True)
    postgres = Reading(DBOS_POSTGRES, "W1")
    yield Bound("W1, DBOS on PostgreSQL, times ours on SQLite", postgres, 4, one, least=True)
    yield Bound("W2, SQLite, executions/s", two, 500, least=True)
    yield Bound("W2, ours, times DBOS on SQLite", two, 5, Reading(DBOS, "W2"), least=True)
    for kind, name in (("SQLite", OURS), ("PostgreSQL", OURS_POSTGRES)):
        pair, alone = Reading(name, "W2 two"), Reading(name, "W2")
        yield Bound(f"W2, {kind}, two processes, times one", pair, 1, alone, least=True)
    yield Bound("W3, s", Reading(OURS, "W3"), 0.25)
    yield Bound("W3, MiB over the idle process", Reading(OURS, "W3 MiB"), 60)
    yield Bound("W5, s", Reading(OURS, "W5"), 0.35)
    yield Bound("W6, s", Reading(OURS, "W6"), 0.3)
    for figure in ("repeated", "lost"):
        yield Bound(f"W6, actions {figure}, worst round", Reading(OURS, figure), 0, pick=max)


BOUNDS: Final = tuple(_all())


class Limit(NamedTuple):
    """What the machine allows, which this engine is set against without a bound."""

    title: str
    of: Reading
    over: Reading


LIMITS: Final = (
    Limit("W1, times two raw commits", Reading(OURS, "W1"), Reading(FLOOR, "W1")),
    Limit("raw commits, W2, times ours", Reading(FLOOR, "W2"), Reading(OURS, "W2")),
    Limit("a no-op command, times a raw spawn", Reading(OURS, "spawn"), Reading(SPAWN, "spawn")),
)


def value(samples: Samples, asked: Bound | Limit) -> float | None:
    """Give what a bound or a limit is about; None where it was not measured."""
    found = samples.get(asked.of.name, {}).get(asked.of.figure)
    if asked.over is None:
        return asked.pick(found) if found else None
    below = samples.get(asked.over.name, {}).get(asked.over.figure)
    return ratio(found, below) if found and below else None


def reached(bound: Bound, measured: float) -> bool:
    """Say whether a value is what it is to be."""
    return measured >= bound.limit if bound.least else measured <= bound.limit
