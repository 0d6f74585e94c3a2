"""Runs one command within its time, tells what it prints, and ends it with all its processes."""

import errno
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from pipelinekit.tools.jobs.proctree import family, processes, send
from pipelinekit.tools.on_error import on_error

GRACE_SECONDS: Final = 5.0
KILL_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 0.05
BUSY_SECONDS: Final = 2.0
BUSY_PAUSE: Final = 0.01
"""How long a program is waited for that is open for writing, and how often it is tried.

A file that was just written is open, until it is another program, in each process that a thread
beside this one was starting at that moment.
"""

BASE_ENVIRONMENT: Final = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ")
LONGEST_LINE: Final = 64 * 1024
"""How many bytes without an end of line are told as a line of their own."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command and its surroundings.

    Attributes:
        words: The program and its arguments.
        folder: Where it runs.
        environment: All of its environment variables.
        user: The name of the user it runs as; None for the present one, others for root only.
    """

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    user: str | None = None


def base_environment() -> dict[str, str]:
    """Give the few environment variables of this process that every command may see."""
    found = {name: os.environ[name] for name in BASE_ENVIRONMENT if name in os.environ}
    return {"PATH": os.defpath} | found


def run(command: Command, seconds: float, log: Path, tell: Callable[[str], None]) -> int | None:
    """Run a command and wait for it, though not for what it leaves running in the background.

    It writes into a file, since a pipe would end, or hold up, what it leaves running.

    Args:
        command: What to run.
        seconds: How long it may take; then it is killed with the processes it has started, as it
            is when this call is interrupted.
        log: The file that its output is added to.
        tell: Called with each line of the output.

    Returns:
        Its exit code, negative for a signal; None if it was killed for want of time.

    Raises:
        OSError: It cannot be started.
    """
    with log.open("ab") as output, log.open("rb") as reading:
        reading.seek(0, os.SEEK_END)
        lines = _Lines(reading, tell)
        process = _start(command, output)
        try:
            with on_error(_end, process):
                return _wait(process, time.monotonic() + seconds, lines)
        finally:
            lines.look(to_the_end=True)


def marked(name: str, value: str) -> set[int]:
    """Find the processes that were started with an environment variable, where there is /proc.

    Args:
        name: The variable.
        value: What it must hold.
    """
    entry = f"{name}={value}".encode()
    found = set()
    for process in processes():
        with suppress(OSError):
            if entry in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                found.add(process.pid)
    return found


def end(left: Callable[[], set[int]]) -> None:
    """End processes: they are asked first, and killed when they do not obey.

    Args:
        left: Finds those of them that live, again and again.
    """
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        asked: set[int] = set()
        patience = time.monotonic() + seconds
        while (alive := left()) and time.monotonic() < patience:
            send(number, alive - asked)
            asked |= alive
            time.sleep(0.02)


def _end(process: "subprocess.Popen[bytes]") -> None:
    known: set[int] = set()

    def left() -> set[int]:
        process.poll()
        # What was seen once stays known: it may have lost its parent, and got new children.
        found = _left_of(process.pid, known)
        known.update(found)
        return found

    end(left)
    process.wait()


def _start(command: Command, output: BinaryIO) -> "subprocess.Popen[bytes]":
    identity = None if command.user is None else pwd.getpwnam(command.user)

    def start(words: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            words,
            cwd=command.folder,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            user=identity and identity.pw_uid,
            group=identity and identity.pw_gid,
            extra_groups=identity and os.getgrouplist(identity.pw_name, identity.pw_gid),
        )

    limit = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return start(command.words)
        except OSError as error:
            if error.errno == errno.ENOEXEC:  # no `#!` line, which shells forgive too
                return start(("/bin/sh", *command.words))
            if error.errno != errno.ETXTBSY or time.monotonic() > limit:
                raise
        time.sleep(BUSY_PAUSE)


def _wait(process: "subprocess.Popen[bytes]", deadline: float, lines: "_Lines") -> int | None:
    while True:
        try:
            return process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            lines.look()
        if time.monotonic() > deadline:
            _end(process)
            return None


@dataclass(slots=True)
class _Lines:
    file: BinaryIO
    tell: Callable[[str], None]
    rest: bytes = b""

    def look(self, *, to_the_end: bool = False) -> None:
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        if self.rest and (to_the_end or len(self.rest) > LONGEST_LINE):
            lines.append(self.rest)
            self.rest = b""
        for line in lines:
            self.tell(line.decode("utf-8", errors="replace").rstrip("\r"))


def _left_of(script: int, known: set[int]) -> set[int]:
    table = processes()
    descendants = known.union(*(family(pid, table) for pid in (script, *known)))
    return {
        process.pid
        for process in table
        if process.pid in descendants or _is_in_group(process.pid, script)
    }


def _is_in_group(pid: int, group: int) -> bool:
    with suppress(ProcessLookupError):
        return os.getpgid(pid) == group
    return False
