"""How an execution goes through its stages: enter, check, run the groups in order, leave.

Source: codepipeline.md 3.3 (the main loop), 3.5 (run order), 3.10 (automatic retry) and 3.12
(conditions). A stage stays locked until its failure has been dealt with, so that nobody slips in
between a failure and the retry or the rollback that answers it (CHOICE).
"""

from msgspec.structs import replace

from pipelinekit.engine.begin import begin, forget
from pipelinekit.engine.conditions import begin_check, condition_of, judge
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import admit, call_in, lock, unlock
from pipelinekit.engine.precedence import call_off, may_start
from pipelinekit.engine.reruns import reruns
from pipelinekit.engine.restore import automatic
from pipelinekit.model.action import Action
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.condition import ConditionType, Result, RetryMode
from pipelinekit.model.execution import PipelineExecution, StageExecution
from pipelinekit.model.pipeline import ExecutionMode, Stage
from pipelinekit.model.status import (
    ExecutionType,
    Phase,
    PipelineStatus,
    RetryTrigger,
    StageStatus,
)

SIDE_BY_SIDE = 5
"""How many actions of one execution of a PARALLEL pipeline run at once."""


def arrive(draft: Draft, execution: PipelineExecution, stage: Stage) -> None:
    """Bring an execution in front of a stage, and in when it is free."""
    for entering in admit(draft, execution, stage.name):
        enter(draft, entering, stage.name)


def let_in(draft: Draft, stage: str) -> None:
    """Let in whoever waits in front of a stage and may enter by now."""
    for entering in call_in(draft, stage):
        enter(draft, entering, stage)


def enter(draft: Draft, execution: PipelineExecution, name: str) -> None:
    """Begin a stage for an execution that has its lock."""
    stage = draft.stage(execution, name)
    draft.put(replace(draft.execution(execution.id), stage=name, updated=draft.at))
    row = StageExecution(execution.pipeline, execution.id, name, draft.at, draft.at)
    draft.put(row)
    begin_stage(draft, row, stage)


def begin_stage(draft: Draft, row: StageExecution, stage: Stage) -> None:
    """Check the entry of a stage, or start its first group; a rollback is not checked (CHOICE)."""
    execution = draft.execution(row.execution)
    if execution.type is ExecutionType.ROLLBACK or not _check(
        draft, row, stage, ConditionType.BEFORE_ENTRY
    ):
        run_group(draft, row.execution, stage, stage.groups[0])


def run_group(draft: Draft, execution: str, stage: Stage, actions: tuple[Action, ...]) -> None:
    """Start actions side by side; all of one run order, or those of it that are run again."""
    row = draft.stage_execution(execution, stage.name)
    order = actions[0].run_order
    names = tuple(action.name for action in actions)
    group = replace(row, phase=Phase.ACTIONS, run_order=order, pending=names)
    _start_pending(draft, group, stage)
    settle(draft, execution, stage)


def settle(draft: Draft, execution: str, stage: Stage) -> None:
    """Go on with a stage once nothing of it is under way."""
    row = draft.stage_execution(execution, stage.name)
    if row.phase is Phase.ACTIONS and row.failed:
        row = call_off(draft, row, stage)
    running = draft.execution(execution)
    if is_outdated(draft, running):
        _close(draft, row, StageStatus.CANCELLED, PipelineStatus.CANCELLED)
    elif running.status is PipelineStatus.STOPPING:
        _close(draft, row, StageStatus.STOPPED, PipelineStatus.STOPPED)
    elif row.phase is Phase.ACTIONS and row.pending and not row.failed:
        _start_pending(draft, row, stage)
        if not draft.stage_execution(execution, stage.name).running:
            settle(draft, execution, stage)
    elif row.running:
        return
    elif row.phase is Phase.ACTIONS:
        _actions_ended(draft, row, stage)
    else:
        _check_ended(draft, row, stage)


def is_outdated(draft: Draft, execution: PipelineExecution) -> bool:
    """Tell whether the definition that an execution runs on has been replaced under it."""
    frozen = execution.mode is ExecutionMode.PARALLEL
    return not frozen and execution.version != draft.record().version


def pass_on(draft: Draft, row: StageExecution, stage: Stage) -> None:
    """Leave a stage that has succeeded, for the next one or for good."""
    execution = draft.execution(row.execution)
    draft.put(replace(row, status=StageStatus.SUCCEEDED, updated=draft.at))
    if execution.type is ExecutionType.ROLLBACK:
        unlock(draft, execution, stage.name)
        _finish(draft, execution, PipelineStatus.SUCCEEDED)
        let_in(draft, stage.name)
        return
    unlock(draft, execution, stage.name, good=True)
    _go_further(draft, execution, stage)


# ------------------------------------------------------------------ the actions


def _start_pending(draft: Draft, row: StageExecution, stage: Stage) -> None:
    running = draft.execution(row.execution)
    limited = running.mode is ExecutionMode.PARALLEL
    ready = [name for name in row.pending if may_start(draft, row, stage, name)]
    places = SIDE_BY_SIDE - row.running if limited else len(ready)
    starting = ready[: max(places, 0)]
    found = [action for name in starting if (action := stage.action(name)) is not None]
    begun = sum(begin(draft, running, stage.name, action) for action in found)
    draft.put(
        replace(
            row,
            pending=tuple(name for name in row.pending if name not in starting),
            running=row.running + begun,
            failed=row.failed + len(found) - begun,
            updated=draft.at,
        )
    )


def _actions_ended(draft: Draft, row: StageExecution, stage: Stage) -> None:
    if row.failed:
        _actions_failed(draft, row, stage)
        return
    later = (group for group in stage.groups if group[0].run_order > row.run_order)
    following = next(later, None)
    if following is not None:
        run_group(draft, row.execution, stage, following)
    elif not _check(draft, row, stage, ConditionType.ON_SUCCESS):
        pass_on(draft, row, stage)


