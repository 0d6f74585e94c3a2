"""Checks requests by the shapes of the model, and tells all faults in AWS's own words."""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final, TypeAlias, cast

from pipelinekit.tools.aws.service_model import OperationModel, Shape

SHOWN: Final = 1_024
"""How many characters of a value a fault repeats."""

_LEAST, _MOST = -62_135_596_800, 253_402_300_799
"""The seconds since 1970 that a date can have: the years 1 to 9999."""

_Faults = list[str]
_Place: TypeAlias = "tuple[()] | tuple[_Place, str | int]"
"""Where a value is: the place of what it is in, and its name there, or its number in a list."""

_Check = Callable[[object, _Place, _Faults], object]
_Fits = Callable[[str], object]


def checked(model: OperationModel, given: object) -> tuple[dict[str, object], str]:
    """Give a request without what is null or unknown, its times as times.

    Args:
        model: The operation.
        given: The request, as JSON has it.

    Returns:
        The request, and all its faults as AWS puts them; empty where there are none.
    """
    faults: _Faults = []
    found = _check_for(model)(given, (), faults)
    if not faults:
        return cast("dict[str, object]", found), ""
    count = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected"
    return {}, f"{count}: {'; '.join(faults)}"


@cache
def _check_for(model: OperationModel) -> _Check:
    return _check_of(model.input_shape)


def _check_of(shape: Shape) -> _Check:
    plain = {"timestamp": _timestamp, "boolean": _boolean}
    makers = {"structure": _structure, "list": _list, "map": _map, "string": _string}
    return plain.get(shape.type_name) or makers.get(shape.type_name, _integer)(shape)


def _structure(shape: Shape) -> _Check:
    checks = {name: _check_of(member) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, dict):
            return _misfit(value, place, "a structure", faults)
        found: dict[str, object] = {}
        for name, member in value.items():
            if member is not None and name in checks:
                found[name] = checks[name](member, (place, name), faults)
        for name in required:
            if name not in found:
                faults.append(_fault("null", (place, name), "Member must not be null"))
        return found

    return check


def _list(shape: Shape) -> _Check:
    check_member = _check_of(shape.member)
    limits = _length(shape)

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, list):
            return _misfit(value, place, "a list", faults)
        faults += [_fault(_shown(value), place, each) for each in limits(value)]
        return [
            check_member(each, (place, number), faults) for number, each in enumerate(value, 1)
        ]

    return check


def _map(shape: Shape) -> _Check:
    limits, fits, find = _length(shape), _fitting(shape.key), _string_faults(shape.key)
    check_value = _map_value(shape.value)

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, dict):
            return _misfit(value, place, "a map", faults)
        faults += [_fault(_shown(value), place, each) for each in limits(value)]
        for key in value:
            if not fits(key):
                said = f"Map keys must satisfy constraint: [{', '.join(find(key))}]"
                faults.append(_fault(_shown(key), place, said))
        return {key: check_value(each, (place, key), faults) for key, each in value.items()}

    return check


def _map_value(shape: Shape) -> _Check:
    if shape.type_name != "string":
        inside = _check_of(shape)
        return lambda value, place, faults: inside(value, (place, "member"), faults)
    fits, find = _fitting(shape), _string_faults(shape)

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, str) or not fits(value):
            # The value may be a secret: it is not repeated.
            wrong = find(value) if isinstance(value, str) else ["Member must be a string"]
            said = f"Map value must satisfy constraint: [{', '.join(wrong)}]"
            faults.append(_fault(None, place, said))
        return value

    return check


def _string(shape: Shape) -> _Check:
    fits, find = _fitting(shape), _string_faults(shape)
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, str):
            return _misfit(value, place, "a string", faults)
        if not fits(value):
            told = None if secret else _shown(value)
            faults += [_fault(told, place, each) for each in find(value)]
        return value

    return check


def _fitting(shape: Shape) -> _Fits:
    """Give what tells in a single call whether a text has no faults."""
    find = _string_faults(shape)
    if enum := cast("Sequence[str] | None", shape.metadata.get("enum")):
        right = frozenset(each for each in enum if not find(each))
        return right.__contains__
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", "")
    pattern = shape.metadata.get("pattern", "(?s:.*)")
    sized = rf"(?=(?s:.{{{least},{most}}})\Z)(?:{pattern})"
    return re.compile(sized, re.ASCII).fullmatch


def _string_faults(shape: Shape) -> Callable[[str], list[str]]:
    limits = _length(shape)
    enum = cast("Sequence[str] | None", shape.metadata.get("enum"))
    pattern = cast("str | None", shape.metadata.get("pattern"))
    matches = re.compile(pattern, re.ASCII).fullmatch if pattern else None

    def find(value: str) -> list[str]:
        found = limits(value)
        if matches is not None and not matches(value):
            found.append(f"Member must satisfy regular expression pattern: {pattern}")
        if enum is not None and value not in enum:
            found.append(f"Member must satisfy enum value set: [{', '.join(enum)}]")
        return found

    return find


def _length(shape: Shape) -> Callable[[str | list[object] | dict[str, object]], list[str]]:
    least = cast("int", shape.metadata.get("min", 0))
    most = cast("float", shape.metadata.get("max", math.inf))

    def find(value: str | list[object] | dict[str, object]) -> list[str]:
        size = len(value)
        if least <= size <= most:
            return []
        side = (
            f"less than or equal to {most}" if size > most else f"greater than or equal to {least}"
        )
        return [f"Member must have length {side}"]

    return find


def _integer(shape: Shape) -> _Check:
    least = cast("float", shape.metadata.get("min", -(2**31)))
    most = cast("float", shape.metadata.get("max", 2**31 - 1))

    def check(value: object, place: _Place, faults: _Faults) -> object:
        if not isinstance(value, int) or isinstance(value, bool):
            return _misfit(value, place, "an integer", faults)
        if value > most:
            said = f"Member must have value less than or equal to {most}"
            faults.append(_fault(_shown(value), place, said))
        elif value < least:
            said = f"Member must have value greater than or equal to {least}"
            faults.append(_fault(_shown(value), place, said))
        return value

    return check


def _timestamp(value: object, place: _Place, faults: _Faults) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _misfit(value, place, "a number of seconds since 1970", faults)
    if not _LEAST <= value <= _MOST:
        return _misfit(value, place, "a time in the years 1 to 9999", faults)
    return datetime.fromtimestamp(value, UTC)


def _boolean(value: object, place: _Place, faults: _Faults) -> object:
    return value if isinstance(value, bool) else _misfit(value, place, "a boolean", faults)


def _misfit(value: object, place: _Place, what: str, faults: _Faults) -> object:
    faults.append(_fault(_shown(value), place, f"Member must be {what}"))
    return value


def _fault(value: str | None, place: _Place, constraint: str) -> str:
    repeated = "" if value is None else f" '{value}'"
    return f"Value{repeated} at '{_told(place)}' failed to satisfy constraint: {constraint}"


def _told(place: _Place) -> str:
    steps: list[str] = []
    while place:
        place, step = place
        steps.append(step[:SHOWN] if isinstance(step, str) else f"{step}.member")
    return ".".join(reversed(steps))


def _shown(value: object) -> str:
    # Structures may hold secrets: only what is plain is repeated.
    if isinstance(value, dict):
        return f"{{{len(value)} members}}"
    if isinstance(value, list):
        return f"[{len(value)} elements]"
    return value[:SHOWN] if isinstance(value, str) else json.dumps(value)[:SHOWN]
