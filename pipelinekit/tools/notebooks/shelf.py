"""Remembers notebooks that failed, until somebody goes on with them or starts over."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

SHELF: Final = "notebooks"


class Left(NamedTuple):
    """A notebook that failed.

    Attributes:
        folder: Where it was executed.
        target: The executed notebook.
        asked: Whether the next attempt is to go on with it.
    """

    folder: str
    target: str
    asked: bool = False


def leave(cache: Path, key: tuple[str, ...], left: Left) -> None:
    """Remember a notebook.

    Args:
        cache: The folder that all attempts share.
        key: What the next attempt knows too.
        left: What is to be known of it.
    """
    file = _file(cache, key)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(left._asdict()), encoding="utf-8")
    draft.rename(file)


def find(cache: Path, key: tuple[str, ...]) -> Left | None:
    """Look whether a notebook is remembered; see `leave`."""
    with suppress(OSError, ValueError, TypeError):
        return Left(**json.loads(_file(cache, key).read_text(encoding="utf-8")))
    return None


def take(cache: Path, key: tuple[str, ...]) -> Left | None:
    """Look it up and forget it."""
    left = find(cache, key)
    _file(cache, key).unlink(missing_ok=True)
    return left


def _file(cache: Path, key: tuple[str, ...]) -> Path:
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()
    return cache / SHELF / f"{name}.json"
