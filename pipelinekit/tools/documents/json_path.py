"""Looks into JSON by paths such as `$.repository.name`."""

import json
from functools import lru_cache
from typing import Final

import jsonpath
from jsonpath.exceptions import JSONPathError

# The parser lets through what a number of too many digits raises.
_FAULTS: Final = (JSONPathError, RecursionError, ValueError, ArithmeticError)


class JsonPathError(Exception):
    """A text that is no JSONPath."""


def check_path(path: str) -> None:
    """Refuse a text that is no JSONPath.

    Raises:
        JsonPathError: It is none; the message says why.
    """
    _compiled(path)


def values_at(path: str, data: object) -> list[str]:
    """Give what stands at a path, as text: words as they are, all else as JSON.

    Args:
        path: A JSONPath.
        data: As JSON has it.

    Raises:
        JsonPathError: The path is none.
    """
    try:
        found = _compiled(path).findall(data)  # type: ignore[arg-type]  # any JSON value will do
    except _FAULTS as error:
        raise JsonPathError(str(error)) from error
    return [each if isinstance(each, str) else json.dumps(each) for each in found]


@lru_cache(256)
def _compiled(path: str) -> jsonpath.JSONPath | jsonpath.CompoundJSONPath:
    try:
        return jsonpath.compile(path)
    except _FAULTS as error:
        raise JsonPathError(str(error)) from error
