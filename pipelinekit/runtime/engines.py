"""Which engines are alive: each holds a lock that the kernel frees when its process dies."""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO


class Incarnation:
    """One life of an engine, from its start to its end, whatever ends it.

    Args:
        folder: Where engines put their locks; the same for all that share a store.
        identity: A fresh id.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.id = identity
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{identity}"
        self._path = folder / identity
        self._file = draft.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        draft.rename(self._path)  # nobody ever sees the file without its lock held

    def dead(self) -> list[str]:
        """List the engines that died without saying goodbye."""
        others = (path for path in self._folder.iterdir() if not path.name.startswith("."))
        return [path.name for path in others if path.name != self.id and not _held(path)]

    def bury(self, dead: list[str]) -> None:
        """Remove what dead engines left, once their orders are taken over."""
        for identity in dead:
            with suppress(FileNotFoundError):
                (self._folder / identity).unlink()

    def close(self) -> None:
        """Give up the lock; whatever this engine held is free."""
        self._file.close()


def alive(folder: Path) -> bool:
    """Tell whether some engine is at work."""
    if not folder.exists():
        return False
    return any(_held(path) for path in folder.iterdir() if not path.name.startswith("."))


def _held(path: Path) -> bool:
    try:
        file: IO[str] = path.open("r")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
