"""What a stage can be rolled back to."""

from collections.abc import Iterator
from itertools import chain

from pipelinekit.model.check import ConditionExecution, ConditionStatus
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.errors import PipelineNotFound, StageNotFound, UnableToRollback
from pipelinekit.model.execution import (
    ActionExecution,
    PipelineExecution,
    PipelineRecord,
    StageExecution,
    StageState,
)
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.status import ExecutionType, StageStatus
from pipelinekit.ports.store import Query, Store

PAGE = 50


def previous(store: Store, pipeline: str, stage: str) -> str:
    """Find the execution that succeeded in a stage before what is there now.

    Raises:
        UnableToRollback: There is none.
        PipelineNotFound: No pipeline has that name.
        StageNotFound: No execution has ever entered such a stage.
    """
    _version(store, pipeline)  # which refuses a pipeline that is not there
    states = store.find(StageState, Query(pipeline=pipeline))
    if all(each.stage != stage for each in states):
        entered = ", ".join(each.stage for each in states) or "none"
        raise StageNotFound(
            f"stage {stage!r} of pipeline {pipeline!r} was to be rolled back; the stages that "
            f"executions have entered are {entered}"
        )
    good = next(targets(store, pipeline, stage), None)
    if good is not None:
        return good
    raise UnableToRollback(
        f"stage {stage!r} of pipeline {pipeline!r} was to be rolled back, and no execution of the "
        f"current definition has succeeded in it other than the one whose work is there; name one "
        f"to have its work done again, or start a new execution"
    )


def targets(store: Store, pipeline: str, stage: str) -> Iterator[str]:
    """List the executions that a stage can be rolled back to, the newest first.

    They go by their numbers, in which they enter a stage too, and not by clocks.
    """
    version = _version(store, pipeline)
    there = at_work_in(store, pipeline, stage)
    for execution in _executions(store, pipeline):
        if execution.version < version:
            return  # so are all before it
        usual = execution.type is not ExecutionType.ROLLBACK and execution.id != there
        if usual and _succeeded(store, execution.id, stage):
            yield execution.id


def at_work_in(store: Store, pipeline: str, stage: str) -> str | None:
    """Name the execution whose work is in a stage; that of a rollback is its target's.

    One that skipped the stage, or that its entry condition kept out, left there what was there.
    """
    newest = store.find(StageExecution, Query(pipeline=pipeline, stage=stage, limit=1))
    if not newest:
        return None  # nobody has ever entered it
    last = store.find(PipelineExecution, Query(id=newest[0].execution))
    # What is left over of a PARALLEL pipeline may have entered it after those with later numbers.
    strays = (each for each in last if each.mode is ExecutionMode.PARALLEL)
    for execution in chain(strays, _executions(store, pipeline)):
        begun = store.find(ActionExecution, Query(execution=execution.id))
        if any(each.stage == stage for each in begun):
            return execution.target or execution.id
    return None


def _version(store: Store, pipeline: str) -> int:
    records = store.find(PipelineRecord, Query(pipeline=pipeline))
    if not records:
        raise PipelineNotFound(f"pipeline {pipeline!r} was asked for and is not defined here")
    return records[0].version


def _executions(store: Store, pipeline: str) -> Iterator[PipelineExecution]:
    last: PipelineExecution | None = None
    while rows := store.find(PipelineExecution, Query(pipeline=pipeline, before=last, limit=PAGE)):
        yield from rows
        last = rows[-1]


def _succeeded(store: Store, execution: str, stage: str) -> bool:
    entered = store.find(StageExecution, Query(execution=execution, stage=stage))
    good = [each for each in entered if each.status is StageStatus.SUCCEEDED]
    return bool(good) and not _doubted(store, execution, stage)


def _doubted(store: Store, execution: str, stage: str) -> bool:
    return any(
        row.stage == stage
        and row.condition is ConditionType.ON_SUCCESS
        and row.status is ConditionStatus.FAILED
        for row in store.find(ConditionExecution, Query(execution=execution))
    )
