"""Writes the files of a stranger below one folder, and nothing outside it.

Every name is looked up from the open folder, one part after the other and never through a
symbolic link; symbolic links themselves are made last, and lead only to places in the folder.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from pipelinekit.tools.on_error import on_error

MAX_NAME_BYTES: Final = 255
MAX_TARGET_BYTES: Final = 4095
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeEntryError(Exception):
    """An entry that must not be written; `found` says what is wrong with it."""

    def __init__(self, found: str) -> None:
        """Keep what is wrong.

        Args:
            found: What was found, in words.
        """
        super().__init__(found)
        self.found = found


def parts_of(name: str, max_depth: int) -> tuple[str, ...]:
    """Split a relative path into its parts, all of them plain names.

    Args:
        name: The path, with `/` between its parts.
        max_depth: The largest number of parts.

    Raises:
        UnsafeEntryError: The path is absolute, climbs with `..`, has an empty part, a part that is
            too long, or too many parts.
    """
    if name.startswith("/"):
        raise UnsafeEntryError("an absolute path")
    parts = tuple(name.split("/"))
    if len(parts) > max_depth:
        raise UnsafeEntryError(f"a path of more than {max_depth} parts")
    for part in parts:
        if part in {"", ".", ".."} or "\0" in part:
            raise UnsafeEntryError(f"the path part {part!r}")
        if len(os.fsencode(part)) > MAX_NAME_BYTES:
            raise UnsafeEntryError(f"a name of more than {MAX_NAME_BYTES} bytes")
    return parts


def check_target(parts: tuple[str, ...], target: str) -> None:
    """Refuse a symbolic link that could lead out of the folder.

    `..` is accepted only at the beginning of the target, where it climbs through the real folders
    above the link: after a name, which may be a link itself, it could climb anywhere.

    Args:
        parts: The path of the link.
        target: What the link holds.

    Raises:
        UnsafeEntryError: The target is empty, absolute, too long, or can lead out of the folder.
    """
    if not target or target.startswith("/") or "\0" in target:
        raise UnsafeEntryError("a symbolic link with an absolute or empty target")
    if len(os.fsencode(target)) > MAX_TARGET_BYTES:
        raise UnsafeEntryError(f"a symbolic link of more than {MAX_TARGET_BYTES} bytes")
    steps = [step for step in target.split("/") if step not in {"", "."}]
    climbs = next((n for n, step in enumerate(steps) if step != ".."), len(steps))
    if climbs > len(parts) - 1:
        raise UnsafeEntryError("a symbolic link that leads out of the folder")
    if ".." in steps[climbs:]:
        raise UnsafeEntryError("a symbolic link whose target climbs after a name")


class TreeWriter:
    """Fills one folder that was empty; see `filling`."""

    def __init__(self, root: int) -> None:
        """Write below an open folder.

        Args:
            root: The file descriptor of the folder.
        """
        self._root = root
        self._links: dict[tuple[str, ...], str] = {}
        self._near: tuple[tuple[str, ...], int] | None = None

    def directory(self, parts: tuple[str, ...]) -> None:
        """Make a directory, and those above it; one that is there already is left.

        Raises:
            UnsafeEntryError: A file stands in its way.
        """
        self._open_directory(parts)

    def file(self, parts: tuple[str, ...], *, executable: bool) -> BinaryIO:
        """Make a new file, mode 0644 or 0755, and open it for writing.

        Raises:
            UnsafeEntryError: Something stands there already.
        """
        above = self._open_directory(parts[:-1])
        try:
            descriptor = os.open(parts[-1], _NEW_FILE, 0o600, dir_fd=above)
        except OSError as error:
            raise UnsafeEntryError(f"a name that cannot be made ({error.strerror})") from None
        os.fchmod(descriptor, 0o755 if executable else 0o644)
        return os.fdopen(descriptor, "wb")

    def link(self, parts: tuple[str, ...], target: str) -> None:
        """Keep a symbolic link, to be made when everything else is written.

        Raises:
            UnsafeEntryError: It could lead out of the folder, or is there already.
        """
        check_target(parts, target)
        if parts in self._links:
            raise UnsafeEntryError("a second symbolic link of this name")
        self._links[parts] = target

    def make_links(self) -> None:
        """Make the symbolic links.

        Raises:
            UnsafeEntryError: Something stands there already.
        """
        for parts, target in self._links.items():
            above = self._open_directory(parts[:-1])
            try:
                os.symlink(target, parts[-1], dir_fd=above)
            except OSError as error:
                raise UnsafeEntryError(f"a name that cannot be made ({error.strerror})") from None

    def close(self) -> None:
        """Let go of the folder that is open."""
        if self._near is not None:
            os.close(self._near[1])
            self._near = None

    def _open_directory(self, parts: tuple[str, ...]) -> int:
        if self._near is not None and self._near[0] == parts:
            return self._near[1]
        self.close()
        descriptor = os.dup(self._root)
        for part in parts:
            try:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=descriptor)
                below = os.open(part, _DIRECTORY, dir_fd=descriptor)
            except OSError as error:
                raise UnsafeEntryError(f"no directory above it ({error.strerror})") from None
            finally:
                os.close(descriptor)
            descriptor = below
        self._near = parts, descriptor
        return descriptor


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[TreeWriter]:
    """Fill a new or empty folder; when the block fails, remove all that it wrote.

    Args:
        folder: The folder, made where it is missing.

    Raises:
        UnsafeEntryError: The folder holds something already.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with os.scandir(root) as entries:
        is_empty = not any(entries)
    if not is_empty:
        os.close(root)
        raise UnsafeEntryError(f"something in the folder {folder} already")
    writer = TreeWriter(root)
    try:
        with on_error(_undo, folder, root, is_new=is_new):
            yield writer
            writer.make_links()
    finally:
        writer.close()
        os.close(root)


def _undo(folder: Path, root: int, *, is_new: bool) -> None:
    _empty(root)
    if is_new:
        folder.rmdir()


def _empty(root: int) -> None:
    with os.scandir(root) as entries:
        for entry in list(entries):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.name, dir_fd=root)
            else:
                os.unlink(entry.name, dir_fd=root)
