"""Who may enter a stage, and who waits in front of it.

Source: codepipeline.md 3.3 and 3.4. Superseding happens only between stages: an execution inside a
stage is safe, whatever it waits for.
"""

from dataclasses import replace

from pipelinekit.engine.draft import Draft
from pipelinekit.model.execution import PipelineExecution, PipelineStatus


def admit(draft: Draft, execution: PipelineExecution, stage: str) -> bool:
    """Lock a stage for an execution, or let it wait in front; tell whether it is in."""
    state = draft.stage_state(stage)
    if state.holder is None:
        draft.put(replace(state, holder=execution.id, latest=execution.id))
        return True
    draft.put(replace(execution, stage=stage, updated=draft.at))
    rivals = [draft.execution(waiting) for waiting in state.waiting]
    newest = max([*rivals, execution], key=lambda each: each.number)
    draft.put(replace(state, waiting=(newest.id,)))
    for loser in (each for each in (*rivals, execution) if each is not newest):
        _supersede(draft, loser, newest)
    return False


def release(draft: Draft, stage: str) -> PipelineExecution | None:
    """Unlock a stage and lock it for whoever waits in front; give that execution."""
    state = draft.stage_state(stage)
    following = next(iter(state.waiting), None)
    latest = following or state.latest
    draft.put(replace(state, holder=following, latest=latest, waiting=state.waiting[1:]))
    return draft.execution(following) if following else None


def withdraw(draft: Draft, execution: PipelineExecution) -> None:
    """Take an execution out of the line in front of its stage."""
    state = draft.stage_state(execution.stage)
    waiting = tuple(each for each in state.waiting if each != execution.id)
    draft.put(replace(state, waiting=waiting))


def inside(draft: Draft, execution: PipelineExecution) -> bool:
    """Tell whether an execution is in its stage, rather than in front of it."""
    return draft.stage_state(execution.stage).holder == execution.id


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
