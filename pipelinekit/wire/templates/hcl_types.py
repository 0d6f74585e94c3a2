"""What a value of Terraform may be, and what it is taken for where another kind is needed."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import JSON

LARGEST: Final = 2**512
"""Terraform calculates with so many bits."""


class Unknown(Noun):
    """A value that no file tells.

    Attributes:
        key: What would tell it.
        why: Why it is not known.
    """

    key: str
    why: str


class Unordered(list["Value"]):
    """A set of Terraform, which is gone through by its values."""


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Unknown | None"


class Refused(Exception):
    """An expression that Terraform would refuse too."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"{found}; {expected}")
        self.found = found
        self.expected = expected


class NotEvaluated(Exception):
    """An expression that Terraform evaluates, and that is not evaluated here."""


class Texts(Protocol):
    """Writes values as text."""

    def text(self, value: Value, why: str = "") -> str:
        """Write a value as text."""
        ...

    def settled(self, value: Value) -> Value:
        """Write placeholders for what is not known."""
        ...


def equal(one: Value, other: Value) -> bool:
    """Compare as Terraform does: a flag is no number."""
    alike = type(one) is type(other) or (_is_number(one) and _is_number(other))
    return alike and one == other


def number(value: Value) -> int | float:
    """Take a value as a number.

    Raises:
        Refused: It is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Refused(f"{_told(value)} where a number is expected", "write a number")
    return whole(int(value) if value.lstrip("+-").isdecimal() else float(value))


def truth(value: Value) -> bool:
    """Take a value as true or false.

    Raises:
        Refused: It is neither.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUTHS:
        return _TRUTHS[value]
    raise Refused(f"{_told(value)} where true or false is expected", "write one of these")


def text_of(value: Value) -> str:
    """Take a value as text.

    Raises:
        Refused: It is none, and no number and no flag either.
    """
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return format(Decimal(str(value)), "f")
        case _:
            raise Refused(f"{_told(value)} where text is expected", "use jsonencode")


def whole(value: float) -> int | float:
    """Take a number without a fraction as a whole one: Terraform knows one kind of number.

    Raises:
        Refused: It is larger than any that is calculated with here.
    """
    if not -LARGEST < value < LARGEST:
        raise Refused("a number that is too large", "make it smaller")
    return int(value) if float(value).is_integer() else value


def set_of(values: Iterable[Value]) -> Unordered:
    """Make a set: each value once, in the order in which Terraform goes through them."""
    given = list(values)
    kinds = {type(each) for each in given}
    if str in kinds and kinds <= {str, int, float, bool}:
        return Unordered(sorted({text_of(each) for each in given}))
    if kinds <= {int, float}:
        return Unordered(sorted({number(each) for each in given}))
    found = Unordered()
    for each in given:
        if not any(equal(each, other) for other in found):
            found.append(each)
    return found


def of_json(data: JSON) -> Value:
    """Take what stands in JSON as a value."""
    match data:
        case dict():
            return {key: of_json(each) for key, each in data.items()}
        case list():
            return [of_json(each) for each in data]
        case float() | int():
            return whole(data)
        case _:
            return data


_NUMBER: Final = re.compile(
    r"[+-]?(?:\d{1,400}\.?\d{0,400}|\.\d{1,400})(?:[eE][+-]?\d{1,3})?", re.ASCII
)
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _told(value: Value) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return "a map"
        case list():
            return "a list"
        case bool():
            return text_of(value)
        case _:
            return repr(value)
