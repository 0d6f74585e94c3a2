"""A job's control group: whoever is in it can be killed at once, however well it has hidden."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.jobs import gate, jobgroup
from pipelinekit.tools.jobs.cgroup import own_unified
from pipelinekit.tools.jobs.halting import halt, sweep
from pipelinekit.tools.jobs.process import JSON, Spawner, Standing, look

HERE = __name__
HIDDEN = '(env -i setsid sh -c \'echo $$ >"$0"; trap "" TERM; exec sleep 300\' {pids} &) &'
"""A daemon without the job's session, environment and, once the runner is dead, parentage."""

SECONDS = 10.0


def hide(payload: dict[str, JSON]) -> dict[str, JSON]:
    subprocess.run(["sh", "-c", HIDDEN.format(pids=payload["pids"])], check=True)
    if not payload.get("brief"):
        time.sleep(300)
    return {}


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    with Spawner([HERE]) as spawner:
        yield spawner


def hidden(spawner: Spawner, folder: Path, **payload: JSON) -> int:
    """Start a job that hides a process; give its pid once it is there."""
    pids = folder.with_name("pids")
    spawner.start(folder, f"{HERE}:{hide.__name__}", {"pids": str(pids), **payload})
    limit = time.monotonic() + SECONDS
    while not (pids.exists() and pids.read_text(encoding="utf-8").endswith("\n")):
        assert time.monotonic() < limit
        time.sleep(0.01)
    return int(pids.read_text(encoding="utf-8"))


def lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def ended(pid: int) -> bool:
    limit = time.monotonic() + SECONDS
    while lives(pid) and time.monotonic() < limit:
        time.sleep(0.01)
    return not lives(pid)


def group_of(folder: Path) -> Path:
    return Path((folder / gate.CONTROL / jobgroup.NOTE).read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.cgroup
def test_what_hid_from_a_lost_runner_is_found_by_its_group(
    spawner: Spawner, tmp_path: Path
) -> None:
    job = tmp_path / "job"
    pid = hidden(spawner, job)
    owner = gate.owner_of(job)
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    while look(job).standing is Standing.RUNNING:
        time.sleep(0.01)
    assert lives(pid)
    sweep(job)
    assert ended(pid)
    assert not group_of(job).exists()


@pytest.mark.slow
@pytest.mark.cgroup
def test_a_halted_job_leaves_no_process_and_no_group(spawner: Spawner, tmp_path: Path) -> None:
    job = tmp_path / "job"
    pid = hidden(spawner, job)
    group = group_of(job)
    assert str(pid) in (group / "cgroup.procs").read_text(encoding="utf-8").split()
    assert halt(job, grace=0.2).result == {"halted": True}
    assert ended(pid)
    assert not group.exists()


@pytest.mark.slow
@pytest.mark.cgroup
def test_what_a_job_leaves_behind_on_purpose_lives_on(spawner: Spawner, tmp_path: Path) -> None:
    job = tmp_path / "job"
    pid = hidden(spawner, job, brief=True)
    while look(job).standing is Standing.RUNNING:
        time.sleep(0.01)
    assert look(job).standing is Standing.DONE
    halt(job)
    assert lives(pid)
    jobgroup.kill(job / gate.CONTROL)
    assert ended(pid)
    jobgroup.remove(job / gate.CONTROL)


def test_without_a_group_there_is_nothing_to_leave_or_to_kill(tmp_path: Path) -> None:
    assert not jobgroup.leave(tmp_path)
    jobgroup.kill(tmp_path)
    jobgroup.remove(tmp_path)
    (tmp_path / jobgroup.NOTE).write_text(str(own_unified() or "/"), encoding="utf-8")
    jobgroup.kill(tmp_path)  # or this very process would be gone
