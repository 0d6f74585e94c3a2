"""The store over SQL: rows by kind, a chained journal, and the open orders."""

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pipelinekit.model.errors import StoreError
from pipelinekit.model.row import Row
from pipelinekit.model.state import State
from pipelinekit.ports.store import Claim, Entry, Query, Record
from pipelinekit.store.migrations import migrate
from pipelinekit.store.orders import disown, take
from pipelinekit.store.past import SqlPast
from pipelinekit.store.reading import rows_of, search
from pipelinekit.store.schema import HEADS, JOURNAL
from pipelinekit.store.sqlite import READING, Gate, SameFile, connect, opening
from pipelinekit.store.writing import write
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.wire.record import read_record

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
            with opening(path):
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
        self.past = SqlPast(self._reading, self._writing)

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        """Give a pipeline's rows, of executions those that matter, and its count of records."""
        with self._reading() as connection:
            head = connection.execute(
                select(HEADS.c.records).where(HEADS.c.pipeline == pipeline)
            ).scalar_one_or_none()
            return State(rows_of(connection, pipeline, execution)), head or 0

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all entries in one transaction, or nothing."""
        with self._writing("commit") as connection:
            write(connection, entries)

    def take(
        self, owner: str, dead: Collection[str], able: Collection[str], at: datetime
    ) -> Sequence[Claim]:
        """Hand out open orders: those that nobody living holds and that are for the taker."""
        with self._writing("take") as connection:
            disown(connection, dead)
            return take(connection, owner, able, at)

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        with self._reading() as connection:
            return search(connection, kind, query)

    def tail(self, after: int | None, limit: int | None = None) -> Sequence[Record]:
        """Read the journal's records with numbers greater than `after`, in order."""
        if after is None:
            wanted = select(JOURNAL).order_by(JOURNAL.c.number.desc()).limit(1)
        else:
            later = JOURNAL.c.number > after
            wanted = select(JOURNAL).where(later).order_by(JOURNAL.c.number).limit(limit)
        with self._reading() as connection:
            return [
                Record(row.number, row.digest, *read_record(row.body))
                for row in connection.execute(wanted)
            ]

    def version(self) -> int:
        """Give a number that changes whenever another process has written."""
        with self._lock, _told("looked at"):
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
        with (
            _told("read"),
            self._engine.connect().execution_options(**{READING: True}) as connection,
        ):
            yield connection

    @contextmanager
    def _writing(self, what: str = "commit") -> Iterator[Connection]:
        self._same.check()
        with self._lock, _told("written"):
            failpoint(f"store.{what}.before")
            with self._gate.writing(), self._writer.begin():
                yield self._writer
                failpoint(f"store.{what}.written")
            failpoint(f"store.{what}.after")
            self._gate.checkpoint(self._handle())


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason: object = error.orig
    except (sqlite3.Error, OSError) as error:
        reason = error
    else:
        return
    raise StoreError(
        f"the store was to be {what} and that failed: {reason}; what was not acknowledged counts "
        f"only if reading it back shows it"
    )
