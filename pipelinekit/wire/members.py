"""Takes a JSON object apart member by member, and notes every fault in it instead of raising."""

import json
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Final, TypeVar, cast

from pipelinekit.model.errors import Fault, Place, path_of
from pipelinekit.model.near import nearest
from pipelinekit.tools.documents.document import JSON

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)

LONGEST_SHOWN = 40


class _Absent(Enum):
    """What is taken in the place of a member that is not there; null is a value."""

    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT


class Faults:
    """Collects what is wrong with a definition, in the order in which it is found."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def note(self, place: Place, found: str, advice: str) -> None:
        """Keep one fault of shape.

        Args:
            place: Where it is.
            found: What is there and why that is wrong.
            advice: What to do about it.
        """
        self.found.append(Fault("ValidationException", path_of(place), found, advice))

    def read(self, data: JSON, place: Place, read: "Callable[[Members], T]") -> T:
        """Read one object, and refuse the members of it that nobody asked for.

        Args:
            data: What should be an object; something else is noted and read as an empty one.
            place: Where it is.
            read: Makes a noun of its members.
        """
        if not isinstance(data, dict):
            self.note(place, f"{shown(data)} is not an object", "write `name: value` members")
            return read(Members({}, place, Faults()))
        members = Members(data, place, self)
        noun = read(members)
        members.refuse_unknown()
        return noun


class Members:
    """The members of one object; a picker gives a harmless stand-in for what is faulty."""

    __slots__ = ("_data", "_faults", "_known", "_place")

    def __init__(self, data: Mapping[str, JSON], place: Place, faults: Faults) -> None:
        self._data = data
        self._place = place
        self._faults = faults
        self._known: list[str] = []

    def need(self, *names: str) -> None:
        """Note each of these members that is missing."""
        for name in names:
            if name not in self._data:
                self._faults.note((self._place, name), "it is missing", "add it")

    def refuse_unknown(self) -> None:
        """Note each member that no picker has asked for."""
        for name in self._data:
            if name not in self._known:
                close = nearest(name, self._known)
                advice = f"write {close}" if close else "remove it"
                known = ", ".join(self._known)
                found = f"CodePipeline knows no member {name} here"
                self._faults.note(
                    (self._place, name), found, f"{advice}; the members here are {known}"
                )

    def skip(self, *names: str) -> None:
        """Let these members be there without looking at them."""
        self._known += names

    def text(self, name: str) -> str:
        """Take a text; it is empty where the member is missing."""
        data = self._take(name)
        return "" if data is ABSENT else self._text(data, (self._place, name))

    def text_or_none(self, name: str) -> str | None:
        """Take a text that may be absent."""
        data = self._take(name)
        return None if data is ABSENT else self._text(data, (self._place, name))

    def version(self, name: str) -> str | None:
        """Take the version of a type, which many write as a number."""
        data = self._take(name)
        if data is ABSENT:
            return None
        whole = isinstance(data, int) and not isinstance(data, bool)
        return str(data) if whole else self._text(data, (self._place, name))

    def whole(self, name: str, absent: D) -> int | D:
        """Take a whole number, or `absent` where the member is missing."""
        data = self._take(name)
        return absent if data is ABSENT else self._whole(data, (self._place, name))

    def choice(self, name: str, options: type[E], absent: D) -> E | D:
        """Take one of the words of an enum, or `absent` where the member is missing."""
        data = self._take(name)
        return absent if data is ABSENT else self._choice(data, (self._place, name), options)

    def texts(self, name: str, *, least: int = 0) -> tuple[str, ...]:
        """Take a list of texts, of at least so many when it is there."""
        place, items = self._list(name, least)
        if not items:
            return ()
        return tuple([self._text(each, (place, at)) for at, each in enumerate(items)])

    def choices(self, name: str, options: type[E], *, least: int = 0) -> tuple[E, ...]:
        """Take a list of words of an enum, of at least so many when it is there."""
        place, items = self._list(name, least)
        if not items:
            return ()
        return tuple([self._choice(each, (place, at), options) for at, each in enumerate(items)])

    def text_by_key(self, name: str) -> dict[str, str]:
        """Take an object whose values are all text."""
        place, items = self._mapping(name)
        return {key: self._text(each, (place, key)) for key, each in items.items()}

    def one(self, name: str, read: "Callable[[Members], T]") -> T:
        """Take an object that must be there; `need` notes it where it is not."""
        found = self.one_or_none(name, read)
        return read(Members({}, (self._place, name), Faults())) if found is None else found

    def one_or_none(self, name: str, read: "Callable[[Members], T]") -> T | None:
        """Take an object that may be absent."""
        data = self._take(name)
        return None if data is ABSENT else self._faults.read(data, (self._place, name), read)

    def each(self, name: str, read: "Callable[[Members], T]", *, least: int = 0) -> tuple[T, ...]:
        """Take a list of objects, of at least so many when it is there."""
        place, items = self._list(name, least)
        if not items:
            return ()
        return tuple([self._faults.read(one, (place, at), read) for at, one in enumerate(items)])

    def one_by_key(self, name: str, read: "Callable[[Members], T]") -> dict[str, T]:
        """Take an object whose values are objects."""
        place, items = self._mapping(name)
        return {key: self._faults.read(each, (place, key), read) for key, each in items.items()}

    def _take(self, name: str) -> "JSON | _Absent":
        self._known.append(name)
        return self._data.get(name, ABSENT)

    def _text(self, data: JSON, place: Place) -> str:
        if isinstance(data, str):
            return data
        plain = isinstance(data, bool | int | float)
        advice = f'put it in quotes: "{json.dumps(data)}"' if plain else "write text in quotes"
        self._faults.note(place, f"{shown(data)} is not text", advice)
        return ""

    def _whole(self, data: JSON, place: Place) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        digits = isinstance(data, str) and data.isdecimal()
        advice = f"write {data} without quotes" if digits else "write digits without quotes"
        self._faults.note(place, f"{shown(data)} is not a whole number", advice)
        return 1

    def _choice(self, data: JSON, place: Place, options: type[E]) -> E:
        try:
            return options(cast("str", data))  # anything else is no word either
        except ValueError:
            found = f"{shown(data)} is not one of the words that may stand here"
            self._faults.note(place, found, f"write {' or '.join(options)}")
            return next(iter(options))

    def _list(self, name: str, least: int) -> tuple[Place, list[JSON]]:
        data = self._take(name)
        if data is ABSENT:
            return (), []
        place = (self._place, name)
        if not isinstance(data, list):
            self._faults.note(place, f"{shown(data)} is not a list", "put it in brackets: [ ]")
            return place, []
        if len(data) < least:
            self._faults.note(place, "the list is empty", "put something in it, or remove it")
        return place, data

    def _mapping(self, name: str) -> tuple[Place, dict[str, JSON]]:
        data = self._take(name)
        if data is ABSENT:
            return (), {}
        place = (self._place, name)
        if not isinstance(data, dict):
            found = f"{shown(data)} is not an object"
            self._faults.note(place, found, "write `name: value` members")
            return place, {}
        return place, data


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
