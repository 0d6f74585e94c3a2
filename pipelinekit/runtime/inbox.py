"""What waits for the worker: questions that somebody waits for, and ends of orders."""

import queue
import threading
from datetime import datetime

from msgspec import field

from pipelinekit.model.errors import EngineClosed, PipelineKitError
from pipelinekit.model.event import Event
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Order
from pipelinekit.runtime.bench import Report
from pipelinekit.runtime.turns import give_way


class Question(Noun, gc=True):
    """An event, and where its answer goes; of several only the first one counts."""

    event: Event
    reply: "queue.SimpleQueue[str | PipelineKitError]" = field(default_factory=queue.SimpleQueue)

    def answer(self) -> str:
        """Wait for the answer.

        Raises:
            PipelineKitError: The event was refused.
        """
        answer = self.reply.get()
        if isinstance(answer, PipelineKitError):
            raise answer
        return answer


class End(Noun):
    """The end of an order; without a report it was halted."""

    order: Order
    report: Report | None


class Deadline(Noun):
    """An order is to have ended by now."""

    order: str


class Due(Noun):
    """An order is to be asked about again, unless that was put off meanwhile."""

    order: str
    at: datetime


Timed = Deadline | Due | End
"""What a worker may have to deal with later."""


class Inbox:
    """A queue that refuses questions once it is closed, so that nobody waits in vain."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Question | End | None] = queue.SimpleQueue()
        self._door = threading.Lock()
        self._closed = False

    def ask(self, event: Event) -> str:
        """Hand in an event and wait for the answer.

        Raises:
            EngineClosed: Nobody is there to answer.
            PipelineKitError: The event was refused.
        """
        question = Question(event)
        with self._door:
            if self._closed:
                raise _closed()
            self._items.put(question)
        give_way()
        return question.answer()

    def end(self, order: Order, report: Report | None) -> None:
        """Hand in the end of an order."""
        self._items.put(End(order, report))

    def wake(self) -> None:
        """Make `ready` come back at once."""
        self._items.put(None)

    @property
    def empty(self) -> bool:
        """Tell whether nothing waits."""
        return self._items.empty()

    def ready(self, seconds: float) -> list[Question | End]:
        """Take all that waits; wait up to so many seconds for the first."""
        try:
            items = [self._items.get(timeout=seconds)]
        except queue.Empty:
            return []
        while not self._items.empty():
            items.append(self._items.get())
        return [item for item in items if item is not None]

    def close(self, taken: list[Question]) -> None:
        """Refuse the questions that wait, those that were taken and not answered, and all later.

        Args:
            taken: What `ready` gave last.
        """
        with self._door:
            self._closed = True
        waiting = [item for item in self.ready(0) if isinstance(item, Question)]
        for question in (*taken, *waiting):
            question.reply.put(_closed())


def _closed() -> EngineClosed:
    return EngineClosed("an event came to an engine that is no longer at work; open a new Kit")
