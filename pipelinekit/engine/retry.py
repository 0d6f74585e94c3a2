"""How a failed or stopped stage is run again in its execution. Source: codepipeline.md 3.9."""

from msgspec.structs import replace

from pipelinekit.engine.advance import resume
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.limits import refuse_too_many
from pipelinekit.engine.reruns import reruns
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import NotLatestExecution, StageNotRetryable
from pipelinekit.model.event import RetryRequested
from pipelinekit.model.execution import PipelineExecution, StageExecution
from pipelinekit.model.pipeline import ExecutionMode, Stage
from pipelinekit.model.status import Phase, PipelineStatus, RetryTrigger, StageStatus

_OVER = frozenset({StageStatus.FAILED, StageStatus.STOPPED})
_RETRY = (
    f"retry the stage in which it failed or was stopped, for {RetryMode.ALL_ACTIONS} when no "
    f"action of it is under way any more"
)


def retry(draft: Draft, event: RetryRequested) -> None:
    """Run the failed actions of a stage again, or all of them.

    A stage that its entry condition has failed is checked again. For FAILED_ACTIONS the entry
    condition is not looked at otherwise; for ALL_ACTIONS it is (CHOICE).
    """
    execution = draft.execution(event.execution)
    stage = draft.stage(execution, event.stage)
    row = _retryable(draft, execution, stage, event.mode)
    whole = event.mode is RetryMode.ALL_ACTIONS or row.phase is Phase.ENTRY
    actions = () if whole else reruns(draft, row, stage, event.mode)
    if not (whole or actions):
        raise StageNotRetryable(
            f"stage {stage.name} of execution {execution.id} was to be retried, but none of its "
            f"actions failed; retry {RetryMode.ALL_ACTIONS}, or start a new execution"
        )
    if execution.status is not PipelineStatus.IN_PROGRESS:
        refuse_too_many(draft, execution.mode, event.most)
    draft.answer = execution.id
    again = replace(row, retries=row.retries + 1, retried=RetryTrigger.MANUAL)
    resume(draft, again, stage, actions)


def _retryable(
    draft: Draft, execution: PipelineExecution, stage: Stage, mode: RetryMode
) -> StageExecution:
    asked = f"stage {stage.name} of execution {execution.id} was to be retried, but "
    row = draft.get(StageExecution, execution.id, stage.name)
    if row is None:
        raise StageNotRetryable(f"{asked}the execution never entered it; {_RETRY}")
    check_latest(draft, execution, stage.name, asked)
    if execution.version != draft.record().version:
        raise StageNotRetryable(
            f"{asked}the pipeline's definition has changed since; start a new execution instead"
        )
    beside = (
        row.status is StageStatus.IN_PROGRESS and row.failed > 0 and row.phase is Phase.ACTIONS
    )
    if row.status not in _OVER and not (beside and mode is RetryMode.FAILED_ACTIONS):
        raise StageNotRetryable(f"{asked}it is {row.status}; {_RETRY}")
    return row


def check_latest(draft: Draft, execution: PipelineExecution, stage: str, asked: str) -> None:
    """Refuse what is asked of an execution that another one has followed into the stage.

    Raises:
        NotLatestExecution: Another execution has entered the stage since.
    """
    latest = draft.stage_state(stage).latest
    if execution.mode is not ExecutionMode.PARALLEL and latest != execution.id:
        raise NotLatestExecution(
            f"{asked}execution {latest} has entered it since; start a new execution instead"
        )
