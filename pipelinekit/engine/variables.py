"""Finds the references `#{namespace.key}` in a text, and puts values in their place.

Source: codepipeline.md, sections 5.1 and 5.3.
"""

import re
from collections.abc import Callable

KEY = re.compile(r"[A-Za-z0-9@\-_]+")
"""What the key of an output variable looks like: another one could not be referred to."""

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}")


def references(text: str) -> tuple[tuple[str, str], ...]:
    """Give namespace and key of every reference in a text, in order, repeated ones too."""
    if "#{" not in text:
        return ()
    return tuple((found[1], found[2]) for found in _REFERENCE.finditer(text))


def resolve(text: str, lookup: Callable[[str, str], str | None]) -> tuple[str, tuple[str, ...]]:
    """Put values in the place of the references of a text.

    Values go in as they are, without any quoting, and are not searched for references themselves.

    Args:
        text: What holds the references.
        lookup: Gives the value for a namespace and a key, or None where there is none.

    Returns:
        The text, and the references that found no value, such as `build.TAG`; those stay in the
        text as they were written.
    """
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        known = lookup(found[1], found[2])
        if known is None:
            missing.append(f"{found[1]}.{found[2]}")
            return found[0]
        return known

    return _REFERENCE.sub(value, text), tuple(dict.fromkeys(missing))
