"""Runners that are killed, disks that are full, work that is abandoned."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.order import Order
from pipelinekit.tools.jobs.gate import Standing, look
from pipelinekit.wire.record import read, text

WAIT = 30.0
BUILDSPEC = """\
version: 0.2
phases:
  build:
    commands:
      - echo started >> "$LEDGER"
      - {command}
      - echo ended >> "$LEDGER"
"""


def ledger_settings(tmp_path: Path) -> pk.Settings:
    """Give settings by which builds know where the ledger is, and can write there."""
    environment = {"LEDGER": str(tmp_path / "ledger")}
    return pk.Settings(
        folder=str(tmp_path),
        projects={"p": pk.Project(environment=environment)},
        compute=pk.Compute(where=pk.Where.HOST),
    )


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    settings = ledger_settings(tmp_path)
    with pk.Kit(tmp_path / "home", settings=settings, by="ann") as made:
        yield made


def building(tmp_path: Path, command: str) -> pk.Pipeline:
    """Make a repository and a pipeline whose build runs a command."""
    repository = tmp_path / "repository"
    repository.mkdir()
    text = BUILDSPEC.format(command=command)
    (repository / "buildspec.yml").write_text(text, encoding="utf-8")
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    for arguments in (
        ("init", "--quiet", "--initial-branch", "main"),
        ("add", "."),
        ("commit", "--quiet", "--message", "First"),
    ):
        subprocess.run(["git", *identity, *arguments], cwd=repository, check=True)
    source = pk.git("src", str(repository))
    build = pk.codebuild("build", project="p").reads(source)
    return pk.Pipeline("p") >> pk.Stage("Source", source) >> pk.Stage("Build", build)


def started(kit: pk.Kit, run: pk.Run, ledger: Path) -> ActionExecution:
    """Wait until the build's first command has run."""
    limit = time.monotonic() + WAIT
    while not ledger.exists():
        assert time.monotonic() < limit, run.logs()
        time.sleep(0.01)
    assert kit.worker is not None
    return run.actions[-1]


def runner_of(kit: pk.Kit, action: ActionExecution) -> int:
    """Give the process id of an action's runner."""
    ctl = kit.home.jobs / action.id / "ctl"
    return int((ctl / "pid").read_text(encoding="utf-8").split()[0])


@pytest.mark.slow
def test_a_killed_runner_is_noticed_and_its_action_fails_as_lost(
    kit: pk.Kit, tmp_path: Path
) -> None:
    run = kit.start(building(tmp_path, "sleep 60"))
    action = started(kit, run, tmp_path / "ledger")
    os.kill(runner_of(kit, action), signal.SIGKILL)
    began = time.monotonic()
    run.wait(timeout=WAIT)
    assert time.monotonic() - began < 5
    assert (run.status, run.actions[-1].error.code) == ("Failed", "RunnerLost")
    assert (tmp_path / "ledger").read_text(encoding="utf-8") == "started\n"


@pytest.mark.slow
def test_a_lost_action_runs_again_when_its_stage_is_retried(kit: pk.Kit, tmp_path: Path) -> None:
    file = tmp_path / "go"
    run = kit.start(building(tmp_path, f'test -e "{file}" || sleep 60'))
    action = started(kit, run, tmp_path / "ledger")
    os.kill(runner_of(kit, action), signal.SIGKILL)
    run.wait(timeout=WAIT)
    file.touch()
    assert run.retry().wait(timeout=WAIT).status == "Succeeded"
    assert [row.attempt for row in run.attempts if row.action == "build"] == [1, 2]


@pytest.mark.slow
def test_abandoning_ends_the_work_with_all_its_processes(kit: pk.Kit, tmp_path: Path) -> None:
    marker = "86397.5"
    run = kit.start(building(tmp_path, f"setsid sleep {marker} & sleep {marker}"))
    started(kit, run, tmp_path / "ledger")
    run.stop("enough", abandon=True)
    assert (run.status, run.actions[-1].status) == ("Stopped", "Abandoned")
    limit = time.monotonic() + 15
    while subprocess.run(["pgrep", "-f", marker], check=False, capture_output=True).stdout:
        assert time.monotonic() < limit, "a process of the abandoned build is alive"
        time.sleep(0.05)
    job = kit.home.jobs / run.actions[-1].id
    while look(job).standing is Standing.RUNNING:
        assert time.monotonic() < limit, "the runner does not end"
        time.sleep(0.05)
    assert look(job).result == {"halted": True}


