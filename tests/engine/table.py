"""The table at which decisions are made, what is under way on it, and a judge who sees it all."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pipelinekit.engine.decide import decide, replay
from pipelinekit.engine.draft import Decision
from pipelinekit.model.command import Halt, Run
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.event import Defined, Event, Reported, RollbackRequested
from pipelinekit.model.execution import (
    Definition,
    OutputVariables,
    PipelineExecution,
    Produced,
    StageState,
    StartToken,
)
from pipelinekit.model.order import Order, Waiting
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.row import Row
from pipelinekit.model.state import State
from tests.engine.laws.judge import Judge
from tests.engine.plain import Clerk, Plain
from tests.engine.plans import plan
from tests.engine.world import NOON

OMITTED = (Definition, Produced, OutputVariables, StartToken)
"""Rows that the judge is not told of, since he has to know from the events what they say."""


class Sealed(State):
    """A state that nobody can change while a decision is made."""

    def __init__(self) -> None:
        self.shut = False
        super().__init__()

    def apply(self, rows: Iterable[Row]) -> None:
        """Put rows in, unless something is being decided."""
        assert not self.shut, "a decision changed the state"
        super().apply(rows)


class Table:
    """A pipeline to which things happen.

    Attributes:
        plan: The number of its definition; None when there is none.
        open: The orders under way, by id.
        gone: Orders that have ended, oldest first.
        runs: The ids of its executions, oldest first.
        events: How many events there were, refused ones too.
    """

    def __init__(self) -> None:
        self.judge = Judge()
        self.state = Sealed()
        self.plan: int | None = None
        self.open: dict[str, Order] = {}
        self.gone: list[Order] = []
        self.runs: list[str] = []
        self.events = 0
        self.at = NOON
        self._journal: list[Event] = []
        self._clerk = Clerk()

    @property
    def pipeline(self) -> Pipeline:
        """Give the definition that is in force."""
        assert self.plan is not None, "the pipeline is deleted"
        return plan(self.plan)

    def common(self, by: str = "ann") -> dict[str, Any]:
        """Give what the next event bears."""
        self.at += timedelta(seconds=1)
        identity = f"00000000-0000-0000-0000-{self.events + 1:012x}"
        return {"id": identity, "pipeline": "shop", "at": self.at, "by": by}

    def happen(self, event: Event) -> Decision | None:
        """Have an event decided and judged; give None when it is refused."""
        self.events += 1
        self.state.shut = True
        try:
            decision = decide(self.state, event)
        except PipelineKitError as refusal:
            self.judge.refused(self._clerk.write(event), type(refusal).__name__)
            return None
        finally:
            self.state.shut = False
        self._journal.append(event)
        if decision.deleted:
            self._clear()
        self.state.apply(decision.rows)
        self._obey(event, decision)
        self.judge.decided(self._record(event, decision))
        return decision

    def define(self, number: int, *, unless_same: bool = False) -> None:
        """Put a definition in force."""
        definition = plan(number)
        common = self.common("eve")
        self.plan = number
        self.happen(Defined(**common, definition=definition, unless_same=unless_same))

    def check_replay(self) -> None:
        """Hold that the journal gives the same state, whether old executions are there or not."""
        assert replay(self._journal) == self.state, "the journal gives another state"
        assert _recalled(self._journal) == self.state, "an old execution has a say in a decision"

    def _obey(self, event: Event, decision: Decision) -> None:
        if isinstance(event, Reported) and not isinstance(event.outcome, Waiting):
            self._close(event.action_execution)
        for command in decision.commands:
            if isinstance(command, Run):
                self.open[command.order.id] = command.order
            elif isinstance(command, Halt):
                self._close(command.action_execution)

    def _close(self, identity: str) -> None:
        order = self.open.pop(identity, None)
        if order is not None:
            self.gone.append(order)

    def _clear(self) -> None:
        self.state = Sealed()
        self.plan = None
        self.gone += self.open.values()
        self.open.clear()
        self.runs.clear()

    def _record(self, event: Event, decision: Decision) -> Plain:
        write = self._clerk.write
        return {
            "event": write(event),
            "rows": [write(row) for row in decision.rows if not isinstance(row, OMITTED)],
            "moves": [write(move) for move in decision.moves],
            "commands": [write(command) for command in decision.commands],
            "answer": decision.answer,
            "refusal": type(decision.refusal).__name__ if decision.refusal else "",
            "deleted": decision.deleted,
        }


def _recalled(journal: Iterable[Event]) -> State:
    """Decide each event on what has not ended, and on what it names; give all rows there are."""
    rows, working = State(), State()
    for event in journal:
        named = event.target if isinstance(event, RollbackRequested) else _execution_of(event)
        working.apply(rows.of(named))
        decision = decide(working, event)
        if decision.deleted:
            rows, working = State(), State()
        rows.apply(decision.rows)
        working.apply(decision.rows)
        ended = {row.id for row in working.all(PipelineExecution) if row.ended}
        lines = list(working.all(StageState))
        working.forget(ended - {line.latest for line in lines} - {line.good for line in lines})
    return rows


def _execution_of(event: Event) -> str:
    return getattr(event, "execution", "")
