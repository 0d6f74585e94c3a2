"""A file that names the running server and is locked by it, so that no other is ever stopped."""

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import TextIO


class StillRunningError(RuntimeError):
    """A server runs that should not."""


def hold(path: Path) -> TextIO:
    """Write this process into the file, and lock it for as long as what is returned is open.

    Raises:
        StillRunningError: Another server holds it.
    """
    file = path.open("a+", encoding="ascii")
    if not _is_locked_by_us(file):
        file.close()
        raise StillRunningError(f"{path} is held by a server that runs; stop it first")
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def stop(path: Path, seconds: float) -> bool:
    """Ask the server that holds the file to end, and wait until it has; tell if there was one.

    Args:
        path: The file, which need not exist.
        seconds: How long it may take to end.

    Raises:
        StillRunningError: It did not end in time.
    """
    if not path.exists():
        return False
    with path.open("a+", encoding="ascii") as file:
        if _is_locked_by_us(file):
            return False
        file.seek(0)
        pid = int(file.read())
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while not _is_locked_by_us(file):
            if time.monotonic() > deadline:
                raise StillRunningError(f"process {pid} was told to end and runs {seconds:g} s on")
            time.sleep(0.02)
    return True


def _is_locked_by_us(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
