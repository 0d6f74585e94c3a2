"""Keeps paths between the builds of a project, as the `cache` of its buildspec asks.

Source: "Amazon S3 caching" and the section `cache` of the buildspec reference of the CodeBuild
guide: the key, its shell commands and its fallbacks; a cache that has a key is never changed; it
counts as the same only for the same paths.
"""

import hashlib
import os
import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, Protocol
from urllib.parse import quote

from msgspec.structs import replace

from pipelinekit.builds.cache_shelf import DamagedCache, Shelf
from pipelinekit.model.noun import Noun
from pipelinekit.tools.globs import GlobError, Globs
from pipelinekit.wire.buildspec_outputs import Cache, CacheAction
from pipelinekit.wire.words import duration, one_line

LARGEST: Final = 5 * 1024**3  # bytes
SOURCE: Final = "source"
HOME: Final = "home"
USUAL_HOME: Final = "/root"  # of CodeBuild's images

_HASH: Final = re.compile(
    r"\$+\(\s*codebuild-hash-files\s([^()]*)\)|`\s*codebuild-hash-files\s([^`]*)`"
)
_HOME: Final = re.compile(r"^/*(~|\$HOME|\$\{HOME\})(?=/|$)")
_SOURCE: Final = re.compile(r"^/*(\$CODEBUILD_SRC_DIR|\$\{CODEBUILD_SRC_DIR\})(?=/|$)")
_ANSWER: Final = "PIPELINEKIT_CACHE_KEY"

Say = Callable[[str], None]


class Commands(Protocol):
    """The shell of a build."""

    def run(self, text: str, name: str) -> int:
        """Run a command and give its status."""
        ...

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """Read those of these variables that are set."""
        ...


class Ground(Noun):
    """The folders of this machine that are a build's own, so that a cache may fill them.

    Attributes:
        source: Where the build starts.
        home: What the build has for its home; None where that is the home of the user.
        home_inside: What the build's commands call their home; `/root` names it too.
    """

    source: Path
    home: Path | None = None
    home_inside: str = USUAL_HOME


