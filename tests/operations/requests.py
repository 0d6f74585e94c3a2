"""Makes requests of botocore's model: valid ones, and such as are just inside and just outside."""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pipelinekit.tools.aws.service_model import service

Json = dict[str, Any]
Path = tuple[str | int, ...]

UUID: Final = "0f8fad5b-d9cb-469f-a165-70867728950e"
ARN: Final = "arn:aws:codepipeline:us-east-1:000000000000:shop"
KNOWN: Final = {
    "PipelineName": "shop",
    "StageName": "Live",
    "ActionName": "Ask",
    "ResourceArn": ARN,
    "PipelineArn": ARN,
    "RoleArn": "arn:aws:iam::111122223333:role/shop",
    "LambdaFunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:f",
    "AllowedAccount": "111122223333",
    "AWSRegionName": "us-east-1",
    "JsonPath": "$.ref",
    "NextToken": "x",
}
"""Values by the names of shapes, so that requests reach what there is."""

LONGEST: Final = 70_000
"""Of a text that is made to be too long; what may be longer is not tried."""


@dataclass(frozen=True)
class Site:
    """A place of a request, and a value that is put there.

    Attributes:
        path: Where; empty for the request itself.
        value: What; `GONE` to leave it out.
    """

    path: Path
    value: Any


GONE: Final = object()


def operations() -> list[str]:
    """Name all operations."""
    return list(service("codepipeline").operation_names)


def shape_of(operation: str) -> Any:
    """Give the shape of an operation's input."""
    return service("codepipeline").operation_model(operation).input_shape


def valid(shape: Any, *, whole: bool) -> Any:
    """Make a value of a shape.

    Args:
        shape: The shape.
        whole: Whether members that are not required are there too.
    """
    kind = shape.type_name
    if kind == "structure":
        wanted = shape.members if whole else shape.required_members
        return {name: valid(shape.members[name], whole=whole) for name in wanted}
    if kind == "list":
        return [valid(shape.member, whole=whole)] * max(1, shape.metadata.get("min", 0))
    if kind == "map":
        return {valid(shape.key, whole=whole): valid(shape.value, whole=whole)}
    plain = {"boolean": True, "timestamp": 1_700_000_000}
    if kind in plain:
        return plain[kind]
    return _text(shape) if kind == "string" else shape.metadata.get("min", 1)


def _text(shape: Any) -> str:
    pattern = shape.metadata.get("pattern", "")
    if "enum" in shape.metadata:
        return str(shape.metadata["enum"][0])
    if shape.name in KNOWN:
        return KNOWN[shape.name]
    if pattern.startswith("[0-9a-f]{8}"):
        return UUID
    if pattern == "AWS|ThirdParty":
        return "AWS"
    return "1" * max(3 if shape.metadata.get("min", 0) > 2 else 1, shape.metadata.get("min", 1))


def sites(shape: Any, path: Path = ()) -> Iterator[Site]:
    """Go through the constraints of a shape: values just inside, and just outside."""
    for value in _wrong_types(shape):
        yield Site(path, value)
    inner = {"structure": _structures, "list": _lists, "map": _maps, "string": _strings}
    if shape.type_name != "boolean":
        yield from inner.get(shape.type_name, _numbers)(shape, path)


def _structures(shape: Any, path: Path) -> Iterator[Site]:
    for name, member in shape.members.items():
        yield Site((*path, name), GONE)
        yield Site((*path, name), None)
        yield from sites(member, (*path, name))


def _wrong_types(shape: Any) -> list[Any]:
    values = [[], {}, "text", 7, 1.5, True, [None], {"a": None}]
    right: dict[str, Any] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
    }
    wanted = right.get(shape.type_name, int)
    return [value for value in values if type(value) is not wanted]


def _lists(shape: Any, path: Path) -> Iterator[Site]:
    one = valid(shape.member, whole=False)
    for size in _around(shape, most=200):
        yield Site(path, [one] * size)
    yield from sites(shape.member, (*path, 0))


def _maps(shape: Any, path: Path) -> Iterator[Site]:
    value = valid(shape.value, whole=False)
    for size in _around(shape, most=300):
        yield Site(path, {f"k{number}": value for number in range(size)})
    for key in _texts(shape.key):
        yield Site(path, {key: value})
    for text in (*_texts(shape.value), 7, None, []):
        yield Site(path, {"k": text})


def _strings(shape: Any, path: Path) -> Iterator[Site]:
    for text in _texts(shape):
        yield Site(path, text)


def _texts(shape: Any) -> Iterator[str]:
    filling = _text(shape)[:1] or "a"
    for size in _around(shape, most=LONGEST):
        yield filling * size
    yield from ("", " ", "é\u2028\u0000", "../..", "a b", "#{x.y}", _text(shape).swapcase())
    yield from shape.metadata.get("enum", ())


def _numbers(shape: Any, path: Path) -> Iterator[Site]:
    for number in _around_numbers(shape):
        yield Site(path, number)


def _around_numbers(shape: Any) -> Iterator[float]:
    if shape.type_name == "timestamp":
        yield from (0, -1, 1.5, -62_135_596_800, 253_402_300_799, 253_402_300_800, 1e308, -1e308)
        return
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 2**31 - 1)
    yield from (low - 1, low, low + 1, high - 1, high, high + 1, 2**63, -(2**63), 10**400)


def _around(shape: Any, most: int) -> list[int]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 0)
    sizes = {low - 1, low, low + 1, high - 1, high, high + 1}
    return sorted(size for size in sizes if 0 <= size <= most)


def put(request: Any, site: Site) -> Any:
    """Give a request with another value at a place; as it is where the place is not there."""
    if not site.path:
        return site.value
    made = copy.deepcopy(request)
    holder = made
    for step in site.path[:-1]:
        holder = holder[step]
    last = site.path[-1]
    if site.value is GONE:
        holder.pop(last, None)
    else:
        holder[last] = site.value
    return made


def mutated(dice: random.Random, body: bytes) -> bytes:
    """Change a request's bytes in a way that parsers dislike."""
    place = dice.randrange(len(body) + 1)
    pieces = (
        b"",
        b"\x00",
        b"\xff",
        b"\xc3",
        b"\\ud800",
        b"NaN",
        b"1e400",
        b"-Infinity",
        b"[" * 5_000,
        b'{"a":' * 3_000,
        b"9" * 5_000,
        b'"',
        b"}",
        b'{"name":1,"name":2}',
        b"\xef\xbb\xbf",
        b"/* */",
        b"null",
    )
    cut = dice.choice((0, 0, 1, 5, len(body)))
    return body[:place] + dice.choice(pieces) + body[place + cut :]
