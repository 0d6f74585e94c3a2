"""How a detached job is ended, with all its processes, whatever they do against it."""

import json
import os
import signal
import time
from pathlib import Path

from pipelinekit.tools.jobs import gate, jobgroup
from pipelinekit.tools.jobs.gate import (
    GRACE_SECONDS,
    HALTED,
    MARKER,
    Sighting,
    Standing,
    look,
)
from pipelinekit.tools.jobs.proctree import Identity, boot_id, family, processes, send

SLACK_SECONDS = 2.0
"""How long the runner, and then the kernel, may take beyond what was agreed."""


def halt(folder: Path, grace: float = GRACE_SECONDS) -> Sighting:
    """End the job in `folder` with all its processes; if it was not started, it never will be.

    A job that is done is left alone, and so is what it left behind on purpose.

    Args:
        folder: The job's own folder; made if it is missing.
        grace: Seconds between asking the job's processes to end (SIGTERM) and killing them.

    Returns:
        What came of the job: DONE with `{"halted": True}`, DONE with a result that came first,
        or LOST if the runner itself had to be killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    lock = gate.claim(folder, HALTED)
    if lock is not None:
        gate.seal(folder)
        os.close(lock)
        return look(folder)
    if look(folder).standing is Standing.RUNNING:
        _terminate(folder, grace)
    seen = look(folder)
    if seen.standing is not Standing.DONE or seen.result == json.loads(HALTED):
        sweep(folder)
    return look(folder)


def sweep(folder: Path) -> None:
    """Kill every process that belongs to the job in `folder`, its runner last, whatever it does.

    Meant for a job that is LOST. Found are the members of its control group, the descendants of
    the runner, its session, and all that carry the job's mark in their environment; of a job of
    an earlier boot nothing is left.
    """
    folder = folder.resolve()
    owner = gate.owner_of(folder)
    if owner is None or owner.boot != boot_id():
        return
    if owner.is_alive():
        send(signal.SIGSTOP, [owner.pid])  # else it could start new ones all the time
    jobgroup.kill(folder / gate.CONTROL)
    deadline = time.monotonic() + SLACK_SECONDS
    while (left := _remains(folder, owner)) and time.monotonic() < deadline:
        send(signal.SIGKILL, left)
        time.sleep(0.005)
    jobgroup.remove(folder / gate.CONTROL)


def _terminate(folder: Path, grace: float) -> None:
    owner = gate.owner_of(folder)
    if owner is None or not owner.is_alive():
        return
    (folder / gate.CONTROL / gate.GRACE).write_text(str(grace), encoding="utf-8")
    send(signal.SIGTERM, [owner.pid])
    deadline = time.monotonic() + grace + SLACK_SECONDS
    while look(folder).standing is Standing.RUNNING and time.monotonic() < deadline:
        time.sleep(0.02)


def _remains(folder: Path, owner: Identity) -> set[int]:
    table = processes()
    younger = (process.pid for process in table if process.born >= owner.born)
    remains = {pid for pid in younger if _is_marked(pid, folder)}
    namesakes = [process for process in table if process.pid == owner.pid]
    if all(process.born == owner.born for process in namesakes):
        remains |= family(owner.pid, table)
    remains -= {owner.pid, os.getpid()}
    return remains or {process.pid for process in namesakes if process.born == owner.born}


def _is_marked(pid: int, folder: Path) -> bool:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(f"{MARKER}={folder}") in environ.split(b"\0")
