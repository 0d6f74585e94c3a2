"""Makes a tree of files once for all who want it at the same time; each gets one of its own."""

import fcntl
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from pipelinekit.tools.on_error import on_error

ABANDONED_SECONDS: Final = 24 * 3600
COPY: Final = ("cp", "-RP", "--preserve=mode", "--reflink=auto")
"""Shares the blocks of files where the disk can; times are of now, as when files are unpacked."""


class SharedTrees:
    """Trees that several processes or threads are about to have, in a folder of their own.

    Who wants a tree alone makes it and takes it away. Where several want it, one makes it, each
    copies it, and the last one removes it, so that none is kept that nobody wants.
    """

    def __init__(self, folder: Path) -> None:
        """Take a folder for them.

        Args:
            folder: Best on the disk of those who want the trees; made if it is missing.
        """
        self._folder = folder

    def put(self, name: str, target: Path, make: Callable[[Path], None]) -> None:
        """Put a tree of one's own at a path where nothing is; half of it may lie there meanwhile.

        Args:
            name: Of the tree, a plain name; under the same name always lies the same tree.
            target: Where it is wanted.
            make: Fills an empty folder with it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        tree = self._folder / name
        with self._lock(name, "wanted") as wanted:
            fcntl.flock(wanted, fcntl.LOCK_SH)
            with self._turn(name):
                if not tree.is_dir():
                    self._make(tree, make)
                if _is_alone(wanted):
                    shutil.move(tree, target)
                    return
            if not _copied(tree, target):
                make(target)
            with self._turn(name):
                if _is_alone(wanted):
                    shutil.rmtree(tree, ignore_errors=True)
                # Within one's turn, else the last one, whose turn is next, does not know it is.
                fcntl.flock(wanted, fcntl.LOCK_UN)

    def _make(self, tree: Path, make: Callable[[Path], None]) -> None:
        self._sweep()
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self._folder))
        with on_error(shutil.rmtree, draft, ignore_errors=True):
            make(draft)
            draft.rename(tree)

    def _sweep(self) -> None:
        # What was left by processes that were killed.
        long_ago = time.time() - ABANDONED_SECONDS
        for each in [each for each in self._folder.iterdir() if each.is_dir()]:
            with self._lock(each.name, "wanted") as wanted, suppress(FileNotFoundError):
                if each.stat().st_mtime < long_ago and _is_alone(wanted):
                    shutil.rmtree(each, ignore_errors=True)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        with self._lock(name, "turn") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def _lock(self, name: str, what: str) -> IO[bytes]:
        # Few files for all trees, since that of a lock cannot be removed: someone may wait for it.
        return (self._folder / f"{what}-{name[:2]}").open("ab")


def _is_alone(wanted: IO[bytes]) -> bool:
    # Asked only in one's turn, since a lock that is refused here is lost for a moment.
    try:
        fcntl.flock(wanted, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(wanted, fcntl.LOCK_SH)
        return False
    return True


def _copied(tree: Path, target: Path) -> bool:
    done = subprocess.run([*COPY, tree, target], capture_output=True, check=False)
    if done.returncode:
        shutil.rmtree(target, ignore_errors=True)
    return done.returncode == 0
