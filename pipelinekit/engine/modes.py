"""Who may enter a stage, and who waits in front of it.

Source: codepipeline.md 3.3, 3.4 and 3.7. Superseding happens only between stages: an execution
inside a stage is safe, whatever it waits for. An execution of a PARALLEL pipeline locks nothing,
and waits only for a transition (CHOICE: 3.7 leaves open whether it does).
"""

from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.model.execution import PipelineExecution, StageState, Transition
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.status import PipelineStatus

STALE = timedelta(days=30)
"""After how long a disabled transition, once enabled, no longer lets in who waited for it."""


def admit(draft: Draft, execution: PipelineExecution, stage: str) -> list[PipelineExecution]:
    """Bring an execution in front of a stage; give those that enter now, their locks taken."""
    draft.put(replace(execution, stage=stage, updated=draft.at))
    state = draft.stage_state(stage)
    if execution.mode is ExecutionMode.SUPERSEDED:
        waiting = _newest(draft, state, execution)
    else:
        waiting = (*state.waiting, execution.id)
    draft.put(replace(state, waiting=waiting))
    return call_in(draft, stage)


def call_in(draft: Draft, stage: str) -> list[PipelineExecution]:
    """Give those that wait in front of a stage and may enter now, their locks taken."""
    state = draft.stage_state(stage)
    entering: list[PipelineExecution] = []
    holder, latest = state.holder, state.latest
    for execution in (draft.execution(each) for each in state.waiting):
        alone = execution.mode is not ExecutionMode.PARALLEL
        if execution.stale or (alone and holder) or not is_open(draft, execution, stage):
            continue
        if alone:
            holder = latest = execution.id
        entering.append(execution)
    if entering:
        gone = {execution.id for execution in entering}
        waiting = tuple(each for each in state.waiting if each not in gone)
        draft.put(replace(state, holder=holder, latest=latest, waiting=waiting))
    return entering


def lock(draft: Draft, execution: PipelineExecution, stage: str) -> None:
    """Lock a free stage for an execution that comes from nowhere: a retry, a rollback."""
    if execution.mode is not ExecutionMode.PARALLEL:
        draft.put(replace(draft.stage_state(stage), holder=execution.id, latest=execution.id))


def unlock(draft: Draft, execution: PipelineExecution, stage: str, *, good: bool = False) -> None:
    """Unlock a stage that an execution leaves.

    Args:
        draft: The decision.
        execution: Who leaves it.
        stage: Its name.
        good: Whether the stage can be rolled back to this execution from now on.
    """
    if execution.mode is not ExecutionMode.PARALLEL:
        state = draft.stage_state(stage)
        draft.put(replace(state, holder=None, good=execution.id if good else state.good))


def withdraw(draft: Draft, execution: PipelineExecution) -> None:
    """Take an execution out of the line in front of its stage."""
    state = draft.stage_state(execution.stage)
    waiting = tuple(each for each in state.waiting if each != execution.id)
    draft.put(replace(state, waiting=waiting))


def inside(draft: Draft, execution: PipelineExecution) -> bool:
    """Tell whether an execution under way is in its stage, rather than in front of it."""
    return execution.id not in draft.stage_state(execution.stage).waiting


def is_open(draft: Draft, execution: PipelineExecution, stage: str) -> bool:
    """Tell whether the switches on the way of an execution into a stage are enabled."""
    return all(transition.enabled for transition in _switches(draft, execution, stage))


def is_stale(transition: Transition, draft: Draft) -> bool:
    """Tell whether a disabled transition has been so for longer than waiting for it lasts."""
    since = transition.since or transition.at
    return since is not None and draft.at - since > STALE


def _switches(draft: Draft, execution: PipelineExecution, stage: str) -> Iterator[Transition]:
    yield draft.stage_state(stage).inbound
    names = [each.name for each in draft.definition(execution.version).stages]
    position = names.index(stage)
    if position:
        yield draft.stage_state(names[position - 1]).outbound


def _newest(draft: Draft, state: StageState, execution: PipelineExecution) -> tuple[str, ...]:
    rivals = [draft.execution(waiting) for waiting in state.waiting]
    serial = [each for each in rivals if each.mode is not ExecutionMode.PARALLEL]
    newest = max([*serial, execution], key=lambda each: each.number)
    for loser in (each for each in (*serial, execution) if each.id != newest.id):
        _supersede(draft, loser, newest)
    beside = tuple(each.id for each in rivals if each.mode is ExecutionMode.PARALLEL)
    return (*beside, newest.id)


def _supersede(draft: Draft, loser: PipelineExecution, winner: PipelineExecution) -> None:
    latest = draft.execution(loser.id)
    draft.put(
        replace(
            latest,
            status=PipelineStatus.SUPERSEDED,
            updated=draft.at,
            summary=f"Superseded by execution {winner.id} in front of stage {latest.stage}",
        )
    )
