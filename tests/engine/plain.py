"""Nouns as plain data: dicts, lists, texts and numbers, of which a judge can know nothing else."""

from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

from msgspec import Struct

Plain = dict[str, Any]

_ATOMS = frozenset({str, int, float, bool, type(None)})
"""The types of what is plain already."""


class Clerk:
    """Writes nouns down; what it has written before, and nothing can change, it does not again."""

    def __init__(self) -> None:
        self._written: dict[int, tuple[object, Any]] = {}

    def write(self, noun: object) -> Plain:
        """Give a noun as a dict of its members, its class under the key `is`, times in seconds."""
        kind = type(noun)
        names, rich, get = _members(kind)  # type: ignore[arg-type]  # a class can be hashed
        data: Plain = dict(zip(names, get(noun)))  # noqa: B905 - they are of one length
        for name in rich:
            value = data[name]
            if type(value) not in _ATOMS:
                known = self._written.get(id(value))
                data[name] = self._value(value) if known is None else known[1]
        data["is"] = kind.__name__
        return data

    def _value(self, value: object) -> object:
        found: object
        if isinstance(value, dict):
            found = {key: self._any(each) for key, each in value.items()}
        elif isinstance(value, tuple):
            found = [self._any(each) for each in value]
        elif isinstance(value, datetime):
            found = value.timestamp()
        elif isinstance(value, StrEnum):
            found = value.value
        elif isinstance(value, Struct) or is_dataclass(value):
            found = self.write(value)
        else:
            raise TypeError(f"{value!r} was to be written down, and no way is known for it")
        self._written[id(value)] = (value, found)  # the value is kept, so its id stays its own
        return found

    def _any(self, value: object) -> object:
        if type(value) in _ATOMS:
            return value
        known = self._written.get(id(value))
        return self._value(value) if known is None else known[1]


Members = tuple[tuple[str, ...], tuple[str, ...], Callable[[object], tuple[Any, ...]]]


@cache
def _members(kind: type[object]) -> Members:
    """Give a class's members, those that may not be plain, and the way to read them all.

    A status may be declared as mere text, and be one of an enumeration.
    """
    members = get_type_hints(kind)
    names = tuple(members)
    atoms = {name for name, member in members.items() if member in _ATOMS} - {"status"}
    rich = tuple(name for name in names if name not in atoms)
    if len(names) > 1:
        return names, rich, attrgetter(*names)
    return names, rich, lambda noun: tuple(getattr(noun, name) for name in names)
