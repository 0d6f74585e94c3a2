"""How a stage is put back: by a new execution with what an earlier one had there.

Source: codepipeline.md 3.11.
A rollback runs its one stage again and goes no further (CHOICE). Nothing is undone.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.model.check import ConditionExecution, ConditionStatus
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.execution import (
    Cause,
    OutputVariables,
    PipelineExecution,
    Produced,
    StageExecution,
)
from pipelinekit.model.pipeline import ExecutionMode, Stage
from pipelinekit.model.status import ExecutionType, StageStatus, TriggerType


def last_good(draft: Draft, stage: Stage) -> PipelineExecution | None:
    """Find the execution that an automatic rollback of a stage goes back to."""
    good = draft.stage_state(stage.name).good
    target = draft.get(PipelineExecution, good) if good else None
    return target if target and unfit(draft, target, stage) is None else None


def unfit(draft: Draft, target: PipelineExecution, stage: Stage) -> str | None:
    """Say why a stage cannot be rolled back to an execution; None when it can."""
    if target.mode is ExecutionMode.PARALLEL:
        return "it belongs to a PARALLEL pipeline, which has no stages to put back"
    if target.version != draft.record().version:
        return f"it ran on version {target.version} of the definition, which has changed since"
    if target.type is ExecutionType.ROLLBACK:
        return "it is a rollback itself"
    return _unsuccessful(draft, target, stage)


def _unsuccessful(draft: Draft, target: PipelineExecution, stage: Stage) -> str | None:
    row = draft.get(StageExecution, target.id, stage.name)
    check = draft.get(ConditionExecution, target.id, stage.name, ConditionType.ON_SUCCESS)
    if row is None:
        return "it never entered the stage"
    if row.status is not StageStatus.SUCCEEDED:
        return f"the stage is {row.status} in it"
    if check is not None and check.status is ConditionStatus.FAILED:
        return "the stage's condition of success failed in it"
    return None


def restored(
    draft: Draft, target: PipelineExecution, stage: Stage, identity: str, cause: Cause
) -> PipelineExecution:
    """Create the execution that puts a stage back, with the target's revisions and products."""
    record = draft.record()
    execution = PipelineExecution(
        id=identity,
        pipeline=target.pipeline,
        number=record.executions + 1,
        version=target.version,
        mode=target.mode,
        cause=cause,
        started=draft.at,
        updated=draft.at,
        stage=stage.name,
        variables=target.variables,
        revisions=target.revisions,
        object_keys=target.object_keys,
        limits=target.limits,
        type=ExecutionType.ROLLBACK,
        target=target.id,
    )
    draft.put(replace(record, executions=execution.number))
    draft.put(execution)
    for product in list(_products(draft, target, stage)):
        draft.put(replace(product, execution=identity))
    return execution


def automatic(draft: Draft, failed: PipelineExecution, stage: Stage) -> PipelineExecution | None:
    """Create the execution that follows the failure of a stage, if there is one to go back to."""
    first = draft.definition(failed.version).stages[0]
    target = last_good(draft, stage)
    if target is None or stage.name == first.name or failed.type is ExecutionType.ROLLBACK:
        return None
    identity = draft.derive("rollback", failed.id, stage.name)
    cause = Cause(TriggerType.AUTOMATED_ROLLBACK, failed.id)
    return restored(draft, target, stage, identity, cause)


def _products(
    draft: Draft, target: PipelineExecution, stage: Stage
) -> Iterator[Produced | OutputVariables]:
    for earlier in draft.definition(target.version).stages:
        if earlier.name == stage.name:
            return
        for action in earlier.actions:
            for output in action.outputs:
                product = draft.get(Produced, target.id, output.name)
                if product is not None:
                    yield product
            if action.namespace:
                values = draft.get(OutputVariables, target.id, action.namespace)
                if values is not None:
                    yield values
