"""What an installation puts where on a host, made out and checked before anything is touched."""

import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from pipelinekit.tools.archives.tree_writer import UnsafeEntryError, check_target
from pipelinekit.tools.deployments.revision import (
    CONFIGURATION_ERROR,
    DeploymentError,
    FileExistsBehavior,
    FileType,
)

STATE: Final = ".codedeploy"
"""The folder at the root of a target where its deployments are kept."""


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
            if not is_below(self.root, path):
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
        message = f"There is no user {name!r} on this machine; change owner in the appspec"
        raise DeploymentError(message, CONFIGURATION_ERROR) from None


def group_id(name: str) -> int:
    """Give the number of a group.

    Raises:
        DeploymentError: There is no such group.
    """
    try:
        return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        message = f"There is no group {name!r} on this machine; change group in the appspec"
        raise DeploymentError(message, CONFIGURATION_ERROR) from None


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
            "to a place in the revision",
            CONFIGURATION_ERROR,
        ) from None


def is_below(root: Path, path: Path) -> bool:
    """Tell whether a path is in a folder once its symbolic links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(root)


def _is_child(path: Path, folder: Path, patterns: Iterable[str]) -> bool:
    return path.parent == folder and any(
        # Only `*` means something to CodeDeploy.
        fnmatchcase(path.name, pattern.replace("[", "[[]").replace("?", "[?]"))
        for pattern in patterns
    )
