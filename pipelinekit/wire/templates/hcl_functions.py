"""The functions of Terraform that pipelines use; what is not known stays unknown through them."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from pipelinekit.wire.templates.hcl_texts import formatted, replaced, titled
from pipelinekit.wire.templates.hcl_types import (
    NotEvaluated,
    Refused,
    Texts,
    Unknown,
    Value,
    number,
    of_json,
    set_of,
    text_of,
    truth,
)

Function: TypeAlias = Callable[[Texts, list[Value]], Value]


def _known(function: Callable[..., Value]) -> Function:
    """Call with values that are all known, else give the one that is not."""

    def call(_texts: Texts, values: list[Value]) -> Value:
        for each in values:
            if isinstance(each, Unknown):
                return each
        return function(*values)

    return call


def _textual(function: Callable[..., str]) -> Function:
    """Call with texts, among which placeholders may be."""

    def call(texts: Texts, values: list[Value]) -> Value:
        return function(*(texts.text(each) for each in values))

    return call


def _join(texts: Texts, values: list[Value]) -> Value:
    sign, *rest = values
    found: list[Value] = []
    for each in rest:
        if isinstance(each, Unknown):
            return each
        found += each if isinstance(each, list) else [each]
    return texts.text(sign).join(texts.text(each) for each in found)


def _jsonencode(texts: Texts, values: list[Value]) -> Value:
    found = texts.settled(values[0])
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def _merge(_texts: Texts, values: list[Value]) -> Value:
    found: dict[str, Value] = {}
    for each in values:
        if isinstance(each, Unknown):
            return each
        found |= each if isinstance(each, dict) else {}
    return found


def _concat(_texts: Texts, values: list[Value]) -> Value:
    found: list[Value] = []
    for each in values:
        if isinstance(each, Unknown):
            return each
        found += each if isinstance(each, list) else []
    return found


def _coalesce(_texts: Texts, values: list[Value]) -> Value:
    return next((each for each in values if each not in (None, "")), None)


def _lookup(_texts: Texts, values: list[Value]) -> Value:
    table, key, *default = values
    if isinstance(table, Unknown):
        return Unknown(f"{table.key}.{key}", table.why)
    if isinstance(table, dict) and isinstance(key, str) and key in table:
        return table[key]
    if not default:
        raise Refused(f"a look for {key} in a map that lacks it", "give a default")
    return default[0]


def _flatten(value: list[Value]) -> list[Value]:
    found: list[Value] = []
    for each in value:
        found += _flatten(each) if isinstance(each, list) else [each]
    return found


def _distinct(value: list[Value]) -> list[Value]:
    return [each for number, each in enumerate(value) if each not in value[:number]]


def _replace(*values: Value) -> str:
    text, part, other = map(text_of, values)
    return replaced(text, part, other)


def _substr(text: str, offset: int, length: int) -> str:
    start = offset if offset >= 0 else len(text) + offset
    return text[start:] if length < 0 else text[start : start + length]


def _unless_null(function: Callable[[Value], Value]) -> Function:
    return _known(lambda value: None if value is None else function(value))


def _values(table: dict[str, Value]) -> list[Value]:
    return [table[key] for key in sorted(table)]


def _one(found: list[Value]) -> Value:
    return found[0] if found else None


def _sorted(found: list[str]) -> list[Value]:
    return [*sorted(found)]


FUNCTIONS: Final[Mapping[str, Function]] = {
    "base64encode": _textual(lambda text: b64encode(text.encode()).decode()),
    "basename": _textual(lambda text: PurePosixPath(text).name),
    "coalesce": _coalesce,
    "compact": _known(lambda found: [each for each in found if each]),
    "concat": _concat,
    "contains": _known(lambda found, value: value in found),
    "dirname": _textual(lambda text: str(PurePosixPath(text).parent)),
    "distinct": _known(_distinct),
    "element": _known(lambda found, number: found[number % len(found)]),
    "endswith": _known(lambda text, end: text.endswith(end)),
    "flatten": _known(_flatten),
    "format": formatted,
    "index": _known(lambda found, value: found.index(value)),
    "join": _join,
    "jsondecode": _known(lambda text: of_json(json.loads(text))),
    "jsonencode": _jsonencode,
    "keys": _known(_sorted),
    "length": _known(len),
    "lookup": _lookup,
    "lower": _known(lambda text: text.lower()),
    "max": _known(max),
    "merge": _merge,
    "min": _known(min),
    "one": _known(_one),
    "range": _known(lambda *bounds: list(islice(range(*bounds), 10_000))),
    "replace": _known(_replace),
    "reverse": _known(lambda found: found[::-1]),
    "slice": _known(lambda found, start, end: found[start:end]),
    "sort": _known(_sorted),
    "split": _known(lambda sign, text: text.split(sign)),
    "startswith": _known(lambda text, start: text.startswith(start)),
    "substr": _known(_substr),
    "title": _known(titled),
    "tobool": _unless_null(truth),
    "tolist": _known(list),
    "tomap": _known(dict),
    "tonumber": _unless_null(number),
    "toset": _known(set_of),
    "tostring": _textual(str),
    "trim": _textual(lambda text, signs: text.strip(signs)),
    "trimprefix": _textual(lambda text, start: text.removeprefix(start)),
    "trimspace": _textual(lambda text: text.strip()),
    "trimsuffix": _textual(lambda text, end: text.removesuffix(end)),
    "upper": _known(lambda text: text.upper()),
    "values": _known(_values),
    "zipmap": _known(lambda keys, values: dict(zip(keys, values, strict=True))),
}
"""By name; a function that is not here leaves its value unknown."""


def called(name: str, texts: Texts, values: list[Value]) -> Value:
    """Call a function of Terraform.

    Args:
        name: What it is called.
        texts: Writes values as text.
        values: What it is called with.

    Raises:
        Refused: It does not go with these values.
        NotEvaluated: It is none of `FUNCTIONS`, or does more than is known here.
    """
    if name not in FUNCTIONS:
        raise NotEvaluated(f"the function {name}")
    try:
        return FUNCTIONS[name](texts, values)
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError):
        found = f"a call of {name} with values that do not fit"
        raise Refused(found, "correct its arguments") from None
