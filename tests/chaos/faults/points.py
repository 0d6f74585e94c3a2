"""Faults at named points of the product: killed there, and disks that fail there."""

import time
from pathlib import Path

from pipelinekit.tools.failpoint import POINTS
from tests.chaos import syncs
from tests.chaos.ledger import note
from tests.chaos.trial import TRACE, Trial

LIFE_SECONDS = 2.5
AFTER_SECONDS = 1.0
IN_ENGINES = ("engine.", "store.", "worker.", "hands.", "place.")
DISK = ("store.*", "gate.*", "result.*", "artifact.*", "file.*", "place.*", "input.*")
DISK_CODES = ["SystemUnavailable", "JobFailed", "ConfigurationError"]
RESULTS = ("rename.before", "rename.after", "fsync.before", "sync.after")
NO_HELPER = ["SystemUnavailable"]


def passed(trial: Trial, count: int) -> None:
    """Let engines live so often, drained in the midst of it and then to the end, and kill none."""
    environ = {"PIPELINEKIT_FAILPOINT_TRACE": str(trial.site.folder / TRACE)}
    for _ in range(count):
        trial.live(environ, starts=trial.starts(), seconds=0.4).wait(20)
        trial.live(environ, starts=trial.starts(), answers=False, seconds=2).wait(20)
        trial.live(environ, settle=True, seconds=30).wait(40)
    for name, *_ in trial.reached():
        trial.measured(name, 1)


def synced(trial: Trial, count: int) -> None:
    """Let engines live so often, nothing being done to them, and watch what is synced."""
    for _ in range(count):
        environ = {syncs.VARIABLE: "1"}
        trial.live(environ, starts=trial.starts(), settle=True, seconds=30).wait(40)


def killed_in_commits(trial: Trial, count: int) -> None:
    """Kill an engine in one of its first commits, so often."""
    for _ in range(count):
        point = trial.dice.choice(["before", "written", "after"])
        _live(trial, f"store.commit.{point}:kill:{trial.dice.randint(2, 8)}")
    trial.settle()


def killed_at_results(trial: Trial, count: int) -> None:
    """Kill runners that write their results, so often."""
    note("tolerate", codes=NO_HELPER)
    for number in range(count):
        _live(trial, f"result.{RESULTS[number % len(RESULTS)]}:kill")
    trial.settle()


def killed(trial: Trial, count: int) -> None:
    """Kill whoever comes to a point, the points in random order, so often."""
    note("tolerate", codes=NO_HELPER)  # what the helper's death keeps from starting is told so
    names = list(POINTS)
    trial.dice.shuffle(names)
    for number in range(count):
        point = names[number % len(names)]
        when = trial.dice.choice(["1", "1", "2", "3"]) if point.startswith(IN_ENGINES) else ""
        _live(trial, f"{point}:kill" + (f":{when}" if when else ""))
    trial.settle()
    hits = {name for name, action, _, _ in trial.reached() if action == "kill"}
    trial.measured("points_hit", len(hits))


def failing_disk(trial: Trial, count: int) -> None:
    """Have the disk fail by chance wherever something is made durable, for so many lives."""
    note("tolerate", codes=DISK_CODES)
    for _ in range(count):
        what = trial.dice.choice(["EIO", "ENOSPC"])
        _live(trial, ",".join(f"{name}:{what}:10%" for name in DISK))
    trial.settle()


def _live(trial: Trial, wanted: str) -> None:
    environ = {
        "PIPELINEKIT_FAILPOINT": wanted,
        "PIPELINEKIT_FAILPOINT_TRACE": str(trial.site.folder / TRACE),
    }
    child = trial.live(environ, starts=trial.starts(0.8), seconds=LIFE_SECONDS)
    limit = time.monotonic() + LIFE_SECONDS
    seen = _kills(trial.site.folder / TRACE)
    while child.wait(0.02) is None and time.monotonic() < limit:
        if _kills(trial.site.folder / TRACE) > seen:
            limit = min(limit, time.monotonic() + AFTER_SECONDS)
            seen = 1 << 30
    child.kill()


def _kills(trace: Path) -> int:
    return trace.read_bytes().count(b" kill\n") if trace.exists() else 0
