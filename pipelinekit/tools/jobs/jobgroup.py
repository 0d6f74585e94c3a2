"""A control group of version 2 round a job, so that the kernel kills all of it at once.

Where none can be made, because the system has none or keeps it to itself, everything works all the
same: the job's processes are then found one by one.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from pipelinekit.tools.jobs import cgroup
from pipelinekit.tools.jobs.cgroup import MEMBERS, PREFIX
from pipelinekit.tools.jobs.proctree import Identity

KILL: Final = "cgroup.kill"
NOTE: Final = "group"
"""The file of a job's control directory that names its group."""

ME: Final = "0"
"""In a list of members, the process that writes it."""


def join(me: Identity) -> Path | None:
    """Put the calling process, and all that it will start, into a group of its own.

    Args:
        me: The calling process.

    Returns:
        The group, which is to be noted; None where none can be made.
    """
    parent = cgroup.own_unified()
    if parent is None:
        return None
    group = parent / f"{PREFIX}{me.pid}-{me.born}"
    with suppress(OSError):
        group.mkdir()
        if (group / KILL).exists():  # since Linux 5.14
            _enter(group)
            return group
        group.rmdir()
    return None


def note(control: Path, group: Path) -> None:
    """Write down in a job's control directory which group is the job's."""
    with suppress(OSError):
        (control / NOTE).write_text(str(group), encoding="utf-8")


def part(group: Path) -> None:
    """Put the calling process back where it came from, and remove a group that no job needed."""
    with suppress(OSError):
        _enter(group.parent)
        group.rmdir()


def leave(control: Path) -> bool:
    """Put the calling process back where it came from; the group goes if it is empty.

    Returns:
        Whether there is a group still, and the process is no longer in it.
    """
    group = _noted(control)
    if group is None:
        return False
    try:
        _enter(group.parent)
    except OSError:
        return False
    with suppress(OSError):
        group.rmdir()
    return group.exists()


def members(control: Path) -> set[int]:
    """Give the pids of the living members of a job's group, without looking at all processes."""
    group = _noted(control)
    try:
        return (
            {int(pid) for pid in (group / MEMBERS).read_text("ascii").split()} if group else set()
        )
    except OSError:
        return set()


def kill(control: Path) -> None:
    """Kill all members of a job's group at once, whatever they do."""
    group = _noted(control)
    if group is not None:
        with suppress(OSError):
            (group / KILL).write_text("1", encoding="utf-8")


def remove(control: Path) -> None:
    """Remove a job's group, if nobody is left in it, or who is left is about to go."""
    group = _noted(control)
    if group is not None:
        cgroup.remove(group)


def drop(control: Path) -> None:
    """Remove the group of a job that has ended, unless the job has left somebody in it."""
    group = _noted(control)
    if group is not None:
        with suppress(OSError):
            group.rmdir()


def tidy() -> None:
    """Remove what is left of the groups of runners that were killed."""
    parent = cgroup.own_unified()
    if parent is not None:
        cgroup.remove_left_over(parent)


def _enter(group: Path) -> None:
    (group / MEMBERS).write_text(ME, encoding="utf-8")


def _noted(control: Path) -> Path | None:
    try:
        group = Path((control / NOTE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return group if group.name.startswith(PREFIX) else None
