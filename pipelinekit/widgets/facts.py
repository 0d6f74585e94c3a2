"""What a drawing shows, read once: every stage and action with what has become of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipelinekit.kit.logs import tail
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action
from pipelinekit.model.execution import (
    ActionExecution,
    ActionStatus,
    PipelineExecution,
    StageExecution,
    StageStatus,
)
from pipelinekit.model.pipeline import Stage
from pipelinekit.wire.words import (
    AT_THE_DOOR,
    FAILED,
    IN_PROGRESS,
    MARKS,
    NOT_STARTED,
    WAITING,
    Mark,
    shortened,
)

LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """An action, and its latest attempt where a run is drawn.

    Attributes:
        stage: The stage's name.
        mark: How it stands; None when no run is drawn.
        seconds: How long it took, or has taken until now.
        log: The last lines of its log, where they are of interest.
    """

    stage: str
    action: Action
    mark: Mark | None = None
    attempt: ActionExecution | None = None
    seconds: float | None = None
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageFacts:
    """A stage, with its actions by run order; see `ActionFacts`."""

    stage: Stage
    groups: tuple[tuple[ActionFacts, ...], ...]
    mark: Mark | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as it stood at one moment.

    Attributes:
        mark: How it stands.
        seconds: How long it took, or has taken until now.
    """

    execution: PipelineExecution
    mark: Mark
    seconds: float
    stages: tuple[StageFacts, ...]

    @property
    def notable(self) -> Iterator[ActionFacts]:
        """Go through the actions that wait for somebody, have failed, or are under way."""
        shown = {WAITING, FAILED, IN_PROGRESS}
        for stage in self.stages:
            for group in stage.groups:
                yield from (each for each in group if each.mark in shown)


def planned(stage: Stage) -> StageFacts:
    """Take a stage as it is declared."""
    return StageFacts(
        stage,
        tuple(
            tuple(ActionFacts(stage.name, action) for action in group) for group in stage.groups
        ),
    )


def observed(run: Run, present: datetime) -> RunFacts:
    """Read how a run stands.

    Args:
        run: The run.
        present: Until when things under way have taken, UTC.
    """
    reading = _Reading(run, present)
    execution = run.execution
    stages = tuple(reading.stage(stage, execution) for stage in run.definition.stages)
    mark = MARKS[execution.status]
    if any(stage.mark is WAITING for stage in stages) and mark is IN_PROGRESS:
        mark = WAITING
    end = execution.updated if execution.ended else present
    return RunFacts(execution, mark, _seconds(execution.started, end), stages)


class _Reading:
    def __init__(self, run: Run, present: datetime) -> None:
        self._run = run
        self._present = present
        self._stages = {row.stage: row for row in run.stages}
        self._actions = {(row.stage, row.action): row for row in run.actions}
        self._waiting = {row.id for row in run.waiting}

    def stage(self, stage: Stage, execution: PipelineExecution) -> StageFacts:
        groups = tuple(
            tuple(self._action(stage.name, action) for action in group) for group in stage.groups
        )
        row = self._stages.get(stage.name)
        if row is None:
            ahead = not execution.ended and execution.stage == stage.name
            return StageFacts(stage, groups, AT_THE_DOOR if ahead else NOT_STARTED)
        busy = row.status in {StageStatus.IN_PROGRESS, StageStatus.STOPPING}
        end = self._present if busy else row.updated
        return StageFacts(stage, groups, _stage_mark(row, groups), _seconds(row.started, end))

    def _action(self, stage: str, action: Action) -> ActionFacts:
        row = self._actions.get((stage, action.name))
        if row is None:
            return ActionFacts(stage, action, NOT_STARTED)
        mark = WAITING if row.id in self._waiting else MARKS[row.status]
        busy = row.status is ActionStatus.IN_PROGRESS
        end = self._present if busy else row.updated
        loud = mark in {FAILED, IN_PROGRESS}
        log = tail(self._run.log_file(row), LOG_LINES) if loud else ()
        shown = tuple(map(shortened, log))
        return ActionFacts(stage, action, mark, row, _seconds(row.started, end), shown)


def _stage_mark(row: StageExecution, groups: tuple[tuple[ActionFacts, ...], ...]) -> Mark:
    found = {action.mark for group in groups for action in group}
    if row.status is StageStatus.IN_PROGRESS and WAITING in found:
        return IN_PROGRESS if IN_PROGRESS in found else WAITING
    return MARKS[row.status]


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
