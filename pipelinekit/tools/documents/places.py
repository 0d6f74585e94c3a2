"""Builds the plain data of a document step by step, and notes where every value of it stands.

The YAML and the JSON reader feed it; it recurses nowhere, so that no nesting reaches Python's
own stack.
"""

from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Step: TypeAlias = str | int

MAX_DEPTH: Final = 64
LONGEST: Final = 2000
"""Characters of a sentence about a document."""


class DocumentError(Exception):
    """A document that cannot be read, or that does not hold what its reader expects."""

    def __init__(self, name: str, line: int, column: int, found: str, expected: str) -> None:
        """Keep the place, and the two halves of the sentence.

        Args:
            name: The document, as its author knows it.
            line: The line, from 1; 0 for the document as a whole.
            column: The column, from 1; 0 for the line as a whole.
            found: What stands there.
            expected: What is expected there, or what to do about it.
        """
        place = f"{printable(name, 200)}, line {line}" if line else printable(name, 200)
        # Also what was quoted there is a stranger's.
        self.found, self.expected = printable(found, LONGEST), printable(expected, LONGEST)
        super().__init__(f"{place}: found {self.found}; {self.expected}")
        self.name = name
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[type["DocumentError"], tuple[str, int, int, str, str]]:
        return type(self), (self.name, self.line, self.column, self.found, self.expected)


@dataclass(slots=True)
class Place:
    """Where a value stands, how a single value is written, and the places of the values in it."""

    line: int
    column: int
    written: str | None = None
    key_line: int = 0
    inside: "dict[Step, Place]" = field(default_factory=dict)


@dataclass(slots=True)
class Value:
    """A value with its place; `size` counts the values in it, `height` its levels of nesting."""

    data: JSON
    place: Place
    merges: bool = False
    size: int = 1
    height: int = 0


def printable(text: str, limit: int = 60) -> str:
    """Shorten text of a stranger to `limit` characters, and escape its control characters."""
    short = text if len(text) <= limit else f"{text[:limit]}..."
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in short)


def refuse(name: str, place: Place, found: str, expected: str) -> NoReturn:
    """Raise the error that names a place of the document.

    Raises:
        DocumentError: Always.
    """
    raise DocumentError(name, place.line, place.column, found, expected)


def wrapped(value: Value, key: str) -> Value:
    """Put a value into a mapping under its only key."""
    place = Place(value.place.line, value.place.column, inside={key: value.place})
    return Value({key: value.data}, place, size=value.size + 1, height=value.height + 1)


@dataclass(slots=True)
class Frame:
    """A list or mapping that is still open, and what is known of its next pair."""

    value: Value
    anchor: str | None
    form: str | None = None
    key: Value | None = None
    merged: dict[str, JSON] = field(default_factory=dict)
    merged_places: dict[Step, Place] = field(default_factory=dict)


class Builder:
    """Puts values together, and refuses depth and duplicate keys."""

    def __init__(self, name: str) -> None:
        """Begin an empty document.

        Args:
            name: The document, as its author knows it.
        """
        self.name = name
        self.root: Value | None = None
        self._frames: list[Frame] = []

    @property
    def depth(self) -> int:
        """How many lists and mappings are open."""
        return len(self._frames)

    def open(
        self, data: JSON, place: Place, anchor: str | None = None, form: str | None = None
    ) -> None:
        """Begin the empty list or mapping `data`.

        Args:
            data: The list or mapping.
            place: Where it begins.
            anchor: The name by which aliases repeat it.
            form: The key of a mapping that it is wrapped in when it ends.

        Raises:
            DocumentError: It lies too deep.
        """
        if self.depth == MAX_DEPTH:
            found = f"more than {MAX_DEPTH} levels of nesting"
            refuse(self.name, place, found, "flatten the document")
        self._frames.append(Frame(Value(data, place), anchor, form))

    def close(self) -> Frame:
        """End the list or mapping that was opened last, and put it where it belongs.

        Raises:
            DocumentError: It was to be a key.
        """
        frame = self._frames.pop()
        if frame.merged and isinstance(frame.value.data, dict):
            own = dict(frame.value.data)
            frame.value.data.clear()
            frame.value.data.update(frame.merged | own)
            frame.value.place.inside = frame.merged_places | frame.value.place.inside
        if frame.form is not None:
            frame.value = wrapped(frame.value, frame.form)
        self.put(frame.value)
        return frame

    def put(self, value: Value) -> None:
        """Add a finished value to what is open.

        Raises:
            DocumentError: It is a key that stands there already, or that cannot be a key.
        """
        if not self._frames:
            self.root = value
            return
        frame = self._frames[-1]
        frame.value.size += value.size
        frame.value.height = max(frame.value.height, value.height + 1)
        if isinstance(frame.value.data, list):
            frame.value.place.inside[len(frame.value.data)] = value.place
            frame.value.data.append(value.data)
        elif frame.key is None:
            frame.key = self._checked_key(frame, value)
        else:
            self._put_under_key(frame, frame.key, value)
            frame.key = None

    def _checked_key(self, frame: Frame, key: Value) -> Value:
        if key.place.written is None:
            found = "a list or a mapping as a key"
            refuse(self.name, key.place, found, "write a single value there")
        earlier = frame.value.place.inside.get(key.place.written)
        if earlier is not None:
            found = f"the key {printable(key.place.written)} a second time"
            expected = f"keep one: the first is in line {earlier.key_line}"
            refuse(self.name, key.place, found, expected)
        return key

    def _put_under_key(self, frame: Frame, key: Value, value: Value) -> None:
        name = key.place.written or ""
        frame.value.place.inside[name] = replace(value.place, key_line=key.place.line)
        if key.merges:
            self._merge(frame, value)
        elif isinstance(frame.value.data, dict):
            frame.value.data[name] = value.data

    def _merge(self, frame: Frame, value: Value) -> None:
        if isinstance(value.data, list):
            sources = list(zip(value.data, value.place.inside.values(), strict=True))
        else:
            sources = [(value.data, value.place)]
        for data, place in reversed(sources):
            if not isinstance(data, dict):
                expected = "give it an alias of a mapping, such as `<<: *defaults`"
                refuse(self.name, value.place, "`<<` without a mapping", expected)
            frame.merged |= data
            frame.merged_places |= place.inside
