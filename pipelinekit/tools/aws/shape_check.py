"""Checks requests by the shapes of the model, and tells all faults in AWS's own words."""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Final, cast

from pipelinekit.tools.aws.service_model import OperationModel, Shape

SHOWN: Final = 1_024
"""How many characters of a value a fault repeats."""

_LEAST, _MOST = -62_135_596_800, 253_402_300_799
"""The seconds since 1970 that a date can have: the years 1 to 9999."""

_Faults = list[str]
_Check = Callable[[object, str, _Faults], object]


def checked(model: OperationModel, given: object) -> tuple[dict[str, object], str]:
    """Give a request without what is null or unknown, its times as times.

    Args:
        model: The operation.
        given: The request, as JSON has it.

    Returns:
        The request, and all its faults as AWS puts them; empty where there are none.
    """
    faults: _Faults = []
    found = _check_for(model)(given, "", faults)
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

    def check(value: object, place: str, faults: _Faults) -> object:
        if not isinstance(value, dict):
            return _misfit(value, place, "a structure", faults)
        inside = f"{place}." if place else ""
        found: dict[str, object] = {}
        for name, member in value.items():
            if member is not None and name in checks:
                found[name] = checks[name](member, f"{inside}{name}", faults)
        for name in required:
            if name not in found:
                faults.append(_fault("null", f"{inside}{name}", "Member must not be null"))
        return found

    return check


def _list(shape: Shape) -> _Check:
    check_member = _check_of(shape.member)
    limits = _length(shape)

    def check(value: object, place: str, faults: _Faults) -> object:
        if not isinstance(value, list):
            return _misfit(value, place, "a list", faults)
        faults += [_fault(_shown(value), place, each) for each in limits(value)]
        return [
            check_member(each, f"{place}.{number}.member", faults)
            for number, each in enumerate(value, 1)
        ]

    return check


def _map(shape: Shape) -> _Check:
    limits, keys = _length(shape), _string_faults(shape.key)
    check_value = _map_value(shape.value)

    def check(value: object, place: str, faults: _Faults) -> object:
        if not isinstance(value, dict):
            return _misfit(value, place, "a map", faults)
        faults += [_fault(_shown(value), place, each) for each in limits(value)]
        for key in value:
            if wrong := keys(key):
                said = f"Map keys must satisfy constraint: [{', '.join(wrong)}]"
                faults.append(_fault(_shown(key), place, said))
        return {
            key: check_value(each, f"{place}.{key[:SHOWN]}", faults) for key, each in value.items()
        }

    return check


def _map_value(shape: Shape) -> _Check:
    if shape.type_name != "string":
        inside = _check_of(shape)
        return lambda value, place, faults: inside(value, f"{place}.member", faults)
    find = _string_faults(shape)

    def check(value: object, place: str, faults: _Faults) -> object:
        wrong = find(value) if isinstance(value, str) else ["Member must be a string"]
        if wrong:  # the value may be a secret: it is not repeated
            said = f"Map value must satisfy constraint: [{', '.join(wrong)}]"
            faults.append(_fault(None, place, said))
        return value

    return check


def _string(shape: Shape) -> _Check:
    find = _string_faults(shape)
    secret = bool(shape.metadata.get("sensitive"))

    def check(value: object, place: str, faults: _Faults) -> object:
        if not isinstance(value, str):
            return _misfit(value, place, "a string", faults)
        if wrong := find(value):
            faults += [_fault(None if secret else _shown(value), place, each) for each in wrong]
        return value

    return check


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

    def check(value: object, place: str, faults: _Faults) -> object:
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


def _timestamp(value: object, place: str, faults: _Faults) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _misfit(value, place, "a number of seconds since 1970", faults)
    if not _LEAST <= value <= _MOST:
        return _misfit(value, place, "a time in the years 1 to 9999", faults)
    return datetime.fromtimestamp(value, UTC)


def _boolean(value: object, place: str, faults: _Faults) -> object:
    return value if isinstance(value, bool) else _misfit(value, place, "a boolean", faults)


def _misfit(value: object, place: str, what: str, faults: _Faults) -> object:
    faults.append(_fault(_shown(value), place, f"Member must be {what}"))
    return value


def _fault(value: str | None, place: str, constraint: str) -> str:
    repeated = "" if value is None else f" '{value}'"
    return f"Value{repeated} at '{place}' failed to satisfy constraint: {constraint}"


def _shown(value: object) -> str:
    # Structures may hold secrets: only what is plain is repeated.
    if isinstance(value, dict):
        return f"{{{len(value)} members}}"
    if isinstance(value, list):
        return f"[{len(value)} elements]"
    return value[:SHOWN] if isinstance(value, str) else json.dumps(value)[:SHOWN]
