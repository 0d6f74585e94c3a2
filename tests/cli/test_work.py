"""An engine in the background: it outlives notebooks, and leaves when it is asked to."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.runtime.engines import alive
from tests import postgres
from tests.crash.test_faults import building

WAIT = 30.0
SETTINGS = """
[codebuild.p]
environment = {{ LEDGER = "{ledger}" }}
compute = {{ where = "host" }}
"""

URLS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'pipelinekit.db'}",
    "postgresql": lambda _folder: postgres.shared().url(),
}
EACH = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Give a project folder whose store is in one kind of database; builds wait for `go`."""
    monkeypatch.setenv("PIPELINEKIT_DB_URL", URLS[request.param](tmp_path))
    ledger = tmp_path / "ledger"
    (tmp_path / "pipelinekit.toml").write_text(SETTINGS.format(ledger=ledger), encoding="utf-8")
    yield tmp_path
    (tmp_path / "go").touch()


@contextmanager
def daemon(folder: Path, stderr: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Have an engine in the background, which is at work."""
    command = [sys.executable, "-m", "pipelinekit", "work", "--home", str(folder / "home")]
    process = subprocess.Popen(
        [*command, "--until-idle", "0"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=stderr,
    )
    try:
        until(lambda: alive(folder / "home" / "engines"))
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def waiting(folder: Path) -> pk.Pipeline:
    """Make a pipeline whose build waits for the file `go`."""
    return building(folder, f'while ! test -e "{folder / "go"}"; do sleep 0.05; done')


def asking(folder: Path) -> pk.Kit:
    """Open a kit that only asks."""
    return pk.Kit(folder / "home", settings=pk.Settings(projects={"p": pk.Project()}), work=False)


@pytest.mark.slow
@EACH
def test_what_a_notebook_started_goes_on_when_its_kernel_dies(database: Path) -> None:
    with daemon(database) as engine:
        with asking(database) as kit:
            run = kit.start(waiting(database))
            assert kit.engine_alive()
        until((database / "ledger").exists)  # the kernel is gone by now
        (database / "go").touch()
        with asking(database) as kit:
            assert kit.run(run.id).wait(timeout=WAIT).status == "Succeeded"
        engine.terminate()
        assert engine.wait(timeout=WAIT) == 0


@pytest.mark.slow
@EACH
def test_an_engine_leaves_within_seconds_and_the_next_one_takes_up_its_builds(
    database: Path,
) -> None:
    with asking(database) as kit:
        with daemon(database) as engine:
            run = kit.start(waiting(database))
            until((database / "ledger").exists)
            began = time.monotonic()
            engine.send_signal(signal.SIGTERM)
            assert engine.wait(timeout=WAIT) == 0
            assert time.monotonic() - began < 5
        assert (run.status, kit.engine_alive()) == ("InProgress", False)
        with daemon(database):
            (database / "go").touch()
            assert run.wait(timeout=WAIT).status == "Succeeded"
    assert (database / "ledger").read_text(encoding="utf-8").split() == ["started", "ended"]


@pytest.mark.slow
@pytest.mark.postgres
def test_an_engine_that_may_leave_when_idle_does_not_take_a_lost_database_for_idleness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.running() as server:
        monkeypatch.setenv("PIPELINEKIT_DB_URL", server.url())
        command = [sys.executable, "-m", "pipelinekit", "work", "--home", str(tmp_path / "home")]
        with subprocess.Popen(
            [*command, "--until-idle", "1"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
            text=True,
        ) as engine:
            until(lambda: alive(tmp_path / "home" / "engines"))
            server.stop()
            with pytest.raises(subprocess.TimeoutExpired):
                engine.wait(timeout=3)
            server.start()
            said = engine.communicate(timeout=WAIT)[1]
        assert engine.returncode == 0
        assert said.count("the store was to be") == 1
        assert "can be used again" in said


@pytest.mark.slow
def test_an_engine_that_a_newer_version_has_made_too_old_ends_and_says_so(tmp_path: Path) -> None:
    with daemon(tmp_path, stderr=subprocess.PIPE) as process:
        with sqlite3.connect(tmp_path / "home" / "pipelinekit.db") as connection:
            connection.execute("UPDATE writes SET needs = needs + 1")
        connection.close()
        _, said = process.communicate(timeout=WAIT)
    assert process.returncode == 2
    assert b"a newer pipelinekit works on it" in said
