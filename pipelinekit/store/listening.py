"""Notifications of PostgreSQL: a hint that another process has written something for engines.

A hint may be lost, with the connection say or behind a pooler, so that whoever takes hints has to
look by itself now and then all the same.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from select import POLLIN, poll
from typing import Any, Final, cast

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipelinekit.store.database import Connection

RETRY_SECONDS: Final = 1.0
CLOSING_SECONDS: Final = 1.0
CHANNEL: Final = "concat('pipelinekit_', md5(current_schema()))"
"""Channels are of a whole database, and stores of a schema."""


def notify(connection: Connection) -> None:
    """Give a hint to all who listen, once what is being written is committed."""
    connection.run(f"SELECT pg_notify({CHANNEL}, '')")


class SqlHints:
    """Gives hints of what is in PostgreSQL; see `ports.store.Hints`.

    Args:
        engine: Gives connections that commit each statement by itself.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have something called soon after each hint, in another thread."""
        return _Ear(self._engine, wake).close


class _Ear:
    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._engine, self._wake = engine, wake
        self._closing = threading.Event()
        self._bell, self._inner = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="hints", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        with suppress(OSError):  # it was closed before
            self._bell.send(b"!")
        self._thread.join(CLOSING_SECONDS)  # it may be waiting for a server that is silent

    def _work(self) -> None:
        with self._bell, self._inner:
            while not self._closing.is_set():
                with suppress(DBAPIError, PoolTimeout, psycopg.Error):
                    self._listen()
                self._closing.wait(RETRY_SECONDS)

    def _listen(self) -> None:
        with self._engine.connect() as connection:
            driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
            channel = connection.exec_driver_sql(f"SELECT {CHANNEL}").scalar_one()
            connection.detach()  # nobody else is to get what listens
            connection.exec_driver_sql(f"LISTEN {channel}")
            sockets = poll()
            for descriptor in (driver.fileno(), self._inner.fileno()):
                sockets.register(descriptor, POLLIN)
            self._wake()  # for what was missed until now
            while sockets.poll() and not self._closing.is_set():
                for _ in driver.notifies(timeout=0):
                    self._wake()
