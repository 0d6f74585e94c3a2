"""The store over SQL: rows by kind, a chained journal, and the open orders."""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pipelinekit.model.errors import StoreError
from pipelinekit.model.execution import Row
from pipelinekit.model.order import Order
from pipelinekit.model.state import State
from pipelinekit.ports.store import Claim, Entry, Query, Record
from pipelinekit.store.migrations import migrate
from pipelinekit.store.reading import rows_of, search
from pipelinekit.store.schema import HEADS, JOURNAL, ORDERS
from pipelinekit.store.sqlite import READING, Gate, SameFile, connect
from pipelinekit.store.writing import write
from pipelinekit.wire.record import read, read_event

R = TypeVar("R", bound=Row)


def open_store(url: str) -> "SqlStore":
    """Open the store that a URL names, made and brought up to date where needed.

    Args:
        url: An SQLAlchemy URL, such as `sqlite:///folder/pipelinekit.db`.

    Raises:
        StoreError: No store can be opened at that URL.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise StoreError(
            f"a store was asked for at {parsed.render_as_string()}, and only SQLite files can be "
            f"opened; set PIPELINEKIT_DB_URL to sqlite:///<file>"
        )
    return SqlStore(Path(parsed.database or ""))


class SqlStore:
    """Keeps everything in one SQLite file; see `ports.store.Store`."""

    def __init__(self, path: Path) -> None:
        try:
            self._engine = connect(path)
            migrate(self._engine)
            self._writer = self._engine.connect()
        except (DBAPIError, OSError) as error:
            raise StoreError(
                f"the store {path} cannot be opened: {error}; look whether the folder can be "
                f"written and the disk has space"
            ) from error
        self._gate = Gate(path)
        self._same = SameFile(path)
        self._lock = threading.Lock()

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        """Give a pipeline's rows, of executions those that matter, and its count of records."""
        with self._reading() as connection:
            head = connection.execute(
                select(HEADS.c.records).where(HEADS.c.pipeline == pipeline)
            ).scalar_one_or_none()
            return State(rows_of(connection, pipeline, execution)), head or 0

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all entries in one transaction, or nothing."""
        with self._writing() as connection:
            write(connection, entries)
        self._gate.checkpoint(self._handle())

    def take(self, owner: str, dead: Collection[str], able: Collection[str]) -> Sequence[Claim]:
        """Hand out the open orders that nobody holds, or that a dead engine held."""
        free = or_(ORDERS.c.owner.is_(None), ORDERS.c.owner.in_(dead))
        unwanted = and_(ORDERS.c.owner == owner, ORDERS.c.halt)
        wanted = select(ORDERS).where(or_(free, unwanted), ORDERS.c.type.in_(able))
        with self._writing() as connection:
            found = connection.execute(wanted).all()
            if found:
                chosen = [row.id for row in found]
                taken = ORDERS.update().where(ORDERS.c.id.in_(chosen)).values(owner=owner)
                connection.execute(taken)
        return [
            Claim(read(row.body, Order), halt=row.halt, inherited=row.owner is not None)
            for row in found
        ]

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        with self._reading() as connection:
            return search(connection, kind, query)

    def tail(self, after: int, pipeline: str | None = None) -> Sequence[Record]:
        """Read the journal's records with numbers greater than `after`, in order."""
        wanted = select(JOURNAL).where(JOURNAL.c.number > after).order_by(JOURNAL.c.number)
        if pipeline is not None:
            wanted = wanted.where(JOURNAL.c.pipeline == pipeline)
        with self._reading() as connection:
            return [
                Record(row.number, read_event(row.body), row.digest)
                for row in connection.execute(wanted)
            ]

    def version(self) -> int:
        """Give a number that changes whenever another process has written."""
        with self._lock:
            return int(self._handle().execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close every connection."""
        self._writer.close()
        self._engine.dispose()
        self._gate.close()

    def _handle(self) -> sqlite3.Connection:
        handle = self._writer.connection.driver_connection
        assert isinstance(handle, sqlite3.Connection)  # noqa: S101 - the engine is SQLite's
        return handle

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._same.check()
        with self._engine.connect().execution_options(**{READING: True}) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self._same.check()
        with self._lock, self._gate.writing():
            try:
                with self._writer.begin():
                    yield self._writer
            except DBAPIError as error:
                raise StoreError(
                    f"a commit failed: {error.orig}; it counts only if reading back shows it"
                ) from error
