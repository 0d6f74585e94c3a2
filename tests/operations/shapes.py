"""Checks every answer of the API by the shapes of botocore's model, more strictly than SDKs do."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

LOOSE = {"S3Key"}
"""Shapes whose bounds the service itself does not keep."""

YEARS, INTEGERS = (-62_135_596_800, 253_402_300_799), (-(2**31), 2**31 - 1)

ANYWHERE = {"ThrottlingException", "ValidationException", "PipelineNotFoundException"}


def watch(client: Any) -> Any:
    """Have every answer that a client gets checked; give the client."""
    client.meta.events.register("before-parse.codepipeline", _check)
    return client


def _check(operation_model: Any, response_dict: Any, **_: Any) -> None:
    data = json.loads(response_dict["body"] or b"{}", parse_constant=_no_number)
    if response_dict["status_code"] < 300:
        faults = list(misfits(operation_model.output_shape, data, operation_model.name))
        assert not faults, faults
        return
    assert set(data) == {"__type", "message"}, data
    declared = {shape.name for shape in operation_model.error_shapes} | ANYWHERE
    if response_dict["status_code"] == 400:
        assert data["__type"] in declared, data
    assert data["message"], data


def misfits(shape: Any, value: Any, place: str) -> Iterator[str]:
    """Tell where a value does not fit a shape."""
    if shape is None:
        if value:
            yield f"{place}: {value!r} where nothing is answered"
        return
    inner = {"structure": _structure, "list": _list, "map": _map}
    yield from inner.get(shape.type_name, _plain)(shape, value, place)


def _list(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place}: {value!r} is no list"
        return
    yield from _length(shape, value, place)
    for number, each in enumerate(value):
        yield from misfits(shape.member, each, f"{place}[{number}]")


def _map(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no map"
        return
    yield from _length(shape, value, place)
    for key, each in value.items():
        yield from misfits(shape.key, key, f"{place} key")
        yield from misfits(shape.value, each, f"{place}.{key}")


def _structure(shape: Any, value: Any, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no structure"
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{place}: {name} is missing"
    for name, each in value.items():
        if name not in shape.members:
            yield f"{place}: {name} is unknown"
        else:
            yield from misfits(shape.members[name], each, f"{place}.{name}")


def _plain(shape: Any, value: Any, place: str) -> Iterator[str]:
    kinds = {"string": str, "boolean": bool, "timestamp": (int, float)}
    wanted = kinds.get(shape.type_name, int)
    if not isinstance(value, wanted) or (wanted is not bool and isinstance(value, bool)):
        yield f"{place}: {value!r} is no {shape.type_name}"
        return
    if isinstance(value, str):
        yield from _text(shape, value, place)
    elif wanted is not bool:
        usual = YEARS if shape.type_name == "timestamp" else INTEGERS
        low, high = shape.metadata.get("min", usual[0]), shape.metadata.get("max", usual[1])
        if not low <= value <= high:
            yield f"{place}: {value} is not in {low}..{high}"


def _text(shape: Any, value: str, place: str) -> Iterator[str]:
    if shape.name in LOOSE:
        return
    yield from _length(shape, value, place)
    pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern and not re.fullmatch(pattern, value, re.ASCII):
        yield f"{place}: {value!r} does not match {pattern}"
    if enum and value not in enum:
        yield f"{place}: {value!r} is none of {enum}"


def _length(shape: Any, value: Any, place: str) -> Iterator[str]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    if not low <= len(value) <= high:
        yield f"{place}: its length {len(value)} is not in {low}..{high}"


def _no_number(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")
