"""Which known name was meant by one that is not known."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that is most like one that nobody knows; None where none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake waits for it

    return next(iter(get_close_matches(name, tuple(known), n=1)), None)
