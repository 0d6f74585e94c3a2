"""How a failed or stopped stage is run again in its execution. Source: codepipeline.md 3.9."""

from dataclasses import replace

from pipelinekit.engine.advance import run_group
from pipelinekit.engine.draft import Draft
from pipelinekit.model.action import Action
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import NotLatestExecution, StageNotRetryable
from pipelinekit.model.event import RetryRequested
from pipelinekit.model.execution import (
    ActionStatus,
    PipelineExecution,
    PipelineStatus,
    StageExecution,
    StageStatus,
)
from pipelinekit.model.pipeline import Stage

_OVER = frozenset({StageStatus.FAILED, StageStatus.STOPPED})


def retry(draft: Draft, event: RetryRequested) -> None:
    """Run the failed actions of a stage again, or all of them."""
    execution = draft.execution(event.execution)
    stage = draft.stage(execution, event.stage)
    row = _retryable(draft, execution, stage, event.mode)
    actions = _again(draft, row, stage, event.mode)
    if not actions:
        raise StageNotRetryable(
            f"stage {stage.name} of execution {execution.id} was to be retried, but none of its "
            f"actions failed; start a new execution instead"
        )
    lock = draft.stage_state(stage.name)
    draft.put(replace(lock, holder=execution.id))
    draft.put(_resumed(draft, execution))
    again = replace(row, status=StageStatus.IN_PROGRESS, failed=0, retries=row.retries + 1)
    draft.put(replace(again, updated=draft.at))
    draft.answer = execution.id
    run_group(draft, execution.id, stage, actions)


def _resumed(draft: Draft, execution: PipelineExecution) -> PipelineExecution:
    return replace(
        execution,
        status=PipelineStatus.IN_PROGRESS,
        stop=None,
        attempts=execution.attempts + 1,
        summary="",
        updated=draft.at,
    )


def _retryable(
    draft: Draft, execution: PipelineExecution, stage: Stage, mode: RetryMode
) -> StageExecution:
    asked = f"stage {stage.name} of execution {execution.id} was to be retried, but "
    latest = draft.stage_state(stage.name).latest
    row = draft.get(StageExecution, execution.id, stage.name)
    if row is None:
        raise StageNotRetryable(f"{asked}the execution never entered it")
    if latest != execution.id:
        raise NotLatestExecution(
            f"{asked}execution {latest} has entered it since; start a new execution instead"
        )
    if execution.version != draft.record().version:
        raise StageNotRetryable(
            f"{asked}the pipeline's definition has changed since; start a new execution instead"
        )
    beside = row.status is StageStatus.IN_PROGRESS and row.failed > 0
    if row.status not in _OVER and not (beside and mode is RetryMode.FAILED_ACTIONS):
        raise StageNotRetryable(
            f"{asked}it is {row.status}; only a stage that failed or was stopped, with no action "
            f"under way for {RetryMode.ALL_ACTIONS}, can be retried"
        )
    return row


def _again(draft: Draft, row: StageExecution, stage: Stage, mode: RetryMode) -> tuple[Action, ...]:
    if mode is RetryMode.ALL_ACTIONS:
        return stage.groups[0]
    lost = {ActionStatus.FAILED, ActionStatus.ABANDONED}
    attempts = draft.attempts(row.execution, stage)
    failed = tuple(
        action
        for action, attempt in attempts
        if action.run_order == row.run_order and attempt.status in lost
    )
    if failed or row.status is not StageStatus.STOPPED:
        return failed
    later = (group for group in stage.groups if group[0].run_order > row.run_order)
    return next(later, ())
