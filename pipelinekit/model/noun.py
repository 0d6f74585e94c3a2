"""What the nouns of the model are made of."""

from reprlib import Repr
from typing import Final, dataclass_transform

from msgspec import Struct, field

TAG: Final = "is"
"""The member that names the class of an event or of an outcome in JSON."""

SHORT: Final = Repr()
SHORT.maxother = SHORT.maxstring = 80


def shown(given: object) -> str:
    """Name something that was given in the place of something else: its type, and what it is."""
    return f"the {type(given).__name__} {SHORT.repr(getattr(given, 'name', given))}"


def printable(text: str) -> str:
    """Escape in foreign text whatever a terminal would obey, nobody sees, or begins a line."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Noun(Struct, frozen=True, omit_defaults=True, gc=False):
    """A value that never changes; two with the same members are equal.

    `msgspec.structs.replace(noun, member=...)` gives one that differs. As JSON, what equals its
    default is left out, so a default must not change without a migration of the store.

    The garbage collector does not look at it, which saves a tenth of an engine's time. One that
    holds what may refer back to it - a function, an exception, a port - says `gc=True`.
    """
