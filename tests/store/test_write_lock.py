"""Who wants to write waits for who writes, no longer than needed and not for ever."""

import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pipelinekit.model.errors import StoreError
from pipelinekit.model.execution import PipelineRecord
from pipelinekit.ports.store import Query, Taker
from pipelinekit.runtime.clock import now
from pipelinekit.store import sqlite
from pipelinekit.store.sql import SqlStore, open_store

NOBODY = Taker("nobody")
TRIES, HELD_SECONDS = 5, 0.06


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pipelinekit.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlStore]:
    with closing(open_store(f"sqlite:///{file}")) as opened:
        yield opened


@contextmanager
def written_by_another(file: Path) -> Iterator[sqlite3.Connection]:
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        yield other


def late(store: SqlStore, file: Path) -> float:
    """Give the seconds from the end of another's writing to the end of one's own."""
    freed: list[float] = []
    with written_by_another(file) as other:

        def free() -> None:
            other.execute("COMMIT")
            freed.append(time.perf_counter())

        timer = threading.Timer(HELD_SECONDS, free)
        timer.start()
        store.take(NOBODY, now())
        written = time.perf_counter()
        timer.join()
    return written - freed[0]


def test_who_waits_to_write_does_so_as_soon_as_it_can(store: SqlStore, file: Path) -> None:
    """SQLite by itself looks after 53 ms, and then after 78."""
    assert statistics.median(late(store, file) for _ in range(TRIES)) < 0.01


def test_who_waits_in_vain_is_told(
    store: SqlStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with written_by_another(file), pytest.raises(StoreError, match="database is locked"):
        store.take(NOBODY, now())
    store.take(NOBODY, now())


def test_who_only_looks_waits_for_nobody(store: SqlStore, file: Path) -> None:
    with written_by_another(file), closing(open_store(f"sqlite:///{file}")) as other:
        assert other.find(PipelineRecord, Query()) == store.find(PipelineRecord, Query()) == []
