"""Takes the files of a folder as they lie there, committed or not, and tells which commit it was.

In a git repository these are the files that git knows or would add; elsewhere all files whose
names do not begin with a dot. The repository is read, and never written.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from pipelinekit.tools.documents.places import printable
from pipelinekit.tools.git.command import ANONYMOUS, check_url, guarded, run
from pipelinekit.tools.git.repository import GitError
from pipelinekit.tools.globs import GlobError, Globs

NEVER: Final = frozenset(
    {".git", ".pipelinekit", ".ipynb_checkpoints", "__pycache__", "node_modules", ".venv"}
)
MOST_FILES: Final = 10_000
MOST_BYTES: Final = 1024**3
_ALL: Final = ("**/*",)
_COMMIT: Final = "%H%x00%an%x00%ae%x00%cI%x00%s"


class TreeError(Exception):
    """A folder whose files cannot be taken."""


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that a folder was last at.

    Attributes:
        changed: Whether something in the folder is not as it was committed.
    """

    commit: str
    author_name: str
    author_email: str
    date: datetime
    title: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """Files that were copied.

    Attributes:
        files: How many.
        size: Their bytes.
        digest: SHA-256 over their names and contents, hexadecimal.
        left_out: What is there and was not taken: links out of the folder, no regular files.
    """

    files: int
    size: int
    digest: str
    left_out: tuple[str, ...] = ()


def head(folder: Path, besides: str = "") -> Head | None:
    """Tell the commit that a folder is at; None where it is in no git repository, or in a new one.

    Args:
        folder: The folder, anywhere in a repository.
        besides: A folder in it that does not count, as in `take`.
    """
    show = _git(folder, "log", "-1", f"--format={_COMMIT}", "HEAD")
    if show is None:
        return None
    commit, name, email, date, title = show.rstrip("\n").split("\0")
    aside = [f":(exclude){besides}"] if besides else []
    aside += [f":(exclude,glob)**/{name}/**" for name in sorted(NEVER)]
    status = _git(folder, "status", "--porcelain", "-z", "--", ".", *aside)
    return Head(commit, name, email, datetime.fromisoformat(date), title, bool(status))


def commits(repository: Path, since: str, until: str, most: int) -> list[tuple[str, str, str]]:
    """List the commits between two, the newest first: id, author and title of each.

    Args:
        repository: A folder in a repository, or a bare one.
        since: The commit that is not listed any more, nor what led to it.
        until: The newest.
        most: The most that are listed.

    Raises:
        TreeError: It is no repository, or does not have the commits.
    """
    span = ["--end-of-options", f"{since}..{until}"]
    shown = _git(repository, "log", f"-{most}", "--format=%H%x00%an%x00%s", *span)
    if shown is None:
        raise TreeError(f"{repository} has no history from {since[:12]} to {until[:12]}")
    found = (line.split("\0", 2) for line in shown.splitlines() if line)
    return [(commit, author, title) for commit, author, title in found]


def take(folder: Path, into: Path, patterns: Sequence[str] = (), besides: str = "") -> Taken:
    """Copy the files of a folder.

    Args:
        folder: The folder.
        into: A new folder for the copies.
        patterns: Which files are taken, with `*`, `**` and `?`; see above when empty.
        besides: A folder in it that is left out.

    Raises:
        TreeError: There are none, too many or too large ones, or a pattern leads out of it.
    """
    names = list(_wanted(folder, patterns, besides))
    if len(names) > MOST_FILES:
        raise TreeError(
            f"{folder} has {len(names)} files, and {MOST_FILES} is the most; name those that are "
            f"wanted, or have a .gitignore leave out the others"
        )
    left_out, size, digest, count = [], 0, hashlib.sha256(), 0
    for name in names:
        _refuse_unwritable(folder, name)
        file = folder / name
        if not _fits(file, folder):
            left_out.append(name)
            continue
        size += 0 if file.is_symlink() else file.stat().st_size
        if size > MOST_BYTES:
            raise TreeError(
                f"the files of {folder} have more than {MOST_BYTES // 1024**2} MiB; name those "
                f"that are wanted"
            )
        digest.update(f"{name}\0{_copied(file, into / name)}\n".encode())
        count += 1
    if not count:
        raise TreeError(f"{folder} has none of the files that are wanted; check the patterns")
    return Taken(count, size, digest.hexdigest(), tuple(left_out))


def _refuse_unwritable(folder: Path, name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise TreeError(
            f"{printable(name)} in {folder} has a name that is not UTF-8; rename it, or name the "
            f"files that are wanted"
        ) from None


def _wanted(folder: Path, patterns: Sequence[str], besides: str) -> Iterator[str]:
    found = _matching(folder, patterns) if patterns else _known(folder)
    aside = PurePosixPath(besides) if besides else None
    for name in sorted(set(found)):
        path = PurePosixPath(name)
        if NEVER.isdisjoint(path.parts) and not (aside and path.is_relative_to(aside)):
            yield name


def _matching(folder: Path, patterns: Sequence[str]) -> Iterable[str]:
    try:
        return Globs(tuple(patterns), keep_links=True).select(folder).files
    except GlobError as error:
        raise TreeError(str(error)) from None


def _known(folder: Path) -> Iterator[str]:
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is not None:
        yield from (name for name in listed.split("\0") if name and os.path.lexists(folder / name))
        return
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NEVER]
        here = Path(above).relative_to(folder)
        yield from ((here / name).as_posix() for name in files if not name.startswith("."))


def _fits(file: Path, folder: Path) -> bool:
    if not file.is_symlink():
        return file.is_file()
    inside = file.resolve().is_relative_to(folder.resolve())
    return inside and file.exists() and not file.readlink().is_absolute()


def _copied(file: Path, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink():
        target.symlink_to(file.readlink())
        return f"-> {file.readlink()}"
    shutil.copy(file, target)
    with target.open("rb") as copy:
        return hashlib.file_digest(copy, "sha256").hexdigest()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        remote = check_url(str(_top(folder)))
        with guarded(ANONYMOUS, remote) as environment:
            where = ["--no-optional-locks", "-C", str(folder.resolve())]
            code, output, _ = run([*where, *arguments], environment, ANONYMOUS.seconds)
    except (GitError, TimeoutError):
        return None
    return output if code == 0 else None


def _top(folder: Path) -> Path:
    around = (folder.resolve(), *folder.resolve().parents)
    return next((each for each in around if (each / ".git").exists()), folder.resolve())
