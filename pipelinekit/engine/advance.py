"""How an execution goes through its stages: enter, run the groups in order, leave.

Source: codepipeline.md 3.3 (the main loop) and 3.5 (run order).
"""

from dataclasses import replace

from pipelinekit.engine.begin import begin
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import admit, release
from pipelinekit.model.action import Action
from pipelinekit.model.execution import (
    PipelineExecution,
    PipelineStatus,
    StageExecution,
    StageStatus,
)
from pipelinekit.model.pipeline import Stage


def arrive(draft: Draft, execution: PipelineExecution, stage: Stage) -> None:
    """Bring an execution in front of a stage, and in when it is free."""
    if admit(draft, execution, stage.name):
        _enter(draft, execution, stage)


def run_group(draft: Draft, execution: str, stage: Stage, actions: tuple[Action, ...]) -> None:
    """Start actions side by side; all of one run order, or those of it that are run again."""
    running = draft.execution(execution)
    begun = sum(begin(draft, running, stage.name, action) for action in actions)
    row = draft.stage_execution(execution, stage.name)
    draft.put(
        replace(
            row,
            run_order=actions[0].run_order,
            running=row.running + begun,
            failed=row.failed + len(actions) - begun,
            updated=draft.at,
        )
    )
    settle(draft, execution, stage)


def settle(draft: Draft, execution: str, stage: Stage) -> None:
    """Go on with a stage once none of its actions is under way."""
    row = draft.stage_execution(execution, stage.name)
    if row.running:
        return
    running = draft.execution(execution)
    if running.version != draft.record().version:
        _end(draft, row, StageStatus.CANCELLED, PipelineStatus.CANCELLED)
    elif running.status is PipelineStatus.STOPPING:
        _end(draft, row, StageStatus.STOPPED, PipelineStatus.STOPPED)
    elif row.failed:
        _end(draft, row, StageStatus.FAILED, PipelineStatus.FAILED)
    else:
        _go_on(draft, row, stage)


def leave(draft: Draft, stage: str) -> None:
    """Unlock a stage and let in whoever waits in front of it."""
    entering = release(draft, stage)
    if entering is not None:
        _enter(draft, entering, draft.stage(entering, stage))


def _go_on(draft: Draft, row: StageExecution, stage: Stage) -> None:
    later = (group for group in stage.groups if group[0].run_order > row.run_order)
    following = next(later, None)
    if following is not None:
        run_group(draft, row.execution, stage, following)
        return
    execution = draft.execution(row.execution)
    stages = draft.definition(execution.version).stages
    position = [each.name for each in stages].index(stage.name)
    if position + 1 == len(stages):
        _end(draft, row, StageStatus.SUCCEEDED, PipelineStatus.SUCCEEDED)
        return
    draft.put(replace(row, status=StageStatus.SUCCEEDED, updated=draft.at))
    leave(draft, stage.name)
    arrive(draft, draft.execution(execution.id), stages[position + 1])


def _enter(draft: Draft, execution: PipelineExecution, stage: Stage) -> None:
    draft.put(replace(execution, stage=stage.name, updated=draft.at))
    draft.put(
        StageExecution(
            pipeline=execution.pipeline,
            execution=execution.id,
            stage=stage.name,
            started=draft.at,
            updated=draft.at,
        )
    )
    run_group(draft, execution.id, stage, stage.groups[0])


def _end(draft: Draft, row: StageExecution, stage: StageStatus, status: PipelineStatus) -> None:
    draft.put(replace(row, status=stage, updated=draft.at))
    draft.put(replace(draft.execution(row.execution), status=status, updated=draft.at))
    leave(draft, row.stage)
