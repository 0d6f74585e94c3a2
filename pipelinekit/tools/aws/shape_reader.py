"""Reads requests that have no faults by the shapes of the model, in a third of the time.

Whatever may have a fault is left to `shape_check`, which tells all of them. That both agree, a
test shows with requests of the fuzzer.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

from msgspec import DecodeError, Meta, defstruct, to_builtins
from msgspec.json import Decoder, Encoder

from pipelinekit.tools.aws.service_model import OperationModel, Shape

_ENCODER: Final = Encoder()

_Made: TypeAlias = Any
"""A type that is made here."""


class _NotAtOnce(Exception):
    """A shape, such as a time, that has to be made of what is read."""


def read(model: OperationModel, body: bytes) -> dict[str, object] | None:
    """Give a request as `shape_check.checked` does; None for one that may have faults.

    An object with two members of one name has more colons than what was read of it: no text may
    be left out either, and none be written with an escape.

    Args:
        model: The operation.
        body: The request, as it was sent.
    """
    decoder = _decoder(model)
    if decoder is None or b"\\u" in body:
        return None
    try:
        found = decoder.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if body.count(b":") != _ENCODER.encode(found).count(b":"):
        return None
    return cast("dict[str, object]", to_builtins(found))


@cache
def _decoder(model: OperationModel) -> Decoder[object] | None:
    try:
        return Decoder(_structure(model.input_shape))
    except _NotAtOnce:
        return None


def _type(shape: Shape) -> _Made:
    makers: Mapping[str, Callable[[Shape], _Made]] = {
        "boolean": lambda _: bool,
        "integer": _integer,
        "list": _list,
        "map": _map,
        "string": _string,
        "structure": _structure,
    }
    if shape.type_name not in makers:
        raise _NotAtOnce
    return makers[shape.type_name](shape)


def _structure(shape: Shape) -> _Made:
    names = {f"member_{at}": name for at, name in enumerate(shape.members)}
    members = [
        (own, _type(shape.members[name]))
        if name in shape.required_members
        else (own, _type(shape.members[name]) | None, None)
        for own, name in names.items()
    ]
    return defstruct(shape.name, members, omit_defaults=True, kw_only=True, rename=names, gc=False)


def _list(shape: Shape) -> _Made:
    return Annotated[GenericAlias(list, (_type(shape.member),)), _length(shape)]


def _map(shape: Shape) -> _Made:
    return Annotated[GenericAlias(dict, (_type(shape.key), _type(shape.value))), _length(shape)]


def _string(shape: Shape) -> _Made:
    if enum := shape.metadata.get("enum"):
        return Literal[tuple(cast("list[str]", enum))]
    pattern = shape.metadata.get("pattern")
    return Annotated[str, _length(shape, rf"(?a)\A(?:{pattern})\Z" if pattern else None)]


def _integer(shape: Shape) -> _Made:
    least = cast("int", shape.metadata.get("min", -(2**31)))
    most = cast("int", shape.metadata.get("max", 2**31 - 1))
    return Annotated[int, Meta(ge=least, le=most)]


def _length(shape: Shape, pattern: str | None = None) -> Meta:
    least, most = (cast("int | None", shape.metadata.get(side)) for side in ("min", "max"))
    return Meta(min_length=least, max_length=most, pattern=pattern)
