"""An end to the wait for a server that takes a question and never answers.

The system gives up a host that is silent, and the server gives up a question that takes too long.
What is left is a server that hangs while its host goes on: for it, somebody here looks at a clock.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PATIENCE_SECONDS: Final = 75.0
"""More than the server's own limit for a statement, which is told better."""

LOOKS: Final = 15
"""How often the clock is looked at in that time."""


class Patience:
    """Hangs up connections whose questions have not been answered in time.

    Whoever waits then meets the same failure as when the server has gone.
    """

    def __init__(self) -> None:
        self._seconds = PATIENCE_SECONDS
        self._waiting: dict[object, tuple[float, int]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def waiting(self, descriptor: int) -> Iterator[None]:
        """Hang up where the block takes too long.

        Args:
            descriptor: The file descriptor of the connection's socket, which the block uses.
        """
        key = object()
        with self._lock:
            self._waiting[key] = (time.monotonic() + self._seconds, descriptor)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="patience", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(key, None)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(self._seconds / LOOKS):
            present = time.monotonic()
            with self._lock:
                late = {key for key, (end, _) in self._waiting.items() if end < present}
                for key in late:
                    _hang_up(self._waiting.pop(key)[1])


def _hang_up(descriptor: int) -> None:
    # Not closed: the number would be another's before who waits has let go of it.
    try:
        copy = socket.socket(fileno=os.dup(descriptor))
    except OSError:
        return  # it was closed just now
    with copy:
        try:
            copy.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side has done so
