"""How those who wait learn that something has happened, without asking the store meanwhile."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager


class Pulse:
    """Wakes who listens, and nobody else: a thousand may wait for a thousand executions."""

    def __init__(self) -> None:
        self._ears: dict[str | None, list[threading.Event]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def listening(self, execution: str | None = None) -> Iterator["Ear"]:
        """Listen, from now on, for the end of an execution or that it waits for somebody.

        Args:
            execution: Its id; None for every change of anything.
        """
        heard = threading.Event()
        with self._lock:
            self._ears.setdefault(execution, []).append(heard)
        try:
            yield Ear(heard)
        finally:
            with self._lock:
                self._ears[execution].remove(heard)
                if not self._ears[execution]:
                    del self._ears[execution]

    def beat(self, turned: Collection[str]) -> None:
        """Tell that something has changed.

        Args:
            turned: The executions that have ended, or wait for somebody.
        """
        with self._lock:
            ears = [ear for each in (None, *turned) for ear in self._ears.get(each, ())]
        for ear in ears:
            ear.set()

    def beat_for_all(self) -> None:
        """Tell everybody, where nobody knows what has changed."""
        with self._lock:
            ears = [ear for some in self._ears.values() for ear in some]
        for ear in ears:
            ear.set()


class Ear:
    """What one of those who listen waits with.

    Args:
        heard: Set when something has happened.
    """

    def __init__(self, heard: threading.Event) -> None:
        self._heard = heard

    def wait(self, seconds: float) -> None:
        """Wait until something has happened since the last call; look, then wait again."""
        self._heard.wait(seconds)
        self._heard.clear()
