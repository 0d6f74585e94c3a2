"""Files that are there whole or not at all, also after a loss of power."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelinekit.tools.failpoint import failpoint
from pipelinekit.tools.on_error import on_error


@contextmanager
def replaced(target: Path, what: str = "file") -> Iterator[IO[bytes]]:
    """Give a file to write, which takes the place of `target` once it is written.

    Args:
        target: The file; what was there stays where writing fails.
        what: What it is to its failpoints, such as `result`.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    with on_error(Path(name).unlink, missing_ok=True):
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            failpoint(f"{what}.fsync.before")
            os.fsync(file.fileno())
        failpoint(f"{what}.rename.before")
        Path(name).replace(target)
    failpoint(f"{what}.rename.after")
    sync(target.parent)
    failpoint(f"{what}.sync.after")


def sync(folder: Path) -> None:
    """Make what was named, renamed or removed in a folder outlast a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
