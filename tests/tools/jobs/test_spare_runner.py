"""A runner that is forked before its job is known."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.jobs import proctree
from pipelinekit.tools.jobs.cgroup import PREFIX, own_unified
from pipelinekit.tools.jobs.process import JSON, Spawner, Standing, look

HERE = __name__
LATE = "late_to_be_loaded"


def tell(_payload: dict[str, JSON]) -> dict[str, JSON]:
    return {"pid": os.getpid(), "of": os.environ.get("OF"), "late": LATE in sys.modules}


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    with Spawner([HERE]) as spawner:
        spawner.warm()
        yield spawner


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def children(parent: int) -> set[int]:
    return {each.pid for each in proctree.processes() if each.parent == parent}


def spare() -> int:
    """Give the runner that waits for a job, once there is one and no other."""
    (helper,) = children(os.getpid())
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
    spawner: Spawner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        waiting = spare()
        monkeypatch.setenv("OF", f"job {number}")
        told = start(spawner, tmp_path / str(number))
        assert (told["pid"], told["of"]) == (waiting, f"job {number}")


def test_a_spare_runner_that_was_killed_is_replaced(spawner: Spawner, tmp_path: Path) -> None:
    waiting = spare()
    os.kill(waiting, signal.SIGKILL)
    assert start(spawner, tmp_path / "job")["pid"] != waiting


def test_jobs_that_come_at_once_do_not_wait_for_a_spare_runner(
    spawner: Spawner, tmp_path: Path
) -> None:
    waiting = spare()
    pids = [start(spawner, tmp_path / str(number))["pid"] for number in range(3)]
    assert pids[0] == waiting
    assert len(set(pids)) == 3


def test_a_runner_has_the_modules_of_its_job_however_early_it_was_forked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{LATE}.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with Spawner([HERE]) as spawner:
        spawner.warm()
        waiting = spare()
        told = start(spawner, tmp_path / "job", LATE)
        assert told["late"]
        assert told["pid"] != waiting
        until(lambda: waiting not in {each.pid for each in proctree.processes()})


@pytest.mark.cgroup
@pytest.mark.usefixtures("spawner")
def test_a_spare_runner_ends_with_its_helper_and_leaves_no_group() -> None:
    waiting = spare()
    parent = own_unified()
    assert parent is not None
    until(lambda: list(parent.glob(f"{PREFIX}{waiting}-*")))
    (helper,) = children(os.getpid())
    os.kill(helper, signal.SIGKILL)
    until(lambda: waiting not in {each.pid for each in proctree.processes()})
    assert not list(parent.glob(f"{PREFIX}{waiting}-*"))
