"""Wall clocks that are set forward and back while an engine is at work."""

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from pipelinekit.runtime.clock import now
from tests.chaos import workload
from tests.chaos.ledger import note
from tests.chaos.rig import Parts, Rig
from tests.chaos.stores import nobodys
from tests.chaos.trial import LOOK_SECONDS, SETTLE_SECONDS, Trial

HOURS = (-120, -2, -1, 0, 1, 2, 120)
"""How far the clock is set: longer than an action may take, not so long as an approval waits."""

WORK_SECONDS = 0.2


def set_at_random(trial: Trial, count: int) -> None:
    """Set the clock so often; nothing runs out of time, and nothing waits for the clock."""
    note("clock")
    trial.use(workload.sturdy(WORK_SECONDS), workload.frail(WORK_SECONDS))
    file = trial.site.folder / "offset"
    file.write_text("0", encoding="utf-8")
    parts = Parts(clock=lambda: now() + _offset(file))
    engine = trial.live(starts=trial.starts(), parts=parts, seconds=600)
    trial.until(len(trial.pipelines), 10, "ack")
    for number in range(count):
        hours = trial.dice.choice(HOURS)
        draft = file.with_suffix(".draft")
        draft.write_text(str(hours), encoding="utf-8")
        draft.replace(file)
        if number % 4 == 0:
            _start_from_outside(trial, parts)
            _wait_until_taken(trial)
        time.sleep(trial.dice.uniform(0.05, 0.3))
    file.write_text("0", encoding="utf-8")
    if trial.fork(partial(_wait_for_the_end, trial, parts)).wait(SETTLE_SECONDS + 20) != 0:
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


def _wait_until_taken(trial: Trial) -> None:
    # Until an engine has taken what another process decided, a deadline is a time and no span.
    limit = time.monotonic() + SETTLE_SECONDS
    while nobodys(trial.site.url) and time.monotonic() < limit:
        time.sleep(LOOK_SECONDS)


def _wait_for_the_end(trial: Trial, parts: Parts) -> int:
    limit = time.monotonic() + SETTLE_SECONDS
    with Rig(trial.site, replace(parts, work=False)) as rig:
        while (left := len(rig.under_way())) and time.monotonic() < limit:
            time.sleep(0.1)
    return left
