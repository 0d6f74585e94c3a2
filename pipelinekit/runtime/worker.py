"""The worker: takes all events that are ready, decides them in order, commits once.

`handle` is the one door in: nobody is answered before the commit. What a commit wants done goes
out through the hands, after it. One thread does all of it, so a process has one writer.
"""

import logging
import queue
import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import timedelta

from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.errors import EngineClosed, PipelineKitError
from pipelinekit.model.event import Event, Expired, Reported
from pipelinekit.model.order import Order, Waiting
from pipelinekit.ports.store import Claim, Entry, FenceError, Store
from pipelinekit.runtime.bench import Report
from pipelinekit.runtime.clock import new_id, now
from pipelinekit.runtime.desk import Asked, Closed, Desk
from pipelinekit.runtime.engines import Incarnation
from pipelinekit.runtime.hands import Done, Hands
from pipelinekit.runtime.timers import Timers

LOG = logging.getLogger("pipelinekit")

LOOK_SECONDS = 0.1
"""How often other processes' writes are looked for; nothing of one's own waits for it."""

BURY_SECONDS = 1.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Question:
    event: Event
    reply: "Future[str]"


@dataclass(frozen=True, slots=True)
class _End:
    order: Order
    report: Report | None


@dataclass(frozen=True, slots=True)
class _Deadline:
    order: str


@dataclass(frozen=True, slots=True)
class _Due:
    order: str


_Item = _Question | _End
_Timed = _Deadline | _Due | _End


