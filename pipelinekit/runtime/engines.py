"""Which engines are alive: each holds a lock that the kernel frees when its process dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO
from weakref import WeakSet

from pipelinekit.model.errors import StoreError
from pipelinekit.tools.failpoint import failpoint


class Incarnation:
    """One life of an engine, from its start to its end, whatever ends it.

    Args:
        folder: Where engines put their locks; the same for all that share a store.
        identity: A fresh id.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.id = identity
        self._folder = folder
        self._path = folder / identity
        self._file = self._locked()
        _ALIVE.add(self)

    def ensure(self) -> None:
        """Put the lock back where its file was removed or replaced.

        Others have taken over what this engine held, if they saw that; what it takes on from now
        on is to be seen as its own again, and as nobody's after its death.

        Raises:
            StoreError: The folder cannot be written.
        """
        try:
            if not self._path.exists() or not _same(self._path, self._file):
                self._file.close()
                self._file = self._locked()
        except OSError as error:
            raise StoreError(
                f"the lock of this engine in {self._folder} was to be put back, and that failed: "
                f"{error}; it is tried again"
            ) from error

    def _locked(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{self.id}"
        file = draft.open("w")
        fcntl.flock(file, fcntl.LOCK_EX)
        failpoint("engine.lock.before")
        draft.rename(self._path)  # nobody ever sees the file without its lock held
        failpoint("engine.lock.after")
        return file

    def dead(self) -> list[str]:
        """List the engines that died without saying goodbye.

        Raises:
            StoreError: The locks cannot be looked at.
        """
        try:
            others = [path for path in self._folder.iterdir() if path.name[0] != "."]
            return [path.name for path in others if path.name != self.id and not _held(path)]
        except OSError as error:
            raise StoreError(
                f"the locks of engines in {self._folder} were to be looked at, and that failed: "
                f"{error}; it is tried again"
            ) from error

    def bury(self, dead: list[str]) -> None:
        """Remove what dead engines left, once their orders are taken over."""
        for identity in dead:
            with suppress(FileNotFoundError):
                (self._folder / identity).unlink()

    def close(self) -> None:
        """Give up the lock; whatever this engine held is free."""
        _ALIVE.discard(self)
        self._file.close()


_ALIVE: WeakSet[Incarnation] = WeakSet()


def _let_go() -> None:
    for incarnation in list(_ALIVE):  # a child of a fork must not keep its parent's engine alive
        incarnation.close()


os.register_at_fork(after_in_child=_let_go)


def alive(folder: Path) -> bool:
    """Tell whether some engine is at work."""
    if not folder.exists():
        return False
    return any(_held(path) for path in folder.iterdir() if not path.name.startswith("."))


def _same(path: Path, file: IO[str]) -> bool:
    return os.path.samestat(path.stat(), os.fstat(file.fileno()))


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
