"""What is special about PostgreSQL: its settings, and the traps that they avoid.

- `synchronous_commit=on`: an acknowledged commit survives a power loss.
- The journal is one chain over all pipelines, so writers go one after the other: each begins with
  the lock of one row, which also counts the writes. Under it READ COMMITTED is enough, and nobody
  is ever in a deadlock with another.
- Without `tcp_user_timeout` a silent network would be waited for without end.
- A server that takes a question and never answers is hung up on (`store.patience`).
- A connection whose server has gone is seen before it is used, so that a restart in an idle time
  is noticed by nobody.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from select import POLLIN, poll
from typing import Any, ClassVar, Final, cast

import psycopg
import sqlalchemy
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from pipelinekit.model.errors import StoreError
from pipelinekit.store.database import COUNTER, MOMENT, NONE, Connection, Types, Value, Values
from pipelinekit.store.failures import ServerError, reason
from pipelinekit.store.leases import SqlLeases
from pipelinekit.store.listening import SqlHints, notify
from pipelinekit.store.migrations import NEEDS, migrate, refuse_newer, version_of
from pipelinekit.store.patience import Patience
from pipelinekit.store.places import shown, unknown
from pipelinekit.tools.on_error import on_error

CONNECT: Final = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 3_000,
    "target_session_attrs": "read-write",  # never a replica, which may show the past
    "application_name": "pipelinekit",
}
SESSION: Final = (
    "-c synchronous_commit=on -c lock_timeout=5s -c statement_timeout=60s "
    "-c idle_in_transaction_session_timeout=15s"
)
MIGRATION_LOCK: Final = 7_045_318_211
"""The advisory lock of whoever makes or changes the tables; any number that others do not use."""

MANY_ROWS: Final = 2_000
"""How many are asked for at once where there may be too many for the memory."""

TEXTS: Final = 512
"""How many statements are kept as the driver reads them."""

_LOCK = f"{NEEDS} FOR UPDATE"
_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped
"""
_PLACE: Final = re.compile(r":(\w+)")


Driver = psycopg.Connection[Any]


class Session:
    """A connection to a server; see `store.database.Connection`.

    Attributes:
        inner: SQLAlchemy's own.
    """

    types: ClassVar[Types] = {COUNTER: "BIGINT", MOMENT: "TIMESTAMP WITH TIME ZONE"}

    def __init__(self, inner: sqlalchemy.Connection) -> None:
        self.inner = inner

    @property
    def driver(self) -> Driver:
        """Give the driver's own."""
        return cast("Driver", self.inner.connection.driver_connection)

    def rows(self, sql: str, values: Values = NONE) -> Sequence[tuple[Any, ...]]:
        """Give all rows of an answer."""
        return [tuple(row) for row in self._asked(sql, values)]

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Go through the rows of an answer that may be too many for the memory."""
        some = {"yield_per": MANY_ROWS}
        for row in self.inner.exec_driver_sql(sql, execution_options=some):
            yield tuple(row)

    def run(self, sql: str, values: Values = NONE) -> int:
        """Run a statement, and tell how many rows it met."""
        return self._asked(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement for each of some rows, and tell how many rows of the table it met."""
        if not rows:
            return 0
        in_order = [tuple(row) for row in rows]
        return self.inner.exec_driver_sql(sql.replace("?", "%s"), in_order).rowcount

    def columns(self, table: str) -> Sequence[str]:
        """Name the columns of a table; none where there is no such table."""
        return [name for (name,) in self.rows(_COLUMNS, {"name": table})]

    def _asked(self, sql: str, values: Values) -> sqlalchemy.CursorResult[Any]:
        return self.inner.exec_driver_sql(_by_name(sql), dict(values))


@lru_cache(TEXTS)
def _by_name(sql: str) -> str:
    return _PLACE.sub(r"%(\1)s", sql)


@contextmanager
def _told() -> Iterator[None]:
    """Raise a ServerError in place of what SQLAlchemy raises."""
    try:
        yield
    except DBAPIError as error:
        raise ServerError(error.orig or error, getattr(error.orig, "sqlstate", None)) from error
    except PoolTimeout as error:
        raise ServerError(error) from error