@pytest.mark.slow
def test_what_is_abandoned_just_before_the_engine_closes_is_ended_too(tmp_path: Path) -> None:
    marker = "86396.5"
    with pk.Kit(tmp_path / "home", settings=ledger_settings(tmp_path)) as kit:
        run = kit.start(building(tmp_path, f"sleep {marker}"))
        started(kit, run, tmp_path / "ledger")
        run.stop(abandon=True)
    found = subprocess.run(["pgrep", "-f", marker], check=False, capture_output=True)
    assert found.stdout == b""


@pytest.mark.slow
def test_the_log_of_a_build_is_there_while_it_runs(kit: pk.Kit, tmp_path: Path) -> None:
    file = tmp_path / "go"
    command = f'echo so far; while ! test -e "{file}"; do sleep 0.05; done'
    run = kit.start(building(tmp_path, command))
    started(kit, run, tmp_path / "ledger")
    limit = time.monotonic() + WAIT
    while "\nso far\n" not in run.logs("build"):
        assert time.monotonic() < limit, run.logs("build")
        time.sleep(0.02)
    assert run.status == "InProgress"
    file.touch()
    assert run.wait(timeout=WAIT).status == "Succeeded"


FULL_DISK = """
import resource, sys
from pathlib import Path
import pipelinekit as pk
from pipelinekit.model.errors import StoreError

@pk.action("Source", "FullSource")
def source(job: pk.Job) -> pk.Outcome:
    return pk.Succeeded()

home = Path(sys.argv[1])
line = pk.Pipeline("p") >> pk.Stage("S", source("s")) >> pk.Stage("G", pk.approval("ok"))
with pk.Kit(home, settings=pk.Settings(), by="ann") as kit:
    run = kit.start(line).wait("approval", 20)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in home.glob("pipelinekit.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        run.approve("while full")
    except StoreError as error:
        print("refused:", error)
    print(run.waiting[0].status)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    run.approve("with space").wait(timeout=20)
    print(run.status, run.actions[-1].summary)
"""


def test_a_full_disk_refuses_what_it_cannot_keep_and_goes_on_when_there_is_space(
    tmp_path: Path,
) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "home")],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert told[0].startswith("refused:")
    assert told[1:] == ["InProgress", "Succeeded with space"]


@pytest.mark.slow
def test_an_action_that_takes_too_long_is_ended_with_its_processes(tmp_path: Path) -> None:
    home, marker = tmp_path / "home", "86398.5"
    settings = ledger_settings(tmp_path)
    with pk.Kit(home, settings=settings) as kit:
        run = kit.start(building(tmp_path, f"sleep {marker}"))
        started(kit, run, tmp_path / "ledger")
    soon = datetime.now(UTC) + timedelta(seconds=1)
    with sqlite3.connect(home / "pipelinekit.db") as store:  # the least limit is five minutes
        (body,) = store.execute("SELECT body FROM orders").fetchone()
        order = replace(read(body, Order), deadline=soon)
        store.execute("UPDATE orders SET body = ?", (text(order),))
    store.close()
    with pk.Kit(home, settings=settings) as kit:
        again = kit.run(run.id).wait(timeout=WAIT)
        assert again.status == "Failed"
        assert "timed out" in again.execution.summary
        limit = time.monotonic() + 15
        while subprocess.run(["pgrep", "-f", marker], check=False, capture_output=True).stdout:
            assert time.monotonic() < limit, "a process of the late build is alive"
            time.sleep(0.05)


@pytest.mark.slow
def test_what_ended_in_time_is_not_late_although_no_engine_was_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = ledger_settings(tmp_path)
    with pk.Kit(home, settings=settings) as kit:
        run = kit.start(building(tmp_path, "sleep 1"))
        action = started(kit, run, tmp_path / "ledger")
    limit = time.monotonic() + WAIT
    while look(home / "jobs" / action.id).standing is Standing.RUNNING:
        assert time.monotonic() < limit
        time.sleep(0.05)
    with sqlite3.connect(home / "pipelinekit.db") as store:
        (body,) = store.execute("SELECT body FROM orders").fetchone()
        order = replace(read(body, Order), deadline=datetime.now(UTC))
        store.execute("UPDATE orders SET body = ?", (text(order),))
    store.close()
    with pk.Kit(home, settings=settings) as kit:
        assert kit.run(run.id).wait(timeout=WAIT).status == "Succeeded"
