"""Executions: started, stopped, read, listed. Source: codepipeline.md 3.1, 3.8, 12.5."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import cast

from pipelinekit.engine.startable import OBJECT_KEY, check_revision_types
from pipelinekit.model.event import StopRequested
from pipelinekit.model.execution import Cause, PipelineExecution, PipelineRecord, StageExecution
from pipelinekit.model.status import StageStatus, TriggerType
from pipelinekit.operations.pages import last_row, next_token
from pipelinekit.operations.reading import (
    Answer,
    Given,
    definition_of,
    execution_of,
    record_of,
    text,
)
from pipelinekit.ports.control import Control, StartWith
from pipelinekit.ports.store import Query
from pipelinekit.wire.answers import present
from pipelinekit.wire.execution_answers import execution_detail, execution_summary

PAGE = 100
_LIST = "ListPipelineExecutions"


def start(control: Control, given: Given) -> Answer:
    """Start an execution."""
    name = text(given, "name")
    chosen = cast("list[Mapping[str, str]]", given.get("sourceRevisions") or [])
    record = record_of(control, name)
    if chosen:
        kinds = [(each["actionName"], each["revisionType"]) for each in chosen]
        check_revision_types(definition_of(control, record), kinds)
    variables = cast("list[Mapping[str, str]]", given.get("variables") or [])
    keys = {
        each["actionName"]: each["revisionValue"]
        for each in chosen
        if each["revisionType"] == OBJECT_KEY
    }
    revisions = {
        each["actionName"]: each["revisionValue"]
        for each in chosen
        if each["revisionType"] != OBJECT_KEY
    }
    values = {each["name"]: each["value"] for each in variables}
    begun = StartWith(values, revisions, keys, text(given, "clientRequestToken") or None)
    cause = Cause(TriggerType.START_PIPELINE_EXECUTION, control.by)
    return {"pipelineExecutionId": control.begin(name, cause, begun)}


def stop(control: Control, given: Given) -> Answer:
    """Stop an execution."""
    execution = text(given, "pipelineExecutionId")
    control.ask(
        StopRequested,
        text(given, "pipelineName"),
        execution=execution,
        abandon=bool(given.get("abandon")),
        reason=text(given, "reason"),
    )
    return {"pipelineExecutionId": execution}


def get(control: Control, given: Given) -> Answer:
    """Read an execution."""
    record = record_of(control, text(given, "pipelineName"))
    row = execution_of(control, record.name, text(given, "pipelineExecutionId"))
    definition = definition_of(control, record, row.version)
    return {"pipelineExecution": execution_detail(row, definition)}


def list_all(control: Control, given: Given) -> Answer:
    """List executions, the newest first."""
    name = text(given, "pipelineName")
    record = record_of(control, name)
    size = cast("int", given.get("maxResults", PAGE))
    before = last_row(control, PipelineExecution, _LIST, given)
    asked = cast("Mapping[str, Mapping[str, str]]", given.get("filter") or {})
    stage = asked.get("succeededInStage", {}).get("stageName")
    if stage is None:
        query = Query(pipeline=name, limit=size + 1, before=before)
        rows = list(control.find(PipelineExecution, query))
    else:
        rows = list(islice(_succeeded(control, record, stage, before), size + 1))
    more = next_token(control, _LIST, given, rows[size - 1].id) if rows[size:] else None
    summaries = [execution_summary(row) for row in rows[:size]]
    return present(pipelineExecutionSummaries=summaries, nextToken=more)


def _succeeded(
    control: Control, record: PipelineRecord, stage: str, before: PipelineExecution | None
) -> Iterator[PipelineExecution]:
    """Go through those that succeeded in a stage on the current version, the newest first."""
    while True:
        query = Query(pipeline=record.name, limit=PAGE, before=before)
        page = control.find(PipelineExecution, query)
        for row in (each for each in page if each.version == record.version):
            visits = control.find(StageExecution, Query(execution=row.id, stage=stage))
            if any(visit.status is StageStatus.SUCCEEDED for visit in visits):
                yield row
        if len(page) < PAGE:
            return
        before = page[-1]
