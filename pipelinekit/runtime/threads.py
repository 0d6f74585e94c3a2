"""Threads that carry out short calls; they never keep a process from ending."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

Task = Callable[[], None]


class Threads:
    """A crew of daemon threads, grown as it is needed.

    Args:
        most: How many threads there may be.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._crew: list[threading.Thread] = []
        self._free = 0
        self._closed = False

    def do(self, task: Task) -> None:
        """Have a task done soon, unless the crew was sent home."""
        with self._lock:
            if self._closed:
                return
            if self._free:
                self._free -= 1
            elif len(self._crew) < self._most:
                self._hire()
            self._tasks.put(task)

    def close(self, seconds: float, *, finish: bool = False) -> None:
        """Send the crew home, waiting up to so many seconds for what it is doing.

        Args:
            seconds: How long to wait.
            finish: Whether tasks that wait for a thread are done first; else they never are.
        """
        with self._lock:
            self._closed = True
            crew = list(self._crew)
            with suppress(queue.Empty):
                while not finish:
                    self._tasks.get_nowait()
            for _ in crew:
                self._tasks.put(None)
        limit = time.monotonic() + seconds
        for thread in crew:
            thread.join(max(0.0, limit - time.monotonic()))

    def _hire(self) -> None:
        thread = threading.Thread(target=self._work, name="pipelinekit-action", daemon=True)
        self._crew.append(thread)
        thread.start()

    def _work(self) -> None:
        try:
            while (task := self._tasks.get()) is not None:
                task()
                with self._lock:
                    self._free += 1
        finally:  # also where a task raised: its place is free for another thread
            with self._lock:
                self._crew.remove(threading.current_thread())
