"""How a person rolls a stage back to an earlier execution. Source: codepipeline.md 3.11."""

from pipelinekit.engine.advance import enter
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import lock
from pipelinekit.engine.restore import restored, unfit
from pipelinekit.model.errors import ExecutionOutdated, UnableToRollback
from pipelinekit.model.event import RollbackRequested
from pipelinekit.model.execution import Cause, PipelineExecution
from pipelinekit.model.pipeline import ExecutionMode, PipelineType, Stage
from pipelinekit.model.status import TriggerType


def rollback(draft: Draft, event: RollbackRequested) -> None:
    """Run a stage again with what an earlier execution had there.

    A disabled transition does not hold a rollback up (CHOICE).
    """
    target = draft.execution(event.target)
    definition = draft.definition(draft.record().version)
    stage = draft.stage_of(definition, event.stage)
    asked = f"stage {stage.name} was to be rolled back to execution {target.id}, but "
    if definition.mode is ExecutionMode.PARALLEL:
        raise UnableToRollback(f"{asked}a PARALLEL pipeline cannot be rolled back")
    if definition.type is PipelineType.V1:
        raise UnableToRollback(
            f"{asked}the pipeline's type is V1; give it the type V2, and it can go back to what "
            f"succeeds from then on"
        )
    if stage.name == definition.stages[0].name:
        raise UnableToRollback(
            f"{asked}it is the first one, whose sources are taken anew; start an execution on the "
            f"revisions that are wanted instead"
        )
    _check_target(draft, target, stage, asked)
    holder = draft.stage_state(stage.name).holder
    if holder is not None:
        raise UnableToRollback(
            f"{asked}execution {holder} is in it; wait until it has ended, or stop it"
        )
    cause = Cause(TriggerType.MANUAL_ROLLBACK, event.by)
    execution = restored(draft, target, stage, event.id, cause)
    lock(draft, execution, stage.name)
    draft.answer = execution.id
    enter(draft, execution, stage.name)


def _check_target(draft: Draft, target: PipelineExecution, stage: Stage, asked: str) -> None:
    reason = unfit(draft, target, stage)
    if reason is None:
        return
    outdated = target.version != draft.record().version
    error = ExecutionOutdated if outdated else UnableToRollback
    raise error(f"{asked}{reason}; choose one of those that succeeded in the stage")
