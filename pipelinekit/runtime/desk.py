"""The desk where events are decided and committed, many at a time."""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence

from msgspec import Struct, field

from pipelinekit.engine.decide import decide
from pipelinekit.engine.draft import Decision
from pipelinekit.model.check import RuleExecution
from pipelinekit.model.command import Command
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.event import (
    Answered,
    AnswerRefused,
    Event,
    Expired,
    JobEvent,
    OverrideRequested,
    Progressed,
    Reported,
    RetryRequested,
    RollbackRequested,
    Started,
    StopRequested,
)
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageState, StartToken
from pipelinekit.model.move import Move
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.model.state import Key, State
from pipelinekit.ports.store import ConflictError, Entry, Query, Store
from pipelinekit.tools.on_error import on_error

TRIES = 50
KEPT_EXECUTIONS = 50
ATTEMPTS = (ActionExecution, RuleExecution)
"""The rows of which a pipeline's state has the latest, and the store all."""


class Asked(Noun):
    """An event that is to be decided.

    Attributes:
        event: What happened.
        answers: The order that is done with it.
    """

    event: Event
    answers: Order | None = None


class Closed(Noun):
    """An order that is over although no event says so, because it was halted."""

    order: Order


class Settled(Noun, gc=True):
    """What came of a batch, after its commit.

    Attributes:
        answers: For each event that was asked the answer, or why it was refused.
        commands: What is to be done outside.
        turned: The executions that have ended, or wait for somebody.
    """

    answers: tuple[str | PipelineKitError, ...]
    commands: tuple[Command, ...]
    turned: frozenset[str]


class _Working(Struct):
    state: State
    seen: int
    full: int = KEPT_EXECUTIONS


class _Part(Struct):
    working: _Working
    events: list[Event] = field(default_factory=list)
    moves: list[tuple[Move, ...]] = field(default_factory=list)
    deleted: bool = False
    refused: bool = False
    forgotten: set[str] = field(default_factory=set)
    rows: dict[tuple[type[Row], Key], Row] = field(default_factory=dict)
    commands: list[Command] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)

    def done(self, order: Order) -> None:
        self.answered[order.id] = order.fence

    def turned(self) -> Iterator[str]:
        for row in self.rows.values():
            if isinstance(row, PipelineExecution) and row.ended:
                yield row.id
            elif isinstance(row, ActionExecution) and row.token:
                yield row.execution


