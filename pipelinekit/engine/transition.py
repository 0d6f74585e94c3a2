"""How the switches between stages are turned. Source: codepipeline.md 3.7."""

import re
from itertools import pairwise

from msgspec.structs import replace

from pipelinekit.engine.advance import let_in
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import STALE, inside, is_stale
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.event import TransitionChanged
from pipelinekit.model.execution import PipelineExecution, Transition

REASON = re.compile(r"[a-zA-Z0-9!@ ().*?-]{1,300}")


def turn(draft: Draft, event: TransitionChanged) -> None:
    """Enable or disable the way into a stage, or out of it.

    Whoever waited goes on when the way is enabled, unless it was disabled for more than 30 days:
    who waits then does so for good, until it is stopped or gives way to a newer execution.
    """
    definition = draft.definition(draft.record().version)
    stage = draft.stage_of(definition, event.stage)
    if not event.enabled and not REASON.fullmatch(event.reason):
        raise ValidationError(
            f"the transition of stage {stage.name} was to be disabled for the reason "
            f"{event.reason!r}, which is none; give 1 to 300 letters, digits, spaces and "
            f"! @ ( ) . * ? -"
        )
    state = draft.stage_state(stage.name)
    before = state.inbound if event.inbound else state.outbound
    already = None if before.enabled or event.enabled else before.since or before.at
    turned = Transition(event.enabled, event.by, draft.at, event.reason, already)
    after = replace(state, inbound=turned) if event.inbound else replace(state, outbound=turned)
    draft.put(after)
    draft.answer = stage.name
    if before.enabled or not event.enabled:
        return
    held = [each for each in draft.live() if _is_held(draft, each, event)]
    if is_stale(before, draft):
        for execution in held:
            draft.put(replace(execution, stale=True, summary=_told(execution)))
        return
    for behind in sorted({each.stage for each in held}):
        let_in(draft, behind)


def _is_held(draft: Draft, execution: PipelineExecution, event: TransitionChanged) -> bool:
    """Tell whether an execution waits behind a switch, by its own definition, old ones too."""
    if inside(draft, execution):
        return False
    if event.inbound:
        return execution.stage == event.stage
    names = [each.name for each in draft.definition(execution.version).stages]
    return (event.stage, execution.stage) in pairwise(names)


def _told(execution: PipelineExecution) -> str:
    return (
        f"The transition in front of stage {execution.stage} was disabled for more than "
        f"{STALE.days} days, so that this execution does not go on; start a new one"
    )
