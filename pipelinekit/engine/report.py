"""How an action or a rule ends: its work reports, or its time runs out."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.engine.advance import settle
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.variables import KEY
from pipelinekit.model.action import Category
from pipelinekit.model.check import RuleExecution
from pipelinekit.model.command import Ask, Halt
from pipelinekit.model.errors import StaleReport
from pipelinekit.model.event import AnswerRefused, Expired, Progressed, Reported
from pipelinekit.model.execution import (
    ActionExecution,
    Artifact,
    ErrorDetails,
    OutputVariables,
    Produced,
)
from pipelinekit.model.order import Failed, Outcome, Succeeded, Waiting
from pipelinekit.model.status import ActionStatus, PipelineStatus

VARIABLES_LIMIT = 122_880

Attempt = ActionExecution | RuleExecution


def report(draft: Draft, event: Reported) -> None:
    """Take the answer of the work of an action or a rule."""
    row = _under_way(draft, event)
    if isinstance(event.outcome, Waiting):
        _wait(draft, row, event.outcome)
    else:
        conclude(draft, row, event.outcome, event.artifacts)


def expire(draft: Draft, event: Expired) -> None:
    """Fail an action or a rule whose time has run out, and have its work ended."""
    row = _under_way(draft, event)
    limit = row.deadline - row.started if row.deadline else timedelta()
    what = "action" if isinstance(row, ActionExecution) else "rule"
    message = (
        f"the {what} timed out: it was not done within {limit}; give it more time with "
        f"timeoutInMinutes, or look into its log for what it waits for"
    )
    draft.command(Halt(row.id))
    conclude(draft, row, Failed(message))


def progress(draft: Draft, event: Progressed) -> None:
    """Keep how far the work of an action is, as long as it is under way."""
    row = draft.get(ActionExecution, event.execution, event.stage, event.action)
    if (
        row is None
        or row.id != event.action_execution
        or row.status is not ActionStatus.IN_PROGRESS
    ):
        raise StaleReport(
            f"{event.stage}/{event.action} of execution {event.execution} told how far attempt "
            f"{event.action_execution} is, and that is not under way; drop it"
        )
    told = replace(row, percent=event.percent, summary=event.summary, updated=draft.at)
    draft.put(told)


def refuse(draft: Draft, event: AnswerRefused) -> None:
    """Keep that an answer did not count, which changes nothing else."""
    draft.kept = True
    row = draft.get(ActionExecution, event.execution, event.stage, event.action)
    if row is not None and row.id == event.action_execution:
        draft.put(replace(row, refused=row.refused + 1))


def conclude(
    draft: Draft,
    row: Attempt,
    outcome: Succeeded | Failed,
    artifacts: tuple[Artifact, ...] = (),
) -> None:
    """End an action or a rule as an outcome says, and go on with its stage.

    Args:
        draft: The decision.
        row: The attempt that is under way.
        outcome: What came of it.
        artifacts: The objects it wrote.
    """
    if isinstance(outcome, Failed):
        _fail(draft, row, outcome)
    else:
        _succeed(draft, row, outcome, artifacts)


def _end(draft: Draft, after: Attempt) -> None:
    draft.put(after)
    stage = draft.stage_execution(after.execution, after.stage)
    failed = int(after.status is ActionStatus.FAILED)
    draft.count(stage, running=-1, failed=failed)
    execution = draft.execution(after.execution)
    goes_on = execution.status is PipelineStatus.IN_PROGRESS  # else that says why it ends
    if goes_on and after.error is not None and isinstance(after, ActionExecution):
        summary = f"Action {after.action} failed: {after.error.message}"
        draft.put(replace(execution, summary=summary, updated=draft.at))
    settle(draft, execution.id, draft.stage(execution, after.stage))


def _under_way(draft: Draft, event: Reported | Expired) -> Attempt:
    place = (event.execution, event.stage)
    row: Attempt | None
    if event.condition is None:
        row = draft.get(ActionExecution, *place, event.action)
    else:
        row = draft.get(RuleExecution, *place, event.condition, event.action)
    if (
        row is None
        or row.id != event.action_execution
        or row.status is not ActionStatus.IN_PROGRESS
    ):
        found = "unknown" if row is None else f"{row.status} as {row.id}"
        raise StaleReport(
            f"{event.stage}/{event.action} of execution {event.execution} reported for attempt "
            f"{event.action_execution}, but the action is {found}; drop the report"
        )
    return row


def _wait(draft: Draft, row: Attempt, waiting: Waiting) -> None:
    due = None if waiting.seconds is None else draft.at + timedelta(seconds=waiting.seconds)
    draft.command(Ask(row.id, waiting.token, due))
    told = _told(draft, row, row.status, waiting)
    if isinstance(told, ActionExecution):
        told = replace(told, percent=waiting.percent)
    draft.put(told)


def _fail(draft: Draft, row: Attempt, failed: Failed) -> None:
    error = ErrorDetails(failed.code, failed.message)
    ended = _told(draft, row, ActionStatus.FAILED, failed)
    if isinstance(ended, ActionExecution):
        ended = replace(ended, error=error, reports=failed.reports, targets=failed.targets)
    else:
        ended = replace(ended, error=error)
    _end(draft, ended)


def _told(draft: Draft, row: Attempt, status: ActionStatus, outcome: Outcome) -> Attempt:
    return replace(
        row,
        status=status,
        updated=draft.at,
        place=row.place if isinstance(outcome, Waiting) else outcome.place,
        summary=outcome.summary,
        external_id=outcome.external_id,
        external_url=outcome.external_url,
    )


def _succeed(
    draft: Draft, row: Attempt, succeeded: Succeeded, artifacts: tuple[Artifact, ...]
) -> None:
    unfit = _unfit(succeeded.variables)
    if unfit is not None:
        done = replace(
            unfit,
            external_id=succeeded.external_id,
            external_url=succeeded.external_url,
            place=succeeded.place,
            reports=succeeded.reports,
            targets=succeeded.targets,
        )
        conclude(draft, row, done)
        return
    if isinstance(row, ActionExecution):
        _publish(draft, row, succeeded, artifacts)
        row = replace(
            row,
            outputs=artifacts,
            variables=succeeded.variables,
            reports=succeeded.reports,
            targets=succeeded.targets,
            percent=None,
        )
    _end(draft, _told(draft, row, ActionStatus.SUCCEEDED, succeeded))


def _unfit(variables: Mapping[str, str]) -> Failed | None:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in variables.items())
    if size > VARIABLES_LIMIT:
        message = (
            f"its output variables are {size} bytes and {VARIABLES_LIMIT} is the most; write "
            f"large values into an artifact"
        )
        return Failed(message, code="OutputVariablesSizeExceeded")
    wrong = next((key for key in variables if not KEY.fullmatch(key)), None)
    if wrong is None:
        return None
    return Failed(
        f"it gave the output variable {wrong!r}, whose name may have letters, digits, @, - and _ "
        f"only, and at least one of them; rename it"
    )


def _publish(
    draft: Draft, row: ActionExecution, succeeded: Succeeded, artifacts: tuple[Artifact, ...]
) -> None:
    for artifact in artifacts:
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
