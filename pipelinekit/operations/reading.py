"""What several operations read: pipelines, their definitions, executions."""

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from pipelinekit.model.account import ACCOUNT, CustomType, Tags
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.errors import (
    ExecutionNotFound,
    InvalidTags,
    PipelineNotFound,
    PipelineVersionNotFound,
)
from pipelinekit.model.execution import Definition, PipelineExecution, PipelineRecord
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.wire.answers import ACCOUNT_ID

Given = Mapping[str, object]
Answer = dict[str, object]

KEPT_DEFINITIONS = 2_048


def text(given: Given, name: str) -> str:
    """Give a member that is a text; empty where it is not given."""
    return cast("str", given.get(name, ""))


def record_of(control: Control, name: str) -> PipelineRecord:
    """Give a pipeline's own row.

    Raises:
        PipelineNotFound: No pipeline has that name.
    """
    found = control.find(PipelineRecord, Query(pipeline=name))
    if not found:
        raise PipelineNotFound(
            f"Account '{ACCOUNT_ID}' does not have a pipeline with name '{name}'; list the "
            f"pipelines there are"
        )
    return found[0]


class _Key:
    """A control and a version of a definition, the same as another one that means the same."""

    def __init__(self, control: Control, record: PipelineRecord, version: int) -> None:
        self.control, self.record, self.version = control, record, version
        self._same = (control.key, record.name, record.created, version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)


def definition_of(
    control: Control, record: PipelineRecord, version: int | None = None
) -> Pipeline:
    """Give a version of a pipeline's definition; the current one when None.

    Raises:
        PipelineVersionNotFound: The pipeline has no such version.
    """
    return _definition(_Key(control, record, version or record.version))


@lru_cache(KEPT_DEFINITIONS)
def _definition(key: _Key) -> Pipeline:
    # A version never changes; a pipeline that is deleted and made again has another birthday.
    query = Query(pipeline=key.record.name, version=key.version)
    found = key.control.find(Definition, query)
    if not found:
        raise PipelineVersionNotFound(
            f"version {key.version} of pipeline {key.record.name!r} was asked for, and it has the "
            f"versions up to {key.record.version}; ask for one of these"
        )
    return found[0].body


def execution_of(control: Control, pipeline: str, execution: str) -> PipelineExecution:
    """Give an execution of a pipeline.

    Raises:
        PipelineNotFound: No pipeline has that name.
        ExecutionNotFound: It has no execution of that id.
    """
    found = control.find(PipelineExecution, Query(id=execution))
    if found and found[0].pipeline == pipeline:
        return found[0]
    record_of(control, pipeline)
    raise ExecutionNotFound(
        f"execution {execution} was asked for, and pipeline {pipeline!r} has none of that id; "
        f"list its executions to find the right one"
    )


def custom_types(control: Control) -> Mapping[ActionTypeId, CustomType]:
    """Give the custom action types that job workers carry out."""
    rows = control.find(CustomType, Query(pipeline=ACCOUNT))
    return {row.id: row for row in rows if not row.deleted}


def tags_of(control: Control, resource: str) -> Mapping[str, str]:
    """Give the tags of a resource, by what its ARN ends in."""
    found = control.find(Tags, Query(id=resource))
    return found[0].values if found else {}


def tags_given(given: Given) -> Mapping[str, str]:
    """Give the tags of a request.

    Raises:
        InvalidTags: A name was given twice.
    """
    listed = cast("list[Mapping[str, str]]", given.get("tags") or [])
    names = [each["key"] for each in listed]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidTags(f"tags {', '.join(twice)} were given twice; give each name once")
    return {each["key"]: each["value"] for each in listed}
