"""Runs one script within its time, and ends it with all its processes when that is over."""

import errno
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipelinekit.tools.proctree import family, processes, send

GRACE_SECONDS: Final = 5.0
KILL_SECONDS: Final = 2.0


def run_script(
    script: Path, folder: Path, environment: Mapping[str, str], seconds: float, user: str | None
) -> int | None:
    """Run a script and wait for it, though not for what it leaves running in the background.

    Its output goes where this process's own output goes.

    Args:
        script: The file, made executable if it is not.
        folder: Where it runs.
        environment: All of its shell variables.
        seconds: How long it may take; then it is killed with the processes it has started.
        user: The name of the user it runs as; None for the present one, others for root only.

    Returns:
        Its exit code, negative for a signal; None if it was killed for want of time.

    Raises:
        OSError: It cannot be started.
    """
    script.chmod(script.stat().st_mode | 0o111)
    identity = None if user is None else pwd.getpwnam(user)

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            process_group=0,
            user=identity and identity.pw_uid,
            group=identity and identity.pw_gid,
            extra_groups=identity and os.getgrouplist(identity.pw_name, identity.pw_gid),
        )

    try:
        process = start([str(script)])
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        process = start(["/bin/sh", str(script)])  # no `#!` line, which shells forgive too
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    known: set[int] = set()
    for number, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        asked: set[int] = set()
        patience = time.monotonic() + seconds
        while (left := _left_of(process.pid, known)) and time.monotonic() < patience:
            known |= left
            send(number, left - asked)
            asked |= left
            time.sleep(0.02)
            process.poll()
    process.wait()


def _left_of(script: int, known: set[int]) -> set[int]:
    table = processes()
    # What was seen once stays known: it may have lost its parent since, and got new children.
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
