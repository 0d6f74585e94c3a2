"""How a reviewer's answer ends an approval. Source: codepipeline.md section 10."""

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.engine.report import conclude
from pipelinekit.engine.review import is_decided, objection, values
from pipelinekit.model.action import Category
from pipelinekit.model.command import Halt
from pipelinekit.model.errors import (
    ActionNotFound,
    ApprovalAlreadyCompleted,
    InvalidApprovalToken,
    NotEntitled,
    StageNotFound,
    ValidationError,
)
from pipelinekit.model.event import Answered
from pipelinekit.model.execution import ActionExecution, PipelineExecution, Vote
from pipelinekit.model.order import Failed, Succeeded
from pipelinekit.model.status import ActionStatus, ApprovalStatus

SUMMARY_LIMIT = 512


def answer(draft: Draft, event: Answered) -> None:
    """Approve or reject the request that the token belongs to."""
    if len(event.summary) > SUMMARY_LIMIT:
        raise ValidationError(
            f"approval {event.stage}/{event.action} was answered with a comment of "
            f"{len(event.summary)} characters, and {SUMMARY_LIMIT} is the most; shorten it"
        )
    _known(draft, event)
    row = draft.get(ActionExecution, event.execution, event.stage, event.action)
    if row is None or row.token != event.token:
        raise InvalidApprovalToken(
            f"approval {event.stage}/{event.action} was answered with token {event.token!r}, "
            f"which belongs to no request of it; read the token of the one that waits now"
        )
    if row.status is not ActionStatus.IN_PROGRESS:
        _refuse(row)
    if row.deadline is not None and draft.at >= row.deadline:
        raise InvalidApprovalToken(
            f"approval {row.stage}/{row.action} was answered, but its request expired at "
            f"{row.deadline.isoformat()}; retry the stage to be asked again"
        )
    reason = objection(draft, row, event)
    vote = Vote(event.by, draft.at, event.status, event.summary, reason or "")
    row = replace(row, votes=(*row.votes, vote), updated=draft.at)
    draft.put(row)
    draft.answer = draft.at.isoformat()
    if reason is not None:
        draft.refusal = NotEntitled(
            f"approval {row.stage}/{row.action} was {event.status.lower()} by {event.by}, but "
            f"{reason}; the try was recorded"
        )
    elif event.status is ApprovalStatus.REJECTED:
        said = event.summary or "without a comment"
        _decide(draft, row, event, Failed(f"rejected by {event.by}: {said}"))
    elif is_decided(row):
        _decide(draft, row, event, Succeeded(values(row, event)))


def _decide(
    draft: Draft, row: ActionExecution, event: Answered, outcome: Succeeded | Failed
) -> None:
    draft.command(Halt(row.id))
    conclude(draft, replace(row, by=event.by), replace(outcome, summary=event.summary))


def _known(draft: Draft, event: Answered) -> None:
    run = draft.get(PipelineExecution, event.execution)
    definition = draft.definition(run.version if run else draft.record().version)
    stage = definition.stage(event.stage)
    if stage is None:
        known = ", ".join(each.name for each in definition.stages)
        raise StageNotFound(
            f"an approval in stage {event.stage!r} was answered and pipeline "
            f"{definition.name!r} has no such stage; name one of its stages: {known}"
        )
    action = stage.action(event.action)
    if action is None or action.type.category is not Category.APPROVAL:
        approvals = [a.name for a in stage.actions if a.type.category is Category.APPROVAL]
        raise ActionNotFound(
            f"approval {event.action!r} of stage {event.stage!r} was answered and there is none "
            f"of that name; name another one: its approvals are {', '.join(approvals) or 'none'}"
        )


def _refuse(row: ActionExecution) -> None:
    where = f"approval {row.stage}/{row.action}"
    if row.by:
        verdict = "approved" if row.status is ActionStatus.SUCCEEDED else "rejected"
        raise ApprovalAlreadyCompleted(
            f"{where} was answered, but {row.by} {verdict} it at {row.updated.isoformat()}; "
            f"retry the stage to be asked again, where it failed"
        )
    raise InvalidApprovalToken(
        f"{where} was answered, but its request is no longer open: it is {row.status}; retry the "
        f"stage to be asked again"
    )
