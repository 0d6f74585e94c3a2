"""Engines on PostgreSQL are woken by what other processes commit for them, and look anyway."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import pipelinekit as pk
from tests import postgres

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

LONG, WAIT = 60.0, 30.0


@pk.action("Source", "HintSource", repeatable=True)
def fetched(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


@contextmanager
def engine_and_asker(home: Path) -> Iterator[pk.Kit]:
    """Run an engine, and give a kit that only asks."""
    settings = pk.Settings()
    with pk.Kit(home, settings=settings), pk.Kit(home, settings=settings, work=False) as asker:
        line = pk.Pipeline("p") >> pk.Stage("S", fetched("f")) >> pk.Stage("T", pk.approval("ok"))
        asker.define(line)
        yield asker


def test_an_engine_is_woken_by_a_start_and_by_an_answer_of_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINEKIT_DB_URL", postgres.shared().url())
    monkeypatch.setattr("pipelinekit.runtime.worker.LOOK_SECONDS", LONG)
    with engine_and_asker(tmp_path) as asker:
        run = asker.start("p")
        run.wait("approval", timeout=WAIT)
        run.approve()
        assert run.wait(timeout=WAIT).status == "Succeeded"


def test_a_lost_hint_costs_no_more_than_the_time_between_two_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINEKIT_DB_URL", postgres.shared().url())
    monkeypatch.setattr("pipelinekit.store.postgres.notify", lambda _connection: None)
    with engine_and_asker(tmp_path) as asker:
        asker.start("p").wait("approval", timeout=WAIT)
