"""Tries random schedules on the engine: `python -m tests.engine.fuzz --n 100000 --seed 1`."""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.engine.dice import play
from tests.engine.plans import POOL, plan
from tests.engine.schedule import Schedule, draw

FAULTS = (AssertionError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What shows that a promise was not kept, or that the engine stumbled."""

ENDED = 8
"""Each 8th schedule is followed until everything has ended; the others break off."""

SHARE = 500
"""How many schedules a process plays at a time."""

REPLAYED = 16
"""Each 16th schedule is replayed from its journal."""


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept.

    Attributes:
        seed: From which the schedule was drawn.
        broken: Which promise, and what was found instead.
    """

    seed: int
    broken: str


def fault_of(schedule: Schedule) -> str | None:
    """Play a schedule to its end; say which promise it broke, None when none."""
    try:
        play(schedule).check_replay()
    except FAULTS as broken:
        return f"{type(broken).__name__}: {broken}"
    return None


def _promise(schedule: Schedule) -> str:
    return ":".join((fault_of(schedule) or "").split(":")[:2])


def fuzz(seeds: Iterable[int]) -> tuple[int, list[Violation]]:
    """Play the schedules of some seeds; give how many events there were, and what was broken."""
    events, violations = 0, []
    for seed in seeds:
        try:
            table = play(draw(seed), to_the_end=seed % ENDED == 0)
            events += table.events
            if seed % REPLAYED == 0:
                table.check_replay()
        except FAULTS as broken:
            violations.append(Violation(seed, f"{type(broken).__name__}: {broken}"))
    return events, violations


def shortest(schedule: Schedule) -> Schedule:
    """Leave out of a failing schedule whatever the same promise is broken without."""
    throws, promise = schedule.throws, _promise(schedule)
    size = len(throws)
    while size:
        for start in range(len(throws) - size, -1, -1):
            fewer = throws[:start] + throws[start + size :]
            if _promise(Schedule(schedule.plan, fewer)) == promise:
                throws = fewer
        size //= 2
    return Schedule(schedule.plan, throws)


def _ready() -> None:
    for number in range(POOL):
        plan(number)
    gc.disable()  # nothing here goes round in a circle, and looking for it takes time


def fuzz_all(seeds: range, jobs: int) -> tuple[int, list[Violation]]:
    """Do what `fuzz` does, in several processes side by side."""
    shares = [seeds[start : start + SHARE] for start in range(0, len(seeds), SHARE)]
    with ProcessPoolExecutor(jobs, initializer=_ready) as crew:
        played = list(crew.map(fuzz, shares))
    return sum(events for events, _ in played), [each for _, found in played for each in found]


def main() -> int:
    """Play many schedules, print one line of JSON, and what is wrong if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="how many schedules")
    parser.add_argument("--seed", type=int, default=1, help="the first one's seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="side by side")
    asked = parser.parse_args()
    began = time.perf_counter()
    events, violations = fuzz_all(range(asked.seed, asked.seed + asked.n), asked.jobs)
    told = {
        "n": asked.n,
        "seed": asked.seed,
        "events": events,
        "jobs": asked.jobs,
        "seconds": round(time.perf_counter() - began, 1),
        "violations": len(violations),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    for violation in violations[:5]:
        schedule = shortest(draw(violation.seed))
        sys.stdout.write(f"seed {violation.seed}: {violation.broken}\nplan {schedule.plan}\n")
        for throw in schedule.throws:
            sys.stdout.write(f"  {throw.kind} {throw.number}\n")
    return int(bool(violations))


if __name__ == "__main__":
    sys.exit(main())
