"""A store that did what it was asked and says that it failed, or did not and says so."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import EngineClosed, EngineOutdated, StoreError
from pipelinekit.model.event import Reported, Started
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.row import Row
from pipelinekit.model.state import State
from pipelinekit.ports.store import Claim, Entry, Hints, Leases, Past, Query, Record, Store, Taker
from pipelinekit.store.migrations import CURRENT
from pipelinekit.store.sql import open_store
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import record_text
from tests import postgres

R = TypeVar("R", bound=Row)
T = TypeVar("T")
RUNS, WAIT = 8, 60.0

ALWAYS_DOWN, MANY_LIES = 2.0, 3

CALLS: Counter[str] = Counter()
AT_WORK, GO = threading.Event(), threading.Event()


@pk.action("Source", "Counted")
def counted_source(job: pk.Job) -> pk.Outcome:
    """Count the calls for each attempt."""
    CALLS[job.order.id] += 1
    return pk.Succeeded(variables={"name": job.order.action})


@pk.action("Test", "CountedTwice")
def counted_test(job: pk.Job) -> pk.Outcome:
    """Count the calls for each attempt, of which there are two."""
    CALLS[job.order.id] += 1
    if job.order.token is None:
        return pk.Waiting("again", 0.01)
    return pk.Succeeded()


@pk.action("Test", "Gated")
def gated(job: pk.Job) -> pk.Outcome:
    """Wait until it may end; must not be done twice."""
    del job
    AT_WORK.set()
    GO.wait(WAIT)
    return pk.Succeeded()


class Unreliable:
    """A store whose every third answer or so is a lie."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store, self._dice = store, random.Random(seed)
        self.odds = 0.0
        self.lies = 0

    @property
    def leases(self) -> Leases | None:
        return self._store.leases

    @property
    def past(self) -> Past:
        return self._store.past

    @property
    def hints(self) -> Hints | None:
        return self._store.hints

    def commit(self, entries: Sequence[Entry]) -> None:
        self._perhaps(lambda: self._store.commit(entries))

    def take(self, taker: Taker, at: datetime) -> Sequence[Claim]:
        return self._perhaps(lambda: self._store.take(taker, at))

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        return self._perhaps(lambda: self._store.load(pipeline, execution))

    def known(self, pipelines: Collection[str]) -> AbstractSet[str]:
        return self._perhaps(lambda: self._store.known(pipelines))

    def version(self, *, own: bool = False) -> int:
        return self._perhaps(lambda: self._store.version(own=own))

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        return self._store.find(kind, query)

    def tail(self, after: int | None, limit: int | None = None) -> Sequence[Record]:
        return self._store.tail(after, limit)

    def close(self) -> None:
        self._store.close()

    def _perhaps(self, verb: Callable[[], T]) -> T:
        fate = self._dice.random()
        if fate < self.odds / 2:
            self.lies += 1
            raise StoreError("it was not done")
        done = verb()
        if fate < self.odds:
            self.lies += 1
            raise StoreError("it was done, and the answer was lost")
        return done


@contextmanager
def lying_kit(url: str, home: Path, seed: int) -> Iterator[tuple[pk.Kit, Unreliable]]:
    """Open a kit on a store that can be made to lie."""
    made: list[Unreliable] = []

    def opened(asked: str) -> Unreliable:
        made.append(Unreliable(open_store(asked), seed))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINEKIT_DB_URL", url)
        patch.setattr("pipelinekit.store.sql.open_store", opened)
        kit = pk.Kit(home, settings=pk.Settings(), by="ann")
    try:
        yield kit, made[0]
    finally:
        made[0].odds = 0.0
        kit.close()


def started(kit: pk.Kit, name: str) -> set[str]:
    """Start an execution; whether it is there is known only if the store did not lie."""
    with suppress(StoreError):
        return {kit.start(name).id}
    return set()


