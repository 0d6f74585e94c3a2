"""Which engines are alive: each holds a lock that the kernel frees when its process dies.

Engines of one place, which is a folder on a host, see each other's locks and runners. Where the
store is shared by several places, each engine has a lease too.
"""

import fcntl
import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4
from weakref import WeakSet

from pipelinekit.model.errors import StoreError
from pipelinekit.ports.store import Leases
from pipelinekit.runtime.clock import steady
from pipelinekit.runtime.lease import Lease
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.tools.on_error import on_error

LOG = logging.getLogger("pipelinekit")

LEFT = "left"
"""What a lock's file holds while its engine has ended, and a call of it goes on."""

MOMENT_SECONDS = 0.002
"""How long a look at the lock counts; whoever takes an engine for dead needs longer to begin."""


class Incarnation:
    """One life of an engine, from its start to its end, whatever ends it.

    Args:
        folder: Where engines put their locks; the same for all that share a store on this host.
        identity: A fresh id.
        leases: Who is alive at other places; None where there are none.
        holders: Names the engines that hold orders; those of this place where there are no others.

    Raises:
        StoreError: The lock cannot be made, or there is no lease to be had.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        leases: Leases | None = None,
        holders: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self.id = identity
        self._folder = folder
        self._leases = leases
        self._holders = holders
        self._path = folder / identity
        self._replaced = 0
        self._seen = -math.inf
        with self._telling("made"):
            place = place_of(folder) if leases else ""
            self._file = self._locked()
        try:
            self._lease = Lease(leases, identity, place) if leases else None
        except StoreError:
            self._file.close()
            raise
        _ALIVE.add(self)

    def ensure(self) -> None:
        """Put the lock back where its file was removed or replaced, which begins another term.

        Others have taken over what this engine held, if they saw that; what it takes on from now
        on is to be seen as its own again, and as nobody's after its death.

        Raises:
            StoreError: The folder cannot be written.
        """
        with self._telling("put back"):
            if not self._was_in_place():
                self._replaced += 1
                self._file.close()
                self._file = self._locked()

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"the lock of this engine in {self._folder} was to be {what}, and that failed: "
                f"{error}; look whether the folder can be written and the disk has space"
            ) from error

    def _locked(self) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{self.id}"
        file = draft.open("w")
        with on_error(file.close):
            fcntl.flock(file, fcntl.LOCK_EX)
            failpoint("engine.lock.before")
            draft.rename(self._path)  # nobody ever sees the file without its lock held
            failpoint("engine.lock.after")
        return file

    def check(self) -> int:
        """Give the number of the present term: while it lasts, nobody takes what this one holds.

        Raises:
            StoreError: The lease has ended and cannot be renewed, or the lock cannot be put back.
        """
        self.ensure()
        return self._replaced + (self._lease.check() if self._lease else 0)

    def holds(self, term: int) -> bool:
        """Tell whether a term still lasts, or did a moment ago."""
        with suppress(OSError, ValueError):  # what cannot be looked at cannot be relied on
            there = self._was_in_place()  # first: it may be put back at any moment, in a new term
            rest = term - self._replaced
            return there and (rest == 0 if self._lease is None else self._lease.holds(rest))
        return False

    def _was_in_place(self) -> bool:
        """Tell whether the lock is in place; what is done in one moment is looked at once."""
        asked = steady()
        if asked - self._seen < MOMENT_SECONDS:
            return True
        there = self._in_place()
        self._seen = asked if there else -math.inf
        return there

    def dead(self) -> list[str]:
        """List the engines that died, and those whose leases ended while they held orders.

        Raises:
            StoreError: The locks or the leases cannot be looked at.
        """
        if self._leases:
            return [*{*self._dead_here(()), *self._leases.dead()} - {self.id}]
        # Asked before the locks are looked at: nobody holds anything before its lock is there.
        return [*self._dead_here(self._holders()) - {self.id}]

    def _dead_here(self, holders: Collection[str]) -> set[str]:
        try:
            others = [path for path in self._folder.iterdir() if path.name[0] != "."]
            return {
                *(path.name for path in others if not _held(path)),
                *{*holders} - {path.name for path in others},
            }
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

    def close(self, calls: Sequence[threading.Thread] = ()) -> None:
        """Give up the lease and the lock; whatever this engine held is free.

        Args:
            calls: What still goes on for it; the lock is held until that has ended. The lease is
                not: where there is one, engines of other places may be faster.
        """
        if self._lease:
            self._lease.close()
        if not calls:
            self.forget()
            return
        LOG.warning(
            "%d functions go on though their engine is closed; their actions are for the next "
            "engine once they have ended, or this process has",
            len(calls),
        )
        with suppress(OSError, ValueError):  # then it only looks as if it were at work
            self._file.write(LEFT)
            self._file.flush()
        threading.Thread(target=self._outlast, args=(calls,), daemon=True).start()

    def _outlast(self, calls: Sequence[threading.Thread]) -> None:
        for call in calls:
            call.join()
        self.forget()

    def forget(self) -> None:
        """Give up the lock, and every term; a child of a fork does no more than that."""
        _ALIVE.discard(self)
        self._replaced += 1
        self._file.close()


_ALIVE: WeakSet[Incarnation] = WeakSet()


def _let_go() -> None:
    for incarnation in list(_ALIVE):  # a child of a fork must not keep its parent's engine alive
        incarnation.forget()


os.register_at_fork(after_in_child=_let_go)


def place_of(folder: Path) -> str:
    """Name the place that the folder of the locks is: no other folder and no other host has it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".place"
    if not file.exists():
        draft = folder / f".{uuid4()}"
        draft.write_text(str(uuid4()), encoding="utf-8")
        with suppress(FileExistsError):
            os.link(draft, file)  # never half written, and never another's replaced
        draft.unlink()
    return f"{file.read_text(encoding='utf-8')}@{socket.gethostname()}"


def alive(folder: Path, leases: Leases | None = None) -> bool:
    """Tell whether some engine is at work.

    Args:
        folder: Where engines of this place put their locks.
        leases: Who is alive at other places; None where there are none.
    """
    return _alive_here(folder) or (leases is not None and leases.alive())


def _alive_here(folder: Path) -> bool:
    if not folder.exists():
        return False
    locks = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return any(_held(path) and not _left(path) for path in locks)


def _left(path: Path) -> bool:
    try:
        return path.read_text(encoding="utf-8") == LEFT
    except FileNotFoundError:
        return True


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
