"""The protocol of job workers. Source: codepipeline.md 11.2 to 11.4."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast
from uuid import UUID, uuid5

from msgspec.structs import replace

from pipelinekit.engine.jobs import ACKNOWLEDGE_WITHIN
from pipelinekit.engine.report import VARIABLES_LIMIT
from pipelinekit.model.account import CustomType
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.errors import (
    ActionTypeNotFound,
    InvalidJobState,
    JobNotFound,
    OutputVariablesSizeExceeded,
    PipelineKitError,
    ValidationError,
)
from pipelinekit.model.event import JobAcknowledged, JobEnded, JobOffered
from pipelinekit.model.execution import Artifact, Revision
from pipelinekit.model.job import JobStatus, WorkerJob
from pipelinekit.model.order import Failed, Order, Outcome, Succeeded, Waiting
from pipelinekit.operations.grants import grant
from pipelinekit.operations.reading import (
    Answer,
    Given,
    custom_types,
    definition_of,
    record_of,
    text,
)
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import now
from pipelinekit.tools.archives.archive import ArchiveError, unpack
from pipelinekit.wire.answers import ACCOUNT_ID
from pipelinekit.wire.job_answers import job_data

CONTINUE_SECONDS: Final = 30.0
"""After which the next job of an action appears whose worker gave a continuation token."""


def poll(control: Control, given: Given) -> Answer:
    """Hand out jobs of a custom action type that no worker has."""
    asked = cast("Mapping[str, str]", given["actionTypeId"])
    custom = _custom(control, asked)
    wanted = _wanted(custom, cast("Mapping[str, str]", given.get("queryParam") or {}))
    most = cast("int", given.get("maxBatchSize", 1))
    jobs: list[Answer] = []
    for order in _open(control, custom):
        if len(jobs) == most:
            break
        if all(order.configuration.get(key) == value for key, value in wanted.items()):
            jobs.extend(_offered(control, order))
    return {"jobs": jobs}


def acknowledge(control: Control, given: Given) -> Answer:
    """Give a job to the worker that it was handed to last."""
    job = _job(control, text(given, "jobId"))
    status = control.ask(JobAcknowledged, job.pipeline, **_place(job), nonce=text(given, "nonce"))
    return {"status": status}


def details(control: Control, given: Given) -> Answer:
    """Tell a worker again what a job is about, with secrets in clear."""
    job = _job(control, text(given, "jobId"))
    order = _order(control, job, JobNotFound)
    told = {"id": job.id, "accountId": ACCOUNT_ID, "data": _data(control, order)}
    return {"jobDetails": told}


def succeed(control: Control, given: Given) -> Answer:
    """End a job well: with its action, or going on in another job."""
    job = _job(control, text(given, "jobId"))
    outcome = _outcome(given)
    if isinstance(outcome, Waiting):
        _end(control, job, outcome)
    else:
        _refuse_ended(job)
        _end(control, job, *_with_uploads(control, _order(control, job), outcome))
    return {}


def fail(control: Control, given: Given) -> Answer:
    """End a job badly, and its action."""
    job = _job(control, text(given, "jobId"))
    told = cast("Mapping[str, str]", given["failureDetails"])
    external = told.get("externalExecutionId", "")
    _end(control, job, Failed(told["message"], told["type"], external_id=external))
    return {}


def uploaded(control: Control, order: Order) -> Mapping[str, Path]:
    """Give the file that each output of an action is uploaded to, by the artifact's name."""
    folder = control.uploads / order.id
    return {each.name: folder / f"{place}.zip" for place, each in enumerate(order.outputs)}


def _custom(control: Control, asked: Mapping[str, str]) -> CustomType:
    kind = ActionTypeId(
        Category(asked["category"]), Owner(asked["owner"]), asked["provider"], asked["version"]
    )
    if kind.owner is not Owner.CUSTOM:
        raise ValidationError(
            f"jobs of {kind} were polled for, and only types whose owner is Custom have workers; "
            f"give the id of a custom action type"
        )
    custom = custom_types(control).get(kind)
    if custom is None:
        raise ActionTypeNotFound(
            f"jobs of {kind} were polled for, and there is no such type; create it first"
        )
    return custom


def _wanted(custom: CustomType, given: Mapping[str, str]) -> Mapping[str, str]:
    queryable = [each.name for each in custom.properties if each.queryable]
    if list(given) == queryable:
        return given
    advice = f"give one for {queryable[0]}" if queryable else "leave it out"
    raise ValidationError(
        f"jobs of {custom.id} were polled for by {', '.join(given) or 'no property'}, and its "
        f"queryable property is {', '.join(queryable) or 'none'}; {advice}"
    )


def _open(control: Control, custom: CustomType) -> list[Order]:
    """List the actions of a type that wait for a worker, the oldest first."""
    orders = control.find(Order, Query(type=str(custom.id)))
    present, last = now(), datetime.max.replace(tzinfo=UTC)
    due = [order for order in orders if order.due is None or order.due <= present]
    return sorted(due, key=lambda order: order.deadline or last)


