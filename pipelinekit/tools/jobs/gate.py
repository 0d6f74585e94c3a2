"""The start gate of a detached job: of all who try to pass it one does, and all see how it stands.

A job is a folder. Its gate is the directory `ctl` inside, which comes into being by a rename and
so never without its lock held, or the holder dead. It holds:

- `lock`: locked (flock) by the job's runner as long as that lives,
- `pid`: who the runner is, to find it again; not there if the job was halted before its start,
- `grace`: the seconds that a halt leaves to the job's processes, if one was asked for,
- `result.json`: what came of the job; written, synced and renamed before the runner ends.
"""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypedDict
from uuid import uuid4

from pipelinekit.tools.durable import replaced, sync
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.tools.jobs.proctree import Identity, myself

JSON: TypeAlias = "Mapping[str, JSON] | Sequence[JSON] | str | int | float | bool | None"

CONTROL = "ctl"
LOCK = "lock"
OWNER = "pid"
GRACE = "grace"
RESULT = "result.json"

HALTED = '{"halted": true}'
GRACE_SECONDS = 10.0
MARKER = "PIPELINEKIT_JOB"
"""The environment variable by which the processes of a job know its folder."""


class Request(TypedDict):
    """What the engine sends to the helper: the job, and the engine's own environment."""

    folder: str
    target: str
    payload: dict[str, JSON]
    environ: dict[str, str]
    preload: list[str]


class Standing(StrEnum):
    """How a job stands."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    DONE = "Done"
    LOST = "Lost"


class Sighting(NamedTuple):
    """What was seen of a job; `result` is there when it is done."""

    standing: Standing
    result: dict[str, JSON] | None = None


def look(folder: Path) -> Sighting:
    """See how the job in `folder` stands, whichever engine started it.

    Returns:
        The standing and, when the job is done, its result: what the target returned,
        `{"error": {"type", "message", "traceback"}}` if it raised, `{"halted": True}` if the
        job was halted. LOST means that the runner died without a result.
    """
    control = folder / CONTROL
    try:
        lock = os.open(control / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Sighting(Standing.NOT_STARTED)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Sighting(Standing.RUNNING)
    finally:
        os.close(lock)
    # Only now: a result that is looked for before the lock may be written in between.
    try:
        text = (control / RESULT).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Sighting(Standing.LOST)
    return Sighting(Standing.DONE, json.loads(text))


def claim(folder: Path, result: str | None = None) -> int | None:
    """Try to pass the start gate of the job in `folder`; of all who ever try, one does.

    Args:
        folder: The job's folder, which exists.
        result: JSON text with which the job is already over, to close the gate for good.

    Returns:
        The descriptor of the lock, held; None where another passed the gate before.

    Raises:
        OSError: The file system refused something else than the last step.
    """
    trial = folder / f"{CONTROL}.{uuid4().hex}"
    trial.mkdir(mode=0o700)
    failpoint("gate.lock.before")
    lock = os.open(trial / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if result is None:
            _sign(trial)
        else:  # no runner is to be found: whoever closes the gate must not be taken for one
            store(trial, result)
        failpoint("gate.rename.before")
        trial.rename(folder / CONTROL)
    except OSError as refusal:
        os.close(lock)
        shutil.rmtree(trial, ignore_errors=True)
        if refusal.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            return None
        raise
    failpoint("gate.rename.after")
    return lock


def seal(folder: Path) -> None:
    """Make a passed gate outlast a loss of power; nothing of the job may happen before."""
    for directory in (folder / CONTROL, folder, folder.parent):
        sync(directory)
    failpoint("gate.seal.after")


def store(control: Path, result: str) -> None:
    """Write a job's result into its control directory, whole or not at all."""
    with replaced(control / RESULT, "result") as file:
        file.write(result.encode())


def owner_of(folder: Path) -> Identity | None:
    """Read which runner passed the gate of a job; None if none did, or power was lost."""
    try:
        text = (folder / CONTROL / OWNER).read_text(encoding="utf-8")
        pid, born, boot = text.split(" ")
        return Identity(int(pid), int(born), boot)
    except (FileNotFoundError, ValueError):
        return None


def _sign(control: Path) -> None:
    me = myself()
    (control / OWNER).write_text(f"{me.pid} {me.born} {me.boot}", encoding="utf-8")
