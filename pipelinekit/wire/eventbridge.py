"""Changes of status as the events that CodePipeline sends to EventBridge.

Source: codepipeline.md 13.1. Rules and conditions have no events, and a skipped stage tells no end
(CHOICE).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID, uuid5

from pipelinekit.model.execution import (
    ActionExecution,
    Artifact,
    PipelineExecution,
    StageExecution,
)
from pipelinekit.model.move import Move

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | bool | None"
Member = Mapping[str, Json]

Changed: TypeAlias = PipelineExecution | StageExecution | ActionExecution
"""A row whose changes of status CodePipeline tells."""

Subscriber = Callable[[Member], None]
"""Takes an event; what it raises makes that it is told the event again."""

ACCOUNT = "000000000000"
REGION = "us-east-1"
STATES = {
    "InProgress": "STARTED",
    "Stopping": "STOPPING",
    "Stopped": "STOPPED",
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Superseded": "SUPERSEDED",
    "Cancelled": "CANCELED",
    "Abandoned": "ABANDONED",
}
_SPACE = UUID("7d0d5f6e-8f0f-4d0e-9d55-0a2f5f3f8f10")


def bus_event(
    move: Move,
    name: str,
    at: datetime,
    row: Changed,
    execution: PipelineExecution,
) -> Member | None:
    """Give the event of a change of status; None where CodePipeline sends none.

    Args:
        move: The change.
        name: What tells it from every other, so that an event that is sent again has the same id.
        at: When it was, UTC.
        row: What changed, as it stands now.
        execution: The execution that it belongs to.
    """
    state = STATES.get(move.status)
    if state is None:
        return None
    if move.resumed:
        state = "RESUMED"
    kind = "Action" if move.action else "Stage" if move.stage else "Pipeline"
    arn = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:{execution.pipeline}"
    return {
        "version": "0",
        "id": str(uuid5(_SPACE, name)),
        "detail-type": f"CodePipeline {kind} Execution State Change",
        "source": "aws.codepipeline",
        "account": ACCOUNT,
        "time": _seconds(at),
        "region": REGION,
        "resources": [arn],
        "detail": _detail(execution, row, state),
    }


def _detail(execution: PipelineExecution, row: Changed, state: str) -> Member:
    return {
        "pipeline": execution.pipeline,
        "execution-id": execution.id,
        "state": state,
        "version": execution.version,
        "pipeline-execution-attempt": execution.attempts,
        "start-time": _millis(row.started),
        **_more(row, state),
    }


def _more(row: Changed, state: str) -> Member:
    match row:
        case PipelineExecution():
            return _of_pipeline(row, state)
        case StageExecution():
            again = {"stage-last-retry-attempt-time": _millis(row.updated)}
            return {"stage": row.stage, **(again if state == "RESUMED" else {})}
        case ActionExecution():
            return _of_action(row, state)


def _of_pipeline(row: PipelineExecution, state: str) -> Member:
    found: dict[str, Json] = {}
    if state == "STARTED":
        found["execution-trigger"] = {
            "trigger-type": row.cause.type,
            "trigger-detail": row.cause.detail,
        }
    if row.stop is not None and state in {"STOPPING", "STOPPED"}:
        found["stop-execution-comments"] = row.stop.reason
    return found


def _of_action(row: ActionExecution, state: str) -> Member:
    found: dict[str, Json] = {
        "stage": row.stage,
        "action": row.action,
        "action-execution-id": row.id,
        "region": REGION,
        "type": {
            "owner": row.type.owner,
            "category": row.type.category,
            "provider": row.type.provider,
            "version": row.type.version,
        },
    }
    if row.inputs:
        found["input-artifacts"] = _artifacts(row.inputs)
    if state == "STARTED":
        return found
    if row.outputs:
        found["output-artifacts"] = _artifacts(row.outputs)
    result = {
        "external-execution-id": row.external_id,
        "external-execution-summary": row.summary,
        "external-execution-url": row.external_url,
        "error-code": row.error.code if row.error else "",
    }
    given: dict[str, Json] = {key: value for key, value in result.items() if value}
    return {**found, "execution-result": given} if given else found


def _artifacts(artifacts: Iterable[Artifact]) -> list[Json]:
    return [
        {"name": each.name, "s3location": {"bucket": each.bucket, "key": each.object_key}}
        for each in artifacts
    ]


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _millis(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