class PostgreSQL:
    """A PostgreSQL database; see `store.database.Database`.

    Args:
        url: Where it is; `options=-csearch_path=<schema>` names a schema other than the usual.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, url: str) -> None:
        self._pid = os.getpid()
        self._engine = engine_of(url)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._frozen = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._own = self._counted = 0
        self._patience = Patience()
        self.leases = SqlLeases(self.reading)
        self.hints = SqlHints(self._single)
        with on_error(self.close):
            self._open(url)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a connection without a transaction."""
        self._check()
        with self._session(self._single) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a connection that sees one moment."""
        self._check()
        with self._session(self._frozen) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a connection that holds the lock of all who write."""
        self._check()
        with self._session(self._engine) as session, session.inner.begin():
            with self.at_once(session) as driver:
                locked = driver.execute(_LOCK)
            for (needed,) in locked:
                refuse_newer(needed)
            self._counted = 0
            yield session
        self._own += self._counted

    @contextmanager
    def at_once(self, connection: Connection) -> Iterator[Driver]:
        """Send all that is written in the block at once, instead of waiting for each answer."""
        assert isinstance(connection, Session)  # noqa: S101 - as it was made here
        driver = connection.driver
        try:
            with driver.pipeline():
                yield driver
        except psycopg.Error as error:
            if driver.closed:
                connection.inner.invalidate()
            raise OperationalError(None, None, error) from error

    def wrote(self, connection: Connection) -> None:
        """Count this write, once for those of others and once for one's own."""
        connection.run("UPDATE writes SET number = number + 1")
        self._counted = 1

    def hint(self, connection: Connection) -> None:
        """Notify all who listen."""
        notify(connection)

    def version(self) -> int:
        """Count the writes of others."""
        return self.change() - self._own

    def change(self) -> int:
        """Count all writes."""
        with self.reading() as connection:
            ((number,),) = connection.rows("SELECT number FROM writes")
            return int(number)

    def close(self) -> None:
        """Close every connection."""
        self._patience.close()
        self._engine.dispose()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with _told(), engine.connect() as inner:
            session = Session(inner)
            with self._patience.waiting(session.driver.fileno()):
                yield session

    def _open(self, url: str) -> None:
        try:
            with _told(), self._engine.begin() as inner:
                session = Session(inner)
                session.rows(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                migrate(session)
        except ServerError as error:
            raise _unreachable(url, error) from error
        self.leases.tidy()

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                "the store was opened before this process was forked off; open a Kit of its own "
                "in the child process"
            )


def look_at_server(url: str) -> None:
    """Find what keeps a server's store from being opened, without changing anything there.

    Raises:
        StoreError: It cannot be reached, or has a newer version of the tables.
    """
    engine = engine_of(url)
    try:
        with _told(), engine.connect() as inner:
            refuse_newer(version_of(Session(inner)))
    except ServerError as error:
        raise _unreachable(url, error) from error
    finally:
        engine.dispose()


def engine_of(url: str) -> Engine:
    """Give an engine of SQLAlchemy's for a server; nothing is asked yet.

    Raises:
        StoreError: It is no URL.
    """
    try:
        place = make_url(url)
    except (ArgumentError, ValueError):  # the latter of a port that is no number
        raise unknown() from None
    asked = place.query.get("options", ())
    options = " ".join([SESSION, asked] if isinstance(asked, str) else [SESSION, *asked])
    engine = create_engine(
        place.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
        connect_args={**CONNECT, **_given(place), "options": options},
        max_overflow=20,
        pool_timeout=5,
    )
    event.listen(engine, "checkout", _refuse_stale)
    return engine


def _unreachable(url: str, error: ServerError) -> StoreError:
    return StoreError(
        f"the store {shown(url)} cannot be opened: {reason(error)}; look whether the "
        f"server is there, and whether its user may make tables in the database"
    )


def _given(url: URL) -> dict[str, object]:
    return {name: value for name, value in url.query.items() if name in CONNECT}


def _refuse_stale(
    connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Have a new connection made where the server has hung up; asking the socket costs nothing."""
    driver = cast("Driver", connection)
    if driver.closed:
        raise DisconnectionError
    socket = poll()
    socket.register(driver.fileno(), POLLIN)
    if socket.poll(0):  # nobody has asked, so what can be read is a farewell
        raise DisconnectionError
