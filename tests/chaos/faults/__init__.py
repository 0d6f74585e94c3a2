"""The faults, by name: how each is done, and how many of them go into one trial."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.faults import (
    artifacts,
    clock,
    disk,
    engines,
    points,
    races,
    runners,
    servers,
    store,
    upgrades,
)
from tests.chaos.trial import SLACK, Fault

BOTH = ("sqlite", "postgres")
SQLITE, POSTGRES = BOTH[:1], BOTH[1:]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        fault: Does it.
        batch: How often in one trial.
        whole: How often in all, where the whole harness runs.
        stores: The kinds of stores that it makes sense for.
    """

    fault: Fault
    batch: int
    whole: int
    stores: tuple[str, ...] = BOTH


FIGURES: Mapping[str, float] = {"noticed_seconds": 2.0 * SLACK, "gone_seconds": 13.0 * SLACK}
"""The most that the 99th of a hundred may be, of what is measured."""

FAULTS: Mapping[str, Kind] = {
    "kill-engine": Kind(engines.killed, 25, 1_000),
    "two-engines": Kind(engines.one_of_two_killed, 10, 200),
    "stale": Kind(engines.stopped, 5, 100),
    "cut-off": Kind(engines.cut_off, 20, 500),
    "drain": Kind(engines.drained, 10, 300),
    "failpoints": Kind(points.killed, 53, 1_325),
    "commits": Kind(points.killed_in_commits, 20, 300),
    "results": Kind(points.killed_at_results, 10, 100),
    "syncs": Kind(points.synced, 3, 10, SQLITE),
    "eio": Kind(points.failing_disk, 5, 100),
    "kill-runner": Kind(runners.killed, 20, 600),
    "orphans": Kind(runners.abandoned_trees, 30, 300),
    "disk": Kind(disk.full, 5, 100, SQLITE),
    "store-errors": Kind(store.failing, 5, 100),
    "clock": Kind(clock.set_at_random, 25, 200),
    "bitflip": Kind(artifacts.flipped, 1_000, 1_000, SQLITE),
    "approvals": Kind(races.approvals, 500, 10_000),
    "tokens": Kind(races.tokens, 200, 2_000),
    "upgrade": Kind(upgrades.upgraded, 20, 200),
    "restarts": Kind(servers.restarted, 20, 200, POSTGRES),
    "way": Kind(servers.disturbed, 12, 120, POSTGRES),
    "overslept": Kind(servers.overslept, 25, 500, POSTGRES),
}
