"""Selects the files of an artifact by CodeBuild's globs, and never one from outside the folder."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

WILD = re.compile(r"[*?]")


class GlobError(ValueError):
    """A pattern leads out of the folder, or two files would get one name."""


class Selection(NamedTuple):
    """The files of an artifact.

    Attributes:
        files: The path of each file, by the relative path that it gets in the artifact. A link
            that is to stay one is given as the link itself, every other as its target.
        left_out: Relative paths of what was not taken: links that lead to nothing, to a folder or
            out of the source, and what is no regular file.
    """

    files: Mapping[str, Path]
    left_out: tuple[str, ...] = ()


class Globs(NamedTuple):
    """Which files an artifact takes, in CodeBuild's words.

    A `*` or `?` stands for parts of a name, `**` for any number of folders; names that begin with
    a dot are no exception. A pattern without any of these that names a folder means all in it.

    Attributes:
        include: Patterns relative to the base directory.
        exclude: Patterns of what is left out; a folder that matches is left out with all in it.
        base: The base directory, relative to the source; its own last part may have a `*`.
        flat: Whether files lose their folders (`discard-paths`).
        keep_links: Whether links within the source stay links (`enable-symlinks`); if not,
            a link to a file is taken as that file, and a link to a folder is left out.
    """

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    base: str = "."
    flat: bool = False
    keep_links: bool = False

    def select(self, source: Path) -> Selection:
        """Find the files under `source`.

        Raises:
            GlobError: A pattern leads out of the source, or two files would get one name.
        """
        source = source.resolve()
        real_folder = cache(Path.resolve)
        files: dict[str, Path] = {}
        left_out: list[str] = []
        for base in _bases(source, self.base):
            for path in self._found(base):
                relative = path.relative_to(base)
                real = (
                    path.resolve() if path.is_symlink() else real_folder(path.parent) / path.name
                )
                taken = self._taken(path, real) if real.is_relative_to(source) else None
                if taken is None:
                    left_out.append(path.relative_to(source).as_posix())
                else:
                    _add(files, relative.name if self.flat else relative.as_posix(), taken)
        return Selection(files, tuple(left_out))

    def _taken(self, path: Path, real: Path) -> Path | None:
        if self.keep_links and path.is_symlink() and not path.readlink().is_absolute():
            return path
        return real if real.is_file() else None

    def _found(self, base: Path) -> list[Path]:
        excluded = [_expression(_inside(base, pattern)) for pattern in self.exclude]
        patterns = [_inside(base, pattern) for pattern in self.include]
        found = {path for pattern in patterns for path in _matches(base, pattern)}
        return sorted(
            path
            for path in found
            if not any(
                expression.fullmatch(part)
                for expression in excluded
                for part in _upward(path.relative_to(base))
            )
        )


def stage(selection: Selection, folder: Path) -> None:
    """Put the selected files into a folder, as hard links where the disk allows it.

    Args:
        selection: What to put there.
        folder: An empty folder; made if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for relative, path in selection.files.items():
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(path.readlink())
            continue
        try:
            target.hardlink_to(path)
        except OSError:
            shutil.copy2(path, target)


def _bases(source: Path, base: str) -> list[Path]:
    pattern = _inside(source, base)
    if not WILD.search(pattern):
        folders = [source / pattern]
    else:
        above, _, last = pattern.rpartition("/")
        if WILD.search(above):
            raise GlobError(f"the base directory {base} has a `*` before its last folder")
        expression = _expression(last)
        around = source / above
        entries = sorted(around.iterdir()) if around.is_dir() else []
        folders = [entry for entry in entries if expression.fullmatch(entry.name)]
    for folder in folders:
        if not folder.resolve().is_relative_to(source):
            raise GlobError(f"the base directory {base} is a link out of the source")
    return [folder for folder in folders if folder.is_dir()]


def _inside(base: Path, pattern: str) -> str:
    if pattern.startswith("/"):
        absolute = os.path.normpath(pattern)
        if not PurePosixPath(absolute).is_relative_to(base):
            raise GlobError(
                f"{pattern} lies outside of the source or its base directory; have a command copy "
                f"what is wanted into the source, and name it relative to the base directory"
            )
        return PurePosixPath(absolute).relative_to(base).as_posix()
    normal = os.path.normpath(pattern)
    if normal == ".." or normal.startswith("../"):
        raise GlobError(f"{pattern} leads out of the source; name files within it")
    return normal


def _matches(base: Path, pattern: str) -> Iterator[Path]:
    parts = PurePosixPath(pattern).parts
    wild = next((index for index, part in enumerate(parts) if WILD.search(part)), len(parts))
    root = base.joinpath(*parts[:wild])
    if wild == len(parts):
        yield from _walk(root) if root.is_dir() else [root] if os.path.lexists(root) else []
        return
    expression = _expression("/".join(parts[wild:]))
    for path in _walk(root):
        if expression.fullmatch(path.relative_to(root).as_posix()):
            yield path


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        yield from (here / name for name in files)
        yield from (here / name for name in folders if (here / name).is_symlink())


def _upward(path: Path) -> Iterator[str]:
    yield path.as_posix()
    yield from (parent.as_posix() for parent in path.parents if parent.name)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts: Iterable[str] = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _add(files: dict[str, Path], name: str, path: Path) -> None:
    if name in files:
        raise GlobError(
            f"two files would both become {name} in the artifact: {files[name]} and {path}; "
            f"leave discard-paths out, or exclude one of them"
        )
    files[name] = path
