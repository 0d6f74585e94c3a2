"""What people do to stages: retries, rollbacks, switches, answers.

Source: codepipeline.md 3.7 to 3.12, 10, 11.4.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from uuid import NAMESPACE_URL, uuid5

from pipelinekit.model.action import Category
from pipelinekit.model.condition import ConditionType, RetryMode
from pipelinekit.model.errors import ActionNotFound, StageNotFound
from pipelinekit.model.event import (
    Answered,
    OverrideRequested,
    RetryRequested,
    RollbackRequested,
    TransitionChanged,
)
from pipelinekit.model.execution import ActionExecution, Cause, PipelineExecution, Revision
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import ApprovalStatus, TriggerType
from pipelinekit.operations.reading import Answer, Given, definition_of, record_of, text
from pipelinekit.ports.control import Control, StartWith
from pipelinekit.ports.store import Query
from pipelinekit.wire.answers import epoch

RECENT = 500
"""How many executions are looked through for a revision that was put before."""


def retry(control: Control, given: Given) -> Answer:
    """Retry a failed stage in the same execution."""
    execution = text(given, "pipelineExecutionId")
    name, stage = text(given, "pipelineName"), text(given, "stageName")
    mode = RetryMode(text(given, "retryMode"))
    control.ask(RetryRequested, name, execution=execution, stage=stage, mode=mode)
    return {"pipelineExecutionId": execution}


def rollback(control: Control, given: Given) -> Answer:
    """Run a stage again with what an earlier execution had there."""
    name, stage = text(given, "pipelineName"), text(given, "stageName")
    target = text(given, "targetPipelineExecutionId")
    execution = control.ask(RollbackRequested, name, stage=stage, target=target)
    return {"pipelineExecutionId": execution}


def override(control: Control, given: Given) -> Answer:
    """Let an execution go on whatever a condition says."""
    control.ask(
        OverrideRequested,
        text(given, "pipelineName"),
        execution=text(given, "pipelineExecutionId"),
        stage=text(given, "stageName"),
        condition=ConditionType(text(given, "conditionType")),
    )
    return {}


def enable(control: Control, given: Given) -> Answer:
    """Let executions pass a switch again."""
    return _turn(control, given, enabled=True)


def disable(control: Control, given: Given) -> Answer:
    """Let no execution pass a switch."""
    return _turn(control, given, enabled=False)


def _turn(control: Control, given: Given, *, enabled: bool) -> Answer:
    name, stage = text(given, "pipelineName"), text(given, "stageName")
    _stage(definition_of(control, record_of(control, name)), stage)
    inbound = given["transitionType"] == "Inbound"
    turned = {"stage": stage, "inbound": inbound, "enabled": enabled}
    control.ask(TransitionChanged, name, **turned, reason=text(given, "reason"))
    return {}


def approve(control: Control, given: Given) -> Answer:
    """Answer an approval, with yes or no."""
    name, token = text(given, "pipelineName"), text(given, "token")
    record_of(control, name)
    result = cast("Mapping[str, str]", given["result"])
    at = control.ask(
        Answered,
        name,
        execution=_execution_asking(control, name, token),
        stage=text(given, "stageName"),
        action=text(given, "actionName"),
        token=token,
        status=ApprovalStatus(result["status"]),
        summary=result["summary"],
    )
    return {"approvedAt": epoch(datetime.fromisoformat(at))}


def put_revision(control: Control, given: Given) -> Answer:
    """Start an execution for a revision of a source that was never put before."""
    name, action = text(given, "pipelineName"), text(given, "actionName")
    definition = definition_of(control, record_of(control, name))
    declared = _stage(definition, text(given, "stageName")).action(action)
    if declared is None or declared.type.category is not Category.SOURCE:
        raise ActionNotFound(
            f"a revision was put for action {action!r} of stage {text(given, 'stageName')!r}, "
            f"which is no source of it; name one of the source actions"
        )
    put = cast("Mapping[str, object]", given["actionRevision"])
    revision = Revision(
        id=cast("str", put["revisionId"]),
        change=cast("str", put["revisionChangeId"]),
        created=cast("datetime", put["created"]),
    )
    known = _with_revision(control, name, action, revision.id)
    if known:
        return {"newRevision": False, "pipelineExecutionId": known}
    # Two workers that put the same revision at once start one execution.
    token = str(uuid5(NAMESPACE_URL, f"{action}\n{revision.id}"))
    begun = StartWith(revisions={action: revision.id}, token=token, told={action: revision})
    cause = Cause(TriggerType.PUT_ACTION_REVISION, action)
    return {"newRevision": True, "pipelineExecutionId": control.begin(name, cause, begun)}


def _execution_asking(control: Control, pipeline: str, token: str) -> str:
    """Find the execution whose approval has a token; empty where none has."""
    for run in control.find(PipelineExecution, Query(pipeline=pipeline, ended=False)):
        rows = control.find(ActionExecution, Query(execution=run.id))
        if any(row.token == token for row in rows):
            return run.id
    recent = control.find(ActionExecution, Query(pipeline=pipeline, limit=RECENT))
    return next((row.execution for row in recent if row.token == token), "")


def _with_revision(control: Control, pipeline: str, action: str, revision: str) -> str | None:
    recent = control.find(PipelineExecution, Query(pipeline=pipeline, limit=RECENT))
    for row in recent:  # a worker may call a revision otherwise once it has fetched it
        found = [each[action].id for each in (row.told, row.revisions) if action in each]
        if revision in found:
            return row.id
    return None


def _stage(definition: Pipeline, name: str) -> Stage:
    stage = definition.stage(name)
    if stage is None:
        known = ", ".join(each.name for each in definition.stages)
        raise StageNotFound(
            f"stage {name!r} was asked for, and pipeline {definition.name!r} has none of that "
            f"name; name one of its stages: {known}"
        )
    return stage
