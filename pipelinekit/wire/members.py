"""Takes a JSON object apart member by member, and notes every fault in it instead of raising."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import partial
from typing import TypeVar, TypeVarTuple

from pipelinekit.model.errors import Fault, Path
from pipelinekit.model.near import nearest
from pipelinekit.tools.documents.document import JSON

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)
How = TypeVarTuple("How")

LONGEST_SHOWN = 40


class Faults:
    """Collects what is wrong with a definition, in the order in which it is found."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def note(self, path: Path, found: str, advice: str) -> None:
        """Keep one fault of shape.

        Args:
            path: Where it is.
            found: What is there and why that is wrong.
            advice: What to do about it.
        """
        self.found.append(Fault("ValidationException", path, found, advice))

    def read(self, data: JSON, path: Path, read: "Callable[[Members], T]") -> T:
        """Read one object, and refuse the members of it that nobody asked for.

        Args:
            data: What should be an object; something else is noted and read as an empty one.
            path: Where it is.
            read: Makes a noun of its members.
        """
        if not isinstance(data, dict):
            self.note(path, f"{shown(data)} is not an object", "write `name: value` members")
            return read(Members({}, path, Faults()))
        members = Members(data, path, self)
        noun = read(members)
        members.refuse_unknown()
        return noun


class Members:
    """The members of one object; a picker gives a harmless stand-in for what is faulty."""

    def __init__(self, data: Mapping[str, JSON], path: Path, faults: Faults) -> None:
        self._data = data
        self._path = path
        self._faults = faults
        self._known: list[str] = []

    def need(self, *names: str) -> None:
        """Note each of these members that is missing."""
        for name in names:
            if name not in self._data:
                self._faults.note((*self._path, name), "it is missing", "add it")

    def refuse_unknown(self) -> None:
        """Note each member that no picker has asked for."""
        for name in self._data:
            if name not in self._known:
                close = nearest(name, self._known)
                advice = f"write {close}" if close else "remove it"
                known = ", ".join(self._known)
                found = f"CodePipeline knows no member {name} here"
                self._faults.note(
                    (*self._path, name), found, f"{advice}; the members here are {known}"
                )

    def skip(self, *names: str) -> None:
        """Let these members be there without looking at them."""
        self._known += names

    def text(self, name: str) -> str:
        """Take a text; it is empty where the member is missing."""
        return self._take(name, "", self._text)

    def text_or_none(self, name: str) -> str | None:
        """Take a text that may be absent."""
        return self._take(name, None, self._text)

    def version(self, name: str) -> str | None:
        """Take the version of a type, which many write as a number."""
        return self._take(name, None, self._version)

    def whole(self, name: str, absent: D) -> int | D:
        """Take a whole number, or `absent` where the member is missing."""
        return self._take(name, absent, self._whole)

    def choice(self, name: str, options: type[E], absent: D) -> E | D:
        """Take one of the words of an enum, or `absent` where the member is missing."""
        return self._take(name, absent, self._choice, options)

    def texts(self, name: str, *, least: int = 0) -> tuple[str, ...]:
        """Take a list of texts, of at least so many when it is there."""
        return self._take(name, (), self._list, self._text, least)

    def choices(self, name: str, options: type[E], *, least: int = 0) -> tuple[E, ...]:
        """Take a list of words of an enum, of at least so many when it is there."""
        return self._take(name, (), self._list, partial(self._choice, options=options), least)

    def text_by_key(self, name: str) -> dict[str, str]:
        """Take an object whose values are all text."""
        return self._take(name, {}, self._mapping, self._text)

    def one(self, name: str, read: "Callable[[Members], T]") -> T:
        """Take an object that must be there; `need` notes it where it is not."""
        found = self._take(name, None, self._object, read)
        return read(Members({}, (*self._path, name), Faults())) if found is None else found

    def one_or_none(self, name: str, read: "Callable[[Members], T]") -> T | None:
        """Take an object that may be absent."""
        return self._take(name, None, self._object, read)

    def each(self, name: str, read: "Callable[[Members], T]", *, least: int = 0) -> tuple[T, ...]:
        """Take a list of objects, of at least so many when it is there."""
        return self._take(name, (), self._list, partial(self._object, read=read), least)

    def one_by_key(self, name: str, read: "Callable[[Members], T]") -> dict[str, T]:
        """Take an object whose values are objects."""
        return self._take(name, {}, self._mapping, partial(self._object, read=read))

    def _take(
        self,
        name: str,
        absent: D,
        read: Callable[[JSON, Path, *How], T],
        *how: *How,
    ) -> T | D:
        self._known.append(name)
        if name not in self._data:
            return absent
        return read(self._data[name], (*self._path, name), *how)

    def _text(self, data: JSON, path: Path) -> str:
        if isinstance(data, str):
            return data
        plain = isinstance(data, bool | int | float)
        advice = f'put it in quotes: "{json.dumps(data)}"' if plain else "write text in quotes"
        self._faults.note(path, f"{shown(data)} is not text", advice)
        return ""

    def _version(self, data: JSON, path: Path) -> str:
        whole = isinstance(data, int) and not isinstance(data, bool)
        return str(data) if whole else self._text(data, path)

    def _whole(self, data: JSON, path: Path) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        digits = isinstance(data, str) and data.isdecimal()
        advice = f"write {data} without quotes" if digits else "write digits without quotes"
        self._faults.note(path, f"{shown(data)} is not a whole number", advice)
        return 1

    def _choice(self, data: JSON, path: Path, options: type[E]) -> E:
        if isinstance(data, str):
            with suppress(ValueError):
                return options(data)
        found = f"{shown(data)} is not one of the words that may stand here"
        self._faults.note(path, found, f"write {' or '.join(options)}")
        return next(iter(options))

    def _object(self, data: JSON, path: Path, read: "Callable[[Members], T]") -> T:
        return self._faults.read(data, path, read)

    def _list(
        self, data: JSON, path: Path, read: Callable[[JSON, Path], T], least: int
    ) -> tuple[T, ...]:
        if not isinstance(data, list):
            self._faults.note(path, f"{shown(data)} is not a list", "put it in brackets: [ ]")
            return ()
        if len(data) < least:
            self._faults.note(path, "the list is empty", "put something in it, or remove it")
        return tuple(read(item, (*path, index)) for index, item in enumerate(data))

    def _mapping(self, data: JSON, path: Path, read: Callable[[JSON, Path], T]) -> dict[str, T]:
        if not isinstance(data, dict):
            found = f"{shown(data)} is not an object"
            self._faults.note(path, found, "write `name: value` members")
            return {}
        return {key: read(value, (*path, key)) for key, value in data.items()}


def shown(data: JSON) -> str:
    """Tell in a few words what a JSON value is."""
    match data:
        case str():
            text = data if len(data) <= LONGEST_SHOWN else f"{data[:LONGEST_SHOWN]}..."
            return json.dumps(text, ensure_ascii=False)
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return json.dumps(data)
