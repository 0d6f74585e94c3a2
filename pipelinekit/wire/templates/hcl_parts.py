"""Takes values of Terraform apart, and calculates with them."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from pipelinekit.wire.templates.hcl import Tree, is_tree
from pipelinekit.wire.templates.hcl_types import (
    Refused,
    Unknown,
    Unordered,
    Value,
    equal,
    number,
    truth,
    whole,
)

Step: TypeAlias = str | int

_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_LOGIC: Final[Mapping[str, Callable[[Value, Value], Value]]] = {
    "==": equal,
    "!=": lambda one, other: not equal(one, other),
    "&&": lambda one, other: truth(one) and truth(other),
    "||": lambda one, other: truth(one) or truth(other),
    "<": lambda one, other: number(one) < number(other),
    ">": lambda one, other: number(one) > number(other),
    "<=": lambda one, other: number(one) <= number(other),
    ">=": lambda one, other: number(one) >= number(other),
}
_SUMS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one / other,
    "%": math.fmod,
}


def walk(value: Value, steps: list[Step] | tuple[Step, ...]) -> Value:
    """Go into a value step by step.

    Raises:
        Refused: It has no such part.
    """
    for index, step in enumerate(steps):
        if isinstance(value, Unknown):
            return Unknown(value.key + written(steps[index:]), value.why)
        if isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, dict) and str(step) in value:
            value = value[str(step)]
        else:
            raise Refused(f"no {step} in a value", "correct the name, or the value")
    return value


def written(steps: list[Step] | tuple[Step, ...]) -> str:
    """Write steps as Terraform does: `.name`, `[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def items(value: Value) -> Iterator[tuple[Value, Value]]:
    """Go through the pairs of a list, or of an object by its keys.

    Raises:
        Refused: It is neither.
    """
    match value:
        case Unordered():
            yield from zip(value, value, strict=True)
        case list():
            yield from enumerate(value)
        case dict():
            for key in sorted(value):
                yield key, value[key]
        case _:
            raise Refused("a loop over something that is no list and no map", "give it one")


def object_items(tree: Tree) -> Iterator[tuple[Tree, Tree]]:
    """Go through the keys and the expressions of an object as it is written."""
    for each in trees(tree):
        if each.data == "object_elem":
            key, value = trees(each)
            yield key, value


def trees(tree: Tree) -> list[Tree]:
    """Give the parts of an expression that mean something."""
    return [each for each in tree.children if is_tree(each) and each.data != "new_line_or_comment"]


def loop(tree: Tree, count: int) -> tuple[list[Tree], Tree | None]:
    """Give what a loop makes of each, `count` expressions, and its condition."""
    inside = [each for each in trees(tree) if each.data not in {"for_intro", "for_cond"}]
    condition = next((each for each in trees(tree) if each.data == "for_cond"), None)
    return inside[:count], condition


def arguments(tree: Tree) -> list[Tree]:
    """Give the arguments of a call."""
    return [each for found in trees(tree) if found.data == "arguments" for each in trees(found)]


def calculated(sign: str, left: Value, right: Value) -> Value:
    """Give what an operator makes of two values.

    Raises:
        Refused: They are of another kind, a divisor is zero, or the answer is too large.
    """
    if sign in _LOGIC:
        return _LOGIC[sign](left, right)
    one, other = number(left), number(right)
    if sign in {"/", "%"} and other == 0:
        raise Refused("a division by zero", "divide by something else")
    return whole(_SUMS[sign](one, other))


def unescaped(text: str) -> str:
    """Give what stands in quotes, with its escapes resolved."""
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    found = match[1]
    if len(found) > 1:
        return chr(int(found[1:], 16))
    return _ESCAPES.get(found, match[0])


def heredoc_text(written: str) -> str:
    """Give what stands in `<<EOT`; with a dash, the common indentation is taken out."""
    _, *lines = written.rstrip("\r\n").splitlines()
    lines.pop()
    if written.startswith("<<-"):
        full = [len(each) - len(each.lstrip()) for each in lines if each.strip()]
        lines = [each[min(full, default=0) :] for each in lines]
    return "".join(f"{each}\n" for each in lines)


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Go through a template: text, and expressions, of which the second value is true."""
    literal, at = "", 0
    while at < len(text):
        if text.startswith(("$${", "%%{"), at):
            literal += text[at + 1 : at + 3]
            at += 3
        elif text.startswith("${", at):
            end = _end(text, at + 2)
            yield literal, False
            yield text[at + 2 : end].strip("~"), True
            literal, at = "", end + 1
        else:
            literal += text[at]
            at += 1
    yield literal, False


def _end(text: str, at: int) -> int:
    depth = 1
    for place in range(at, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    raise Refused("a template with ${ that is not closed", "close it with }")
