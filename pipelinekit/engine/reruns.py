"""Which actions of a stage are run again. Source: codepipeline.md 3.9 and 3.10."""

from pipelinekit.engine.draft import Draft
from pipelinekit.engine.precedence import predecessors
from pipelinekit.engine.review import FREEZE
from pipelinekit.model.action import Action
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.execution import StageExecution
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, StageStatus

_LOST = frozenset({ActionStatus.FAILED, ActionStatus.ABANDONED})


def reruns(draft: Draft, row: StageExecution, stage: Stage, mode: RetryMode) -> tuple[Action, ...]:
    """Give the actions with which a stage goes on when it is retried; none if nothing failed."""
    if mode is RetryMode.ALL_ACTIONS:
        return stage.groups[0]
    again = tuple(
        action
        for action, attempt in draft.attempts(row.execution, stage)
        if action.run_order == row.run_order
        and (attempt.status in _LOST or action.name in row.pending)
    )
    begun = {action.name for action, _ in draft.attempts(row.execution, stage)}
    again += tuple(a for a in stage.actions if a.name in row.pending and a.name not in begun)
    if again or row.status is not StageStatus.STOPPED:
        return (*again, *_freezes(stage, again))
    later = (group for group in stage.groups if group[0].run_order > row.run_order)
    return next(later, ())


def _freezes(stage: Stage, again: tuple[Action, ...]) -> tuple[Action, ...]:
    # They are looked at again: one may have begun since.
    names = {name for action in again for name in predecessors(action)}
    named = (each for each in stage.actions if each.name in names and each not in again)
    return tuple(each for each in named if each.type.provider == FREEZE)