class Desk:
    """Keeps the working state of pipelines between events; the store checks that it is fresh.

    What another process wrote to a pipeline is noticed when it matters: a commit is refused, and
    the event decided anew; a refusal counts only if nothing was written since.

    Args:
        store: Where commits go.
        owner: The engine whose orders these are; None for a process that only asks.
        able: Gives the action types, as text, that the engine carries out.
    """

    def __init__(
        self,
        store: Store,
        owner: str | None = None,
        able: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._store = store
        self._owner = owner
        self._able = able
        self._working: dict[str, _Working] = {}
        self._version: int | None = None
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Forget what is known."""
        self._working.clear()
        self._version = None

    def settle(self, asked: Sequence[Asked], closed: Sequence[Closed] = ()) -> Settled:
        """Decide events in their order and commit all that follows at once.

        Raises:
            StoreError: The store could not be written; nothing of the batch counts.
            FenceError: An order that was answered is held by another engine.
        """
        for attempt in range(TRIES):
            try:
                # What was decided and not committed must not be remembered.
                with on_error(self.refresh), self._lock:
                    return self._settle(asked, closed)
            except ConflictError:
                time.sleep(random.uniform(0, 0.002 * (attempt + 1)))  # noqa: S311 - not a secret
        raise PipelineKitError(
            f"a change was asked for {TRIES} times and other processes were always faster; "
            f"try again"
        )

    def _settle(self, asked: Sequence[Asked], closed: Sequence[Closed]) -> Settled:
        if self._version is None:
            self._version = self._store.version()
        self._begin({each.event.pipeline for each in asked})
        parts: dict[str, _Part] = {}
        answers: list[str | PipelineKitError] = []
        for each in asked:
            part = self._part(parts, each.event.pipeline, each.event)
            answers.append(self._decide(part, each))
        for pipeline, part in parts.items():
            if part.refused and self._stale(part.working, pipeline):
                raise ConflictError("what was refused may be possible by now")
        for over in closed:
            self._part(parts, over.order.pipeline).done(over.order)
        self._commit(parts)
        commands = tuple(command for part in parts.values() for command in part.commands)
        turned = frozenset(name for part in parts.values() for name in part.turned())
        return Settled(tuple(answers), commands, turned)

    def _begin(self, pipelines: set[str]) -> None:
        """Look at once which of several pipelines are new here, since nothing is to be loaded."""
        strangers = pipelines - self._working.keys()
        if len(strangers) > 1:
            for name in strangers - self._store.known(strangers):
                self._working[name] = _Working(State(), 0)

    def _commit(self, parts: dict[str, _Part]) -> None:
        entries = [
            self._entry(pipeline, part)
            for pipeline, part in parts.items()
            if part.events or part.answered
        ]
        if entries:
            self._store.commit(entries)
        for part in parts.values():
            part.working.seen += len(part.events)
            _forget_old(part.working)

    def _entry(self, pipeline: str, part: _Part) -> Entry:
        return Entry(
            pipeline=pipeline,
            seen=part.working.seen,
            events=tuple(part.events),
            moves=tuple(part.moves),
            deleted=part.deleted,
            forgotten=tuple(part.forgotten),
            rows=tuple(part.rows.values()),
            commands=tuple(part.commands),
            answered=part.answered,
            owner=self._owner,
            able=self._able(),
        )

    def _stale(self, working: _Working, pipeline: str) -> bool:
        if self._store.version() == self._version:
            return False
        return self._store.load(pipeline)[1] != working.seen

    def _decide(self, part: _Part, asked: Asked) -> str | PipelineKitError:
        try:
            decision = decide(part.working.state, asked.event)
        except PipelineKitError as refusal:
            part.refused = True
            return refusal
        changed = decision.rows or decision.commands or decision.deleted or decision.forgotten
        if changed or decision.kept:
            self._note(part, asked.event, decision)
        if asked.answers is not None:
            part.done(asked.answers)
        if decision.refusal is not None:
            part.refused = True
            return decision.refusal
        return decision.answer

    def _note(self, part: _Part, event: Event, decision: Decision) -> None:
        if decision.deleted:
            part.working.state = State()
            part.rows.clear()
            part.deleted = True
        part.working.state.apply(decision.rows)
        if decision.forgotten:
            part.working.state.forget(decision.forgotten)
            part.forgotten.update(decision.forgotten)
        part.events.append(event)
        part.moves.append(decision.moves)
        part.commands.extend(decision.commands)
        for row in decision.rows:
            key = row.key
            if isinstance(row, ATTEMPTS):
                key = (row.id,)
            part.rows[type(row), key] = row

    def _part(self, parts: dict[str, _Part], pipeline: str, event: Event | None = None) -> _Part:
        if pipeline not in parts:
            working = self._working.get(pipeline)
            if working is None:
                working = self._working[pipeline] = _Working(*self._store.load(pipeline))
            parts[pipeline] = _Part(working)
        part = parts[pipeline]
        if event is not None:
            self._bring(part, pipeline, event)
        return part

    def _bring(self, part: _Part, pipeline: str, event: Event) -> None:
        if part.deleted:  # what it had is in the store until this batch's commit
            return
        match event:
            case Started(token=str() as token):
                found = self._store.find(StartToken, Query(pipeline=pipeline, id=token))
                part.working.state.apply(found)
            case RollbackRequested():
                self._bring_execution(part, pipeline, event.target)
            case (
                Answered()
                | AnswerRefused()
                | Expired()
                | JobEvent()
                | OverrideRequested()
                | Progressed()
                | Reported()
                | RetryRequested()
                | StopRequested()
            ):
                self._bring_execution(part, pipeline, event.execution)
            case _:
                pass

    def _bring_execution(self, part: _Part, pipeline: str, execution: str) -> None:
        state = part.working.state
        # What this batch forgets is in the store until its commit, and must not come back.
        if state.get(PipelineExecution, (execution,)) is None and execution not in part.forgotten:
            old, _ = self._store.load(pipeline, execution)
            state.apply(old.of(execution))


def _forget_old(working: _Working) -> None:
    state = working.state
    if state.count(PipelineExecution) <= working.full:
        return
    ended = {row.id for row in state.all(PipelineExecution) if row.ended}
    if len(ended) > KEPT_EXECUTIONS:
        states = list(state.all(StageState))
        state.forget(ended - {row.latest for row in states} - {row.good for row in states})
    working.full = state.count(PipelineExecution) + KEPT_EXECUTIONS  # a look costs as many rows
