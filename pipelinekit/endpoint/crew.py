"""Who answers the calls: threads, and one thread for all quick calls that came together.

To give each call a thread of its own costs a fifth more where 16 callers create pipelines. So they
gather while others are answered; whoever takes them begins one after the other, so that the engine
decides on all of them at once, and then ends one after the other.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from waitress.task import ThreadedTaskDispatcher

from pipelinekit.operations.table import SLOW
from pipelinekit.runtime.turns import take_turns

LOG: Final = logging.getLogger("pipelinekit")

STUCK_SECONDS: Final = 0.01
"""How long nothing goes on in calls that came together until others are begun beside them."""

GATHER_SECONDS: Final = 0.0005
"""How long calls gather while others are answered: each look at them looks at every connection."""


class Request(Protocol):
    """A request that waitress has read.

    Attributes:
        headers: By their names in capitals, with `_` for `-`.
    """

    headers: Mapping[str, str]


class Task(Protocol):
    """What waitress has to do: the requests of a connection, of which the first is answered."""

    requests: Sequence[Request]

    def service(self) -> None:
        """Answer it."""
        ...

    def cancel(self) -> None:
        """Hang up."""
        ...


class Together:
    """Calls that one thread answers by turns."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._steps = 0
        self._done = threading.Event()

    def service(self) -> None:
        """Answer them."""
        try:
            if len(self._tasks) == 1:
                self._tasks[0].service()
            else:
                take_turns([partial(_answer, each) for each in self._tasks], self._go_on)
        finally:
            self._done.set()

    def cancel(self) -> None:
        """Hang up on all."""
        for each in self._tasks:
            each.cancel()

    def wait(self) -> None:
        """Wait until they are answered, or nothing has gone on for a while."""
        seen = -1
        while not self._done.wait(STUCK_SECONDS) and self._steps != seen:
            seen = self._steps

    def _go_on(self) -> None:
        self._steps += 1


class Crew(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """Answers calls; the server's loop adds tasks, and has them begun when it has read all.

    Args:
        threads: How many answer at a time.
        together: Whether a look at the store costs so little that calls need not look side by
            side.
    """

    def __init__(self, threads: int, *, together: bool) -> None:
        super().__init__()
        self._together = together
        self._gathered: deque[Task] = deque()
        self.set_thread_count(threads)

    def add_task(self, task: Task) -> None:
        """Take a task, from any thread."""
        self._gathered.append(task)

    def begin(self) -> None:
        """Have all that was added answered, and let more gather while that is done."""
        quick: list[Task] = []
        while self._gathered:
            task = self._gathered.popleft()
            if self._together and _is_quick(task):
                quick.append(task)
            else:
                super().add_task(task)
        if quick:
            batch = Together(quick)
            super().add_task(batch)
            batch.wait()
        elif self.active_count > 1:
            time.sleep(GATHER_SECONDS)


def _answer(task: Task) -> None:
    try:
        task.service()
    except Exception:  # what fails is none of the other calls'
        LOG.exception("a call was not answered")


def _is_quick(task: Task) -> bool:
    target = task.requests[0].headers.get("X_AMZ_TARGET", "")
    return bool(target) and target.rpartition(".")[2] not in SLOW
