"""A control group of Linux: holds all processes of a build together within their limits.

Both versions of control groups are known. Root can make a group, and so can an ordinary user to
whom the system has handed over a part of the tree.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

MEMBERS: Final = "cgroup.procs"
PREFIX: Final = "pipelinekit-"
LEAVING_SECONDS: Final = 0.3
JOIN: Final = f'for group in $0; do echo $$ >"$group/{MEMBERS}" || exit 125; done; exec "$@"'

_numbers: Final = count(1)


class Limits(NamedTuple):
    """How much of the machine the commands may have.

    Attributes:
        network: Whether they reach the network.
        memory_mb: The most memory of all their processes together, in MiB.
        processes: How many processes there may be at once.
    """

    network: bool = True
    memory_mb: int | None = None
    processes: int | None = None


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A group that was made.

    Attributes:
        folders: Its folder by controller, `memory` or `pids`; one for both in version 2.
    """

    folders: Mapping[str, Path]

    def joining(self) -> list[str]:
        """Give the words that, put before a command, make it and all that it starts members."""
        folders = " ".join(sorted({str(folder) for folder in self.folders.values()}))
        return [shutil.which("sh") or "/bin/sh", "-c", JOIN, folders]

    def killed(self) -> int:
        """Count the members that were killed for want of memory."""
        return self._counted("memory", ("memory.events", "memory.oom_control"), "oom_kill")

    def refused(self) -> int:
        """Count how often a member was refused one more process."""
        return self._counted("pids", ("pids.events",), "max")

    def remove(self) -> None:
        """Remove the group if its last members are gone, or about to go."""
        for folder in set(self.folders.values()):
            remove(folder)

    @property
    def removed(self) -> bool:
        """Tell whether it is gone."""
        return not any(folder.exists() for folder in self.folders.values())

    def _counted(self, controller: str, files: tuple[str, ...], key: str) -> int:
        folder = self.folders.get(controller)
        texts = (_read(folder / file) for file in files if folder)
        return next((number_of(text, key) for text in texts if text), 0)


def remove(group: Path) -> None:
    """Remove a group if its last members are gone, or about to go."""
    deadline = time.monotonic() + LEAVING_SECONDS
    while not _removed(group) and time.monotonic() < deadline:
        time.sleep(0.005)


def remove_left_over(parent: Path) -> None:
    """Remove the groups beneath another one whose makers are gone, and that nobody is in."""
    for folder in parent.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            _removed(folder)


def own_unified() -> Path | None:
    """Give the folder of this process's own group of version 2; None where there is none."""
    found = _trees(Path("/proc/self")).get("")
    return found[1] if found else None


def number_of(text: str, key: str) -> int:
    """Read a number from lines of `key number`; 0 when it is not there."""
    lines = (line.split() for line in text.splitlines())
    return next((int(line[1]) for line in lines if line[:1] == [key]), 0)


def make_group(limits: Limits) -> ControlGroup | None:
    """Make a group that holds these limits; None where that cannot be done.

    Args:
        limits: Of which the memory and the processes count here, at least one of them.
    """
    wanted: dict[str, int] = {}
    if limits.memory_mb is not None:
        wanted["memory"] = limits.memory_mb * 1024 * 1024
    if limits.processes is not None:
        wanted["pids"] = limits.processes
    name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
    for parents in _parents(frozenset(wanted)):
        for parent in set(parents.values()):
            remove_left_over(parent)
        group = ControlGroup({each: parent / name for each, parent in parents.items()})
        with suppress(OSError):
            for controller, most in wanted.items():
                _hold(group.folders[controller], controller, str(most))
            if _can_be_joined(group):
                return group
        group.remove()
    return None


def _parents(
    controllers: frozenset[str], mine: Path = Path("/proc/self")
) -> Iterator[Mapping[str, Path]]:
    trees = _trees(mine)
    unified = trees.get("")
    if unified is not None:
        root, own = unified
        for folder in (own, *own.parents):
            with suppress(OSError):
                handed = (folder / "cgroup.subtree_control").read_text(encoding="utf-8").split()
                if controllers <= set(handed):
                    yield dict.fromkeys(controllers, folder)
            if folder == root:
                break
    if controllers <= trees.keys():
        yield {each: trees[each][1] for each in controllers}


def _trees(mine: Path) -> dict[str, tuple[Path, Path]]:
    # The root of each tree and our own group in it, by controller; "" for version 2.
    paths: dict[str, str] = {}
    for line in _read(mine / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    trees: dict[str, tuple[Path, Path]] = {}
    for line in _read(mine / "mountinfo").splitlines():
        _, _, _, within, point, *_, kind, _, options = line.split(" ")
        if kind not in {"cgroup", "cgroup2"}:
            continue
        for controller in {""} if kind == "cgroup2" else set(options.split(",")):
            if controller in paths:
                below = Path("/", paths[controller]).as_posix().removeprefix(within).lstrip("/")
                own = Path(point) / below
                trees[controller] = (Path(point), own if own.is_dir() else Path(point))
    return trees


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:  # not Linux, or not this version of control groups
        return ""


def _hold(folder: Path, controller: str, most: str) -> None:
    folder.mkdir(exist_ok=True)
    if controller == "pids":
        (folder / "pids.max").write_text(most, encoding="utf-8")
        return
    first = (folder / "memory.limit_in_bytes").exists()
    limit, swap = (
        ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        if first
        else ("memory.max", "memory.swap.max")
    )
    (folder / limit).write_text(most, encoding="utf-8")
    with suppress(FileNotFoundError, PermissionError):  # where the kernel does not count swap
        (folder / swap).write_text(most if first else "0", encoding="utf-8")


def _can_be_joined(group: ControlGroup) -> bool:
    trial = [*group.joining(), "true"]
    return subprocess.run(trial, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # it still has members
        return False
    return True
