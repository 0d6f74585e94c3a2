"""How an action ends: its work reports, or its time runs out."""

from dataclasses import replace
from datetime import timedelta

from pipelinekit.engine.advance import settle
from pipelinekit.engine.draft import Draft
from pipelinekit.model.action import Category
from pipelinekit.model.command import Ask, Halt
from pipelinekit.model.errors import StaleReport
from pipelinekit.model.event import Expired, Reported
from pipelinekit.model.execution import (
    ActionExecution,
    ActionStatus,
    ErrorDetails,
    OutputVariables,
    Produced,
)
from pipelinekit.model.order import Failed, FailureType, Succeeded, Waiting

VARIABLES_LIMIT = 122_880


def report(draft: Draft, event: Reported) -> None:
    """Take the answer of an action's work."""
    row = _under_way(draft, event)
    match event.outcome:
        case Waiting() as waiting:
            _wait(draft, row, waiting)
        case Failed() as failed:
            end(draft, row, _failed(row, failed))
        case Succeeded() as succeeded:
            _succeed(draft, row, succeeded, event)


def expire(draft: Draft, event: Expired) -> None:
    """Fail an action whose time has run out, and have its work ended."""
    row = _under_way(draft, event)
    limit = row.deadline - row.started if row.deadline else timedelta()
    error = ErrorDetails(
        FailureType.JOB_FAILED,
        f"the action timed out: it was not done within {limit}; give it more time with "
        f"timeoutInMinutes, or look into its log for what it waits for",
    )
    draft.command(Halt(row.id))
    end(draft, row, replace(row, status=ActionStatus.FAILED, error=error))


def end(draft: Draft, before: ActionExecution, after: ActionExecution) -> None:
    """Write the end of an action and go on with its stage."""
    draft.put(replace(after, updated=draft.at))
    stage = draft.stage_execution(before.execution, before.stage)
    failed = int(after.status is ActionStatus.FAILED)
    draft.count(stage, running=-1, failed=failed)
    execution = draft.execution(before.execution)
    if failed and after.error is not None:
        summary = f"Action {after.action} failed: {after.error.message}"
        draft.put(replace(execution, summary=summary, updated=draft.at))
    settle(draft, execution.id, draft.stage(execution, before.stage))


def _under_way(draft: Draft, event: Reported | Expired) -> ActionExecution:
    row = draft.get(ActionExecution, event.execution, event.stage, event.action)
    if (
        row is None
        or row.id != event.action_execution
        or row.status is not ActionStatus.IN_PROGRESS
    ):
        found = "unknown" if row is None else f"{row.status} as {row.id}"
        raise StaleReport(
            f"{event.stage}/{event.action} of execution {event.execution} reported for attempt "
            f"{event.action_execution}, but the action is {found}; the report was dropped"
        )
    return row


def _wait(draft: Draft, row: ActionExecution, waiting: Waiting) -> None:
    due = None if waiting.seconds is None else draft.at + timedelta(seconds=waiting.seconds)
    draft.command(Ask(row.id, waiting.token, due))
    draft.put(
        replace(
            row,
            updated=draft.at,
            summary=waiting.summary,
            percent=waiting.percent,
            external_id=waiting.external_id,
            external_url=waiting.external_url,
        )
    )


def _failed(row: ActionExecution, failed: Failed) -> ActionExecution:
    return replace(
        row,
        status=ActionStatus.FAILED,
        error=ErrorDetails(failed.code, failed.message),
        summary=failed.summary,
        external_id=failed.external_id,
        external_url=failed.external_url,
        place=failed.place,
        reports=failed.reports,
    )


def _succeed(draft: Draft, row: ActionExecution, succeeded: Succeeded, event: Reported) -> None:
    size = sum(len(k.encode()) + len(v.encode()) for k, v in succeeded.variables.items())
    if size > VARIABLES_LIMIT:
        message = (
            f"its output variables are {size} bytes and {VARIABLES_LIMIT} is the most; write "
            f"large values into an artifact"
        )
        failed = Failed(message, code="OutputVariablesSizeExceeded")
        end(draft, row, _failed(row, failed))
        return
    _publish(draft, row, succeeded, event)
    after = replace(
        row,
        status=ActionStatus.SUCCEEDED,
        outputs=event.artifacts,
        variables=succeeded.variables,
        summary=succeeded.summary,
        external_id=succeeded.external_id,
        external_url=succeeded.external_url,
        place=succeeded.place,
        reports=succeeded.reports,
        percent=None,
    )
    end(draft, row, after)


def _publish(draft: Draft, row: ActionExecution, succeeded: Succeeded, event: Reported) -> None:
    for artifact in event.artifacts:
        draft.put(Produced(row.pipeline, row.execution, artifact))
    execution = draft.execution(row.execution)
    action = draft.stage(execution, row.stage).action(row.action)
    if action is not None and action.namespace and succeeded.variables:
        draft.put(
            OutputVariables(row.pipeline, row.execution, action.namespace, succeeded.variables)
        )
    if row.type.category is Category.SOURCE and succeeded.revision is not None:
        revisions = {**execution.revisions, row.action: succeeded.revision}
        draft.put(replace(execution, revisions=revisions, updated=draft.at))
