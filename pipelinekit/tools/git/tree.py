"""Writes the tree of one commit into a folder; nothing that the repository says is run.

The files are read object by object, so that no filter, no smudge command, no substitution and no
hook of the repository has a part in it.
"""

import contextlib
import os
import signal
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, NoReturn, Self

from pipelinekit.tools.archives.tree_writer import (
    MAX_TARGET_BYTES,
    TreeWriter,
    UnsafeEntryError,
    filling,
    parts_of,
)
from pipelinekit.tools.documents.places import printable
from pipelinekit.tools.git.command import (
    ANONYMOUS,
    GitError,
    GitFault,
    check_commit,
    guarded,
    last_words,
    start,
    stop,
)

MAX_ENTRIES: Final = 100_000
MAX_BYTES: Final = 2 * 1024**3
MAX_DEPTH: Final = 64
_CHUNK: Final = 1024 * 1024
_TREE, _LINK, _SUBMODULE, _EXECUTABLE = "040000", "120000", "160000", "100755"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written of a commit: how many files, their bytes, and the submodules left out."""

    files: int
    size: int
    submodules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    id: str
    size: int
    parts: tuple[str, ...]


def export(
    repository: Path,
    commit: str,
    folder: Path,
    *,
    max_bytes: int = MAX_BYTES,
    seconds: float = 300,
) -> Export:
    """Write the files of a commit into a new or empty folder, without `.git`.

    Args:
        repository: A bare repository of ours, such as `fetch` keeps.
        commit: The full commit id.
        folder: Where to write; left as it was when something fails.
        max_bytes: The largest size of all files together.
        seconds: The limit of time.

    Raises:
        GitError: COMMIT, when the repository has no such commit; HOSTILE, when its tree has a name
            or a symbolic link that leads out of the folder, a `.git`, or is too large, deep or
            slow.
    """
    asked = f"commit {check_commit(commit)}"
    try:
        entries = _entries(repository, check_commit(commit), seconds)
        size = _checked_size(entries, max_bytes)
        with filling(folder) as writer:
            _write(repository, entries, writer, seconds)
    except UnsafeEntryError as error:
        do = "remove it from the repository, or choose another commit"
        raise GitError(GitFault.HOSTILE, asked, f"its tree has {error.found}", do) from None
    submodules = ["/".join(entry.parts) for entry in entries if entry.mode == _SUBMODULE]
    return Export(len(entries) - len(submodules), size, tuple(submodules))


class _Git:
    """One git process that reads a repository; killed when its time is over."""

    def __init__(self, repository: Path, arguments: list[str], seconds: float) -> None:
        self._guard = guarded(ANONYMOUS)
        self._arguments = [f"--git-dir={repository.absolute()}", *arguments]
        self._seconds = seconds

    def __enter__(self) -> Self:
        self._process = start(self._arguments, self._guard.__enter__())
        self._timer = threading.Timer(self._seconds, self._process.kill)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        stop(self._process)
        self._guard.__exit__(None, None, None)

    @property
    def input(self) -> IO[bytes]:
        return _pipe(self._process.stdin)

    @property
    def output(self) -> IO[bytes]:
        return _pipe(self._process.stdout)

    def end(self, asked: str) -> None:
        if self._process.wait() != 0:
            self.fail(asked)

    def fail(self, asked: str) -> NoReturn:
        with contextlib.suppress(BrokenPipeError):
            self.input.close()
        words = last_words(_pipe(self._process.stderr).read())
        if self._process.wait() == -signal.SIGKILL:
            found, do = f"not read within {self._seconds:g} seconds", "give it more time"
            raise GitError(GitFault.HOSTILE, asked, found, do)
        if "valid object name" in words or "not a tree" in words:
            raise GitError(GitFault.COMMIT, asked, words, "fetch it first")
        found, do = words or "an object of it is missing", "fetch it again, into a new folder"
        raise GitError(GitFault.HOSTILE, asked, found, do)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("git was started without this pipe")
    return pipe


def _entries(repository: Path, commit: str, seconds: float) -> list[_Entry]:
    arguments = ["ls-tree", "-r", "-t", "-z", "-l", "--full-tree", "--end-of-options", commit]
    found = []
    with _Git(repository, arguments, seconds) as git:
        for count, record in enumerate(_records(git.output)):
            if count == MAX_ENTRIES:
                raise UnsafeEntryError(f"more than {MAX_ENTRIES} entries")
            found.append(_entry(record))
        git.end(f"commit {commit}")
    return [entry for entry in found if entry.mode != _TREE]


def _checked_size(entries: list[_Entry], max_bytes: int) -> int:
    size = sum(entry.size for entry in entries)
    if size > max_bytes:
        raise UnsafeEntryError(f"{size} bytes, where {max_bytes} are allowed")
    return size


def _records(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while chunk := output.read(_CHUNK):
        *records, rest = (rest + chunk).split(b"\0")
        if len(rest) > _CHUNK:
            raise UnsafeEntryError("a path without an end")
        yield from records


def _entry(record: bytes) -> _Entry:
    facts, _, path = record.partition(b"\t")
    mode, _, object_id, size = facts.decode("ascii").split()
    name = os.fsdecode(path)
    parts = parts_of(name, MAX_DEPTH)
    if any(_is_git_folder(part) for part in parts):
        raise UnsafeEntryError(f"the name {printable(name)}, which stands for .git somewhere")
    return _Entry(mode, object_id, int(size) if size.isdigit() else 0, parts)


def _is_git_folder(part: str) -> bool:
    # HFS+ leaves out format characters; NTFS leaves out what follows a colon, dots and spaces
    seen = "".join(char for char in part if unicodedata.category(char) != "Cf")
    return seen.split(":")[0].rstrip(". ").casefold() in {".git", "git~1"}


def _write(repository: Path, entries: list[_Entry], writer: TreeWriter, seconds: float) -> None:
    with _Git(repository, ["cat-file", "--batch"], seconds) as git:
        for entry in entries:
            if entry.mode == _SUBMODULE:
                continue
            git.input.write(f"{entry.id}\n".encode())
            git.input.flush()
            if git.output.readline().split() != [entry.id.encode(), b"blob", b"%d" % entry.size]:
                git.fail(f"file {'/'.join(entry.parts)}")
            _write_one(entry, git.output, writer)
            git.output.read(1)


def _write_one(entry: _Entry, source: IO[bytes], writer: TreeWriter) -> None:
    if entry.mode == _LINK:
        if entry.size > MAX_TARGET_BYTES:
            raise UnsafeEntryError(f"a symbolic link of more than {MAX_TARGET_BYTES} bytes")
        target = os.fsdecode(source.read(entry.size))
        try:
            writer.link(entry.parts, target)
        except UnsafeEntryError as error:
            shown = f"{printable('/'.join(entry.parts))} -> {printable(target)}"
            raise UnsafeEntryError(f"{error.found} ({shown})") from None
        return
    with writer.file(entry.parts, executable=entry.mode == _EXECUTABLE) as file:
        for begin in range(0, entry.size, _CHUNK):
            file.write(source.read(min(_CHUNK, entry.size - begin)))
