"""How values become the texts of configuration keys, by the kind of their parameter, and back."""

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    Protocol,
    SupportsFloat,
    SupportsIndex,
    Union,
    get_args,
    get_origin,
)

import msgspec


class Form(Protocol):
    """How a value is written as the text of a configuration key, and read from it."""

    def write(self, value: object) -> str:
        """Give the text for a value, or raise TypeError or ValueError saying what is expected."""
        ...

    def read(self, text: str) -> object:
        """Give the value for a text, or raise ValueError saying what is expected."""
        ...


class Names:
    """Writes names as one text, with commas between them."""

    def write(self, value: object) -> str:
        """Give the text for a name or several."""
        if not isinstance(value, Sequence):
            raise TypeError("give a list of names")
        return value if isinstance(value, str) else ", ".join(map(str, value))

    def read(self, text: str) -> list[str]:
        """Give the names of a text."""
        return [name.strip() for name in text.split(",") if name.strip()]


def form_of(kind: object) -> Form:
    """Give the form for the kind of a parameter: its annotation.

    Args:
        kind: A type, or a `Literal`, or a union; that it may be None is left to the caller.

    Raises:
        TypeError: A value of that kind could not be told from its text.
    """
    if get_origin(kind) in {Union, UnionType}:
        return _of_union(kind)
    if get_origin(kind) is Literal:
        return _Choice(tuple(each for each in get_args(kind) if each is not None))
    if kind is str:
        return _Text()
    if kind is bool:
        return _Flag()
    if kind is int or kind is float:
        return _Number(int if kind is int else float)
    return _Value(kind)


def _of_union(union: object) -> Form:
    kinds = [each for each in get_args(union) if each is not NoneType]
    if len(kinds) == 1:
        return form_of(kinds[0])
    if str in kinds:
        raise TypeError("a text could stand for more than one of its kinds")
    return _Value(union)


class _Text:
    def write(self, value: object) -> str:
        if isinstance(value, PurePath):
            return str(value)
        if not isinstance(value, str):
            raise TypeError("a text is expected, in quotes; or annotate the parameter otherwise")
        return str.__str__(value)

    def read(self, text: str) -> object:
        return text


class _Number:
    def __init__(self, kind: type[int] | type[float]) -> None:
        self._kind = kind
        self._kinds = SupportsIndex if kind is int else SupportsFloat

    def write(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, str | self._kinds):
            raise TypeError(self._expected)
        return str(value)

    def read(self, text: str) -> object:
        try:
            return self._kind(text)
        except ValueError:
            raise ValueError(self._expected) from None

    @property
    def _expected(self) -> str:
        word = "whole number" if self._kind is int else "number"
        return f"a {word} is expected, such as {self._kind(1)}"


class _Flag:
    def write(self, value: object) -> str:
        if isinstance(value, str):
            value = self.read(value)
        if not isinstance(value, bool):
            raise TypeError("True or False is expected")
        return "true" if value else "false"

    def read(self, text: str) -> object:
        if text.lower() not in {"true", "false"}:
            raise ValueError("true or false is expected")
        return text.lower() == "true"


class _Choice:
    def __init__(self, members: tuple[object, ...]) -> None:
        self._members = {_word(each): each for each in members}
        if len(self._members) < len(members):
            raise TypeError("two of these words would be written alike")

    def write(self, value: object) -> str:
        return _word(value)

    def read(self, text: str) -> object:
        if text not in self._members:
            raise ValueError(f"one of {', '.join(self._members)} is expected")
        return self._members[text]


def _word(value: object) -> str:
    return str.__str__(value) if isinstance(value, str) else json.dumps(value)


class _Value:
    """Writes paths, dates and members of an enum as their texts, and the rest as JSON."""

    def __init__(self, kind: Any) -> None:  # noqa: ANN401 - what an annotation may be has no type
        msgspec.json.schema(kind, schema_hook=_schema)  # refuses what nobody could ever read
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind, dec_hook=_made)

    def write(self, value: object) -> str:
        plain = msgspec.to_builtins(value, enc_hook=_plain)
        made = msgspec.convert(plain, self._kind, dec_hook=_made)
        is_text = isinstance(plain, str) and type(made) is not str
        return plain if is_text else json.dumps(plain)

    def read(self, text: str) -> object:
        try:
            return self._decoder.decode(text)
        except msgspec.DecodeError as error:
            told = f"JSON is expected: {error}"
        try:
            return msgspec.convert(text, self._kind, strict=False, dec_hook=_made)
        except msgspec.ValidationError:
            raise ValueError(told) from None


def _schema(kind: type) -> dict[str, object]:
    if kind in {object, Path}:
        return {"title": kind.__name__}
    raise TypeError(f"no text tells a {kind.__name__}")


def _plain(value: object) -> str:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no text")


def _made(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind is object:
        return value
    raise TypeError(f"{kind.__name__} is expected")
