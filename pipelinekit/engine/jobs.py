"""How workers elsewhere take and end the jobs of an action. Source: codepipeline.md 11.2."""

from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.engine.report import report
from pipelinekit.model.command import Halt
from pipelinekit.model.errors import InvalidJobState, InvalidNonce, JobNotFound
from pipelinekit.model.event import JobAcknowledged, JobEnded, JobEvent, JobOffered, Reported
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.job import JobStatus, WorkerJob
from pipelinekit.model.order import Failed, Waiting
from pipelinekit.model.status import ActionStatus

ACKNOWLEDGE_WITHIN = timedelta(seconds=60)
"""After which a job that nobody acknowledged is offered again (CHOICE: AWS does not say)."""


def job(draft: Draft, event: JobOffered | JobAcknowledged | JobEnded) -> None:
    """Hand a job out, give it to a worker, or end it."""
    match event:
        case JobOffered():
            _offer(draft, event)
        case JobAcknowledged():
            _acknowledge(draft, event)
        case JobEnded():
            _end(draft, event)


def _offer(draft: Draft, event: JobOffered) -> None:
    before = draft.get(WorkerJob, event.execution, event.job)
    if not _is_under_way(draft, event) or (before is not None and not _is_free(draft, before)):
        raise InvalidJobState(
            f"job {event.job} was to be handed out, and another worker has it or its action has "
            f"ended; poll again"
        )
    known = WorkerJob(
        id=event.job,
        pipeline=event.pipeline,
        execution=event.execution,
        stage=event.stage,
        action=event.action,
        action_execution=event.action_execution,
        type=event.type,
        nonce=draft.derive("nonce"),
        offered=draft.at,
    )
    draft.put(known)
    draft.answer = known.nonce


def _acknowledge(draft: Draft, event: JobAcknowledged) -> None:
    known = _known(draft, event)
    if known.nonce != event.nonce:
        raise InvalidNonce(
            f"job {known.id} was acknowledged with nonce {event.nonce!r}, and it has been offered "
            f"again since, or to another worker; poll for another job"
        )
    if known.status in {JobStatus.DISPATCHED, JobStatus.IN_PROGRESS}:
        there = _is_under_way(draft, event)
        known = replace(known, status=JobStatus.IN_PROGRESS if there else JobStatus.FAILED)
        draft.put(known)
    draft.answer = known.status


def _end(draft: Draft, event: JobEnded) -> None:
    known = _known(draft, event)
    if known.status is not JobStatus.IN_PROGRESS or not _is_under_way(draft, event):
        found = known.status if known.status is not JobStatus.IN_PROGRESS else "ended by others"
        raise InvalidJobState(
            f"job {known.id} was to be ended, and it is {found}; only a job that was acknowledged "
            f"and goes on can be ended"
        )
    failed = isinstance(event.outcome, Failed)
    draft.put(replace(known, status=JobStatus.FAILED if failed else JobStatus.SUCCEEDED))
    if not isinstance(event.outcome, Waiting):
        draft.command(Halt(event.action_execution))
    draft.answer = known.id
    report(draft, _reported(event))


def _reported(event: JobEnded) -> Reported:
    return Reported(
        id=event.id,
        pipeline=event.pipeline,
        at=event.at,
        by=event.by,
        execution=event.execution,
        stage=event.stage,
        action=event.action,
        action_execution=event.action_execution,
        outcome=event.outcome,
        artifacts=event.artifacts,
    )


def _known(draft: Draft, event: JobEvent) -> WorkerJob:
    known = draft.get(WorkerJob, event.execution, event.job)
    if known is None:
        raise JobNotFound(f"job {event.job} was asked for and was never offered; poll for jobs")
    return known


def _is_under_way(draft: Draft, event: JobEvent) -> bool:
    row = draft.get(ActionExecution, event.execution, event.stage, event.action)
    return (
        row is not None
        and row.id == event.action_execution
        and row.status is ActionStatus.IN_PROGRESS
    )


def _is_free(draft: Draft, known: WorkerJob) -> bool:
    late = draft.at - known.offered >= ACKNOWLEDGE_WITHIN
    return known.status is JobStatus.DISPATCHED and late
