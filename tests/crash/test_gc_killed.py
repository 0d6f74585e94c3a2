"""Housekeeping is killed at any step: the next round finishes, and nothing needed is gone."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import pipelinekit as pk
from tests.kit.test_retention import WAIT, files, known, line, logs, released

ROUND = """
import os, signal, sys
from datetime import timedelta
import pipelinekit as pk

steps, fatal = 0, int(sys.argv[2])

def step(*_):
    global steps
    steps += 1
    if steps == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

def commit(statement):
    if statement == "COMMIT":
        step()

def audit(name, _):
    if name in {"os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}:
        step()

with pk.Kit(sys.argv[1], settings=pk.Settings(), work=False) as kit:
    kit.store._database._writer.handle.set_trace_callback(commit)
    sys.addaudithook(audit)
    kit.gc(timedelta(days=int(sys.argv[3])), keep=0)
    print(steps)
"""
NEVER = 1_000_000


def housekeeping(home: Path, fatal: int, days: int = 0) -> subprocess.CompletedProcess[str]:
    """Do a round in a process that is killed in front of one of its steps."""
    return subprocess.run(
        [sys.executable, "-c", ROUND, str(home), str(fatal), str(days)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Give a home with four executions, and their ids."""
    home = tmp_path_factory.mktemp("full") / "home"
    with pk.Kit(home, settings=pk.Settings()) as kit:
        return home, released(kit, 4)


@pytest.fixture(scope="module")
def steps(full: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory) -> int:
    """Count the steps of a round that nobody kills."""
    home = tmp_path_factory.mktemp("counted") / "home"
    shutil.copytree(full[0], home)
    done = housekeeping(home, NEVER)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_a_killed_round_is_finished_by_the_next_one(
    full: tuple[Path, list[str]], steps: int, tmp_path: Path, tenth: int
) -> None:
    home = tmp_path / "home"
    shutil.copytree(full[0], home)
    fatal = 1 + tenth * (steps - 1) // 9
    assert housekeeping(home, fatal).returncode == -signal.SIGKILL
    with pk.Kit(home, settings=pk.Settings()) as kit:
        last = full[1][-1]
        assert last in known(kit)
        assert "fetched" in kit.run(last).logs()
        assert kit.store.past.check() >= 1
        kit.gc(timedelta(), keep=0)
        assert known(kit) == {last}
        assert logs(home) == {row.id for row in kit.run(last).attempts}
        assert len(files(home)) == 1
        assert list((home / "trash").glob("*")) == []
        assert kit.store.past.check() == len(kit.store.tail(0))
        kit.define(line())
        assert kit.rollback("shop", "Live", last).wait(timeout=WAIT).status == "Succeeded"


@pytest.mark.slow
@pytest.mark.parametrize("fatal", range(1, 8))
def test_half_a_folder_is_not_taken_for_a_young_one(tmp_path: Path, fatal: int) -> None:
    home = tmp_path / "home"
    folder = home / "jobs" / "stranger"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"file{number}").touch()
    os.utime(folder, (1, 1))
    housekeeping(home, fatal, days=1)
    with pk.Kit(home, settings=pk.Settings(), work=False) as kit:
        kit.gc(timedelta(days=1))
    assert not folder.exists()
    assert list((home / "trash").iterdir()) == []
