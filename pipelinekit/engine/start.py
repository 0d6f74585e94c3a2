"""How an execution begins. Source: codepipeline.md 3.1."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from pipelinekit.engine.advance import arrive
from pipelinekit.engine.draft import Draft
from pipelinekit.model.action import Category
from pipelinekit.model.errors import CannotRunHere, InvalidToken, ValidationError
from pipelinekit.model.event import Started
from pipelinekit.model.execution import (
    PipelineExecution,
    Revision,
    StartToken,
)
from pipelinekit.model.pipeline import ExecutionMode, Pipeline

TOKEN = re.compile(r"[A-Za-z0-9-]{1,128}")
TOKEN_LIFE = timedelta(hours=24)


def start(draft: Draft, event: Started) -> None:
    """Create an execution and bring it in front of the first stage."""
    if _asked_before(draft, event):
        return
    record = draft.record()
    definition = draft.definition(record.version)
    _runs_here(definition)
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
        variables=_values(definition, event.variables),
        revisions=_revisions(definition, event.revisions),
        limits=event.limits,
    )
    draft.put(replace(record, executions=execution.number))
    draft.put(execution)
    draft.answer = execution.id
    arrive(draft, execution, definition.stages[0])


def _asked_before(draft: Draft, event: Started) -> bool:
    if event.token is None:
        return False
    asked = json.dumps([dict(event.variables), dict(event.revisions)], sort_keys=True)
    if not TOKEN.fullmatch(event.token):
        raise ValidationError(
            f"a start was asked for with token {event.token!r}; write 1 to 128 letters, digits "
            f"and hyphens"
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


def _runs_here(definition: Pipeline) -> None:
    if definition.mode is not ExecutionMode.SUPERSEDED:
        raise CannotRunHere(
            f"pipeline {definition.name!r} has executionMode {definition.mode}, and this engine "
            f"runs SUPERSEDED; set that mode to run it here"
        )
    for stage in definition.stages:
        if stage.before_entry or stage.on_success or stage.on_failure:
            raise CannotRunHere(
                f"stage {stage.name!r} of pipeline {definition.name!r} declares conditions "
                f"(beforeEntry, onSuccess or onFailure), which this engine does not evaluate; "
                f"take them out to run it here"
            )


def _values(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, str]:
    declared = {variable.name: variable.default for variable in definition.variables}
    asked = f"pipeline {definition.name!r} was to be started "
    unknown = ", ".join(sorted(set(given) - set(declared)))
    if unknown:
        raise ValidationError(
            f"{asked}with the variables {unknown}, which it does not declare; it declares "
            f"{', '.join(declared) or 'none'}"
        )
    empty = ", ".join(name for name, value in given.items() if not _text(value))
    if empty:
        raise ValidationError(f"{asked}with empty values for {empty}; give at least one character")
    values = {**declared, **given}
    missing = ", ".join(name for name, value in values.items() if value is None)
    if missing:
        raise ValidationError(
            f"{asked}without values for {missing}, which have no default; give them values"
        )
    return {name: value for name, value in values.items() if value is not None}


def _text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _revisions(definition: Pipeline, given: Mapping[str, str]) -> Mapping[str, Revision]:
    sources = {
        action.name
        for stage in definition.stages
        for action in stage.actions
        if action.type.category is Category.SOURCE
    }
    unknown = ", ".join(sorted(set(given) - sources))
    if unknown:
        raise ValidationError(
            f"pipeline {definition.name!r} was to be started on revisions of {unknown}, which "
            f"are no source actions of it; its sources are {', '.join(sorted(sources))}"
        )
    return {action: Revision(revision) for action, revision in given.items()}
