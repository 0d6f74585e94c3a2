"""Secrets of definitions: masked on read, and kept where the mask comes back.

Source: codepipeline.md 2.10.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from pipelinekit.model.action import Action, ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.pipeline import Pipeline, Stage

MASK = "****"
_MASK = re.compile(r"\*{4,}")

Types = Mapping[ActionTypeId, ActionType]
_Change = Callable[[Stage, Action], Action]


def masked(pipeline: Pipeline, types: Types) -> Pipeline:
    """Give a definition with asterisks in the places of its secrets."""

    def hide(_stage: Stage, action: Action) -> Action:
        return replace(action, configuration=masked_values(action.configuration, action, types))

    return _changed(pipeline, types, hide)


def masked_values(values: Mapping[str, str], action: Action, types: Types) -> Mapping[str, str]:
    """Give values of an action's configuration with asterisks in the places of secrets."""
    secrets = secret_keys(values, action.type, types)
    return {key: MASK if key in secrets else value for key, value in values.items()}


def secret_keys(keys: Iterable[str], type_id: ActionTypeId, types: Types) -> frozenset[str]:
    """Tell which keys of a configuration are secret: all, where nobody knows the type."""
    known = types.get(type_id)
    if known is None:
        return frozenset(keys)
    return frozenset(each.name for each in known.properties if each.secret)


def known_secrets(pipeline: Pipeline, types: Types) -> Iterator[tuple[str, str, str]]:
    """Give what is known to be secret: `stage/action`, the key, and the value that is there."""
    for stage in pipeline.stages:
        for action in stage.actions:
            if action.type in types:
                for key in sorted(_secrets(action, types)):
                    if value := action.configuration.get(key):
                        yield f"{stage.name}/{action.name}", key, value


def unmasked(pipeline: Pipeline, previous: Pipeline | None, types: Types) -> Pipeline:
    """Give a definition whose masks are the secrets that were stored for the same actions.

    An action is the same if its name, its stage's name and its type are.
    """
    if previous is None:
        return pipeline

    def restore(stage: Stage, action: Action) -> Action:
        home = previous.stage(stage.name)
        before = home.action(action.name) if home else None
        if before is None or before.type != action.type:
            return action
        kept = {
            key: before.configuration[key]
            for key in _secrets(action, types)
            if key in before.configuration and _MASK.fullmatch(action.configuration.get(key, ""))
        }
        return replace(action, configuration={**action.configuration, **kept})

    return _changed(pipeline, types, restore)


def _changed(pipeline: Pipeline, types: Types, change: _Change) -> Pipeline:
    if not any(_secrets(a, types) for stage in pipeline.stages for a in stage.actions):
        return pipeline
    stages = tuple(
        replace_actions(stage, tuple(change(stage, action) for action in stage.actions))
        for stage in pipeline.stages
    )
    return replace(pipeline, stages=stages)


def replace_actions(stage: Stage, actions: tuple[Action, ...]) -> Stage:
    """Give a stage with other actions."""
    return Stage(
        stage.name,
        actions=actions,
        blockers=stage.blockers,
        before_entry=stage.before_entry,
        on_success=stage.on_success,
        on_failure=stage.on_failure,
    )


def _secrets(action: Action, types: Types) -> frozenset[str]:
    return secret_keys(action.configuration, action.type, types)
