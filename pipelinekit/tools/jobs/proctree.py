"""The living processes of this machine: who descends from whom, and signals for them."""

import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """One living process; `born` in clock ticks after the machine's start, 0 if not known."""

    pid: int
    parent: int
    session: int
    born: int


class Identity(NamedTuple):
    """What tells a process from a later one with the same pid; `boot` names the kernel's run."""

    pid: int
    born: int
    boot: str

    def is_alive(self) -> bool:
        """Tell whether this very process lives."""
        found = _found(self.pid) if self.boot == boot_id() else None
        return found is not None and found.born == self.born


def myself() -> Identity:
    """Identify the calling process."""
    me = _living(os.getpid())
    return Identity(os.getpid(), me.born if me else 0, boot_id())


@cache
def boot_id() -> str:
    """Name this run of the machine's kernel; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _found(pid: int) -> Process | None:
    if Path("/proc/self/stat").exists():
        return _living(pid)  # and not all others, of which there may be thousands
    return next((process for process in _processes_by_ps() if process.pid == pid), None)


def processes() -> list[Process]:
    """List the living processes of this machine, zombies left out."""
    if not Path("/proc/self/stat").exists():
        return _processes_by_ps()
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [process for pid in pids if (process := _living(pid))]


def family(root: int, table: Iterable[Process]) -> set[int]:
    """Find the pids of all descendants of `root` and of all that share its session."""
    children: dict[int, list[int]] = {}
    for process in table:
        children.setdefault(process.parent, []).append(process.pid)
        if process.session == root:
            children.setdefault(root, []).append(process.pid)
    found: set[int] = set()
    visit = [root]
    while visit:
        new = set(children.get(visit.pop(), ())) - found
        found |= new
        visit += new
    return found - {root}


def reads_from(pid: int, descriptor: int) -> bool:
    """Tell whether a process waits for more of what a descriptor of ours is open for.

    False where the system does not tell: without /proc, or of a process that is not ours.
    """
    try:
        _call, first, *_ = Path(f"/proc/{pid}/syscall").read_text(encoding="utf-8").split()
        there = Path(f"/proc/{pid}/fd/{int(first, 16)}").stat()
    except (OSError, ValueError):  # it is at work, or waits for something else
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to each of the processes that is still there and ours to signal."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _living(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name stands in brackets and may itself hold spaces and brackets.
    state, parent, _, session, *more = stat.rpartition(b")")[2].split()
    if state in {b"Z", b"X"}:
        return None
    return Process(pid, int(parent), int(session), born=int(more[15]))


def _processes_by_ps() -> list[Process]:
    # Where there is no /proc, the process group stands for the session.
    command = ["ps", "-axo", "pid=,ppid=,pgid=,stat="]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in table.splitlines())
    return [
        Process(int(pid), int(parent), int(group), born=0)
        for pid, parent, group, state in rows
        if not state.startswith("Z")
    ]
