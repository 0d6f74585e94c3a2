"""What is to happen later, soonest first, whatever is done to the wall clock meanwhile."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

from pipelinekit.runtime.clock import steady

T = TypeVar("T")

HEAPED = 1_000


class Timers(Generic[T]):
    """Things that fall due; those that are no longer wanted are let fall due and ignored.

    Args:
        clock: Gives seconds that go on evenly.
    """

    def __init__(self, clock: Callable[[], float] = steady) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = count()
        self._tidy_at = HEAPED

    def add(self, seconds: float, thing: T) -> None:
        """Have a thing fall due in so many seconds from now."""
        heapq.heappush(self._heap, (self._clock() + seconds, next(self._numbers), thing))

    def tidy(self, wanted: Callable[[T], bool]) -> None:
        """Drop what is no longer wanted, once so much has heaped up that it is worth it."""
        if len(self._heap) > self._tidy_at:
            self._heap = [entry for entry in self._heap if wanted(entry[2])]
            heapq.heapify(self._heap)
            self._tidy_at = 2 * len(self._heap) + HEAPED

    def seconds(self, most: float) -> float:
        """Give how long it is until the next thing falls due, but no longer than `most`."""
        if not self._heap:
            return most
        return min(most, max(0.0, self._heap[0][0] - self._clock()))

    def rest(self) -> list[T]:
        """Take out everything, whether it has fallen due or not."""
        things = [thing for _, _, thing in sorted(self._heap, key=lambda entry: entry[:2])]
        self._heap = []
        return things

    def due(self) -> list[T]:
        """Take out what has fallen due."""
        present = self._clock()
        things = []
        while self._heap and self._heap[0][0] <= present:
            things.append(heapq.heappop(self._heap)[2])
        return things
