"""Faults of what runs in processes of its own: killed runners, and trees that will not end."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipelinekit.kit.run import Run
from pipelinekit.model.status import ActionStatus
from pipelinekit.tools.jobs.proctree import send
from tests.chaos import deeds, workload
from tests.chaos.facts import gather
from tests.chaos.ledger import Line, note
from tests.chaos.rig import Rig
from tests.chaos.stores import export
from tests.chaos.trial import SLACK, Trial

NOTICED_SECONDS = 4.0 * SLACK
"""The longest that one loss may go unnoticed; that of all of them is limited in `FIGURES`."""

WORK_SECONDS = 1.5
GONE_SECONDS = 14.0 * SLACK
FORKED_SECONDS = 9.0
FORKING = 6
"""One of so many has a child that is forked and lives longer than it."""

SPARED = 3
"""One of so many actions is left alone, and must succeed."""


def killed(trial: Trial, count: int) -> None:
    """Kill so many runners in the midst of their work, and see how soon that is noticed."""
    kinds = [deeds.detached, deeds.detached_again]
    spared = max(1, count // SPARED)
    forking = max(1, count // FORKING)
    names = [f"a{number}" for number in range(count - forking + spared)]
    others = [f"f{number}" for number in range(forking)]
    actions = [kinds[n % 2](name, WORK_SECONDS) for n, name in enumerate(names)]
    trial.use(
        workload.single("runners", *actions, *(deeds.forking(n, FORKED_SECONDS) for n in others))
    )
    engine = trial.live(starts=trial.starts(), settle=True)
    victims = {*others, *trial.dice.sample(names, count - forking)}
    hit: set[str] = set()
    while len(hit) < count and engine.wait(0.005) is None:
        for line in trial.said("start"):
            name = str(line["action"])
            if name in victims - hit:
                hit.add(name)
                time.sleep(trial.dice.uniform(0, 0.02))
                _kill(line)
    if engine.wait(60) != 0:
        note("violation", text=f"the engine ended with {engine.code}")
    _measure(trial)


def _kill(line: Line) -> None:
    pid = line["pid"]
    assert isinstance(pid, int)
    note("gone", gone=pid, order=line["order"])
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _measure(trial: Trial) -> None:
    facts = gather(export(trial.site.home.database), [])
    told = {attempt: moves[0].at for attempt, moves in facts.verdicts.items()}
    again: dict[object, list[float]] = {}
    for line in trial.said("start"):
        again.setdefault(line["order"], []).append(float(str(line["at"])))
    for line in trial.said("gone"):
        order, at = line["order"], float(str(line["at"]))
        later = [time for time in again.get(order, []) if time > at]
        seconds = min([*later, told.get(str(order), float("inf"))]) - at
        trial.measured("noticed_seconds", seconds)
        if seconds > NOTICED_SECONDS:
            note("violation", text=f"attempt {order} was noticed as lost after {seconds:.3f} s")


def abandoned_trees(trial: Trial, count: int) -> None:
    """Abandon so many trees of processes that do not want to end; none may survive."""
    base = f"86{trial.dice.randrange(10**6):06d}{os.getpid()}"  # nobody else sleeps so long
    shapes = list(deeds.SHAPES)
    markers = [f"{base}.{number:05d}" for number in range(count)]
    actions = [
        deeds.hostile(f"t{number}", shapes[number % len(shapes)], marker)
        for number, marker in enumerate(markers)
    ]
    trial.use(workload.single("trees", *actions))

    def abandon(rig: Rig) -> None:
        if len(trial.said("grown")) == count:
            for run in rig.under_way():
                if _at_work(run):
                    rig.abandon(run)

    engine = trial.live(starts=trial.starts(), meanwhile=abandon)
    if len(trial.until(count, 60, "grown")) < count:
        note("violation", text="not all trees have grown")
    began = time.monotonic()
    left = set(markers)
    while left and time.monotonic() - began < GONE_SECONDS:
        time.sleep(0.1)
        left = {marker for _, marker in _living(base)}
    trial.measured("gone_seconds", time.monotonic() - began)
    send(signal.SIGKILL, [pid for pid, _ in _living(base)])
    for marker in left:
        note("violation", text=f"a process of tree {marker} survives")
    engine.send(signal.SIGTERM)
    engine.wait(20)
    trial.settle()


def _at_work(run: Run) -> bool:
    return any(row.status is ActionStatus.IN_PROGRESS for row in run.actions)


def _living(base: str) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                for word in (entry / "cmdline").read_bytes().split(b"\0"):
                    if word.startswith(base.encode()):
                        yield int(entry.name), word.decode()