URLS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'pipelinekit.db'}",
    "postgresql": lambda _folder: postgres.shared().url(),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_lost_and_nothing_done_twice_whatever_the_store_says(
    kind: str, seed: int, tmp_path: Path
) -> None:
    line = pk.Pipeline("p", mode=ExecutionMode.PARALLEL) >> pk.Stage("S", counted_source("a"))
    for stage in range(2):
        line = line >> pk.Stage(
            f"S{stage}", *(counted_test(f"t{stage}{number}") for number in range(3))
        )
    CALLS.clear()
    with lying_kit(URLS[kind](tmp_path), tmp_path / "home", seed) as (kit, store):
        kit.define(line)
        store.odds = 0.25
        acknowledged = set[str]().union(*(started(kit, "p") for _ in range(RUNS)))
        for run in kit.runs():
            while not run.execution.ended:
                with suppress(StoreError):
                    run.wait(timeout=WAIT)
        store.odds = 0.0
        assert store.lies
        assert acknowledged <= {run.id for run in kit.runs()}
        check(kit)


@pytest.mark.slow
def test_what_an_engine_could_not_write_down_is_written_when_it_leaves(tmp_path: Path) -> None:
    line = pk.Pipeline("p") >> pk.Stage("S", counted_source("a")) >> pk.Stage("T", gated("b"))
    GO.clear()
    url = URLS["sqlite"](tmp_path)
    with lying_kit(url, tmp_path / "home", 1) as (kit, store):
        kit.define(line)
        run = kit.start("p")
        assert AT_WORK.wait(WAIT)
        store.odds = ALWAYS_DOWN
        GO.set()
        limit = time.monotonic() + WAIT
        while (lies := store.lies) < MANY_LIES and time.monotonic() < limit:
            time.sleep(0.01)
        assert lies >= MANY_LIES
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIPELINEKIT_DB_URL", url)
        with pk.Kit(tmp_path / "home", settings=pk.Settings(), by="ann") as later:
            assert later.run(run.id).wait(timeout=WAIT).status == "Succeeded"


@pytest.mark.slow
def test_an_engine_that_is_too_old_for_its_store_ends_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), by="ann") as kit:
        newer = open_store(kit.home.database)
        with newer._database.writing() as connection:  # noqa: SLF001 - as a newer one does
            connection.run("UPDATE writes SET needs = :newer", {"newer": CURRENT + 1})
        newer.close()
        line = pk.Pipeline("p") >> pk.Stage("S", counted_source("a")) >> pk.Stage("T", gated("b"))
        with pytest.raises((EngineOutdated, EngineClosed)):
            kit.define(line)
        worker = kit.worker
        assert worker is not None
        limit = time.monotonic() + WAIT
        while worker.alive and time.monotonic() < limit:
            time.sleep(0.01)
        assert not worker.alive
        assert not kit.engine_alive()
    assert "this engine ends" in caplog.text


def check(kit: pk.Kit) -> None:
    """Hold the journal, the rows and the calls against each other."""
    records = kit.store.tail(0)
    digest = EMPTY_DIGEST
    for number, record in enumerate(records, start=1):
        digest = chained(digest, record_text(record.event, record.moves))
        assert (record.number, record.digest) == (number, digest)
    begun = [record.event.id for record in records if isinstance(record.event, Started)]
    runs = kit.runs()
    assert sorted(begun) == sorted(run.id for run in runs)
    ended = Counter(
        record.event.action_execution
        for record in records
        if isinstance(record.event, Reported) and not isinstance(record.event.outcome, pk.Waiting)
    )
    attempts = {row.id: row for run in runs for row in run.attempts}
    assert [run.status for run in runs] == ["Succeeded"] * len(runs)
    assert len(attempts) == 7 * len(runs)
    assert set(ended.values()) == {1}
    assert set(ended) == set(attempts) == set(CALLS)
    for name, calls in CALLS.items():
        assert calls == (1 if attempts[name].stage == "S" else 2), attempts[name]
