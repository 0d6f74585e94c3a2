"""A runner that is forked before its job is known."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pipelinekit.tools.jobs import proctree
from pipelinekit.tools.jobs.cgroup import PREFIX, own_unified
from pipelinekit.tools.jobs.process import JSON, Spawner, Standing, look

HERE = __name__
LATE = "late_to_be_loaded"


def tell(_payload: dict[str, JSON]) -> dict[str, JSON]:
    return {"pid": os.getpid(), "of": os.environ.get("OF"), "late": LATE in sys.modules}


class Warm(NamedTuple):
    """A spawner, and the process that is its helper."""

    spawner: Spawner
    helper: int


@pytest.fixture
def warm() -> Iterator[Warm]:
    before = children(os.getpid())
    with Spawner([HERE]) as spawner:
        spawner.warm()
        (helper,) = children(os.getpid()) - before
        yield Warm(spawner, helper)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def children(parent: int) -> set[int]:
    return {each.pid for each in proctree.processes() if each.parent == parent}


def lives(pid: int) -> bool:
    return any(each.pid == pid for each in proctree.processes())


def spare(helper: int) -> int:
    """Give the runner that waits for a job, once there is one and no other."""
    until(lambda: len(children(helper)) == 1)
    (waiting,) = children(helper)
    return waiting


def done(folder: Path) -> dict[str, JSON]:
    until(lambda: look(folder).standing is Standing.DONE)
    result = look(folder).result
    assert result is not None
    return dict(result)


def start(spawner: Spawner, folder: Path, *preload: str) -> dict[str, JSON]:
    assert spawner.start(folder, f"{HERE}:{tell.__name__}", {}, preload)
    return done(folder)


def test_a_job_is_done_by_the_runner_that_waited_for_it(
    warm: Warm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        waiting = spare(warm.helper)
        monkeypatch.setenv("OF", f"job {number}")
        told = start(warm.spawner, tmp_path / str(number))
        assert (told["pid"], told["of"]) == (waiting, f"job {number}")


def test_a_spare_runner_that_was_killed_is_replaced(warm: Warm, tmp_path: Path) -> None:
    waiting = spare(warm.helper)
    os.kill(waiting, signal.SIGKILL)
    assert start(warm.spawner, tmp_path / "job")["pid"] != waiting


def test_jobs_that_come_at_once_do_not_wait_for_a_spare_runner(warm: Warm, tmp_path: Path) -> None:
    waiting = spare(warm.helper)
    pids = [start(warm.spawner, tmp_path / str(number))["pid"] for number in range(3)]
    assert pids[0] == waiting
    assert len(set(pids)) == 3


def test_a_runner_has_the_modules_of_its_job_however_early_it_was_forked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / f"{LATE}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    warm: Warm = request.getfixturevalue("warm")  # only now, as a helper knows the path
    waiting = spare(warm.helper)
    told = start(warm.spawner, tmp_path / "job", LATE)
    assert told["late"]
    assert told["pid"] != waiting
    until(lambda: not lives(waiting))


@pytest.mark.cgroup
def test_a_spare_runner_ends_with_its_helper_and_leaves_no_group(warm: Warm) -> None:
    waiting = spare(warm.helper)
    parent = own_unified()
    assert parent is not None
    until(lambda: list(parent.glob(f"{PREFIX}{waiting}-*")))
    os.kill(warm.helper, signal.SIGKILL)
    until(lambda: not lives(waiting))
    assert not list(parent.glob(f"{PREFIX}{waiting}-*"))
