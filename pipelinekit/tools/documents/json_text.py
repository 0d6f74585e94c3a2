"""Reads the JSON text of strangers strictly, and finds the places of its values when asked."""

import json
import math
import re
from collections.abc import Iterator

from pipelinekit.tools.documents.places import (
    JSON,
    MAX_DEPTH,
    Builder,
    DocumentError,
    Place,
    Value,
    printable,
)

_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_BRACKET = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_TOKEN = re.compile(rf'{_STRING}|[\[\]{{}}]|[^\s\[\]{{}},:"]++', re.DOTALL)


def read_json(text: str, name: str) -> JSON:
    """Read JSON strictly.

    Args:
        text: The document.
        name: The document's name for errors.

    Raises:
        DocumentError: The text is no JSON, or holds a duplicate key, a number that is not finite
            or too much depth.
    """
    _check_depth(text, name)
    try:
        value: JSON = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_int,
            parse_constant=_float,
        )
    except json.JSONDecodeError as error:
        found = f"JSON that cannot be read ({error.msg})"
        expected = f"check the comma, quote or bracket at column {error.colno}"
        raise DocumentError(name, error.lineno, error.colno, found, expected) from None
    except _OddError as error:
        if error.word is None:
            json_places(text, name)  # refuses the duplicate key, with its place
        line, column = _position_of(text, error.word)
        raise DocumentError(name, line, column, error.found, error.expected) from None
    return value


def json_places(text: str, name: str) -> Place:
    """Find the places of all values of a JSON text that `read_json` accepts.

    Args:
        text: The document.
        name: The document's name for errors.

    Raises:
        DocumentError: A key stands there twice.
    """
    builder = Builder(name)
    for word, line, column in _tokens(text, _TOKEN):
        if word in "[{":
            builder.open([] if word == "[" else {}, Place(line, column))
        elif word in "]}":
            builder.close()
        else:
            written = json.loads(word) if word.startswith('"') else word
            builder.put(Value(written, Place(line, column, written)))
    return builder.root.place if builder.root else Place(1, 1)


class _OddError(ValueError):
    def __init__(self, word: str | None, found: str, expected: str) -> None:
        super().__init__(found)
        self.word = word
        self.found = found
        self.expected = expected


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _OddError(None, "a key a second time", "keep one")
    return made


def _float(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        found = f"the number {printable(word)}, which is not finite"
        raise _OddError(word, found, "put it in quotes if it is text")
    return value


def _int(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise _OddError(word, f"a number of {len(word)} digits", "put it in quotes") from None


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, int, int]]:
    line, line_start, seen = 1, 0, 0
    for token in pattern.finditer(text):
        newlines = text.count("\n", seen, token.start())
        if newlines:
            line += newlines
            line_start = text.rindex("\n", seen, token.start()) + 1
        seen = token.start()
        yield token[0], line, token.start() - line_start + 1


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for word, line, column in _tokens(text, _BRACKET):
        depth += (word in "[{") - (word in "]}")
        if depth > MAX_DEPTH:
            found = f"more than {MAX_DEPTH} levels of nesting"
            raise DocumentError(name, line, column, found, "flatten the document")


def _position_of(text: str, word: str | None) -> tuple[int, int]:
    tokens = _tokens(text, _TOKEN)
    return next(((line, column) for found, line, column in tokens if found == word), (0, 0))
