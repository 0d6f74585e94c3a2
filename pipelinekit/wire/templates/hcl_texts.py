"""Functions of Terraform that are those of Go's libraries: format, title and replace."""

import json
import re
from typing import Final

from pipelinekit.wire.templates.gaps import is_open
from pipelinekit.wire.templates.hcl_types import (
    NotEvaluated,
    Refused,
    Texts,
    Unknown,
    Value,
    number,
    text_of,
)

MOST_TRIES: Final = 10_000_000


def formatted(texts: Texts, values: list[Value]) -> Value:
    """Fill in a text such as `%s-%03d`.

    Args:
        texts: Writes values as text.
        values: The text, and what is filled in.

    Raises:
        Refused: A value is missing, or not what its verb is for.
        NotEvaluated: A verb is one that is not known here.
    """
    form, *rest = values
    given = iter(rest)

    def put(verb: re.Match[str]) -> str:
        if verb[0] == "%%":
            return "%"
        return _filled(verb, next(given, None), texts)

    return _VERB.sub(put, texts.text(form))


def titled(text: str) -> str:
    """Begin each word with a capital; Go takes every sign for the end of one, `'` too."""
    return _FIRST.sub(lambda match: match[0].upper(), text)


def replaced(text: str, part: str, other: str) -> str:
    """Replace a part of a text wherever it stands.

    Args:
        text: The text.
        part: The part; a regular expression where it stands between slashes.
        other: What comes instead; groups of the expression are `$1` or `${name}` in it.

    Raises:
        NotEvaluated: Python could understand the expression otherwise than Go.
    """
    if not re.fullmatch(r"/.*/", part, re.DOTALL):
        return text.replace(part, other)
    pattern = _pattern(part[1:-1], len(text))
    # After a match, Go passes over an empty one where Python does not.
    if is_open(text) or any(not found[0] for found in pattern.finditer(text)):
        raise NotEvaluated("such a replacement")
    return pattern.sub(lambda found: _GROUP.sub(lambda name: _group(found, name), other), text)


_VERB: Final = re.compile(
    r"%(?P<flags>[-+ 0]*)(?P<width>\d{1,3})?(?P<precision>\.\d{1,3})?(?P<verb>[a-zA-Z%])|%"
)
_FIRST: Final = re.compile(r"(?<!\w)(?<![^\x00-\x7f\s])\w")
_GROUP: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)
_ESCAPE = r"\\(?:[dDwWsSnrt]|[!-/:-@\[-`{-~])"
_CLASS = rf"\[\^?(?:{_ESCAPE}|(?!--|&&|\|\||~~)[^\\\[\]])+\]"
_REPEAT = r"(?:[*+]|\{\d{1,3}(?:,\d{0,3})?\})\??"
_PART: Final = re.compile(
    rf"(?:{_CLASS}|{_ESCAPE}|[^\\\[\](){{}}*+?|^$])(?:(?P<repeat>{_REPEAT})|(?P<may>\?\??))?"
    r"|\((?:\?:|\?P<\w+>)?|\)(?P<all>\?\??)?|(?P<or>\|)|[\^$]|\\[bB]"
)
"""What RE2 and Python have in common; a group that is repeated is not in it, since that can take
Python too long."""


def _filled(verb: re.Match[str], value: Value, texts: Texts) -> str:
    sign = verb["verb"]
    if isinstance(value, Unknown):
        return texts.text(value)
    match sign:
        case "s" | "v" if not verb["precision"] and value is not None:
            return _padded(verb, texts.text(value))
        case "q" if not verb["precision"]:
            return _padded(verb, json.dumps(text_of(value), ensure_ascii=False))
        case "d" | "x" | "X" | "o" if not verb["precision"]:
            found = number(value)
            if not isinstance(found, int):
                raise Refused(f"{found} where a whole number is expected", "write one")
            return verb[0] % found
        case "f":
            return verb[0] % number(value)
        case _:
            raise NotEvaluated(f"{verb[0]} in a format")


def _padded(verb: re.Match[str], text: str) -> str:
    width, sign = int(verb["width"] or 0), "0" if "0" in verb["flags"] else " "
    return text.ljust(width, sign) if "-" in verb["flags"] else text.rjust(width, sign)


def _pattern(written: str, length: int) -> re.Pattern[str]:
    """Compile an expression that Go and Python understand alike, and that cannot take long."""
    parts = list(_PART.finditer(written))
    repeats = sum(bool(each["repeat"]) for each in parts)
    choices = sum(bool(each["may"] or each["all"] or each["or"]) for each in parts)
    tries = (length + 1) ** (repeats + 1) * 2**choices
    if "".join(each[0] for each in parts) != written or tries > MOST_TRIES:
        raise NotEvaluated("such a regular expression")
    try:
        return re.compile(
            "".join(r"\Z" if each[0] == "$" else each[0] for each in parts), re.ASCII
        )
    except re.error:
        raise NotEvaluated("such a regular expression") from None


def _group(found: re.Match[str], name: re.Match[str]) -> str:
    dollar, *words = name.groups()
    if dollar:
        return "$"
    word = next(each for each in words if each)
    try:
        return found[int(word) if word.isdecimal() else word] or ""
    except IndexError:
        return ""
