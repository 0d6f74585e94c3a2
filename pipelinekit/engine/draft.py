"""A decision in the making: what the state says, with the changes so far laid over it."""

from collections.abc import Iterator
from typing import TypeVar
from uuid import UUID, uuid5

from msgspec.structs import replace

from pipelinekit.engine.tables import Status, legal
from pipelinekit.model.action import Action
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.command import Command
from pipelinekit.model.errors import (
    ExecutionNotFound,
    IllegalMove,
    PipelineKitError,
    PipelineNotFound,
    PipelineVersionNotFound,
    StageNotFound,
)
from pipelinekit.model.event import Event
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    PipelineExecution,
    PipelineRecord,
    StageExecution,
    StageState,
)
from pipelinekit.model.move import Move
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.row import Row
from pipelinekit.model.state import Key, State
from pipelinekit.model.status import ActionStatus, PipelineStatus, StageStatus

R = TypeVar("R", bound=Row)

ATTEMPTED = (ActionExecution, RuleExecution, ConditionExecution)
"""The rows of which a new one with the same key begins anew."""

MOVING = (PipelineExecution, StageExecution, *ATTEMPTED)
"""The rows that have a status whose changes are told."""

_IN_PROGRESS = frozenset({PipelineStatus.IN_PROGRESS, StageStatus.IN_PROGRESS})


class Decision(Noun, gc=True):
    """What follows from an event.

    Attributes:
        rows: The rows that are new or changed; an attempt before the one that follows it.
        commands: What the world outside is to do.
        answer: What the asker is told, such as the id of a new execution.
        moves: Every change of status, in order.
        refusal: Why the asker is refused although there is something to write, such as the try.
        deleted: Whether nothing of the pipeline remains.
        forgotten: The executions of which nothing remains.
        kept: Whether the event belongs in the journal although nothing may follow from it.
    """

    rows: tuple[Row, ...]
    commands: tuple[Command, ...]
    answer: str = ""
    moves: tuple[Move, ...] = ()
    refusal: PipelineKitError | None = None
    deleted: bool = False
    forgotten: tuple[str, ...] = ()
    kept: bool = False


