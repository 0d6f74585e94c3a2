"""Refuses what is not of the kind that a noun is made of, where it is written down."""

from enum import StrEnum
from typing import TypeVar

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import SHORT, shown

E = TypeVar("E", bound=StrEnum)


def refuse_nameless(whole: object, name: object) -> None:
    """Refuse a noun whose name is no text.

    Raises:
        ValidationError: It is none.
    """
    if not isinstance(name, str):
        noun = type(whole).__name__
        raise ValidationError(
            f'{noun}({SHORT.repr(name)}) was asked for; give its name first: {noun}("name", ...)'
        )


def refuse_others(whole: object, member: str, given: object, kind: type) -> None:
    """Refuse a member that is no sequence of one kind.

    Args:
        whole: The noun, for the message.
        member: The member's name.
        given: What it is to be.
        kind: Of what.

    Raises:
        ValidationError: It is another thing, or holds one.
    """
    if type(given) is not tuple and not isinstance(given, list):
        raise ValidationError(
            f"{shown(whole)} was to have {shown(given)} as its {member}; write a tuple of "
            f"{kind.__name__}(...) there"
        )
    for each in given:
        if not isinstance(each, kind):
            raise ValidationError(
                f"{shown(whole)} was to have {shown(each)} among its {member}; write each of them "
                f"as {kind.__name__}(...)"
            )


def word(whole: object, member: str, given: str, words: type[E]) -> E:
    """Take a word that is written as text.

    Args:
        whole: The noun, for the message.
        member: The member's name.
        given: The word.
        words: The words that there are.

    Raises:
        ValidationError: It is none of them.
    """
    if isinstance(given, words):
        return given
    if given in set(words):
        return words(given)
    raise ValidationError(
        f"{shown(whole)} was to have the {member} {given!r}; write one of {', '.join(words)}"
    )
