"""Brings a value to the type that a parameter declares, or says that it has another one."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import PurePath
from typing import Final

WORDS: Final = {"true": True, "True": True, "false": False, "False": False}
NOTHING: Final = {"None", "null", ""}
INTEGER: Final = re.compile(r"[+-]?\d+(_\d+)*")
TUPLES: Final = {"tuple", "Tuple"}
LISTS: Final = {"list", "List", "Sequence", "Iterable", "Collection", "set", "Set", *TUPLES}
MAPPINGS: Final = {"dict", "Dict", "Mapping", "MutableMapping"}
TEXTS: Final[Mapping[str, Callable[[str], object]]] = {
    "Path": PurePath,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}


class WrongTypeError(Exception):
    """A value that is not of the type that is asked for."""


def fit(value: object, hint: str | None) -> object:
    """Give a value as the type of a hint, where it is one, or a text that says one.

    Text is what variables of pipelines and command lines bring: `"3"` fits `int`.

    Args:
        value: Made of what JSON has.
        hint: As it stands in Python; one that is not known here fits every value.

    Raises:
        WrongTypeError: It does not fit.
    """
    if hint is None:
        return value
    try:
        return _fit(value, ast.parse(hint.strip(), mode="eval").body)
    except SyntaxError:
        return value


def type_of(value: object) -> str:
    """Name the type of a value, as a hint."""
    return "None" if value is None else type(value).__name__


def _fit(value: object, hint: ast.expr) -> object:
    match hint:
        case ast.Constant(value=None):
            return _nothing(value)
        case ast.Constant(value=str(inner)):
            return fit(value, inner)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _one_of(value, [left, right])
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _plain(value, name)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inside):
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            return _GENERIC.get(name, _container)(value, parts, name)
        case _:
            return value


def _nothing(value: object) -> object:
    if value is None or (isinstance(value, str) and value in NOTHING):
        return None
    raise WrongTypeError


def _one_of(value: object, hints: list[ast.expr]) -> object:
    # What is no text yet is tried last: "3" is a text for `str | int`.
    is_text = isinstance(value, str)
    for hint in sorted(hints, key=lambda each: is_text and ast.unparse(each) != "str"):
        try:
            return _fit(value, hint)
        except WrongTypeError:
            continue
    raise WrongTypeError


def _container(value: object, parts: list[ast.expr], name: str) -> object:
    whole = _plain(value, name)
    if isinstance(whole, list) and name not in TUPLES:
        return [_fit(each, parts[0]) for each in whole]
    if isinstance(whole, dict) and len(parts) == len(("key", "value")):
        return {key: _fit(each, parts[1]) for key, each in whole.items()}
    return whole


def _literal(value: object, parts: list[ast.expr], _: str) -> object:
    for part in parts:
        if isinstance(part, ast.Constant):
            same_type = isinstance(part.value, str | type(value))
            if (part.value == value and same_type) or str(part.value) == value:
                return part.value
    raise WrongTypeError


def _plain(value: object, name: str) -> object:
    if name in LISTS:
        return _list(_from_json(value))
    if name in MAPPINGS:
        return _mapping(_from_json(value))
    if name in TEXTS:
        return _text_of(value, TEXTS[name])
    fitting = _SCALARS.get(name)
    return value if fitting is None else fitting(value)


def _integer(value: object) -> int:
    if isinstance(value, str) and INTEGER.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise WrongTypeError


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongTypeError
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise WrongTypeError from None


def _truth(value: object) -> bool:
    if isinstance(value, str) and value.strip() in WORDS:
        return WORDS[value.strip()]
    if isinstance(value, bool):
        return value
    raise WrongTypeError


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise WrongTypeError


_SCALARS: Final[Mapping[str, Callable[[object], object]]] = {
    "int": _integer,
    "float": _number,
    "bool": _truth,
    "str": _string,
    "Secret": _string,
    "None": _nothing,
    "NoneType": _nothing,
}


def _text_of(value: object, read: Callable[[str], object]) -> str:
    text = _string(value)
    try:
        read(text)
    except ValueError:
        raise WrongTypeError from None
    return text


def _from_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise WrongTypeError from None


def _list(value: object) -> object:
    if isinstance(value, list | tuple):
        return list(value)
    raise WrongTypeError


def _mapping(value: object) -> object:
    if isinstance(value, dict):
        return value
    raise WrongTypeError


_GENERIC: Final[Mapping[str, Callable[[object, list[ast.expr], str], object]]] = {
    "Optional": lambda value, parts, _: _one_of(value, [*parts, ast.Constant(None)]),
    "Union": lambda value, parts, _: _one_of(value, parts),
    "Annotated": lambda value, parts, _: _fit(value, parts[0]),
    "Final": lambda value, parts, _: _fit(value, parts[0]),
    "Literal": _literal,
}
