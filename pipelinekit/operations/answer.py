"""From the bytes of a request to the bytes of its answer, by awsJson1.1."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Final, NoReturn, cast

from msgspec.json import encode

from pipelinekit.model.errors import (
    DefinitionError,
    EngineClosed,
    IllegalMove,
    PipelineKitError,
    PipelineNotFound,
    StoreError,
)
from pipelinekit.model.noun import Noun
from pipelinekit.operations.table import OPERATIONS
from pipelinekit.ports.control import Control
from pipelinekit.tools.aws.service_model import OperationModel, service
from pipelinekit.tools.aws.shape_check import checked
from pipelinekit.tools.aws.shape_reader import read

PREFIX: Final = "CodePipeline_20150709"
TYPE: Final = "application/x-amz-json-1.1"
DEEPEST: Final = 64

_ANYWHERE: Final = frozenset({"ValidationException", PipelineNotFound.code})
_OWN_TROUBLE: Final[Mapping[type[PipelineKitError], tuple[int, str]]] = {
    StoreError: (503, "ServiceUnavailable"),
    EngineClosed: (503, "ServiceUnavailable"),
    IllegalMove: (500, "InternalFailure"),
}


class Answered(Noun):
    """What is sent back.

    Attributes:
        status: Of HTTP.
        body: JSON.
    """

    status: int
    body: bytes


class _Unreadable(Exception):
    """A body that is no JSON object."""


def answer(control: Control, target: str, body: bytes) -> Answered:
    """Do what a request asks, and answer as CodePipeline does.

    Args:
        control: The engine that is asked.
        target: The header that names the operation, `CodePipeline_20150709.ListPipelines`.
        body: JSON.
    """
    prefix, _, operation = target.rpartition(".")
    function = OPERATIONS.get(operation) if prefix == PREFIX else None
    if function is None:
        return refused(
            "UnknownOperationException", f"{target[:200]!r} is no operation of {PREFIX}"
        )
    try:
        given, faults = read(_model(operation), body), ""
        if given is None:
            given, faults = checked(_model(operation), _read(body))
        if faults:
            return refused("ValidationException", faults)
        return Answered(200, encode(function(control, given)))
    except _Unreadable as error:
        return refused("SerializationException", str(error))
    except PipelineKitError as error:
        return _refusal(operation, error)


def prepare() -> None:
    """Make all that reads requests, so that the first who calls does not wait for it."""
    for operation in OPERATIONS:
        read(_model(operation), b"")


def refused(code: str, message: str, status: int = 400) -> Answered:
    """Write an error as CodePipeline does."""
    return Answered(status, encode({"__type": code, "message": message}))


def _refusal(operation: str, error: PipelineKitError) -> Answered:
    for kind, (status, code) in _OWN_TROUBLE.items():
        if isinstance(error, kind):
            return refused(code, str(error), status)
    code = error.faults[0].code if isinstance(error, DefinitionError) else error.code
    known = code in _declared(operation) or code in _ANYWHERE
    return refused(code if known else "ValidationException", str(error))


@cache
def _model(operation: str) -> OperationModel:
    return service("codepipeline").operation_model(operation)


@cache
def _declared(operation: str) -> frozenset[str]:
    return frozenset(shape.name for shape in _model(operation).error_shapes)


def _read(body: bytes) -> dict[str, object]:
    try:
        text = body.decode()
        found = json.loads(
            text or "{}", parse_constant=_no_number, object_pairs_hook=_without_twins
        )
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"the body is no JSON that can be read: {_said(error)}") from None
    if not isinstance(found, dict):
        raise _Unreadable("the body is JSON, and no object; send the members of the request")
    if text.count("[") + text.count("{") > DEEPEST and _depth(found) > DEEPEST:
        raise _Unreadable(f"the body has more than {DEEPEST} levels; no request has so many")
    return cast("dict[str, object]", found)


def _said(error: Exception) -> str:
    return "it is too deep" if isinstance(error, RecursionError) else str(error)[:200]


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has two members of one name")
    return found


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return deepest
