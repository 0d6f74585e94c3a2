"""SQLite answers every question about a long history by an index."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.observe import observed
from pipelinekit.kit.previous import previous
from pipelinekit.kit.run import Run
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageExecution
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import now
from pipelinekit.store import sqlite
from tests.bench.filling import BIG, fill
from tests.bench.history import measure

WHOLE = {
    "pipelines",
    "heads",
    "stage_states",
    "orders",
    "journal_anchor",
    "writes",
}
"""Tables with few rows, however long the history is."""


CONNECT = sqlite.connect


class Plans:
    """Keeps how SQLite goes about each statement that a store sends it."""

    def __init__(self, home: Path) -> None:
        self.found: dict[str, list[str]] = {}
        self._asker = sqlite3.connect(home / "pipelinekit.db", check_same_thread=False)

    def close(self) -> None:
        self._asker.close()

    def connect(self, path: Path) -> sqlite.File:
        file = CONNECT(path)
        file.handle.set_trace_callback(self._explain)
        return file

    def _explain(self, statement: str) -> None:
        text = " ".join(statement.split())
        if text.startswith(("SELECT", "UPDATE", "DELETE")):
            rows = self._asker.execute(f"EXPLAIN QUERY PLAN {text}")
            self.found[text] = [row[-1] for row in rows]

    def scans(self) -> list[str]:
        """List the statements that read a whole table that grows with the history.

        Whoever takes the first few rows in the order of an index reads no more than these.
        """
        return [
            f"{statement}: {steps}"
            for statement, steps in self.found.items()
            if any(_reads_all(step) for step in steps)
            and not ("LIMIT" in statement and "WHERE" not in statement and len(steps) == 1)
        ]


def _reads_all(step: str) -> bool:
    words = step.split()
    return words[0] == "SCAN" and words[1] not in {*WHOLE, "CONSTANT"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the home of a kit with a small history."""
    folder = tmp_path_factory.mktemp("home")
    fill(f"sqlite:///{folder}/pipelinekit.db", 400)
    return folder


@pytest.fixture
def plans(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    with closing(Plans(home)) as made:
        monkeypatch.setattr(sqlite, "connect", made.connect)
        yield made


@pytest.fixture
def kit(home: Path, plans: Plans) -> Iterator[pk.Kit]:
    with pk.Kit(home, settings=pk.Settings(), work=False) as made:
        plans.found.clear()  # to open it is asked once, and of the tables of the tables
        yield made


def test_lists_and_pages_read_no_whole_table(kit: pk.Kit, plans: Plans) -> None:
    last: PipelineExecution | None = None
    attempt: ActionExecution | None = None
    kit.pipelines()
    for _ in range(2):
        last = kit.store.find(PipelineExecution, Query(pipeline=BIG, before=last, limit=5))[-1]
        query = Query(pipeline=BIG, before=attempt, limit=5)
        attempt = kit.store.find(ActionExecution, query)[-1]
    kit.runs(None, 5, kit.runs(None, 5)[-1])
    kit.store.find(PipelineExecution, Query(ended=False))
    kit.store.find(
        PipelineExecution, Query(pipeline=BIG, ended=True, until=datetime.now(UTC), limit=5)
    )
    kit.store.find(StageExecution, Query(pipeline=BIG, stage="Live", limit=5))
    assert plans.found
    assert plans.scans() == []


def test_an_execution_and_the_state_read_no_whole_table(kit: pk.Kit, plans: Plans) -> None:
    (newest,) = kit.runs(BIG, 1)
    run = kit.run(newest.id[:9])
    assert Run(kit, BIG, run.id).conditions == []
    observed(run, now())
    assert run.rules == []
    previous(kit.store, BIG, "Live")
    assert plans.scans() == []


def test_events_read_and_write_no_whole_table(kit: pk.Kit, plans: Plans) -> None:
    kit.start(BIG, token="once").stop(abandon=True)
    kit.start(BIG, token="once")
    old = kit.runs(BIG)[-1]
    assert kit.gc(timedelta()).executions
    with pytest.raises(pk.PipelineKitError):
        old.stop()
    kit.delete("service-01")
    assert plans.found
    assert [each for each in plans.scans() if "count(*)" not in each] == []


def test_a_history_of_days_reads_no_whole_table(kit: pk.Kit, plans: Plans) -> None:
    for name in (BIG, None):
        past = kit.history(name, 40, limit=20)
        assert all(len(each) for each in (past.executions, past.stages, past.actions))
    assert plans.scans() == []


@pytest.mark.slow
def test_lists_and_state_are_quick_with_twenty_thousand_actions_in_the_history() -> None:
    costs = list(measure(20_000, rounds=30))
    assert len(costs) >= 13
    assert {cost.name: cost.p50 for cost in costs if cost.p50 > 100} == {}