def _offered(control: Control, order: Order) -> Iterator[Answer]:
    known = control.find(WorkerJob, Query(execution=order.execution))
    mine = [job for job in known if job.action_execution == order.id]
    ended = sum(job.status is JobStatus.SUCCEEDED for job in mine)
    if any(not _is_free(job) for job in mine if job.status is not JobStatus.SUCCEEDED):
        return
    place = {
        "job": str(uuid5(UUID(order.id), f"job {ended}")),
        "execution": order.execution,
        "stage": order.stage,
        "action": order.action,
        "action_execution": order.id,
    }
    try:
        nonce = control.ask(JobOffered, order.pipeline, **place, type=order.type)
    except InvalidJobState:  # another worker was faster
        return
    yield {
        "id": place["job"],
        "nonce": nonce,
        "accountId": ACCOUNT_ID,
        "data": _data(control, order),
    }


def _is_free(job: WorkerJob) -> bool:
    return job.status is JobStatus.DISPATCHED and now() - job.offered >= ACKNOWLEDGE_WITHIN


def _job(control: Control, job: str) -> WorkerJob:
    found = control.find(WorkerJob, Query(id=job))
    if not found:
        raise JobNotFound(f"job {job} was asked for, and there is none of that id; poll for jobs")
    return found[0]


def _order(
    control: Control, job: WorkerJob, error: type[PipelineKitError] = InvalidJobState
) -> Order:
    found = control.find(Order, Query(id=job.action_execution))
    if not found:
        raise error(
            f"job {job.id} was asked for, and its action is no longer under way; poll for "
            f"another job"
        )
    return found[0]


def _place(job: WorkerJob) -> dict[str, str]:
    return {
        "job": job.id,
        "execution": job.execution,
        "stage": job.stage,
        "action": job.action,
        "action_execution": job.action_execution,
    }


def _data(control: Control, order: Order) -> Answer:
    definition = definition_of(control, record_of(control, order.pipeline))
    stage = definition.stage(order.stage)
    action = stage.action(order.action) if stage else None
    store = definition.store(action.region if action else None)
    return job_data(order, grant(control, order), store.encryption_key if store else None)


def _outcome(given: Given) -> Succeeded | Waiting:
    told = cast("Mapping[str, object]", given.get("executionDetails") or {})
    variables = cast("Mapping[str, str]", given.get("outputVariables") or {})
    token = text(given, "continuationToken")
    summary = cast("str", told.get("summary", ""))
    external = cast("str", told.get("externalExecutionId", ""))
    if token:
        if variables:
            raise ValidationError(
                "outputVariables were given together with a continuationToken; give them with "
                "the last call, which has no token"
            )
        percent = cast("int | None", told.get("percentComplete"))
        return Waiting(token, CONTINUE_SECONDS, summary, percent, external)
    size = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if size > VARIABLES_LIMIT:
        raise OutputVariablesSizeExceeded(
            f"outputVariables of {size} bytes were given, and {VARIABLES_LIMIT} is the most; "
            f"write large values into an artifact"
        )
    return Succeeded(variables, summary, external, revision=_revision(given), place="a job worker")


def _revision(given: Given) -> Revision | None:
    told = cast("Mapping[str, str]", given.get("currentRevision") or {})
    if not told:
        return None
    return Revision(
        id=told["revision"],
        summary=told.get("revisionSummary", ""),
        change=told["changeIdentifier"],
        created=cast("datetime | None", told.get("created")),
    )


def _refuse_ended(job: WorkerJob) -> None:
    if job.status is not JobStatus.IN_PROGRESS:
        raise InvalidJobState(
            f"job {job.id} was to be ended, and it is {job.status}; only a job that was "
            f"acknowledged and goes on can be ended"
        )


def _with_uploads(
    control: Control, order: Order, outcome: Succeeded
) -> tuple[Outcome, tuple[Artifact, ...]]:
    """Take what a worker uploaded into the artifact store."""
    files = uploaded(control, order)
    revision = outcome.revision.id if outcome.revision else ""
    kept: list[Artifact] = []
    for artifact in order.outputs:
        file = files[artifact.name]
        if not file.exists():
            continue
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            try:
                unpack(file, Path(folder, "tree"))
            except ArchiveError as error:
                said = f"the worker uploaded artifact {artifact.name}, which cannot be used"
                return Failed(f"{said}: {error}; an artifact is a zip"), ()
            copied = Path(folder, "object")
            shutil.copyfile(file, copied)  # the store takes it; the upload stays for another try
            kept.append(replace(control.keep(artifact, copied), revision=revision))
    return outcome, tuple(kept)


def _end(
    control: Control, job: WorkerJob, outcome: Outcome, artifacts: tuple[Artifact, ...] = ()
) -> None:
    control.ask(JobEnded, job.pipeline, **_place(job), outcome=outcome, artifacts=artifacts)
    if not isinstance(outcome, Waiting):
        shutil.rmtree(control.uploads / job.action_execution, ignore_errors=True)
