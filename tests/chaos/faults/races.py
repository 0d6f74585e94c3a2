"""Races: for the answer to an approval, and for a start with one token."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pipelinekit.model.errors import (
    ApprovalAlreadyCompleted,
    InvalidApprovalToken,
    InvalidToken,
    PipelineKitError,
)
from pipelinekit.model.event import Answered, Started
from pipelinekit.model.execution import ActionExecution, Cause
from pipelinekit.model.status import ApprovalStatus, TriggerType
from tests.chaos import workload
from tests.chaos.ledger import note
from tests.chaos.rig import Parts, Rig
from tests.chaos.trial import Trial

MOST = 45
VOTERS = 16
SLOT_SECONDS = 0.01
CALLERS = 8
LOST = (ApprovalAlreadyCompleted, InvalidApprovalToken)


def approvals(trial: Trial, count: int) -> None:
    """Have sixteen threads answer one approval at once, so often, half of them elsewhere.

    Every second group of races is held in one process with the engine; in the others eight
    threads of another process take part.
    """
    trial.use(workload.voted(MOST))
    sizes = [min(MOST, count - done) for done in range(0, count, MOST)]
    for number, size in enumerate(sizes):
        trial.fork(partial(_prepare, trial, f"v{number}")).wait(60)
        begin = time.monotonic() + 0.5
        crews = [VOTERS] if number % 2 == 0 else [VOTERS // 2, VOTERS // 2]
        children = [
            trial.fork(partial(_vote, trial, _Race(begin, size), crew, who))
            for who, crew in enumerate(crews)
        ]
        for child in children:
            if child.wait(120) != 0:
                note("violation", text=f"voters ended with {child.code}")
        trial.settle()


@dataclass(frozen=True, slots=True)
class _Race:
    begin: float
    size: int


def _prepare(trial: Trial, token: str) -> None:
    with Rig(trial.site) as rig:
        rig.define(trial.pipelines)
        run = rig.start("voted", token)
        while len(run.waiting) < MOST:
            time.sleep(0.01)


def _vote(trial: Trial, race: _Race, crew: int, who: int) -> None:
    with Rig(trial.site, Parts(work=who == 0)) as rig:
        run = rig.under_way()[0]
        rows = sorted(run.waiting, key=lambda row: row.action)[: race.size]

        def one(voter: int) -> None:
            for number, row in enumerate(rows):
                time.sleep(max(0.0, race.begin + number * SLOT_SECONDS - time.monotonic()))
                _answer(rig, row, voter + who)

        _at_once(crew, one)


def _answer(rig: Rig, row: ActionExecution, voter: int) -> None:
    status = ApprovalStatus.APPROVED if voter % 2 else ApprovalStatus.REJECTED
    place = {"execution": row.execution, "stage": row.stage, "action": row.action}
    try:
        rig.ask(Answered, row.pipeline, **place, token=row.token or "", status=status)
    except LOST:
        note("vote", race=row.id, won=False)
    except PipelineKitError as error:
        note("violation", text=f"a voter was told {type(error).__name__}: {error}")
    else:
        note("vote", race=row.id, won=True)


def tokens(trial: Trial, count: int) -> None:
    """Have eight threads start a pipeline with one token, so often, and again after a restart."""
    trial.use(workload.single("tokens", workload.deeds.inline_again("last")))
    for again in (False, True):
        child = trial.fork(partial(_call, trial, count, again=again))
        if child.wait(600) != 0:
            note("violation", text=f"callers ended with {child.code}")
    trial.settle()


def _call(trial: Trial, count: int, *, again: bool) -> None:
    with Rig(trial.site) as rig:
        rig.define(trial.pipelines)
        for number in range(count):
            token = f"race-{number}"
            _at_once(1 if again else CALLERS, lambda _, token=token: _start(rig, token))
            _start_otherwise(rig, token)
            while not again and len(rig.under_way()) > MOST // 2:
                time.sleep(0.02)


def _start(rig: Rig, token: str) -> None:
    rig.start("tokens", token)


def _start_otherwise(rig: Rig, token: str) -> None:
    cause = Cause(TriggerType.START_PIPELINE_EXECUTION, rig.by)
    with suppress(InvalidToken):
        rig.ask(Started, "tokens", cause=cause, token=token, revisions={"code": "another"})
        note("violation", text=f"token {token} was taken for other parameters too")


def _at_once(crew: int, task: Callable[[int], None]) -> None:
    barrier = threading.Barrier(crew)

    def begin(number: int) -> None:
        barrier.wait()
        task(number)

    threads: Sequence[threading.Thread] = [
        threading.Thread(target=begin, args=(number,)) for number in range(crew)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
