"""An engine's lease, where engines are on several hosts: renewed by a thread until it is given up.

The store's clock says when a lease ends. This side counts on a clock of its own that nobody can
set, from before each renewal and with a margin, so that it knows of the end before anybody else.
"""

import threading
import time
from contextlib import suppress
from typing import Final

from pipelinekit.model.errors import StoreError
from pipelinekit.ports.store import Leases

LEASE_SECONDS: Final = 10.0
MARGIN_SECONDS: Final = 2.0
RENEW_SECONDS: Final = 2.0

RETURN_SECONDS: Final = 60.0
"""How long what a closed engine left running is kept for the next engine of its place."""

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Lease:
    """Says whether an engine may still act.

    Args:
        leases: Where it is kept.
        engine: The engine's id.
        place: Where it works.

    Raises:
        StoreError: It cannot be had.
    """

    def __init__(self, leases: Leases, engine: str, place: str) -> None:
        self._leases, self._engine, self._place = leases, engine, place
        self._lock = threading.Lock()
        self._term = 0
        self._until = 0.0
        self._renew()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> int:
        """Give the number of the present term, begun anew where the lease had ended.

        Raises:
            StoreError: It has ended and cannot be renewed.
        """
        if not self.holds(self._term):
            self._renew()
        return self._term

    def holds(self, term: int) -> bool:
        """Tell whether a term is still going on."""
        return term == self._term and _clock() < self._until

    def close(self) -> None:
        """Give it up; what runs by itself is kept for this place for a while."""
        self._closing.set()
        self._thread.join()
        with suppress(StoreError):  # it ends by itself
            self._leases.renew(self._engine, self._place, RETURN_SECONDS, at_work=False)

    def _keep(self) -> None:
        while not self._closing.wait(RENEW_SECONDS):
            with suppress(StoreError):  # whoever asks `check` is told
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            asked = _clock()
            self._leases.renew(self._engine, self._place, LEASE_SECONDS)
            if asked >= self._until:  # others may have taken what was held
                self._term += 1
            self._until = asked + LEASE_SECONDS - MARGIN_SECONDS


def _clock() -> float:
    return time.clock_gettime(_CLOCK)
