"""Invoke/AWS/CodePipeline: starts another pipeline."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Final

from pipelinekit.builds.misuse import circle
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.documents.document import DocumentError, Form, parse

REVISION_TYPES: Final = ("COMMIT_ID", "IMAGE_DIGEST", "S3_OBJECT_VERSION_ID")


class _List:
    """Writes a mapping as AWS's JSON array of objects; text is read where it can be refused."""

    def __init__(self, entry: Callable[[str, str], dict[str, str]]) -> None:
        self._entry = entry

    def write(self, value: object) -> str:
        if not isinstance(value, Mapping):
            return str(value)
        return json.dumps([self._entry(str(name), str(each)) for name, each in value.items()])

    def read(self, text: str) -> object:
        return text


def _variable(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _revision(action: str, value: str) -> dict[str, str]:
    return {"actionName": action, "revisionType": "COMMIT_ID", "revisionValue": value}


def _check(action: Action, _: Settings) -> str | None:
    given = action.configuration
    for key, read in (("Variables", _read_variables), ("SourceRevisions", _read_revisions)):
        text = given.get(key, "")
        try:
            if "#{" not in text:  # else it is no JSON yet
                read(text)
        except DocumentError as error:
            return str(error)
    return None


@provider(
    Traits(
        category=Category.INVOKE,
        owner=Owner.AWS,
        provider="CodePipeline",
        inputs=(0, 0),
        outputs=(0, 0),
        variables=frozenset(),
        repeatable=True,
        timeout=timedelta(hours=1),
        check=_check,
    )
)
def invoke(
    job: Job,
    pipeline: Annotated[str, Key("PipelineName")],
    *,
    variables: Annotated[
        Mapping[str, str] | str | None, Key("Variables", form=_List(_variable))
    ] = None,
    revisions: Annotated[
        Mapping[str, str] | str | None, Key("SourceRevisions", form=_List(_revision))
    ] = None,
) -> Outcome:
    """Start another pipeline, and go on without waiting for it.

    The action succeeds as soon as the execution is started, whatever becomes of it; its external
    execution id is that execution's. It starts one execution however often it is asked.

    Args:
        job: What is to be done.
        pipeline: The pipeline's name; not that of the pipeline with this action.
        variables: Values for its variables by name, or CodePipeline's JSON array of `name` and
            `value`.
        revisions: The commit for each of its source actions by name, or CodePipeline's JSON array
            of `actionName`, `revisionType` and `revisionValue`.

    Source: codepipeline.md 7.21.
    """
    if why := circle(pipeline, job.order.pipeline):
        return _refused(why)
    try:
        given = _read_variables(variables), _read_revisions(revisions)
        execution = job.start(pipeline, *given)
    except (DocumentError, PipelineKitError) as error:
        return _refused(str(error))
    job.say(f"started pipeline {pipeline}, execution {execution}")
    return Succeeded(summary=f"Started {pipeline}", external_id=execution)


def _refused(message: str) -> Failed:
    return Failed(message, code=FailureType.CONFIGURATION_ERROR)


def _read_variables(text: Mapping[str, str] | str | None) -> dict[str, str]:
    if isinstance(text, Mapping) or not text:
        return dict(text or {})
    found = {}
    for item in parse(text, "Variables", Form.JSON).root.list():
        members = item.only({"name", "value"})
        found[members.need("name").text()] = members.need("value").text()
    return found


def _read_revisions(text: Mapping[str, str] | str | None) -> dict[str, str]:
    if isinstance(text, Mapping) or not text:
        return dict(text or {})
    found = {}
    for item in parse(text, "SourceRevisions", Form.JSON).root.list():
        members = item.only({"actionName", "revisionType", "revisionValue"})
        members.need("revisionType").choice(REVISION_TYPES)
        found[members.need("actionName").text()] = members.need("revisionValue").text()
    return found
