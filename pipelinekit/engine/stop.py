"""How an execution is stopped, waiting for its actions or abandoning them.

Source: codepipeline.md 3.8.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec.structs import replace

from pipelinekit.engine.advance import is_outdated, settle
from pipelinekit.engine.conditions import break_off
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import inside, withdraw
from pipelinekit.engine.review import FREEZE
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.command import Halt
from pipelinekit.model.errors import DuplicatedStop, NotStoppable, ValidationError
from pipelinekit.model.event import StopRequested
from pipelinekit.model.execution import ActionExecution, PipelineExecution, Stop
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, Phase, PipelineStatus, StageStatus

REASON_LIMIT = 200

Chosen: TypeAlias = Callable[[ActionExecution], bool]


def stop(draft: Draft, event: StopRequested) -> None:
    """Stop an execution: at once where it only waits, else when its actions have ended."""
    execution = draft.execution(event.execution)
    _check(execution, event)
    before = execution.stop.reason if execution.stop else ""  # it was to wait until now
    asked = Stop(event.by, event.reason or before, event.abandon)
    summary = f"Stopped by {event.by}" + (f": {asked.reason}" if asked.reason else "")
    draft.answer = execution.id
    if not inside(draft, execution):
        withdraw(draft, execution)
        stopped = PipelineStatus.STOPPED
        draft.put(
            replace(execution, status=stopped, stop=asked, summary=summary, updated=draft.at)
        )
        return
    if is_outdated(draft, execution):
        summary = execution.summary  # it is cancelled all the same, and that says why
    stopping = replace(
        execution,
        status=PipelineStatus.STOPPING,
        stop=asked,
        summary=summary,
        updated=draft.at,
    )
    draft.put(stopping)
    row = draft.stage_execution(execution.id, execution.stage)
    draft.put(replace(row, status=StageStatus.STOPPING, updated=draft.at))
    if event.abandon or row.phase is not Phase.ACTIONS:
        give_up(draft, stopping, ConditionStatus.ABANDONED)
    else:  # nobody waits for the end of a freeze, as no condition is waited for
        give_up(draft, stopping, ConditionStatus.ABANDONED, given_up=_is_freeze)


def give_up(
    draft: Draft,
    execution: PipelineExecution,
    status: ConditionStatus,
    *,
    given_up: Chosen = lambda _: True,
) -> None:
    """Give up what is under way in an execution's stage, and go on with the stage.

    A check of a condition is broken off at once: its rules change nothing (CHOICE).

    Args:
        draft: The decision.
        execution: The execution, inside its stage.
        status: What becomes of a check that is broken off.
        given_up: Says which actions are; the others are left to end by themselves.
    """
    stage = draft.stage(execution, execution.stage)
    row = draft.stage_execution(execution.id, execution.stage)
    if row.phase is not Phase.ACTIONS:
        break_off(draft, row, stage, status, execution.summary)
    else:
        _abandon(draft, execution, stage, given_up)
    settle(draft, execution.id, stage)


def asks(row: ActionExecution) -> bool:
    """Tell whether an attempt waits for somebody's answer."""
    return row.token is not None


def _is_freeze(row: ActionExecution) -> bool:
    return asks(row) and row.type.provider == FREEZE


def _abandon(draft: Draft, execution: PipelineExecution, stage: Stage, given_up: Chosen) -> None:
    for action, row in list(draft.attempts(execution.id, stage)):
        if row.status is not ActionStatus.IN_PROGRESS or not given_up(row):
            continue
        summary = f"{action.name} was abandoned"
        abandoned = ActionStatus.ABANDONED
        draft.put(replace(row, status=abandoned, summary=summary, updated=draft.at))
        draft.command(Halt(row.id))
        draft.count(draft.stage_execution(row.execution, row.stage), running=-1)


def _check(execution: PipelineExecution, event: StopRequested) -> None:
    if len(event.reason) > REASON_LIMIT:
        raise ValidationError(
            f"execution {execution.id} was to be stopped for a reason of {len(event.reason)} "
            f"characters, and {REASON_LIMIT} is the most; shorten it"
        )
    if execution.ended:
        raise NotStoppable(
            f"execution {execution.id} was to be stopped, but it has ended: it is "
            f"{execution.status}; start a new one if the pipeline is to run again"
        )
    again = execution.stop is not None and execution.stop.abandon >= event.abandon
    if execution.status is PipelineStatus.STOPPING and again:
        raise DuplicatedStop(
            f"execution {execution.id} was to be stopped and is stopping already; wait for its "
            f"actions, or abandon them"
        )
