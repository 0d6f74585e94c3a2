"""What there is to see of an execution at one moment, as plain data for all ways of showing it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelinekit.kit.kit import Kit
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action
from pipelinekit.model.execution import (
    ActionExecution,
    ActionStatus,
    PipelineExecution,
    PipelineStatus,
    StageExecution,
    StageState,
    StageStatus,
)
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.testreport import TestReport
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import now
from pipelinekit.wire.report_words import totals
from pipelinekit.wire.words import AT_THE_DOOR, MARKS, NOT_STARTED, WAITING, Mark

UNDER_WAY = {StageStatus.IN_PROGRESS, StageStatus.STOPPING}


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for approval that waits for an answer.

    Attributes:
        until: When it fails for want of an answer.
    """

    token: str
    note: str
    link: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class ActionView:
    """The latest attempt of an action; without a status where it has not begun.

    Attributes:
        summary: One line for people, with what its tests came to.
        error: Why it failed, with what its tests came to.
        reports: What its tests came to, in full.
    """

    name: str
    stage: str
    type: str
    status: ActionStatus | None = None
    id: str | None = None
    attempt: int = 0
    started: datetime | None = None
    seconds: float | None = None
    percent: int | None = None
    place: str = "here"
    by: str = ""
    summary: str = ""
    url: str = ""
    error: str = ""
    approval: Approval | None = None
    reports: tuple[TestReport, ...] = ()

    @property
    def mark(self) -> Mark:
        """Give how its status is shown."""
        if self.approval is not None:
            return WAITING
        return MARKS[self.status] if self.status else NOT_STARTED


