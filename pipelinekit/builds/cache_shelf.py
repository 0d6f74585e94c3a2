"""Keeps the caches of a project, one file each: there whole or not at all, the oldest go first.

A cache is a tar with the SHA-256 of it in front. A tar keeps the times of files, by which build
tools tell what is out of date, and readers go on reading theirs when another takes its place.
"""

import hashlib
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from pipelinekit.tools.durable import replaced

MOST_KEPT: Final = 5
ABANDONED_SECONDS: Final = 24 * 3600
SUFFIX: Final = ".cache"

_NAME: Final = "PIPELINEKIT.name"
_DIGEST_BYTES: Final = 32


class DamagedCache(Exception):
    """A cache is not what was kept."""


class Shelf:
    """The caches of one project, by name."""

    def __init__(self, folder: Path) -> None:
        """Take a folder for them.

        Args:
            folder: It is made with the first cache that is kept.
        """
        self._folder = folder

    def names(self) -> list[str]:
        """List the caches by name, those that were kept or restored last before the others."""
        return [name for path in self._files() if (name := _name(path)) is not None]

    def has(self, name: str) -> bool:
        """Tell whether there is a cache of that name, whole or damaged."""
        return self._path(name).exists()

    def keep(self, name: str, files: Mapping[str, Path]) -> None:
        """Keep files under a name, in place of what was kept under it, and let old caches go.

        Args:
            name: Any text.
            files: Files and links by their names in the cache, `<root>/<path>`.

        Raises:
            OSError: A file cannot be read, has changed meanwhile, or the disk is full.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with replaced(self._path(name)) as file:
            file.write(bytes(_DIGEST_BYTES))
            with tarfile.open(
                fileobj=file, mode="w", format=tarfile.PAX_FORMAT, pax_headers={_NAME: name}
            ) as tar:
                for inside, path in files.items():
                    tar.dereference = not path.is_symlink()  # hard links become files
                    tar.add(path, inside, recursive=False)
            digest = _digest(file)
            file.seek(0)
            file.write(digest)
        self._let_go()

    def restore(self, name: str, roots: Mapping[str, Path]) -> int:
        """Write the files of a cache into folders; what is there already stays as it is.

        Args:
            name: One of `names`.
            roots: The folder for each root.

        Returns:
            How many files and links were written.

        Raises:
            DamagedCache: It is not what was kept; nothing is written.
            OSError: It has been let go meanwhile, or the disk is full.
        """
        path = self._path(name)
        with path.open("rb") as file:
            if file.read(_DIGEST_BYTES) != _digest(file):
                raise DamagedCache("it is not what was kept")
            with suppress(FileNotFoundError):  # let go in this moment, and still open here
                os.utime(path)
            file.seek(_DIGEST_BYTES)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                return sum(_extracted(tar, member, roots) for member in tar)

    def drop(self, name: str) -> None:
        """Let a cache go, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / (hashlib.sha256(name.encode(errors="replace")).hexdigest() + SUFFIX)

    def _files(self) -> list[Path]:
        times = {path: _time(path) for path in self._folder.glob(f"*{SUFFIX}")}
        return sorted(times, key=times.__getitem__, reverse=True)

    def _let_go(self) -> None:
        begun = time.time() - ABANDONED_SECONDS
        half = [path for path in self._folder.glob(f".*{SUFFIX}.*") if 0 < _time(path) < begun]
        for path in (*self._files()[MOST_KEPT:], *half):
            path.unlink(missing_ok=True)


def _name(path: Path) -> str | None:
    with suppress(OSError, tarfile.TarError), path.open("rb") as file:
        file.seek(_DIGEST_BYTES)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            return tar.pax_headers.get(_NAME)
    return None


def _digest(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    file.seek(_DIGEST_BYTES)
    for chunk in _chunks(file):
        digest.update(chunk)
    return digest.digest()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(1024 * 1024):
        yield chunk


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another build has let it go in this moment
        return 0.0


def _extracted(tar: tarfile.TarFile, member: tarfile.TarInfo, roots: Mapping[str, Path]) -> bool:
    root, _, inside = member.name.partition("/")
    if root not in roots or os.path.lexists(roots[root] / inside):
        return False
    try:
        tar.extract(member.replace(name=inside, deep=False), roots[root], filter="data")
    except tarfile.FilterError:  # the way there leads over a link out of the folder
        return False
    return True
