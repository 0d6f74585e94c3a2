"""What a stage can be rolled back to."""

from collections.abc import Iterator

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
    states = store.find(StageState, Query(pipeline=pipeline))
    if all(each.stage != stage for each in states):
        entered = ", ".join(each.stage for each in states) or "none"
        raise StageNotFound(
            f"stage {stage!r} of pipeline {pipeline!r} was to be rolled back; the stages that "
            f"executions have entered are {entered}"
        )
    there = _there(store, pipeline, stage)
    good = next((each for each in candidates(store, pipeline, stage) if each != there), None)
    if good is not None:
        return good
    raise UnableToRollback(
        f"stage {stage!r} of pipeline {pipeline!r} was to be rolled back, and no earlier "
        f"execution of the current definition has succeeded in it; start a new execution instead"
    )


def candidates(store: Store, pipeline: str, stage: str) -> Iterator[str]:
    """List the executions that a stage can be rolled back to, the newest first."""
    records = store.find(PipelineRecord, Query(pipeline=pipeline))
    if not records:
        raise PipelineNotFound(f"pipeline {pipeline!r} was asked for and is not defined here")
    for entered in _entered(store, pipeline, stage):
        found = store.find(PipelineExecution, Query(id=entered.execution))
        if found and found[0].version < records[0].version:
            if entered.started < records[0].updated:
                return  # so did all that entered before it
            continue  # left over of a PARALLEL pipeline
        if entered.status is not StageStatus.SUCCEEDED:
            continue
        usual = bool(found) and found[0].type is not ExecutionType.ROLLBACK
        if usual and not _doubted(store, entered.execution, stage):
            yield entered.execution


def _entered(store: Store, pipeline: str, stage: str) -> Iterator[StageExecution]:
    last: StageExecution | None = None
    while True:
        query = Query(pipeline=pipeline, stage=stage, before=last, limit=PAGE)
        rows = store.find(StageExecution, query)
        yield from rows
        if len(rows) < PAGE:
            return
        last = rows[-1]


def _doubted(store: Store, execution: str, stage: str) -> bool:
    return any(
        row.stage == stage
        and row.condition is ConditionType.ON_SUCCESS
        and row.status is ConditionStatus.FAILED
        for row in store.find(ConditionExecution, Query(execution=execution))
    )


def _there(store: Store, pipeline: str, stage: str) -> str | None:
    """Name the execution whose work is in the stage; that of a rollback is its target's.

    One that skipped the stage, or that its entry condition kept out, left there what was there.
    """
    for entered in _entered(store, pipeline, stage):
        begun = store.find(ActionExecution, Query(execution=entered.execution))
        if any(each.stage == stage for each in begun):
            found = store.find(PipelineExecution, Query(id=entered.execution))
            return (found[0].target or found[0].id) if found else None
    return None