def _actions_failed(draft: Draft, row: StageExecution, stage: Stage) -> None:
    execution = draft.execution(row.execution)
    on_failure = stage.on_failure
    if on_failure is None or execution.type is ExecutionType.ROLLBACK:
        _fail(draft, row, stage)
    elif on_failure.result is Result.RETRY and row.auto_retries == 0:
        _retry_by_itself(draft, row, stage, on_failure.retry_mode or RetryMode.FAILED_ACTIONS)
    elif not _check(draft, row, stage, ConditionType.ON_FAILURE):
        _fail(draft, row, stage, rollback=on_failure.result is Result.ROLLBACK)


def _retry_by_itself(draft: Draft, row: StageExecution, stage: Stage, mode: RetryMode) -> None:
    execution = draft.execution(row.execution)
    draft.put(replace(row, status=StageStatus.FAILED, updated=draft.at))
    draft.put(replace(execution, status=PipelineStatus.FAILED, updated=draft.at))
    actions = reruns(draft, row, stage, mode)
    again = replace(row, auto_retries=1, retried=RetryTrigger.AUTOMATED)
    whole = mode is RetryMode.ALL_ACTIONS
    resume(draft, again, stage, () if whole else actions)


def resume(draft: Draft, row: StageExecution, stage: Stage, actions: tuple[Action, ...]) -> None:
    """Take an execution up again in a stage that had ended.

    Args:
        draft: The decision.
        row: The stage's row with its count of retries.
        stage: The stage.
        actions: What is run again; all of the stage, its entry checked anew, when empty.
    """
    execution = draft.execution(row.execution)
    lock(draft, execution, stage.name)
    draft.put(
        replace(
            execution,
            status=PipelineStatus.IN_PROGRESS,
            stop=None,
            attempts=execution.attempts + 1,
            summary="",
            updated=draft.at,
        )
    )
    draft.put(replace(row, status=StageStatus.IN_PROGRESS, failed=0, updated=draft.at))
    if actions:
        run_group(draft, row.execution, stage, actions)
    else:
        begin_stage(draft, draft.stage_execution(row.execution, row.stage), stage)


# ------------------------------------------------------------------ the conditions


def _check(draft: Draft, row: StageExecution, stage: Stage, place: ConditionType) -> bool:
    condition = condition_of(stage, place)
    if condition is None:
        return False
    begin_check(draft, row.execution, stage, place, condition)
    settle(draft, row.execution, stage)
    return True


def _check_ended(draft: Draft, row: StageExecution, stage: Stage) -> None:
    check = judge(draft, row, stage)
    failed = check.status is ConditionStatus.FAILED
    match row.phase:
        case Phase.ENTRY if not failed:
            draft.put(replace(row, failed=0))
            run_group(draft, row.execution, stage, stage.groups[0])
        case Phase.ENTRY if check.result is Result.SKIP:
            _skip(draft, row, stage)
        case Phase.SUCCESS if not failed:
            pass_on(draft, row, stage)
        case Phase.SUCCESS if check.result is Result.ROLLBACK:
            _fail(draft, row, stage, StageStatus.SUCCEEDED, rollback=True)
        case Phase.FAILURE:
            _fail(draft, row, stage, rollback=failed)
        case _:
            _fail(draft, row, stage)


def _skip(draft: Draft, row: StageExecution, stage: Stage) -> None:
    execution = draft.execution(row.execution)
    draft.put(replace(row, status=StageStatus.SKIPPED, updated=draft.at))
    for action in stage.actions:
        forget(draft, execution, action)
    unlock(draft, execution, stage.name)
    _go_further(draft, execution, stage)


# ------------------------------------------------------------------ the end of a stage


def _go_further(draft: Draft, execution: PipelineExecution, stage: Stage) -> None:
    stages = draft.definition(execution.version).stages
    position = [each.name for each in stages].index(stage.name)
    if position + 1 == len(stages):
        _finish(draft, execution, PipelineStatus.SUCCEEDED)
    else:
        arrive(draft, draft.execution(execution.id), stages[position + 1])
    let_in(draft, stage.name)  # last, for whoever enters now may skip the stage and be next


def _fail(
    draft: Draft,
    row: StageExecution,
    stage: Stage,
    status: StageStatus = StageStatus.FAILED,
    *,
    rollback: bool = False,
) -> None:
    execution = draft.execution(row.execution)
    draft.put(replace(row, status=status, updated=draft.at))
    _finish(draft, execution, PipelineStatus.FAILED)
    unlock(draft, execution, stage.name)
    back = automatic(draft, execution, stage) if rollback else None
    if back is not None:
        _tell_rollback(draft, execution, back, stage)
        lock(draft, back, stage.name)
        enter(draft, back, stage.name)
    let_in(draft, stage.name)


def _tell_rollback(
    draft: Draft, failed: PipelineExecution, back: PipelineExecution, stage: Stage
) -> None:
    latest = draft.execution(failed.id)
    told = f"execution #{back.number} ({back.id}) rolls stage {stage.name} back"
    draft.put(replace(latest, summary="; ".join(filter(None, (latest.summary, told)))))


def _close(draft: Draft, row: StageExecution, stage: StageStatus, status: PipelineStatus) -> None:
    if row.running:
        return
    execution = draft.execution(row.execution)
    draft.put(replace(row, status=stage, updated=draft.at))
    _finish(draft, execution, status)
    unlock(draft, execution, row.stage)
    let_in(draft, row.stage)


def _finish(draft: Draft, execution: PipelineExecution, status: PipelineStatus) -> None:
    draft.put(replace(draft.execution(execution.id), status=status, updated=draft.at))