class BuildCache:
    """The cache of one build: `restore` it before the phases, `keep` it after them.

    Nothing that goes wrong with a cache fails a build; it is said in the log.

    CHOICE: a cache is kept only after a build that succeeded. What the source itself holds is
    never replaced by what was kept. On the host an absolute path names what belongs to the user,
    and in a container what belongs to the image, so that it is neither kept nor restored there.
    A project keeps the five caches that it used last.
    """

    def __init__(self, shelf: Shelf, cache: Cache, ground: Ground, say: Say) -> None:
        """Say which of the paths cannot be kept.

        Args:
            shelf: The caches of the project.
            cache: What is to be kept, the project's own paths included.
            ground: The folders of the build.
            say: Writes a line into the build's log.
        """
        self._shelf = shelf
        self._cache = cache
        self._ground = ground
        self._say = say
        self._label = "cache"
        self._name: str | None = None
        self._patterns: dict[str, list[str]] = {SOURCE: [], HOME: []}
        self._sort_paths()

    @staticmethod
    def of(folder: Path, project: str, cache: Cache, ground: Ground, say: Say) -> "BuildCache":
        """Take the cache of a project.

        Args:
            folder: What all jobs share (`job.cache`).
            project: Its name.
            cache: What is to be kept; see `asked`.
            ground: The folders of the build.
            say: Writes a line into the build's log.
        """
        name = quote(project, safe="").replace(".", "%2E")
        return BuildCache(Shelf(folder / "builds" / name), cache, ground, say)

    def restore(self, shell: Commands) -> None:
        """Put the cache in place, and find the key under which `keep` will keep it.

        Args:
            shell: Where the commands and variables of a key get their values.

        Raises:
            ShellTimeout: The build's time was up meanwhile.
        """
        key = self._valued(self._cache.key, shell)
        if key == "" or not any(self._patterns.values()):
            return
        self._label = "cache" if key is None else f"cache {one_line(key, 100)}"
        version = self._version()
        self._name = version if key is None else f"{version}/{key}"
        if self._cache.action is CacheAction.SAVE:
            return
        found = self._found(self._name, version, shell)
        if found is None:
            self._say(f"{self._label}: nothing is kept yet")
        else:
            self._put(found)

    def keep(self) -> None:
        """Keep the cache of a build that has succeeded."""
        if self._name is None or self._cache.action is CacheAction.RESTORE:
            return
        if self._cache.key is not None and self._shelf.has(self._name):
            self._say(f"{self._label}: it is kept already, and stays as it is")
            return
        try:
            told = self._kept(self._name)
        except (OSError, GlobError) as error:
            told = f"not kept: {error}"
        self._say(f"{self._label}: {told}")

    def _kept(self, name: str) -> str:
        files = dict(self._files())
        size = sum(path.lstat().st_size for path in files.values())
        if not files:
            return "not kept: nothing is at its paths"
        if size > LARGEST:
            return f"not kept: its files have {_size(size)}, more than {_size(LARGEST)}"
        self._shelf.keep(name, files)
        return f"kept {len(files):,} files, {_size(size)}"

    def _sort_paths(self) -> None:
        outside = []
        for path in self._cache.paths:
            root, pattern = self._rooted(path)
            if root:
                self._patterns[root].append(pattern)
            else:
                outside.append(path)
        if outside:
            sandbox = "run the build in a sandbox, which has a home of its own"
            other = "the home" if self._ground.home else sandbox
            self._say(
                f"cache: {', '.join(outside)} is not the build's own on this machine, and is not "
                f"kept; keep what lies beneath the source, or {other}"
            )

    def _rooted(self, path: str) -> tuple[str | None, str]:
        inside = self._ground.home_inside
        pattern = _SOURCE.sub(str(self._ground.source), _HOME.sub(inside, path))
        pattern = os.path.normpath(pattern)
        if not pattern.startswith("/"):
            return (None if pattern.startswith("..") else SOURCE), pattern
        pattern = "/" + pattern.lstrip("/")
        homes = (inside, USUAL_HOME) if self._ground.home else ()
        roots = [(SOURCE, str(self._ground.source)), *((HOME, home) for home in homes)]
        for root, folder in roots:
            if PurePosixPath(pattern).is_relative_to(folder):
                return root, PurePosixPath(pattern).relative_to(folder).as_posix()
        return None, pattern

    def _folders(self) -> Mapping[str, Path]:
        home = self._ground.home
        return {SOURCE: self._ground.source} | ({HOME: home} if home else {})

    def _version(self) -> str:
        return hashlib.sha256(repr(self._patterns).encode(errors="replace")).hexdigest()[:16]

    def _found(self, name: str, version: str, shell: Commands) -> str | None:
        if self._shelf.has(name):
            return name
        kept = self._shelf.names()
        for fallback in self._cache.fallback_keys:
            if beginning := self._valued(fallback, shell):
                start = f"{version}/{beginning}"
                if near := next((each for each in kept if each.startswith(start)), None):
                    other = one_line(near.removeprefix(f"{version}/"), 100)
                    self._say(f"{self._label}: nothing is kept yet; {other} stands in for it")
                    return near
        return None

    def _put(self, name: str) -> None:
        began = time.monotonic()
        try:
            count = self._shelf.restore(name, self._folders())
        except DamagedCache as error:
            self._shelf.drop(name)
            self._say(f"{self._label}: left out and let go, since it is damaged: {error}")
            return
        except OSError as error:
            self._say(f"{self._label}: not restored: {error}")
            return
        took = duration(time.monotonic() - began)
        self._say(f"{self._label}: restored {count:,} files in {took}")

    def _files(self) -> Iterator[tuple[str, Path]]:
        for root, folder in self._folders().items():
            selection = Globs(tuple(self._patterns[root]), keep_links=True).select(folder)
            yield from ((f"{root}/{name}", path) for name, path in selection.files.items())

    def _valued(self, text: str | None, shell: Commands) -> str | None:
        if text is None:
            return None
        try:
            written = _HASH.sub(lambda match: self._hash(match[1] or match[2]), text)
        except (OSError, ValueError) as error:
            self._say(f"cache: the key {text} has no value, so that nothing is kept: {error}")
            return ""
        if "$" in written or "`" in written:
            # In a here-document quotes stand for themselves, and only values are put in.
            line = " ".join(written.split("\n"))
            shell.run(f"{_ANSWER}=$(cat <<{_ANSWER}\n{line}\n{_ANSWER}\n)", "cache-key.sh")
            written = shell.variables([_ANSWER]).get(_ANSWER, "")
        if not written.strip():
            self._say(f"cache: the key {text} has no value, so that nothing is kept")
        return written.strip()

    def _hash(self, patterns: str) -> str:
        globs = Globs(tuple(shlex.split(patterns)))
        digest = hashlib.sha256()
        for _, path in sorted(globs.select(self._ground.source).files.items()):
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def asked(buildspec: Cache | None, paths: Iterable[str]) -> Cache | None:
    """Put together what a build is to keep; None when that is nothing.

    Args:
        buildspec: The section of its buildspec.
        paths: Those that the settings of its project add.
    """
    cache = buildspec or Cache()
    both = tuple(dict.fromkeys((*cache.paths, *paths)))
    return replace(cache, paths=both) if both else None


def _size(count: int) -> str:
    return f"{count / 1024**2:,.1f} MB"