@dataclass(frozen=True, slots=True)
class Queue:
    """That an execution waits in front of a stage, and whom it waits for.

    Attributes:
        holder: The execution that is in the stage; None when its place is being passed on.
        approval: Whether the holder itself waits for an approval, and for nothing else.
    """

    since: datetime
    holder: str | None
    number: int | None
    approval: bool


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage; without a status where the execution has not entered it."""

    name: str
    status: StageStatus | None
    started: datetime | None
    seconds: float | None
    retries: int
    actions: tuple[ActionView, ...]
    queue: Queue | None = None

    @property
    def mark(self) -> Mark:
        """Give how its status is shown."""
        if self.queue is not None:
            return AT_THE_DOOR
        return MARKS[self.status] if self.status else NOT_STARTED


@dataclass(frozen=True, slots=True)
class ExecutionView:
    """An execution with all stages of its definition.

    Attributes:
        engine: Whether some engine is at work on it.
    """

    pipeline: str
    execution: str
    number: int
    version: int
    status: PipelineStatus
    ended: bool
    trigger: str
    by: str
    started: datetime
    seconds: float
    summary: str
    revisions: dict[str, str]
    engine: bool
    stages: tuple[StageView, ...]

    @property
    def mark(self) -> Mark:
        """Give how its status is shown."""
        if not self.ended and self.waits_for_people and self.status is PipelineStatus.IN_PROGRESS:
            return WAITING
        return MARKS[self.status]

    @property
    def actions(self) -> Iterator[ActionView]:
        """Go through the actions of all stages."""
        return (action for stage in self.stages for action in stage.actions)

    @property
    def approvals(self) -> list[ActionView]:
        """List the actions that wait for an answer."""
        return [action for action in self.actions if action.approval is not None]

    @property
    def waits_for_people(self) -> bool:
        """Tell whether nothing goes on, here or in front of it, until somebody answers."""
        queues = [stage.queue for stage in self.stages if stage.queue is not None]
        if queues:
            return all(queue.approval for queue in queues)
        working = [action for action in self.actions if action.status is ActionStatus.IN_PROGRESS]
        return bool(working) and all(action.approval is not None for action in working)


class Lens:
    """Looks at one execution again and again.

    Args:
        kit: Where it is kept.
        run: The execution.
    """

    def __init__(self, kit: Kit, run: Run) -> None:
        self.kit = kit
        self.run = run
        self._definition = run.definition

    def log(self, action: ActionView) -> Path:
        """Give the file of an action's log; it may not be there."""
        return self.kit.home.jobs / (action.id or "none") / "log"

    def look(self) -> ExecutionView:
        """Give what there is to see now."""
        execution = self.run.execution
        end = execution.updated if execution.ended else now()
        return ExecutionView(
            pipeline=execution.pipeline,
            execution=execution.id,
            number=execution.number,
            version=execution.version,
            status=execution.status,
            ended=execution.ended,
            trigger=execution.cause.type,
            by=execution.cause.detail,
            started=execution.started,
            seconds=(end - execution.started).total_seconds(),
            summary=execution.summary,
            revisions={name: found.id for name, found in sorted(execution.revisions.items())},
            engine=self.kit.engine_alive(),
            stages=tuple(self._stages(execution)),
        )

    def _stages(self, execution: PipelineExecution) -> Iterator[StageView]:
        # Actions first: whatever happens between the two, no action is seen without its stage.
        attempts = {(row.stage, row.action): row for row in self.run.actions}
        entered = self.kit.store.find(StageExecution, Query(execution=execution.id))
        rows = {row.stage: row for row in entered}
        for stage in self._definition.stages:
            row = rows.get(stage.name)
            yield StageView(
                name=stage.name,
                status=row.status if row else None,
                started=row.started if row else None,
                seconds=_seconds(row, row.status in UNDER_WAY) if row else None,
                retries=row.retries if row else 0,
                actions=tuple(
                    _action(stage, action, attempts.get((stage.name, action.name)))
                    for action in stage.actions
                ),
                queue=None if row or execution.ended else self._queue(execution, stage.name),
            )

    def _queue(self, execution: PipelineExecution, stage: str) -> Queue | None:
        if execution.stage != stage:
            return None
        states = self.kit.store.find(StageState, Query(pipeline=execution.pipeline))
        state = next((state for state in states if state.stage == stage), None)
        if state is None or execution.id not in state.waiting:
            return None
        if state.holder is None:
            return Queue(execution.updated, None, None, approval=False)
        holder = Run(self.kit, execution.pipeline, state.holder)
        waiting = {row.id for row in holder.waiting}
        working = {row.id for row in holder.actions if row.status is ActionStatus.IN_PROGRESS}
        only_people = bool(waiting) and waiting == working
        return Queue(execution.updated, holder.id, holder.execution.number, approval=only_people)


def _action(stage: Stage, action: Action, row: ActionExecution | None) -> ActionView:
    if row is None:
        return ActionView(action.name, stage.name, str(action.type))
    under_way = row.status is ActionStatus.IN_PROGRESS
    return ActionView(
        name=action.name,
        stage=stage.name,
        type=str(action.type),
        status=row.status,
        id=row.id,
        attempt=row.attempt,
        started=row.started,
        seconds=_seconds(row, under_way),
        percent=row.percent,
        place=row.place,
        by=row.by,
        summary=_told(row.summary, row),
        url=row.external_url,
        error=_told(f"{row.error.code}: {row.error.message}", row) if row.error else "",
        approval=_approval(row) if under_way and row.token else None,
        reports=row.reports,
    )


def _told(text: str, row: ActionExecution) -> str:
    return "; ".join(filter(None, (text, totals(row.reports))))


def _approval(row: ActionExecution) -> Approval:
    return Approval(
        token=row.token or "",
        note=row.resolved.get("CustomData", ""),
        link=row.resolved.get("ExternalEntityLink", ""),
        since=row.started,
        until=row.deadline,
    )


def _seconds(row: StageExecution | ActionExecution, under_way: bool) -> float:  # noqa: FBT001 - the only choice
    return ((now() if under_way else row.updated) - row.started).total_seconds()
