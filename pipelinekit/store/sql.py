"""The store over SQL: rows by kind, a chained journal, and the open orders."""

import threading
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from pipelinekit.model.errors import StoreError
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.model.state import State
from pipelinekit.ports.store import (
    Claim,
    ConflictError,
    Entry,
    Hints,
    Leases,
    Query,
    Record,
    Taker,
)
from pipelinekit.store.database import Connection, Database, first_row, listed
from pipelinekit.store.failures import in_the_way, told
from pipelinekit.store.orders import disown, take
from pipelinekit.store.past import SqlPast
from pipelinekit.store.places import file_of, installed
from pipelinekit.store.reading import rows_of, search
from pipelinekit.store.sqlite import SQLite
from pipelinekit.store.writing import check, write
from pipelinekit.tools.failpoint import failpoint
from pipelinekit.wire.record import read_record

R = TypeVar("R", bound=Row | Order)

_HEAD = "SELECT records FROM heads WHERE pipeline = :pipeline"
_KNOWN = "SELECT pipeline FROM heads WHERE pipeline IN {names}"
_LAST = "SELECT number, digest, body FROM journal ORDER BY number DESC LIMIT 1"
_LATER = "SELECT number, digest, body FROM journal WHERE number > :after ORDER BY number"


def open_store(url: str) -> "SqlStore":
    """Open the store that a URL names, made and brought up to date where needed.

    Args:
        url: `sqlite:///folder/pipelinekit.db`, or `postgresql://user:password@host/database`.

    Raises:
        StoreError: No store can be opened at that URL.
    """
    file = file_of(url)
    if file is not None:
        return SqlStore(SQLite(file))
    with installed(url):
        from pipelinekit.store.postgres import PostgreSQL  # noqa: PLC0415 - it loads SQLAlchemy

        return SqlStore(PostgreSQL(url))


class SqlStore:
    """Keeps everything in one database; see `ports.store.Store`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self.past = SqlPast(self._reading, self._cutting)

    @property
    def leases(self) -> Leases | None:
        """Tell who is alive; None where all engines are on one host."""
        return self._database.leases

    @property
    def hints(self) -> Hints | None:
        """Tell who waits that there is something; None where looking costs next to nothing."""
        return self._database.hints

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        """Give a pipeline's rows, of executions those that matter, and its count of records."""
        if not self.known([pipeline]):
            return State(), 0  # what nothing has happened to has no rows
        with self._reading() as connection:
            found = first_row(connection, _HEAD, {"pipeline": pipeline})
            records = int(found[0]) if found else 0
            return State(rows_of(connection, pipeline, execution)), records

    def known(self, pipelines: Collection[str]) -> AbstractSet[str]:
        """Name those of some pipelines of which the journal holds records."""
        names, values = listed("name", [name for name in pipelines if _is_text(name)])
        with told("read"), self._database.reading() as connection:
            return {name for (name,) in connection.rows(_KNOWN.format(names=names), values)}

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all entries in one transaction, or nothing."""
        try:
            with self._writing("commit") as connection:
                tip = check(connection, entries)
                with self._database.at_once(connection):
                    write(connection, entries, tip)
                    self._database.wrote(connection)
                    if any(entry.for_others for entry in entries):
                        self._database.hint(connection)
        except StoreError as error:
            if in_the_way(error):
                raise ConflictError(str(error)) from error
            raise

    def take(self, taker: Taker, at: datetime) -> Sequence[Claim]:
        """Hand out open orders: those that nobody living holds and that are for the taker."""
        with self._writing("take") as connection:
            freed = disown(connection, taker.dead)
            claims = take(connection, taker, at)
            if freed or claims:
                self._database.wrote(connection)
            return claims

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        with told("read"), self._database.reading() as connection:
            return search(connection, kind, query)

    def tail(self, after: int | None, limit: int | None = None) -> Sequence[Record]:
        """Read the journal's records with numbers greater than `after`, in order."""
        asked = _LAST if after is None else _LATER + ("" if limit is None else " LIMIT :limit")
        with told("read"), self._database.reading() as connection:
            return [
                Record(number, digest, *read_record(body))
                for number, digest, body in connection.rows(
                    asked, {"after": after, "limit": limit}
                )
            ]

    def version(self, *, own: bool = False) -> int:
        """Give a number that changes whenever another process, or anybody, has written."""
        if own:
            with told("looked at"):
                return self._database.change()
        with self._lock, told("looked at"):
            return self._database.version()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told("read"), self._database.snapshot() as connection:
            yield connection

    @contextmanager
    def _writing(self, what: str) -> Iterator[Connection]:
        with self._lock, told("written"):
            failpoint(f"store.{what}.before")
            with self._database.writing() as connection:
                yield connection
                failpoint(f"store.{what}.written")
            failpoint(f"store.{what}.after")

    @contextmanager
    def _cutting(self) -> Iterator[Connection]:
        with self._writing("commit") as connection:
            yield connection
            self._database.wrote(connection)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # half of a character: nothing is called so
        return False
    return True
