"""Pipelines: made, changed, read, deleted, listed. Source: codepipeline.md 2.10, 2.11, 12.5."""

import logging
from typing import cast

from msgspec.structs import replace

from pipelinekit.engine.define import name_in_use
from pipelinekit.engine.secrets import masked, unmasked
from pipelinekit.model.errors import DefinitionError, PipelineKitError
from pipelinekit.model.event import Defined, Deleted
from pipelinekit.model.execution import Cause, PipelineRecord
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.status import TriggerType
from pipelinekit.operations.pages import last_of, next_token
from pipelinekit.operations.reading import (
    Answer,
    Given,
    definition_of,
    record_of,
    tags_given,
    text,
)
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.tools.documents.document import JSON
from pipelinekit.wire import codepipeline
from pipelinekit.wire.answers import arn, epoch, present, tag_list

LOG = logging.getLogger("pipelinekit")
PAGE = 1_000


def create(control: Control, given: Given) -> Answer:
    """Create a pipeline and start it for the first time, where it can run here."""
    pipeline = _declared(given)
    try:
        control.check(pipeline, None, shaped=True)
    except DefinitionError:
        if control.find(PipelineRecord, Query(pipeline=pipeline.name)):
            raise name_in_use(pipeline.name) from None
        raise
    tags = tags_given(given)
    version = control.ask(Defined, pipeline.name, definition=pipeline, there=False, tags=tags)
    made = replace(pipeline, version=int(version))
    _start(control, made)
    return present(**_written(control, made), tags=tag_list(tags))


def update(control: Control, given: Given) -> Answer:
    """Give a pipeline another definition; masked secrets stay what they were."""
    pipeline = _declared(given)
    record = record_of(control, pipeline.name)
    before = definition_of(control, record)
    control.check(pipeline, before, shaped=True)
    pipeline = unmasked(pipeline, before, control.types(pipeline))
    version = control.ask(Defined, pipeline.name, definition=pipeline, there=True)
    return _written(control, replace(pipeline, version=int(version)))


def get(control: Control, given: Given) -> Answer:
    """Read a pipeline's definition, the current one or an older one."""
    record = record_of(control, text(given, "name"))
    found = definition_of(control, record, cast("int | None", given.get("version")))
    metadata = {
        "pipelineArn": arn(record.name),
        "created": epoch(record.created),
        "updated": epoch(record.updated),
    }
    return {**_written(control, found), "metadata": metadata}


def delete(control: Control, given: Given) -> Answer:
    """Delete a pipeline; one that is not there is no fault."""
    control.ask(Deleted, text(given, "name"))
    return {}


def list_all(control: Control, given: Given) -> Answer:
    """List pipelines by name."""
    rows = sorted(control.find(PipelineRecord, Query()), key=lambda row: row.name)
    token = text(given, "nextToken")
    if token:
        last = last_of(control, "ListPipelines", given, token)
        rows = [row for row in rows if row.name > last]
    size = cast("int", given.get("maxResults", PAGE))
    page = rows[:size]
    more = next_token(control, "ListPipelines", given, page[-1].name) if rows[size:] else None
    return present(pipelines=[_summary(control, row) for row in page], nextToken=more)


def _declared(given: Given) -> Pipeline:
    return codepipeline.read(cast("JSON", given["pipeline"]))


def _written(control: Control, pipeline: Pipeline) -> Answer:
    return dict(codepipeline.write(masked(pipeline, control.types(pipeline, deleted=True))))


def _start(control: Control, pipeline: Pipeline) -> None:
    try:
        control.begin(pipeline, Cause(TriggerType.CREATE_PIPELINE, control.by))
    except PipelineKitError as error:  # the pipeline is there all the same
        LOG.warning("pipeline %s was created and not started: %s", pipeline.name, error)


def _summary(control: Control, record: PipelineRecord) -> Answer:
    definition = definition_of(control, record)
    return {
        "name": record.name,
        "version": record.version,
        "pipelineType": definition.type.value,
        "executionMode": definition.mode.value,
        "created": epoch(record.created),
        "updated": epoch(record.updated),
    }
