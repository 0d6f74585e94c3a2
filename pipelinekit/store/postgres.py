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
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from select import POLLIN, poll
from typing import Final, Protocol, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from pipelinekit.model.errors import StoreError
from pipelinekit.store.failures import reason, shown
from pipelinekit.store.leases import SqlLeases
from pipelinekit.store.listening import SqlHints, notify
from pipelinekit.store.migrations import NEEDS, migrate, refuse_newer
from pipelinekit.store.patience import Patience
from pipelinekit.store.schema import WRITES
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

_WRITES = select(WRITES.c.number)
_LOCK = f"{NEEDS} FOR UPDATE"
_COUNT = WRITES.update().values(number=WRITES.c.number + 1)


class _Answer(Protocol):
    def fetchone(self) -> Sequence[int]: ...


class _Driver(Protocol):
    """What is used of psycopg's connection, without loading psycopg where it is not needed."""

    closed: bool

    def fileno(self) -> int: ...
    def pipeline(self) -> AbstractContextManager[object]: ...
    def execute(self, asked: str) -> _Answer: ...


class PostgreSQL:
    """A PostgreSQL database; see `store.database.Database`.

    Args:
        url: Where it is; `options=-csearch_path=<schema>` names a schema other than the usual.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, url: URL) -> None:
        self._pid = os.getpid()
        self._engine = engine_of(url)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._frozen = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._own = self._counted = 0
        self._patience = Patience()
        self._failure: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self.leases = SqlLeases(self.reading)
        self.hints = SqlHints(self._single)
        with on_error(self.close):
            self._open(url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection without a transaction."""
        self._check()
        with self._single.connect() as connection, self._waiting(connection):
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees one moment."""
        self._check()
        with self._frozen.connect() as connection, self._waiting(connection):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection that holds the lock of all who write."""
        self._check()
        with (
            self._engine.connect() as connection,
            self._waiting(connection),
            connection.begin(),
        ):
            with self.at_once(connection) as driver:
                locked = driver.execute(_LOCK)
            refuse_newer(*locked.fetchone())
            self._counted = 0
            yield connection
        self._own += self._counted

    @contextmanager
    def at_once(self, connection: Connection) -> Iterator[_Driver]:
        """Send all that is written in the block at once, instead of waiting for each answer."""
        driver = cast("_Driver", connection.connection.driver_connection)
        try:
            with driver.pipeline():
                yield driver
        except self._failure as error:
            if driver.closed:
                connection.invalidate()
            raise OperationalError(None, None, error) from error

    def wrote(self, connection: Connection) -> None:
        """Count this write, once for those of others and once for one's own."""
        connection.execute(_COUNT)
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
            return int(connection.execute(_WRITES).scalar_one())

    def close(self) -> None:
        """Close every connection."""
        self._patience.close()
        self._engine.dispose()

    def _waiting(self, connection: Connection) -> AbstractContextManager[None]:
        driver = cast("_Driver", connection.connection.driver_connection)
        return self._patience.waiting(driver.fileno())

    def _open(self, url: URL) -> None:
        try:
            with self._engine.begin() as connection:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
                migrate(connection)
        except DBAPIError as error:
            raise unreachable(url, error) from error
        self.leases.tidy()

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                "the store was opened before this process was forked off; open a Kit of its own "
                "in the child process"
            )


def engine_of(url: URL) -> Engine:
    """Give an engine of SQLAlchemy's for a server; nothing is asked yet.

    Raises:
        StoreError: The driver of PostgreSQL is not installed.
    """
    asked = url.query.get("options", ())
    options = " ".join([SESSION, asked] if isinstance(asked, str) else [SESSION, *asked])
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg").difference_update_query(["options"]),
            connect_args={**CONNECT, **_given(url), "options": options},
            max_overflow=20,
            pool_timeout=5,
        )
    except ModuleNotFoundError as error:
        raise StoreError(
            f"a store was asked for at {shown(url)}, and the driver of PostgreSQL is "
            f"not installed; install it with: pip install 'pipelinekit[postgres]'"
        ) from error
    event.listen(engine, "checkout", _refuse_stale)
    return engine


def unreachable(url: URL, error: DBAPIError) -> StoreError:
    """Say that a server cannot be asked, why, and what to do."""
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
    driver = cast("_Driver", connection)
    if driver.closed:
        raise DisconnectionError
    socket = poll()
    socket.register(driver.fileno(), POLLIN)
    if socket.poll(0):  # nobody has asked, so what can be read is a farewell
        raise DisconnectionError