class Draft:
    """Reads through to the state and keeps every change to itself."""

    def __init__(self, state: State, event: Event) -> None:
        self._state = state
        self._rows: dict[tuple[type[object], Key], Row] = {}
        self._past: list[Row] = []
        self._commands: list[Command] = []
        self._moves: list[Move] = []
        self._space: UUID | None = None
        self.event = event
        self.at = event.at
        self.answer = ""
        self.refusal: PipelineKitError | None = None
        self.deleted = False
        self.forgotten: tuple[str, ...] = ()
        self.kept = False

    def decision(self) -> Decision:
        """Give what has been decided."""
        return Decision(
            rows=(*self._past, *self._rows.values()),
            commands=tuple(self._commands),
            answer=self.answer,
            moves=tuple(self._moves),
            refusal=self.refusal,
            deleted=self.deleted,
            forgotten=self.forgotten,
            kept=self.kept,
        )

    def get(self, kind: type[R], *key: str) -> R | None:
        """Find a row as it stands after the changes so far."""
        row = self._rows.get((kind, key))
        return row if isinstance(row, kind) else self._state.get(kind, key)

    def all(self, kind: type[R]) -> Iterator[R]:
        """Go through the rows of a kind that stood before the changes."""
        return self._state.all(kind)

    def put(self, row: Row) -> None:
        """Write a row.

        Raises:
            IllegalMove: Its status does not follow from the one before.
        """
        kind, key = type(row), row.key
        latest = self._rows.get((kind, key))
        move = _move(latest or self._state.get(kind, key), row)
        if move is not None:
            self._moves.append(move)
        if latest is not None and _is_new(latest, row):
            self._past.append(latest)  # the end of an attempt that is followed by another at once
        self._rows[kind, key] = row

    def command(self, command: Command) -> None:
        """Have something done outside."""
        self._commands.append(command)

    def derive(self, *names: str) -> str:
        """Make an id that is always the same for this event and these names."""
        self._space = self._space or UUID(self.event.id)
        return str(uuid5(self._space, "\n".join(names)))

    def record(self) -> PipelineRecord:
        """Give the pipeline's own row, or raise PipelineNotFound."""
        record = self.get(PipelineRecord, self.event.pipeline)
        if record is None:
            raise PipelineNotFound(
                f"pipeline {self.event.pipeline!r} was asked for and is not defined here; "
                f"define it first, or list the pipelines there are"
            )
        return record

    def definition(self, version: int) -> Pipeline:
        """Give a version of the definition that some row refers to."""
        definition = self.get(Definition, str(version))
        if definition is None:
            raise PipelineVersionNotFound(
                f"version {version} of pipeline {self.event.pipeline!r} was asked for and is not "
                f"stored; use the current one"
            )
        return definition.body

    def editor(self, version: int) -> str:
        """Name who wrote a version of the definition; empty where nobody knows."""
        definition = self.get(Definition, str(version))
        return definition.by if definition else ""

    def execution(self, execution: str) -> PipelineExecution:
        """Give an execution's row, or raise PipelineNotFound or ExecutionNotFound."""
        row = self.get(PipelineExecution, execution)
        if row is None:
            self.record()
            raise ExecutionNotFound(
                f"execution {execution!r} was asked for and pipeline {self.event.pipeline!r} "
                f"has none of that id; list its history to find the right one"
            )
        return row

    def stage(self, execution: PipelineExecution, name: str) -> Stage:
        """Give the declaration of a stage that an execution runs by, or raise StageNotFound."""
        return self.stage_of(self.definition(execution.version), name)

    def stage_of(self, definition: Pipeline, name: str) -> Stage:
        """Give the declaration of a stage, or raise StageNotFound."""
        stage = definition.stage(name)
        if stage is None:
            known = ", ".join(stage.name for stage in definition.stages)
            raise StageNotFound(
                f"stage {name!r} was asked for and pipeline {definition.name!r} has none of that "
                f"name; name one of its stages: {known}"
            )
        return stage

    def stage_state(self, stage: str) -> StageState:
        """Give who is in a stage and who waits for it."""
        return self.get(StageState, stage) or StageState(self.event.pipeline, stage)

    def stage_states(self) -> Iterator[StageState]:
        """Go through the stages that executions have come to."""
        return (self.stage_state(row.stage) for row in self._state.all(StageState))

    def stage_execution(self, execution: str, stage: str) -> StageExecution:
        """Give the row of an execution that has entered a stage."""
        row = self.get(StageExecution, execution, stage)
        if row is None:
            raise StageNotFound(
                f"execution {execution} has not entered stage {stage!r}, so there is nothing to "
                f"change in it"
            )
        return row

    def attempts(self, execution: str, stage: Stage) -> Iterator[tuple[Action, ActionExecution]]:
        """Go through a stage's actions that were begun, each with its latest attempt."""
        for action in stage.actions:
            row = self.get(ActionExecution, execution, stage.name, action.name)
            if row is not None:
                yield action, row

    def under_way(self) -> list[ActionExecution | RuleExecution]:
        """List the actions and rules of the pipeline whose work has not ended."""
        rows: list[ActionExecution | RuleExecution] = list(self._state.all(ActionExecution))
        rows.extend(self._state.all(RuleExecution))
        return [row for row in rows if row.status is ActionStatus.IN_PROGRESS]

    def live(self) -> list[PipelineExecution]:
        """List the executions that have not ended, oldest first."""
        now = {row.id: row for row in self._rows.values() if isinstance(row, PipelineExecution)}
        rows = [now.get(row.id, row) for row in self._state.all(PipelineExecution)]
        return sorted((row for row in rows if not row.ended), key=lambda row: row.number)

    def has_live(self, most: int) -> bool:
        """Tell whether so many executions have not ended."""
        return self._state.count(PipelineExecution) >= most and len(self.live()) >= most

    def count(self, stage: StageExecution, *, running: int = 0, failed: int = 0) -> None:
        """Add to the counters of a stage."""
        self.put(
            replace(
                stage,
                running=stage.running + running,
                failed=stage.failed + failed,
                updated=self.at,
            )
        )


def _move(before: Row | None, after: Row) -> Move | None:
    new = _status(after)
    if new is None:
        return None
    old = None if _is_new(before, after) else _status(before)
    if old is not None and not legal(old, new):
        raise IllegalMove(f"{type(after).__name__} {after.key}: {old} -> {new}")
    resumed = old is not None and new in _IN_PROGRESS
    return None if old is new else _told(after, new, resumed=resumed)


def _told(row: Row, status: Status, *, resumed: bool) -> Move | None:
    match row:
        case PipelineExecution():
            return Move(row.id, status, resumed=resumed)
        case StageExecution():
            return Move(row.execution, status, row.stage, resumed=resumed)
        case ActionExecution():
            return Move(row.execution, status, row.stage, row.action, row.id)
        case _:
            return None


def _status(row: Row | None) -> Status | None:
    return row.status if isinstance(row, MOVING) else None


def _is_new(before: Row | None, after: Row) -> bool:
    return isinstance(after, ATTEMPTED) and _attempt(before) != after.attempt


def _attempt(row: Row | None) -> int:
    return row.attempt if isinstance(row, ATTEMPTED) else 0
