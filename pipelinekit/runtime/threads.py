"""Threads that carry out short calls; they never keep a process from ending."""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable

Task = Callable[[], object]

COME, GO = True, False
"""What a thread that is free is told."""


class Threads:
    """A crew of daemon threads, grown as it is needed.

    Of those that are free one at most is on its way to the tasks that wait, and whoever takes a
    task sends the next one on its way. So tasks that block go on side by side, and those that
    take no time are done one after the other by a thread that is there already: to wake a thread
    for each would cost more than the tasks.

    Args:
        most: How many threads there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: deque[Task] = deque()
        self._calls: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._crew: list[threading.Thread] = []
        self._free = 0
        self._called = False
        self._closed = False

    def do(self, task: Task) -> None:
        """Have a task done soon, unless the crew was sent home."""
        with self._lock:
            if not self._closed:
                self._tasks.append(task)
                self._call()

    def close(self, seconds: float, *, finish: bool = False) -> None:
        """Send the crew home, waiting up to so many seconds for what it is doing.

        Args:
            seconds: How long to wait.
            finish: Whether tasks that wait for a thread are done first; else they never are.
        """
        with self._lock:
            self._closed = True
            crew = list(self._crew)
            if not finish:
                self._tasks.clear()
            for _ in crew:
                self._calls.put(GO)
        limit = time.monotonic() + seconds
        for thread in crew:
            thread.join(max(0.0, limit - time.monotonic()))

    @property
    def at_work(self) -> list[threading.Thread]:
        """List those that have not gone home."""
        with self._lock:
            return list(self._crew)

    def _call(self) -> None:
        if self._called:
            return
        if self._free:
            self._free -= 1
            self._called = True
            self._calls.put(COME)
        elif len(self._crew) < self._most and not self._closed:
            self._called = True
            thread = threading.Thread(target=self._work, name="pipelinekit-action", daemon=True)
            self._crew.append(thread)
            self._calls.put(COME)
            thread.start()

    def _work(self) -> None:
        try:
            while self._calls.get():
                with self._lock:
                    self._called = False
                while (task := self._next()) is not None:
                    task()
        finally:  # also where a task raised: its place is free for another thread
            with self._lock:
                self._crew.remove(threading.current_thread())
                if self._tasks:
                    self._call()

    def _next(self) -> Task | None:
        with self._lock:
            if not self._tasks:
                self._free += 1
                return None
            task = self._tasks.popleft()
            if self._tasks:
                self._call()
            return task
