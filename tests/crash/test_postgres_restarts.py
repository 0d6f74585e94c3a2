"""A PostgreSQL server that crashes and comes back while executions are under way."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import StoreError
from pipelinekit.model.event import Reported, Started
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import record_text
from tests import postgres

RESTARTS, WAIT = 5, 60.0


@pk.action("Source", "RestartSource")
def fetched(job: pk.Job, ledger: str) -> pk.Outcome:
    """Write a line for each call."""
    return _noted(job, ledger)


@pk.action("Test", "RestartTest")
def probed(job: pk.Job, ledger: str) -> pk.Outcome:
    """Write a line for each call, and take a moment."""
    time.sleep(0.02)
    return _noted(job, ledger)


def _noted(job: pk.Job, ledger: str) -> pk.Outcome:
    with Path(ledger).open("a", encoding="utf-8") as file:
        file.write(f"{job.order.id}\n")
    return pk.Succeeded()


def line_of(ledger: Path) -> pk.Pipeline:
    """Make a pipeline whose actions note their calls."""
    line = pk.Pipeline("p", mode=ExecutionMode.PARALLEL)
    line = line >> pk.Stage("S", fetched("a", ledger=str(ledger)))
    for stage in range(3):
        tests = (probed(f"t{stage}{number}", ledger=str(ledger)) for number in range(3))
        line = line >> pk.Stage(f"S{stage}", *tests)
    return line


@pytest.mark.slow
@pytest.mark.postgres
def test_what_was_acknowledged_is_done_once_although_the_server_crashes_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = tmp_path / "ledger"
    with postgres.running(durable=True) as server:
        monkeypatch.setenv("PIPELINEKIT_DB_URL", server.url())
        with pk.Kit(tmp_path / "home", settings=pk.Settings(), by="ann") as kit:
            kit.define(line_of(ledger))
            acknowledged: list[str] = []
            for _ in range(RESTARTS):
                acknowledged += began(kit, 6)
                server.stop("immediate")
                acknowledged += began(kit, 1)
                server.start(durable=True)
            settled(kit)
            assert len(acknowledged) >= 5 * RESTARTS
            assert set(acknowledged) <= {run.id for run in kit.runs()}
            check(kit, ledger)
    said = [record.message for record in caplog.records if "the store was to be" in record.message]
    assert 0 < len(said) <= 3 * RESTARTS  # not each tenth of a second


def began(kit: pk.Kit, count: int) -> list[str]:
    """Start executions; name those that the kit acknowledged."""
    names = []
    for _ in range(count):
        with suppress(StoreError):
            names.append(kit.start("p").id)
    return names


def settled(kit: pk.Kit) -> None:
    """Wait until all executions have ended."""
    limit = time.monotonic() + WAIT
    while not all(run.execution.ended for run in kit.runs()):
        assert time.monotonic() < limit, [run for run in kit.runs() if not run.execution.ended]
        time.sleep(0.05)


def check(kit: pk.Kit, ledger: Path) -> None:
    """Hold the journal, the rows and the ledger against each other."""
    records = kit.store.tail(0)
    digest = EMPTY_DIGEST
    for number, record in enumerate(records, start=1):
        digest = chained(digest, record_text(record.event, record.moves))
        assert (record.number, record.digest) == (number, digest)
    runs = kit.runs()
    assert {run.status for run in runs} == {"Succeeded"}
    begun = [record.event.id for record in records if isinstance(record.event, Started)]
    assert sorted(begun) == sorted(run.id for run in runs)
    attempts = sorted(row.id for run in runs for row in run.attempts)
    assert len(attempts) == 10 * len(runs)
    assert sorted(ledger.read_text(encoding="utf-8").split()) == attempts
    reports = (each.event for each in records if isinstance(each.event, Reported))
    assert sorted(report.action_execution for report in reports) == attempts
