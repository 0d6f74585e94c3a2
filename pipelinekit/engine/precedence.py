"""Which actions wait for others of their own group: what a run order alone cannot say.

CodePipeline starts all actions of a run order together. An action of a type of ours may name in
its configuration, under `StartAfter`, actions that have to succeed first, so that what is held up
by an approval or a freeze of its own holds up nothing else of the stage.
"""

from collections.abc import Callable, Iterator, Mapping

from msgspec.structs import replace

from pipelinekit.engine.declaration import Finding, PlacedAction
from pipelinekit.engine.draft import Draft
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.command import Halt
from pipelinekit.model.execution import ActionExecution, StageExecution
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus

START_AFTER = "StartAfter"


def predecessors(action: Action) -> tuple[str, ...]:
    """Name the actions of its stage that have to succeed before an action is started."""
    if action.type.owner is not Owner.CUSTOM:
        return ()
    names = (name.strip() for name in action.configuration.get(START_AFTER, "").split(","))
    return tuple(name for name in names if name)


def may_start(draft: Draft, row: StageExecution, stage: Stage, name: str) -> bool:
    """Tell whether all that a pending action comes after has succeeded in this execution."""
    action = stage.action(name)
    return action is None or all(_is_done(draft, row, each) for each in predecessors(action))


def call_off(draft: Draft, row: StageExecution, stage: Stage) -> StageExecution:
    """Abandon the approvals of a stage that only actions wait for which will not be started.

    Args:
        draft: The decision.
        row: A stage of which an action has failed.
        stage: The stage.
    """
    pending = [action for name in row.pending if (action := stage.action(name))]
    wanted = {name for action in pending for name in predecessors(action)}
    for action, attempt in list(draft.attempts(row.execution, stage)):
        under_way = attempt.status is ActionStatus.IN_PROGRESS
        if under_way and action.name in wanted and action.type.category is Category.APPROVAL:
            told = "nothing waits for it any more, since another action of the stage has failed"
            abandoned = ActionStatus.ABANDONED
            draft.put(replace(attempt, status=abandoned, summary=told, updated=draft.at))
            draft.command(Halt(attempt.id))
            draft.count(draft.stage_execution(row.execution, row.stage), running=-1)
    return draft.stage_execution(row.execution, row.stage)


def _is_done(draft: Draft, row: StageExecution, name: str) -> bool:
    attempt = draft.get(ActionExecution, row.execution, row.stage, name)
    succeeded = attempt is not None and attempt.status is ActionStatus.SUCCEEDED
    return succeeded and name not in row.pending  # else it is to be run again


# ------------------------------------------------------------------ what can be wrong with it


def start_that_never_comes(placed: PlacedAction) -> Iterator[Finding]:
    """StartAfter names no action of the stage, a later one, or the action itself in a circle."""
    action = placed.action
    known = {each.name: each for each in placed.stage.stage.actions}
    path = (*placed.path, "configuration", START_AFTER)
    for name in predecessors(action):
        earlier = known.get(name)
        if earlier is None:
            there = ", ".join(each for each in known if each != action.name) or "none"
            found = f'action "{action.name}" is to start after "{name}", which its stage has not'
            yield Finding(path, found, f"name one of {there}")
        elif earlier.run_order > action.run_order:
            found = f'action "{action.name}" is to start after "{name}" of a later run order'
            yield Finding(path, found, "give both the same run order")
        elif action.name in _before(name, known):
            found = f'action "{action.name}" is to start after "{name}", which waits for it too'
            yield Finding(path, found, f"take one {START_AFTER} out")


def _before(name: str, known: Mapping[str, Action]) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        each = ahead.pop()
        if each in known and each not in found:
            found.add(each)
            ahead += predecessors(known[each])
    return found


PRECEDENCE_RULES: tuple[tuple[str, Callable[[PlacedAction], Iterator[Finding]]], ...] = (
    ("order", start_that_never_comes),
)
