"""Engines on several hosts that share a PostgreSQL: who dies, sleeps or is cut off."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.event import Reported
from tests import postgres
from tests.crash.places import Engine, engine, holding, steps, until
from tests.crash.test_faults import building

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


@pytest.fixture
def url() -> str:
    return postgres.shared().url()


@pytest.fixture
def engines(url: str, tmp_path: Path) -> Iterator[list[Engine]]:
    """Give two engines at places of their own, which share the artifacts."""
    (tmp_path / "artifacts").mkdir()
    made = []
    for name in ("one", "two"):
        home = tmp_path / name
        home.mkdir()
        (home / "artifacts").symlink_to(tmp_path / "artifacts")
        made.append(engine(home, url))
    yield made
    for each in made:
        each.kill()


@pytest.fixture
def kit(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pk.Kit]:
    """Give a kit that only asks, somewhere else."""
    monkeypatch.setenv("PIPELINEKIT_DB_URL", url)
    settings = pk.Settings(folder=str(tmp_path), projects={"p": pk.Project()})
    with pk.Kit(tmp_path / "three", settings=settings, by="ann", work=False) as made:
        yield made


def test_what_a_killed_engine_leaves_is_done_by_one_of_another_place(
    engines: list[Engine], kit: pk.Kit, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    kit.define(steps(ledger, stages=8))
    runs = [kit.start("steps") for _ in range(24)]
    until(lambda: ledger.exists() and len(ledger.read_text().splitlines()) > 100, ledger)
    busy = int(ledger.read_text(encoding="utf-8").split()[1])  # one may have taken everything
    next(each for each in engines if each.process.pid == busy).kill()
    until(lambda: all(run.execution.ended for run in runs), kit)
    assert {run.status for run in runs} == {"Succeeded"}
    noted = [line.split() for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert {int(pid) for _, pid in noted} == {each.process.pid for each in engines}
    attempts = {row.id for run in runs for row in run.attempts if row.action != "f"}
    calls = Counter(name for name, _ in noted)
    assert set(calls) == attempts
    assert max(calls.values()) <= 2
    events = [record.event for record in kit.store.tail(0)]
    reports = Counter(each.action_execution for each in events if isinstance(each, Reported))
    assert set(reports.values()) == {1}


def test_an_engine_that_slept_too_long_finds_its_work_given_away_and_works_on(
    engines: list[Engine], kit: pk.Kit, tmp_path: Path
) -> None:
    ledger, go = tmp_path / "ledger", tmp_path / "go"
    one = engines[0]
    engines.pop().kill()
    kit.define(holding(ledger, go))
    run = kit.start("hold")
    until(ledger.exists, ledger)
    one.process.send_signal(signal.SIGSTOP)
    engines.append(engine(tmp_path / "two", kit.home.database))
    until(lambda: run.execution.ended, run)
    error = run.actions[-1].error
    assert error is not None
    assert (run.status, error.code) == ("Failed", "RunnerLost")
    go.touch()
    one.process.send_signal(signal.SIGCONT)
    one.said("another engine holds it now")
    until(lambda: "ended" in ledger.read_text(encoding="utf-8"), ledger)
    engines.pop().kill()
    assert kit.start("hold").wait(timeout=30).status == "Succeeded"
    assert run.status == "Failed"
    begun = [line for line in ledger.read_text(encoding="utf-8").splitlines() if "begun" in line]
    assert len(begun) == len(set(begun)) == 2


def test_a_build_at_a_place_where_no_engine_is_left_is_reported_as_lost(
    engines: list[Engine], kit: pk.Kit, tmp_path: Path
) -> None:
    engines.pop().kill()
    go = tmp_path / "go"
    begun = tmp_path / "begun"
    command = f'touch "{begun}"; while ! test -e "{go}"; do sleep 0.05; done'
    run = kit.start(building(tmp_path, command))
    until(lambda: begun.exists() or run.execution.ended, run)
    assert begun.exists(), run.actions[-1].error
    engines.pop().kill()
    engines.append(engine(tmp_path / "two", kit.home.database))
    until(lambda: run.execution.ended, run)
    go.touch()
    error = run.actions[-1].error
    assert error is not None
    assert (run.status, error.code) == ("Failed", "RunnerLost")
    assert "at another place" in error.message
