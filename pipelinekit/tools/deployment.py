"""One folder that revisions are deployed to: its lock, its revisions, the files installed in it.

The folder stands for the root of a host: `/srv/shop` of a revision is `srv/shop` beneath it. What
is known of its deployments lies in `.codedeploy` there, so that the folder can be moved.
"""

import fcntl
import grp
import json
import os
import pwd
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from pipelinekit.tools.durable import replaced
from pipelinekit.tools.tree_writer import UnsafeEntryError, check_target

STATE: Final = ".codedeploy"


class DeploymentError(Exception):
    """A revision cannot be put into its target: what was found, and what to do."""


class FileExistsBehavior(StrEnum):
    """What becomes of a file that is in the way and was not put there by a deployment."""

    DISALLOW = "DISALLOW"
    OVERWRITE = "OVERWRITE"
    RETAIN = "RETAIN"


class FileType(StrEnum):
    """The kinds of things that permissions are given to."""

    FILE = "file"
    DIRECTORY = "directory"


# ------------------------------------------------------------------ the target


@dataclass(frozen=True, slots=True)
class Target:
    """A folder that stands for a host.

    Attributes:
        root: The folder, absolute, without symbolic links.
    """

    root: Path

    @contextmanager
    def locked(self, waiting: Callable[[], None]) -> Iterator[None]:
        """Keep other deployments off the target while the block lasts.

        Args:
            waiting: Called once if another deployment is under way and has to be waited for.
        """
        self._state.mkdir(parents=True, exist_ok=True)
        with (self._state / "lock").open("a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @property
    def last_successful(self) -> str | None:
        """The last deployment that succeeded; None if there was none, or its revision is gone."""
        try:
            deployment = self.last_successful_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return deployment if self.archive(deployment).is_dir() else None

    @property
    def last_successful_file(self) -> Path:
        """The file that names the last successful deployment."""
        return self._state / "last-successful"

    def archive(self, deployment: str) -> Path:
        """Give the folder that the revision of a deployment is unpacked in."""
        return self._state / deployment / "deployment-archive"

    def unpack(self, deployment: str, revision: Path) -> None:
        """Put a revision into the archive of a deployment.

        Args:
            deployment: The deployment's id; what it has put there before is replaced.
            revision: The folder of the revision, which is copied; see `check_links`.
        """
        shutil.rmtree(self._state / deployment, ignore_errors=True)
        shutil.copytree(revision, self.archive(deployment), symlinks=True)

    def succeed(self, deployment: str) -> None:
        """Note that a deployment was the last one to succeed."""
        _write_whole(self.last_successful_file, f"{deployment}\n")

    def prune(self, keep: int) -> None:
        """Remove the oldest revisions, but never that of the last successful deployment.

        Args:
            keep: How many of the newest revisions stay.
        """
        revisions = sorted(
            (archive.parent for archive in self._state.glob("*/deployment-archive")),
            key=lambda revision: revision.stat().st_mtime_ns,
            reverse=True,
        )
        for revision in revisions[max(keep, 1) :]:
            if revision.name != self.last_successful:
                shutil.rmtree(revision)

    def uninstall(self) -> int:
        """Remove the files that the last installation made, and its directories if empty.

        Returns:
            The number of files that were removed.
        """
        removed = 0
        for path in reversed(self._installed()):
            if not os.path.lexists(path) or not _is_below(self.root, path.parent):
                continue
            if path.is_symlink() or not path.is_dir():
                path.unlink()
                removed += 1
            elif not any(path.iterdir()):
                path.rmdir()
        _write_whole(self._list, "[]")
        return removed

    def install(self, plan: "Plan") -> None:
        """Make what a plan says, after noting it for the next `uninstall`."""
        new = [*plan.directories, *plan.copies]
        _write_whole(self._list, json.dumps([str(path.relative_to(self.root)) for path in new]))
        for directory in plan.directories:
            directory.mkdir(exist_ok=True)
        for path, source in plan.copies.items():
            path.unlink(missing_ok=True)  # a program that is running cannot be written to
            shutil.copy2(source, path, follow_symlinks=False)

    def _installed(self) -> list[Path]:
        try:
            text = self._list.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [self.root / path for path in json.loads(text)]

    @property
    def _state(self) -> Path:
        return self.root / STATE

    @property
    def _list(self) -> Path:
        return self._state / "installed.json"


# ------------------------------------------------------------------ what goes where


@dataclass(slots=True)
class Plan:
    """What an installation will make, made out before it touches anything.

    Attributes:
        root: The target's folder.
        behavior: What becomes of files that are in the way.
        directories: The directories to make, each after those above it.
        copies: The file or symbolic link to copy for each new path.
    """

    root: Path
    behavior: FileExistsBehavior
    directories: list[Path] = field(default_factory=list)
    copies: dict[Path, Path] = field(default_factory=dict)
    _checked: set[Path] = field(default_factory=set)

    def add(self, source: Path, destination: PurePosixPath) -> None:
        """Plan the copy of a file into a folder, or of a folder's content.

        Args:
            source: What to copy; symbolic links in it stay links.
            destination: The folder it goes to, absolute on the host.

        Raises:
            DeploymentError: The source is missing, something is in the way, or the copy would
                leave the target.
        """
        place = self.root / destination.relative_to("/")
        if not source.is_dir():
            self._add_file(source, place / source.name)
            return
        for folder, inner, files in os.walk(source, onerror=_refuse):
            here = place / Path(folder).relative_to(source)
            self._add_directory(here)
            links = (name for name in inner if Path(folder, name).is_symlink())
            for name in sorted((*links, *files)):
                self._add_file(Path(folder, name), here / name)

    def matching(
        self,
        thing: PurePosixPath,
        pattern: str,
        exceptions: Iterable[str],
        types: frozenset[FileType],
    ) -> list[Path]:
        """Find what is installed by this plan and meant by an entry of `permissions`.

        Args:
            thing: A file, or the folder whose content is meant, absolute on the host.
            pattern: `**` for all below the folder, else a pattern for names directly in it.
            exceptions: Patterns for names directly in the folder that are left out.
            types: Which kinds are meant.
        """
        place = self.root / thing.relative_to("/")
        files = self.copies if FileType.FILE in types else {}
        if place in self.copies:
            return [place] if files else []
        directories = self.directories if FileType.DIRECTORY in types else ()
        excluded = tuple(exceptions)
        return [
            path
            for path in (*directories, *files)
            if (place in path.parents if pattern == "**" else _is_child(path, place, (pattern,)))
            and not _is_child(path, place, excluded)
        ]

    def _add_directory(self, path: Path) -> None:
        if path in self._checked:
            return
        for each in (*reversed(path.relative_to(self.root).parents), path.relative_to(self.root)):
            directory = self.root / each
            if directory not in self._checked:
                self._check_directory(directory)
                self._checked.add(directory)

    def _check_directory(self, path: Path) -> None:
        if path.parent == self.root and path.name.lower() == STATE:
            raise DeploymentError(
                f"A file is to go to {path}, where the deployments are kept; "
                "give it another destination in the appspec"
            )
        if path.is_dir():
            if not _is_below(self.root, path):
                raise DeploymentError(
                    f"A file is to go to {path}, a symbolic link that leads out of {self.root}; "
                    "give it another destination, or remove the link"
                )
        elif os.path.lexists(path) or path in self.copies:
            raise DeploymentError(
                f"A directory is to be made at {path}, but a file is there; "
                "remove it, or change the destination in the appspec"
            )
        else:
            self.directories.append(path)

    def _add_file(self, source: Path, path: Path) -> None:
        if not os.path.lexists(source):
            raise DeploymentError(
                f"The file {source} was to be installed and is not in the revision; "
                "correct its source in the appspec"
            )
        self._add_directory(path.parent)
        _check_link(source, path.relative_to(self.root))
        if path in self.copies or path in self._checked:
            raise DeploymentError(
                f"Two entries of the appspec's files go to {path}, {source} among them; "
                "remove one of the entries"
            )
        is_folder = path.is_dir() and not path.is_symlink()
        if not os.path.lexists(path) or (
            self.behavior is FileExistsBehavior.OVERWRITE and not is_folder
        ):
            self.copies[path] = source
        elif self.behavior is not FileExistsBehavior.RETAIN or is_folder:
            raise DeploymentError(
                "The deployment failed because a specified file already exists at this location: "
                f"{path}; remove it, or write file_exists_behavior: OVERWRITE or RETAIN in the "
                "appspec"
            )


def check_links(revision: Path) -> None:
    """Look for symbolic links that lead out of a revision.

    Args:
        revision: The folder of the revision.

    Raises:
        DeploymentError: There is one.
    """
    for folder, inner, files in os.walk(revision, onerror=_refuse):
        for path in (Path(folder, name) for name in (*inner, *files)):
            _check_link(path, path.relative_to(revision))


def set_permissions(
    path: Path, mode: int | None = None, owner: int | None = None, group: int | None = None
) -> None:
    """Give a file or directory its mode and its owners; what is None stays.

    Args:
        path: The file; a symbolic link has no mode, and keeps what it leads to untouched.
        mode: The permission bits.
        owner: The user's number.
        group: The group's number.
    """
    if owner is not None or group is not None:
        unchanged = -1
        os.chown(
            path,
            unchanged if owner is None else owner,
            unchanged if group is None else group,
            follow_symlinks=False,
        )
    if mode is not None and not path.is_symlink():
        path.chmod(mode)


# ------------------------------------------------------------------ names and files


def user_id(name: str) -> int:
    """Give the number of a user.

    Raises:
        DeploymentError: There is no such user.
    """
    try:
        return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid
    except KeyError:
        raise DeploymentError(f"There is no user {name!r} on this machine") from None


def group_id(name: str) -> int:
    """Give the number of a group.

    Raises:
        DeploymentError: There is no such group.
    """
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise DeploymentError(f"There is no group {name!r} on this machine") from None


def _refuse(error: OSError) -> None:
    raise error


def _check_link(path: Path, relative: Path) -> None:
    if not path.is_symlink():
        return
    try:
        check_target(relative.parts, str(path.readlink()))
    except UnsafeEntryError as error:
        raise DeploymentError(
            f"{relative} is {error.found} ({path.readlink()}); make it a relative link "
            "to a place in the revision"
        ) from None


def _is_below(root: Path, path: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(root)


def _is_child(path: Path, folder: Path, patterns: Iterable[str]) -> bool:
    return path.parent == folder and any(
        # Only `*` means something to CodeDeploy.
        fnmatchcase(path.name, pattern.replace("[", "[[]").replace("?", "[?]"))
        for pattern in patterns
    )


def _write_whole(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode())
