"""How the switches between stages are turned. Source: codepipeline.md 3.7."""

import re

from msgspec.structs import replace

from pipelinekit.engine.advance import let_in
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.modes import inside, is_stale
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.event import TransitionChanged
from pipelinekit.model.execution import Transition
from pipelinekit.model.pipeline import Pipeline

REASON = re.compile(r"[a-zA-Z0-9!@ ().*?-]{1,300}")


def turn(draft: Draft, event: TransitionChanged) -> None:
    """Enable or disable the way into a stage, or out of it.

    Whoever waited goes on when the way is enabled, unless it was disabled for more than 30 days:
    then only a newer execution, or one that arrives, sets the line in motion.
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
    if before.enabled or not event.enabled or is_stale(before, draft):
        return
    for behind in [stage.name] if event.inbound else _behind(draft, stage.name):
        let_in(draft, behind)


def _behind(draft: Draft, stage: str) -> list[str]:
    """Name the stages after one, by the definitions of those that wait, old ones too."""
    waiting = {each.version for each in draft.live() if not inside(draft, each)}
    following = {_following(draft.definition(version), stage) for version in waiting}
    return sorted(name for name in following if name is not None)


def _following(definition: Pipeline, stage: str) -> str | None:
    names = [each.name for each in definition.stages]
    return names[names.index(stage) + 1] if stage in names[:-1] else None
