"""How an execution begins. Source: codepipeline.md 3.1."""

import json
import re
from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.engine.advance import arrive
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.limits import refuse_too_many, too_many
from pipelinekit.engine.startable import startable
from pipelinekit.model.errors import DefinitionChanged, InvalidToken, ValidationError
from pipelinekit.model.event import Started
from pipelinekit.model.execution import PipelineExecution, PipelineRecord, StartToken
from pipelinekit.model.pipeline import Pipeline, PipelineType
from pipelinekit.model.status import PipelineStatus, TriggerType

TOKEN = re.compile(r"[A-Za-z0-9-]{1,128}")
TOKEN_LIFE = timedelta(hours=24)
_ASKED = frozenset(
    {
        TriggerType.START_PIPELINE_EXECUTION,
        TriggerType.CREATE_PIPELINE,
        TriggerType.PUT_ACTION_REVISION,
    }
)


def start(draft: Draft, event: Started) -> None:
    """Create an execution and bring it in front of the first stage."""
    if _asked_before(draft, event):
        return
    record = draft.record()
    _refuse_changed(event, record)
    definition = draft.definition(record.version)
    values, revisions = startable(definition, event.variables, event.revisions, event.object_keys)
    _refuse_choosing(definition, event)
    crowded = too_many(draft, definition.mode, event.most)
    if crowded and event.cause.type in _ASKED:
        refuse_too_many(draft, definition.mode, event.most)
    execution = PipelineExecution(
        id=event.id,
        pipeline=event.pipeline,
        number=record.executions + 1,
        version=record.version,
        mode=definition.mode,
        cause=event.cause,
        started=draft.at,
        updated=draft.at,
        stage=definition.stages[0].name,
        variables=values,
        revisions={**revisions, **event.told},
        told=event.told,
        object_keys=event.object_keys,
        limits=event.limits,
    )
    draft.put(replace(record, executions=execution.number))
    draft.put(execution)
    draft.answer = execution.id
    if crowded:  # nobody is there to be told: it is recorded as failed
        draft.put(replace(execution, status=PipelineStatus.FAILED))
        return
    arrive(draft, execution, definition.stages[0])


def _refuse_changed(event: Started, record: PipelineRecord) -> None:
    if event.defined not in {None, record.updated}:
        raise DefinitionChanged(
            f"pipeline {event.pipeline!r} was to be started as it was defined at {event.defined}, "
            f"and it was defined anew at {record.updated}; look at it again, then start it"
        )


def _refuse_choosing(definition: Pipeline, event: Started) -> None:
    chosen = ", ".join(sorted({*event.revisions, *event.object_keys}))
    by_hand = event.cause.type is TriggerType.START_PIPELINE_EXECUTION
    if chosen and by_hand and definition.type is PipelineType.V1:
        raise ValidationError(
            f"pipeline {definition.name!r} was to be started on chosen revisions of {chosen}, but "
            f"its type is V1; give it the type V2, or start it on the newest revisions"
        )


def _asked_before(draft: Draft, event: Started) -> bool:
    if event.token is None:
        return False
    given = [event.variables, event.revisions, event.object_keys]
    asked = json.dumps([dict(each) for each in given], sort_keys=True)
    if not TOKEN.fullmatch(event.token):
        raise ValidationError(
            f"a start was asked for with token {event.token!r}, which is none; write 1 to 128 "
            f"letters, digits and hyphens"
        )
    before = draft.get(StartToken, event.token)
    if before is None or draft.at - before.at > TOKEN_LIFE:
        draft.put(StartToken(event.pipeline, event.token, asked, event.id, draft.at))
        return False
    if before.asked != asked:
        raise InvalidToken(
            f"a start was asked for with token {event.token!r}, which started execution "
            f"{before.execution} with other parameters; use a new token"
        )
    draft.answer = before.execution
    return True
