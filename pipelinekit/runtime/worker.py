"""The worker: takes all events that are ready, decides them in order, commits once.

`handle` is the one door in: nobody is answered before the commit. What a commit wants done goes
out through the hands, after it. One thread does all of it, so an engine is one writer.
"""

import logging
import math
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.errors import EngineOutdated, PipelineKitError, StaleReport
from pipelinekit.model.event import Event
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Claim, Entry, FenceError, Store, Taker
from pipelinekit.runtime.clock import now, steady
from pipelinekit.runtime.desk import Asked, Closed, Desk
from pipelinekit.runtime.engines import Incarnation
from pipelinekit.runtime.hands import NOT_BEGUN, VANISHED, Done, Hands
from pipelinekit.runtime.inbox import Deadline, Due, End, Inbox, Question, Timed
from pipelinekit.runtime.pulse import Pulse
from pipelinekit.runtime.timers import Timers
from pipelinekit.runtime.verdicts import expired, progressed, refused, reported, told
from pipelinekit.tools.failpoint import failpoint

LOG = logging.getLogger("pipelinekit")

LOOK_SECONDS = 0.1
"""How often other processes' writes are looked for; nothing of one's own waits for it."""

LAST_LOOK_SECONDS = 2.0
BURY_SECONDS = 1.0
PROGRESS_SECONDS = 1.0
"""How often it is kept how far the jobs are."""

TAKE_SECONDS = 60.0
RETRY_SECONDS = 1.0


