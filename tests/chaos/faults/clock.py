"""Wall clocks that are set forward and back while an engine is at work."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pipelinekit.runtime.clock import now
from tests.chaos.ledger import note
from tests.chaos.rig import Parts, Rig
from tests.chaos.trial import Trial

HOURS = (-720, -2, -1, 0, 1, 2, 720)


def set_at_random(trial: Trial, count: int) -> None:
    """Set the clock so often; nothing runs out of time, and nothing waits for the clock."""
    note("clock")
    trial.use(*(each for each in trial.pipelines if each.name in {"sturdy", "frail"}))
    file = trial.site.folder / "offset"
    file.write_text("0", encoding="utf-8")
    parts = Parts(clock=lambda: now() + _offset(file))
    engine = trial.live(starts=trial.starts(), parts=parts, seconds=600, meanwhile=_seen)
    for number in range(count):
        hours = trial.dice.choice(HOURS)
        draft = file.with_suffix(".draft")
        draft.write_text(str(hours), encoding="utf-8")
        draft.replace(file)
        if number % 4 == 0:
            _start_from_outside(trial, parts)
        time.sleep(trial.dice.uniform(0.05, 0.3))
    file.write_text("0", encoding="utf-8")
    limit = time.monotonic() + 60
    while not _is_idle(trial) and time.monotonic() < limit:
        time.sleep(0.1)
    if not _is_idle(trial):
        note("violation", text="work was left after the clock had been set")
    engine.kill()


def _offset(file: Path) -> timedelta:
    return timedelta(hours=float(file.read_text(encoding="utf-8") or "0"))


def _start_from_outside(trial: Trial, parts: Parts) -> None:
    starts = trial.starts()

    def start() -> None:
        with Rig(trial.site, replace(parts, work=False)) as rig:
            for name, token in starts:
                rig.start(name, token)

    trial.fork(start).wait(20)


def _seen(rig: Rig) -> None:
    file = rig.site.folder / "under-way"
    file.write_text(str(len(rig.under_way())), encoding="utf-8")


def _is_idle(trial: Trial) -> bool:
    file = trial.site.folder / "under-way"
    time.sleep(0.3)
    return file.exists() and file.read_text(encoding="utf-8") == "0"