class Worker:
    """An engine at work, until it is closed.

    Args:
        store: Where everything is kept.
        incarnation: This life of the engine.
        hands: Makes the hands, given whom they tell the end of an order.
    """

    def __init__(
        self, store: Store, incarnation: Incarnation, hands: Callable[[Done], Hands]
    ) -> None:
        self._store = store
        self._incarnation = incarnation
        self._inbox: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._hands = hands(self._ended)
        self._desk = Desk(store, incarnation.id, lambda: self._hands.able)
        self._open: dict[str, Order] = {}
        self._timers: Timers[_Timed] = Timers()
        self._seen: tuple[int, Collection[str]] = (-1, ())
        self._looked = self._buried = now() - timedelta(days=1)
        self._pulse = threading.Condition()
        self._beats = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="pipelinekit", daemon=True)
        self._thread.start()

    def handle(self, event: Event) -> str:
        """Have an event decided; give the answer once it is durable.

        Raises:
            PipelineKitError: It was refused, and changed nothing.
        """
        reply: Future[str] = Future()
        self._inbox.put(_Question(event, reply))
        if not self._thread.is_alive():
            self._refuse_the_rest()
        return reply.result()

    @property
    def alive(self) -> bool:
        """Tell whether it is at work."""
        return self._thread.is_alive()

    @property
    def beats(self) -> int:
        """Count how often something has changed."""
        return self._beats

    def wait(self, beats: int, seconds: float) -> int:
        """Wait until something has changed since a count of beats; give the new count."""
        with self._pulse:
            self._pulse.wait_for(lambda: self._beats != beats, timeout=seconds)
            return self._beats

    @property
    def idle(self) -> bool:
        """Tell whether nothing is under way but what waits for a person."""
        orders = list(self._open.values())
        return all(order.token is not None and order.due is None for order in orders)

    def close(self) -> None:
        """Stop taking work; what runs in runners goes on without this engine."""
        if self._closing:
            return
        self._hands.close()
        self._closing = True
        self._inbox.put(None)
        self._thread.join()
        self._give_back()
        self._incarnation.close()

    def _give_back(self) -> None:
        """Let go of orders whose calls have not begun, so that the next engine may begin them."""
        free = [order for order in self._open.values() if not self._hands.begun(order)]
        entries = [Entry(order.pipeline, 0, commands=(Run(order),)) for order in free]
        if entries:
            self._store.commit(entries)

    def _ended(self, order: Order, report: Report | None) -> None:
        self._inbox.put(_End(order, report))

    def _work(self) -> None:
        try:
            self._work_on()
        finally:
            if not self._closing:  # a defect: others are to take over what this engine held
                self._incarnation.close()
            self._refuse_the_rest()

    def _refuse_the_rest(self) -> None:
        error = EngineClosed("an event came to an engine that is closed; open a new Kit")
        while not self._inbox.empty():
            item = self._inbox.get()
            if isinstance(item, _Question):
                item.reply.set_exception(error)

    def _work_on(self) -> None:
        while not (self._closing and self._inbox.empty()):
            try:
                self._turn(self._ready())
                self._look()
            except PipelineKitError as error:  # of the store: it is said, and tried again
                LOG.warning("%s", error)
                self._desk.refresh()
                self._seen = (-1, ())

    def _ready(self) -> list[_Item]:
        try:
            items = [self._inbox.get(timeout=self._timers.seconds(now(), LOOK_SECONDS))]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            items.append(self._inbox.get())
        return [item for item in items if item is not None]

    def _turn(self, items: list[_Item]) -> None:
        questions = [item for item in items if isinstance(item, _Question)]
        ends = [item for item in items if isinstance(item, _End)]
        expired: list[_Deadline] = []
        for timed in self._timers.due(now()):
            match timed:
                case _End():
                    ends.append(timed)
                case _Deadline(order):
                    expired.extend([timed] if order in self._open else [])
                case _Due(order):
                    self._ask_again(order)
        ends = [end for end in ends if end.order.id in self._open]
        if not (questions or ends or expired):
            return
        try:
            self._settle(questions, ends, expired)
        except FenceError:
            self._settle_one_by_one(questions, ends, expired)
        except PipelineKitError as error:
            self._put_off(questions, [*ends, *expired], error)
            raise

    def _settle(
        self, questions: list[_Question], ends: list[_End], expired: list[_Deadline]
    ) -> None:
        reports = [_reported(end.order, end.report) for end in ends if end.report is not None]
        lates = [_expired(self._open[late.order]) for late in expired]
        asked = [*(Asked(question.event) for question in questions), *lates, *reports]
        closed = [Closed(end.order.pipeline, end.order.id) for end in ends if end.report is None]
        settled = self._desk.settle(asked, closed)
        for question, answer in zip(questions, settled.answers, strict=False):
            if isinstance(answer, PipelineKitError):
                question.reply.set_exception(answer)
            else:
                question.reply.set_result(answer)
        answered = zip(asked, settled.answers, strict=True)
        over = {each.answers for each, answer in answered if isinstance(answer, str)}
        for order in over | {each.order for each in closed}:
            self._open.pop(order or "", None)
        for command in settled.commands:
            self._obey(command)
        self._beat()

    def _settle_one_by_one(
        self, questions: list[_Question], ends: list[_End], expired: list[_Deadline]
    ) -> None:
        self._settle(questions, [], expired)
        for end in ends:
            try:
                self._settle([], [end], [])
            except FenceError:
                LOG.warning("order %s was taken over by another engine", end.order.id)
                self._open.pop(end.order.id, None)

    def _put_off(
        self, questions: list[_Question], later: Sequence[_Timed], error: PipelineKitError
    ) -> None:
        for question in questions:
            question.reply.set_exception(error)
        again = now() + timedelta(seconds=RETRY_SECONDS)
        for timed in later:
            self._timers.add(again, timed)

    def _obey(self, command: Command) -> None:
        match command:
            case Run(order):
                if str(order.type) in self._hands.able:
                    self._accept(Claim(order))
            case Ask(action_execution, token, due):
                if action_execution in self._open:
                    order = self._open[action_execution]
                    self._await(replace(order, token=token, due=due))
            case Halt(action_execution):
                if action_execution in self._open:
                    self._hands.halt(self._open[action_execution])

    def _accept(self, claim: Claim) -> None:
        order = claim.order
        self._open[order.id] = order
        if order.deadline is not None:
            self._timers.add(order.deadline, _Deadline(order.id))
        if order.token is not None and not claim.halt:
            self._await(order)
        else:
            self._hands.take(claim)

    def _await(self, order: Order) -> None:
        self._open[order.id] = order
        if order.due is not None:
            self._timers.add(order.due, _Due(order.id))

    def _ask_again(self, order_id: str) -> None:
        order = self._open.get(order_id)
        if order is not None and order.due is not None and order.due <= now():
            self._open[order_id] = replace(order, due=None)
            self._hands.take(Claim(order))

    def _look(self) -> None:
        present = now()
        if (present - self._looked).total_seconds() < LOOK_SECONDS or self._closing:
            return
        self._looked = present
        seen = (self._store.version(), self._hands.able)
        bury = (present - self._buried).total_seconds() >= BURY_SECONDS
        dead = self._incarnation.dead() if bury else []
        self._buried = present if bury else self._buried
        if seen == self._seen and not dead:
            return
        self._desk.refresh()
        for claim in self._store.take(self._incarnation.id, dead, self._hands.able):
            if claim.halt or claim.order.id not in self._open:
                self._accept(claim)
        self._incarnation.bury(dead)
        self._seen = seen
        self._beat()

    def _beat(self) -> None:
        with self._pulse:
            self._beats += 1
            self._pulse.notify_all()


def _expired(order: Order) -> Asked:
    event = Expired(
        id=new_id(),
        pipeline=order.pipeline,
        at=now(),
        by="clock",
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
    )
    return Asked(event)


def _reported(order: Order, report: Report) -> Asked:
    event = Reported(
        id=new_id(),
        pipeline=order.pipeline,
        at=now(),
        by=str(order.type),
        execution=order.execution,
        stage=order.stage,
        action=order.action,
        action_execution=order.id,
        outcome=report.outcome,
        artifacts=report.artifacts,
    )
    return Asked(event, None if isinstance(report.outcome, Waiting) else order.id)