class Worker:
    """An engine at work, until it is closed.

    Args:
        store: Where everything is kept.
        incarnation: This life of the engine.
        hands: Makes the hands, given whom they tell the end of an order.
        clock: Tells the time, UTC; what the worker waits for does not depend on it.

    Attributes:
        pulse: Wakes those who wait for what the worker does.
    """

    def __init__(
        self,
        store: Store,
        incarnation: Incarnation,
        hands: Callable[[Done], Hands],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._store = store
        self._clock = clock
        self._incarnation = incarnation
        self._inbox = Inbox()
        self._hands = hands(self._inbox.end)
        self._desk = Desk(store, incarnation.id, lambda: self._hands.able)
        self._open: dict[str, Order] = {}
        self._timers: Timers[Timed] = Timers()
        self._seen: tuple[int, Collection[str]] = (-1, ())
        self._term = incarnation.check()
        self._unsure = self._lapsed = False
        self._refusals: list[tuple[Order, str]] = []
        self._looked = self._buried = self._took = self._heard = -math.inf
        self.pulse = Pulse()
        self._closing = False
        self._leaving, self._left = threading.Event(), threading.Event()
        self._questions: list[Question] = []
        self._thread = threading.Thread(target=self._work, name="pipelinekit", daemon=True)
        self._thread.start()
        self._inbox.wake()  # to look at once for what others have left
        self._deafen = store.hints.listen(self._look_now) if store.hints else lambda: None

    def handle(self, event: Event) -> str:
        """Have an event decided; give the answer once it is durable.

        Raises:
            PipelineKitError: It was refused, and changed nothing.
        """
        return self._inbox.ask(event)

    @property
    def alive(self) -> bool:
        """Tell whether it is at work."""
        return self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Tell whether nothing is under way but what waits for a person."""
        orders = list(self._open.values())
        return all(order.token is not None and order.due is None for order in orders)

    def close(self) -> None:
        """Stop taking work; what runs in runners goes on without this engine.

        What was halted until now is still ended, since nobody else may ever come to do it. What
        this engine held is nobody else's here while calls in threads go on, or it would run twice.
        """
        if self._leaving.is_set():
            return
        calls: list[threading.Thread] = []
        try:
            self._deafen()
            self._look_once_more()
            calls = self._hands.close()
        finally:
            self._closing = True
            self._inbox.wake()
            self._thread.join()
            self._incarnation.close(calls)

    def _look_once_more(self) -> None:
        self._leaving.set()
        self._inbox.wake()
        if self.alive:
            self._left.wait(LAST_LOOK_SECONDS)

    def _look_now(self) -> None:
        """Look at once: another process has written something for engines."""
        self._looked = -math.inf
        self._inbox.wake()

    def _work(self) -> None:
        try:
            while not (self._closing and self._inbox.empty):
                self._work_once()
            self._give_back()
        except EngineOutdated as error:
            LOG.error("this engine ends: %s", error)  # noqa: TRY400 - the sentence says it all
        finally:
            self._inbox.close(self._questions)
            if not self._closing:  # others are to take over what this engine held
                self._incarnation.close()
            self.pulse.beat_for_all()

    def _work_once(self) -> None:
        try:
            items = self._inbox.ready(self._timers.seconds(LOOK_SECONDS))
            self._questions = [item for item in items if isinstance(item, Question)]
            self._turn([item for item in items if isinstance(item, End)])
            leaving = self._leaving.is_set()
            self._listen()
            self._look()
            if leaving:
                self._left.set()
        except EngineOutdated:
            raise
        except PipelineKitError as error:  # of the store: it is said once, and tried again
            LOG.log(logging.DEBUG if self._unsure else logging.WARNING, "%s", error)
            self._desk.refresh()
            self._unsure = True

    def _give_back(self) -> None:
        """Tell at last what was put off, and let go of orders whose calls have not begun."""
        try:
            self._questions = []
            self._turn([each for each in self._timers.rest() if isinstance(each, End)])
            free = tuple(each.id for each in self._open.values() if not self._hands.begun(each))
            if free:
                failpoint("worker.release.before")
                owner = self._incarnation.id
                self._store.commit([Entry(pipeline="", seen=0, released=free, owner=owner)])
        except PipelineKitError as error:  # they are free all the same once this engine is dead
            LOG.warning("%s", error)

    def _turn(self, ends: list[End]) -> None:
        late: list[Deadline] = []
        for timed in self._timers.due():
            match timed:
                case End():
                    ends.append(timed)
                case Deadline():
                    late.append(timed)
                case Due():
                    self._ask_again(timed)
        ours = list({end.order.id: end for end in ends if self._holds(end.order)}.values())
        again = [end for end in ours if end.report is VANISHED or end.report is NOT_BEGUN]
        held = [end for end in ours if end not in again]
        late = [each for each in late if self._is_late(each.order)]
        if not (self._questions or ours or late or self._refusals):
            return
        try:
            self._check()
            if self._questions or held or late or self._refusals:
                self._settle_all(held, late)
            self._resume(again)
        except PipelineKitError as error:
            self._put_off([*ours, *late], error)
            raise

    def _resume(self, ends: list[End]) -> None:
        still = partial(self._incarnation.holds, self._term)
        for end in ends:
            if self._unsure:  # others may have the order; that is known once they were compared
                self._timers.add(RETRY_SECONDS, end)
            elif end.report is VANISHED:
                self._hands.recover(end.order, still)
            elif not self._hands.has(end.order):
                self._hands.take(Claim(end.order), still)

    def _listen(self) -> None:
        """Have it kept how far the jobs are that this engine holds."""
        present = steady()
        if present - self._heard < PROGRESS_SECONDS or self._closing:
            return
        self._heard = present
        heard = [each for each in self._hands.progress() if self._holds(each[0])]
        if heard:
            self._check()
            at = self._clock()
            self._desk.settle([progressed(order, progress, at) for order, progress in heard])

    def _settle_all(self, ends: list[End], late: list[Deadline]) -> None:
        try:
            self._settle(self._questions, ends, late)
        except FenceError:
            self._settle(self._questions, [], late)
            for end in ends:
                self._settle_alone(end)

    def _settle_alone(self, end: End) -> None:
        try:
            self._settle([], [end], [])
        except FenceError as refusal:
            self._tell_refused(end.order, refusal)
            self._drop(end.order)

    def _settle(self, questions: list[Question], ends: list[End], late: list[Deadline]) -> None:
        at = self._clock()
        reports = [reported(end.order, end.report, at) for end in ends if end.report is not None]
        lates = [expired(self._open[each.order], at) for each in late]
        refusals = [refused(order, self._incarnation.id, why, at) for order, why in self._refusals]
        asked = [*(Asked(question.event) for question in questions), *lates, *reports, *refusals]
        closed = [Closed(end.order) for end in ends if end.report is None]
        failpoint("worker.settle.before")
        self._incarnation.ensure()
        settled = self._desk.settle(asked, closed)
        del self._refusals[: len(refusals)]
        for over in closed:
            self._drop(over.order)
        began = min([at, *(question.event.at for question in questions)])
        for command in settled.commands:
            self._obey(command, at, began)
        self._deal_with(asked, settled.answers)
        self.pulse.beat(settled.turned)
        failpoint("worker.reply.before")
        for question, answer in zip(questions, settled.answers, strict=False):
            question.reply.put(answer)
        failpoint("worker.reply.after")

    def _deal_with(self, asked: list[Asked], answers: tuple[str | PipelineKitError, ...]) -> None:
        """Drop the orders that are done; those that no action waits for any more are closed."""
        for each, answer in zip(asked, answers, strict=True):
            if each.answers is None:
                continue
            if isinstance(answer, StaleReport):
                self._close_order(each.answers)
            self._drop(each.answers)

    def _close_order(self, order: Order) -> None:
        try:
            self._desk.settle([], [Closed(order)])
        except FenceError as refusal:
            self._tell_refused(order, refusal)

    def _drop(self, order: Order) -> None:
        self._open.pop(order.id, None)
        self._hands.forget(order)

    def _put_off(self, later: Sequence[Timed], error: PipelineKitError) -> None:
        for question in self._questions:
            question.reply.put(error)
        for timed in later:
            self._timers.add(RETRY_SECONDS, timed)

    def _obey(self, command: Command, at: datetime, began: datetime) -> None:
        failpoint("worker.obey.before")
        match command:
            case Run(order):
                if str(order.type) in self._hands.able:
                    self._accept(Claim(order), began)
            case Ask(action_execution, token, due):
                if action_execution in self._open:
                    order = self._open[action_execution]
                    self._await(replace(order, token=token, due=due), at)
            case Halt(action_execution):
                if action_execution in self._open:
                    self._hands.halt(self._open[action_execution])
                else:
                    self._seen = (-1, ())  # if nobody holds it, `_look` takes it soon

    def _check(self) -> None:
        """Learn whether this engine's lease had ended, so that others may hold what it held."""
        term = self._incarnation.check()
        self._lapsed |= term != self._term
        self._unsure |= self._lapsed
        self._term = term

    def _holds(self, order: Order) -> bool:
        held = self._open.get(order.id)
        return held is not None and held.fence == order.fence

    def _knows(self, order: Order) -> bool:
        """Tell whether an order that this engine holds is under way or waits here."""
        waits = self._holds(order) and self._open[order.id].token is not None
        return waits or (self._holds(order) and self._hands.has(order))

    def _accept(self, claim: Claim, at: datetime) -> None:
        order = claim.order
        self._open[order.id] = order
        if order.deadline is not None:
            self._time(order.deadline - at, Deadline(order.id))
        if order.token is not None and not claim.halt:
            self._await(order, at)
        else:
            self._hands.take(claim, partial(self._incarnation.holds, self._term))

    def _await(self, order: Order, at: datetime) -> None:
        self._open[order.id] = order
        self._hands.forget(order)
        if order.due is not None:
            self._time(order.due - at, Due(order.id, order.due))

    def _time(self, span: timedelta, timed: Timed) -> None:
        self._timers.add(span.total_seconds(), timed)

    def _ask_again(self, due: Due) -> None:
        order = self._open.get(due.order)
        if order is not None and order.due == due.at:
            self._hands.take(Claim(order), partial(self._incarnation.holds, self._term))

    def _is_late(self, order_id: str) -> bool:
        order = self._open.get(order_id)
        return order is not None and not self._hands.finished(order)

    def _look(self) -> None:
        present, leaving = steady(), self._leaving.is_set()
        fresh = present - self._looked < LOOK_SECONDS
        if (fresh and not leaving) or self._closing:
            return
        self._looked = present
        self._check()
        seen = (self._store.version(), self._hands.able)
        bury = present - self._buried >= BURY_SECONDS or leaving
        dead = self._incarnation.dead() if bury else []
        self._buried = present if bury else self._buried
        rested = present - self._took >= TAKE_SECONDS
        if seen == self._seen and not (dead or rested or self._unsure):
            return
        self._took = present
        self._incarnation.ensure()
        able = () if leaving else self._hands.able  # who leaves only ends what is halted
        self._take(Taker(self._incarnation.id, able, dead, self._unsure))
        self._incarnation.bury(dead)
        failpoint("worker.bury.after")
        self._timers.tidy(lambda timed: isinstance(timed, End) or timed.order in self._open)
        self._seen = seen
        self.pulse.beat_for_all()

    def _take(self, taker: Taker) -> None:
        at = self._clock()
        claims = self._store.take(taker, at)
        failpoint("worker.take.after")
        if taker.unsure:
            self._compare({claim.order.id: claim.order.fence for claim in claims})
            self._unsure = self._lapsed = False
        for claim in claims:
            if claim.halt or not self._knows(claim.order):
                self._accept(claim, at)

    def _compare(self, held: Mapping[str, int]) -> None:
        """Let go of what the store says is not this engine's."""
        LOG.warning("the store can be used again, and %d orders are held", len(held))
        for order in list(self._open.values()):
            if held.get(order.id) != order.fence:
                why = "it is not among those held"
                self._tell_refused(order, why, keep=self._lapsed)  # else it may just be done
                self._drop(order)

    def _tell_refused(self, order: Order, why: object, *, keep: bool = True) -> None:
        if keep:
            self._refusals.append((order, str(why)))
        LOG.warning("%s", told(order, why))
