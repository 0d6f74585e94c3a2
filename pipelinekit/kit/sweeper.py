"""What housekeeping removes from the disk: folders of jobs, objects of artifacts, old caches."""

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.builds.cache_shelf import SUFFIX
from pipelinekit.kit.home import Home
from pipelinekit.kit.removed import Heap
from pipelinekit.model.noun import Noun
from pipelinekit.ports.store import Past
from pipelinekit.tools.jobs.gate import MARKER
from pipelinekit.tools.jobs.process import Standing, look

TRASH = "trash"
"""The folder in which what is to be removed is no longer in anybody's way."""


class Sweeper(Noun, gc=True):
    """Removes what nobody refers to, and what was not changed since a time.

    Whoever is at work is not disturbed: rows and orders come before folders and objects, so that
    what is seen on the disk first, and has no row afterwards, never gets one.

    Attributes:
        home: Where things lie.
        past: What is referred to.
        before: What was changed later stays, in seconds since 1970.
        without: Executions that do not count, since they are as good as forgotten.
        dry: Whether things are only counted.
    """

    home: Home
    past: Past
    before: float
    without: Collection[str] = ()
    dry: bool = False

    def jobs(self) -> Heap:
        """Remove the folders of jobs without an execution, unless a process of the job lives."""
        heap = Heap()
        folders = [self.home.jobs / each.name for each in _entries(self.home.jobs)]
        strangers = self.past.strangers({_job(each) for each in folders}, self.without)
        inhabited = _inhabited()
        for each in folders:
            if _job(each) in strangers and each not in inhabited and self._is_over(each):
                self._discard(each, heap)
        return heap

    def objects(self) -> Heap:
        """Remove the objects that no row refers to."""
        heap = Heap()
        shelf = FolderArtifacts(self.home.artifacts)
        found = [(key, path) for key, path in shelf.files() if self._is_old(path)]
        objects = self.past.objects(self.without) if found else ()
        wanted = {shelf.key_of(artifact) for artifact in objects}
        for key, path in found:
            if key not in wanted:
                self._unlink(path, heap)
        return heap

    def caches(self) -> Heap:
        """Remove the caches of builds that no build has used; who reads one goes on reading it."""
        heap = Heap()
        for path in (self.home.folder / "cache" / "builds").glob(f"*/*{SUFFIX}"):
            if self._is_old(path):
                self._unlink(path, heap)
        return heap

    def trash(self) -> None:
        """Finish what somebody who was killed had begun to remove."""
        for each in _entries(self.home.folder / TRASH):
            remove(Path(each.path))

    def _is_over(self, folder: Path) -> bool:
        try:
            return self._is_old(folder) and look(folder).standing is not Standing.RUNNING
        except (OSError, ValueError):  # nobody can tell, so it stays
            return False

    def _is_old(self, path: Path) -> bool:
        with suppress(FileNotFoundError):
            return path.stat().st_mtime < self.before
        return False

    def _unlink(self, path: Path, heap: Heap) -> None:
        heap.count, heap.bytes = heap.count + 1, heap.bytes + size_of(path)
        if not self.dry:
            path.unlink(missing_ok=True)

    def _discard(self, folder: Path, heap: Heap) -> None:
        size = size_of(folder)
        try:
            if not self.dry:
                trash = self.home.folder / TRASH
                trash.mkdir(exist_ok=True)
                remove(folder.rename(trash / folder.name))
        except OSError as error:
            heap.left.append(f"{folder}: {error}")
        else:
            heap.count, heap.bytes = heap.count + 1, heap.bytes + size


def size_of(path: Path) -> int:
    """Give the bytes that a file or a folder takes on the disk."""
    with suppress(FileNotFoundError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_blocks * 512
        return sum(size_of(Path(each.path)) for each in _entries(path))
    return 0


def remove(folder: Path) -> None:
    """Remove a folder, also where a build has taken its own right to write away.

    Raises:
        OSError: It cannot be removed, such as a mount point.
    """
    try:
        shutil.rmtree(folder)
    except PermissionError:
        for root, _, _ in os.walk(folder):
            Path(root).chmod(0o700)
        shutil.rmtree(folder)


def _job(folder: Path) -> str:
    return folder.name.partition(".")[0]  # attempts that were lost have a number behind it


def _inhabited() -> set[Path]:
    """Find the folders of jobs of which some process lives, such as a server left on purpose."""
    mark = os.fsencode(f"{MARKER}=")
    found = set()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            for entry in environ.read_bytes().split(b"\0"):
                if entry.startswith(mark):
                    found.add(Path(os.fsdecode(entry.removeprefix(mark))))
    return found


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from entries
