"""Chooses what a person means who answers, overrides or retries, out of what there is."""

from collections.abc import Container, Iterable, Sequence
from typing import Protocol, TypeVar

from pipelinekit.engine.review import FREEZE, asks
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.errors import ActionNotFound, StageNotRetryable, ValidationError
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageExecution
from pipelinekit.model.status import ActionStatus, StageStatus
from pipelinekit.wire.words import SHORT_ID

Row = TypeVar("Row", ActionExecution, RuleExecution)


class Asked(Protocol):
    """An execution of which something is asked."""

    pipeline: str
    id: str

    @property
    def execution(self) -> PipelineExecution:
        """Give it as it stands."""
        ...

    @property
    def stages(self) -> list[StageExecution]:
        """List the stages that it has entered, in order."""
        ...


def called(run: Asked) -> str:
    """Name an execution as people are shown it."""
    return f"execution {run.id[:SHORT_ID]} of {run.pipeline}"


def approvals(rows: Iterable[ActionExecution]) -> list[ActionExecution]:
    """Choose the approvals that wait for an answer."""
    return [row for row in rows if row.status is ActionStatus.IN_PROGRESS and asks(row.type)]


def late(
    asked: str,
    seconds: float | None,
    rows: Iterable[ActionExecution],
    able: Container[ActionTypeId],
) -> str:
    """Say that an execution has not come so far in time, and what keeps it where that is known.

    Args:
        asked: Which one was waited for, and until when.
        seconds: How long.
        rows: Its actions.
        able: The types of action that this process carries out.
    """
    under_way = (row for row in rows if row.status is ActionStatus.IN_PROGRESS)
    others = ", ".join(f"{row.stage}/{row.action}" for row in under_way if row.type not in able)
    advice = (
        f"nothing in this process carries out {others}: where no other process does, run the "
        f"cell that declares its function, or start its job worker"
    )
    told = advice if others else "it can be waited for again"
    return f"{asked}, and {seconds} seconds are over; it goes on, and {told}"


def freezes(rows: Iterable[Row]) -> list[Row]:
    """Choose the freezes whose end is waited for; one that was not looked at yet tells nothing."""
    under_way = (row for row in rows if row.status is ActionStatus.IN_PROGRESS)
    return [row for row in under_way if row.type.provider == FREEZE and row.summary]


def the_one(waiting: Sequence[ActionExecution], action: str | None, asked: str) -> ActionExecution:
    """Choose what is to be answered.

    Args:
        waiting: What waits.
        action: Its name; None where only one waits.
        asked: What was asked for, for the message.

    Raises:
        ActionNotFound: None waits, or several do.
    """
    meant = [row for row in waiting if action in {None, row.action}]
    if len(meant) == 1:
        return meant[0]
    if not waiting:
        raise ActionNotFound(f"{asked}, and none waits; look at its status for what goes on")
    found = ", ".join(row.action for row in waiting)
    if action is None:
        raise ActionNotFound(f"{asked}; several wait: {found}; say which by its action's name")
    raise ActionNotFound(
        f"{asked}, and {action!r} waits for none; those that wait are: {found}; name one of them"
    )


def the_failed(run: Asked, what: str) -> str:
    """Choose the stage that is to be run again: the last one that failed or was stopped.

    Args:
        run: The execution.
        what: What was to be done with it, such as `retried`, for the message.

    Raises:
        StageNotRetryable: There is none.
    """
    over = {StageStatus.FAILED, StageStatus.STOPPED}
    failed = [row.stage for row in run.stages if row.status in over or row.failed]
    if failed:
        return failed[-1]
    row = run.execution
    advice = "start a new one" if row.ended else "that can be done once one has"
    raise StageNotRetryable(
        f"{called(run)} was to be {what}, but none of its stages failed or was stopped: it is "
        f"{row.status}, in {row.stage}; {advice}"
    )


def the_condition(checks: Sequence[ConditionExecution], asked: str | None) -> ConditionType:
    """Choose the condition of a stage that is to be overridden.

    Args:
        checks: What was checked of the stage, the latest last.
        asked: BEFORE_ENTRY or ON_SUCCESS; the one that was checked last when None.

    Raises:
        ValidationError: There is no such condition.
    """
    if asked is None:
        return checks[-1].condition if checks else ConditionType.BEFORE_ENTRY
    if asked not in set(ConditionType):
        raise ValidationError(
            f"condition {asked!r} was to be overridden; write one of {', '.join(ConditionType)}"
        )
    return ConditionType(asked)
