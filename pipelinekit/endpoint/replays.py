"""Calls that must not be done twice, as long as their signatures hold."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pipelinekit.endpoint.gate import WITHIN, Admitted
from pipelinekit.runtime.clock import now, steady
from pipelinekit.runtime.turns import give_way
from pipelinekit.tools.aws.loopback import Reply

SECOND: Final = 1.0
"""How long equal calls have equal signatures."""

MOST_WAITING: Final = 2
"""How many may wait for another second at a time: each of them holds a thread of the server."""

TURN_SECONDS: Final = 0.01
"""How long whoever waits holds up the other calls of the same thread at a time."""


@dataclass(slots=True)
class Done:
    """A call that was done, or is being done just now.

    Attributes:
        first: The call, as it was let in.
        since: When it came, on a clock that goes on evenly.
        outcome: Its answer, or why there is none; None as long as it is being done.
    """

    first: Admitted
    since: float = field(default_factory=steady)
    outcome: Reply | BaseException | None = None

    def answer(self) -> Reply:
        """Wait for the answer, which this thread itself may have to give in another turn."""
        while self.outcome is None:
            give_way()
            time.sleep(TURN_SECONDS)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class Replays:
    """What was answered to calls that must not be done twice.

    Args:
        clock: Tells the time, UTC.
    """

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._done: dict[str, Done] = {}
        self._older: dict[str, Done] = {}
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._born = clock().replace(microsecond=0)
        self._swept = self._born

    def once(
        self,
        admitted: Admitted,
        do: Callable[[], Reply],
        counts: Callable[[Reply], bool] = lambda _: True,
    ) -> Done | None:
        """Do something for a call, or give what was done for the first one of its signature.

        Args:
            admitted: The call.
            do: Does it.
            counts: Tells by an answer whether something was done that must not be done again.

        Returns:
            The first call of that signature; None for one that was signed before anything was
            remembered here.
        """
        if admitted.at < self._born:
            return None
        mine = Done(admitted)
        with self._lock:
            self._sweep()
            known = self._older.get(admitted.signature)
            known = known or self._done.setdefault(admitted.signature, mine)
        if known is not mine:
            return known
        try:
            reply = do()
        except BaseException as error:
            mine.outcome = error
            raise
        mine.outcome = reply
        if not counts(reply):
            with self._lock:
                self._done.pop(admitted.signature, None)
        return mine

    def outwait(self, done: Done) -> None:
        """Wait until an equal call has another signature, where not too many wait already."""
        if self._waiting.acquire(blocking=False):
            try:
                while (left := done.since + SECOND - steady()) > 0:
                    give_way()
                    time.sleep(min(left, TURN_SECONDS))
            finally:
                self._waiting.release()

    def _sweep(self) -> None:
        present = self._clock()
        if present - self._swept > 2 * WITHIN:  # as long as a signature can hold
            self._older, self._done = self._done, {}
            self._swept = present
