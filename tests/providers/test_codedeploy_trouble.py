"""Deployments in bad surroundings: cut off, no room, no right to write."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.model.order import Succeeded
from pipelinekit.providers.codedeploy import codedeploy
from pipelinekit.tools.jobs.proctree import processes
from tests.providers.deployments import HEAD, HOOKS, Project, attempt, failed, scripts

FILES = "files:\n  - source: app\n    destination: /srv\n"
KIBIBYTE = 1024


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# ------------------------------------------------------------------ cut off


def cut_off(project: Project, event: str) -> int:
    """Kill a deployment in the middle of an event, and give the process of its script."""
    note = 'echo $$ > "$PIPELINEKIT_TARGET/pid"\n'
    body = f'{note}trap "" TERM\nkill -9 $PPID\nsleep 300\n'
    job = project.job(HEAD + FILES + HOOKS, {"app/b": "2", **scripts("two", **{event: body})})
    if (pid := os.fork()) == 0:
        codedeploy.carry_out(job)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    script = int((project.live / "pid").read_text(encoding="utf-8"))
    assert script in {process.pid for process in processes()}
    return script


@pytest.mark.slow
@pytest.mark.parametrize("event", ["ApplicationStop", "BeforeInstall", "AfterInstall"])
def test_after_the_engine_was_killed_the_next_deployment_finds_the_target_in_order(
    project: Project, event: str
) -> None:
    with_pid = 'echo $$ > "$PIPELINEKIT_TARGET/pid"\n'
    stop = {"ApplicationStop": f'{with_pid}[ -e "$PIPELINEKIT_TARGET/calm" ] && exit 0\n'}
    stop["ApplicationStop"] += 'touch "$PIPELINEKIT_TARGET/calm"\nkill -9 $PPID\nsleep 300\n'
    one = scripts("one", **(stop if event == "ApplicationStop" else {}))
    assert isinstance(project.deploy(HEAD + FILES + HOOKS, {"app/a": "1", **one}), Succeeded)
    script = cut_off(project, event)
    assert project.last() == attempt(1)
    outcome = project.deploy(HEAD + FILES + HOOKS, {"app/c": "3", **scripts("three")})
    assert isinstance(outcome, Succeeded), outcome
    assert script not in {process.pid for process in processes()}
    assert any(f"its script (process {script}" in line for line in project.said)
    assert [path.name for path in (project.live / "srv").iterdir()] == ["c"]
    assert project.last() == attempt(3)
    assert project.ledger()[-5:] == [
        "ApplicationStop one",
        "BeforeInstall three",
        "AfterInstall three",
        "ApplicationStart three",
        "ValidateService three",
    ]


def test_a_note_of_a_script_that_lives_no_more_is_no_obstacle(project: Project) -> None:
    state = project.live / ".codedeploy"
    state.mkdir(parents=True)
    for left in ("", "5d0f7ea5-7d2c-4d3d-9b7a-6a8a3a4c1f10"):
        (state / "running").write_text(left, encoding="utf-8")
        assert isinstance(project.deploy(HEAD), Succeeded)
        assert not (state / "running").exists()


# ------------------------------------------------------------------ room and rights


@contextlib.contextmanager
def mounted(place: Path, options: str) -> Iterator[None]:
    """Keep a small file system of its own at a place."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def random_text(kibibytes: int) -> str:
    return os.urandom(kibibytes * KIBIBYTE // 2).hex()


@pytest.mark.root
@pytest.mark.parametrize(
    ("kibibytes", "event"), [(1500, "DownloadBundle"), (400, "Install")], ids=["bundle", "files"]
)
def test_on_a_target_that_is_full_the_last_good_revision_comes_back(
    project: Project, kibibytes: int, event: str
) -> None:
    spec = HEAD + FILES + HOOKS
    with mounted(project.live, "size=900k"):
        assert isinstance(project.deploy(spec, {"app/a": "1", **scripts("one")}), Succeeded)
        two = {"app/b": random_text(kibibytes), "app/c": random_text(100), **scripts("two")}
        outcome = failed(project.deploy(spec, two))
        assert outcome.message.startswith(f"{event} on {project.live}: ")
        assert "No space left on device" in outcome.message
        assert "disk space" in outcome.message or "cannot be made" in outcome.message
        assert outcome.message.endswith(f"Revision {attempt(1)} was put back on {project.live}")
        assert [path.name for path in (project.live / "srv").iterdir()] == ["a"]
        assert isinstance(project.deploy(spec, {"app/d": "3", **scripts("three")}), Succeeded)


@pytest.mark.root
def test_a_target_that_may_not_be_written_to_fails_with_its_path(project: Project) -> None:
    with mounted(project.live, "ro"):
        outcome = failed(project.deploy(HEAD))
    assert outcome.message.startswith(f"The deployment on {project.live}: ")
    assert "Read-only file system" in outcome.message
    assert str(project.live) in outcome.message
    assert "check permissions and disk space" in outcome.message


# ------------------------------------------------------------------ lines that are long or odd


def test_what_a_script_prints_is_told_line_by_line_while_it_runs(project: Project) -> None:
    body = "printf 'no end'; sleep 0.3; printf ' of line\\n\\377\\r\\nlast'\n"
    project.deploy(HEAD + HOOKS, scripts("one", AfterInstall=body))
    at = project.said.index("-- AfterInstall: scripts/AfterInstall --")
    assert project.said[at + 1 : at + 4] == ["no end of line", "\N{REPLACEMENT CHARACTER}", "last"]


@pytest.mark.slow
def test_what_a_script_leaves_running_holds_nothing_up(project: Project) -> None:
    begin = time.monotonic()
    body = 'sleep 60 &\necho $! > "$PIPELINEKIT_TARGET/pid"\n'
    assert isinstance(
        project.deploy(HEAD + HOOKS, scripts("one", ApplicationStart=body)), Succeeded
    )
    assert time.monotonic() - begin < 20
    left = int((project.live / "pid").read_text(encoding="utf-8"))
    assert left in {process.pid for process in processes()}
    os.kill(left, signal.SIGKILL)
