"""Whether a definition is right, and whether it can run on this machine."""

from collections.abc import Collection, Iterator, Mapping

from pipelinekit.builds.misuse import misuse, references
from pipelinekit.engine.ruletypes import rule_type
from pipelinekit.engine.validate import faults
from pipelinekit.kit.elsewhere import elsewhere
from pipelinekit.kit.registry import action_types, discover
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.errors import CannotRunHere, DefinitionError
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Settings
from pipelinekit.wire.templates.gaps import placeholders


def check(
    pipeline: Pipeline,
    previous: Pipeline | None = None,
    types: Mapping[ActionTypeId, ActionType] | None = None,
    *,
    shaped: bool = False,
) -> None:
    """Refuse a definition that CodePipeline would refuse.

    Args:
        pipeline: The definition.
        previous: The one before it, by which a masked secret is known to be kept.
        types: The action types that there are; those declared here and AWS's when None.
        shaped: Whether AWS's own model has let it in.

    Raises:
        DefinitionError: It has faults; the error bears all of them.
    """
    known = action_types() if types is None else types
    found = faults(pipeline, known, previous, shaped=shaped)
    if found:
        raise DefinitionError(f"pipeline {pipeline.name!r}", found)


def runs_here(
    pipeline: Pipeline, settings: Settings, elsewhere_done: Collection[ActionTypeId] = ()
) -> None:
    """Refuse a pipeline with an action that cannot run on this machine.

    Args:
        pipeline: The definition.
        settings: Of the project's folder.
        elsewhere_done: Types whose actions job workers carry out.

    Raises:
        CannotRunHere: The message names each such action and what to configure.
    """
    found = obstacles(pipeline, settings, elsewhere_done)
    reasons = [f"  {place}: {why}" for place, _, why in found if why]
    if reasons:
        lines = "\n".join(reasons)
        raise CannotRunHere(f"pipeline {pipeline.name!r} cannot run here:\n{lines}")


def obstacles(
    pipeline: Pipeline, settings: Settings, elsewhere_done: Collection[ActionTypeId] = ()
) -> Iterator[tuple[str, Action, str | None]]:
    """Go through the actions and the rules, and say why each cannot run here; None when it can.

    Args:
        pipeline: The definition.
        settings: Of the project's folder.
        elsewhere_done: Types whose actions job workers carry out.

    Yields:
        Its place, itself, and why it cannot run, with what to configure.
    """
    referring = references(pipeline)
    for place, action in everything(pipeline):
        why = None if action.type in elsewhere_done else obstacle(action, settings)
        yield place, action, why or misuse(action, pipeline.name, referring)


def everything(pipeline: Pipeline) -> Iterator[tuple[str, Action]]:
    """Go through the actions and the rules; a rule is looked at as the action it resembles."""
    for stage in pipeline.stages:
        for action in stage.actions:
            yield f"action {stage.name}/{action.name}", action
        for rule in stage.rules:
            alike = Action(
                name=rule.name,
                type=rule_type(rule),
                configuration=rule.configuration,
                inputs=rule.inputs,
                commands=rule.commands,
                region=rule.region,
            )
            yield f"rule {stage.name}/{rule.name}", alike


def limits(pipeline: Pipeline) -> Mapping[str, float]:
    """Give how many seconds its actions of custom types may take, by the type as text."""
    declared = discover()
    types = {action.type for stage in pipeline.stages for action in stage.actions}
    own = [each for each in types if each.owner is Owner.CUSTOM and each in declared]
    return {str(each): declared[each].traits.timeout.total_seconds() for each in own}


def obstacle(action: Action, settings: Settings) -> str | None:
    """Say why an action cannot run here in any pipeline; None when it can in some."""
    provider = discover().get(action.type)
    if provider is None:
        return elsewhere(action.type) or (
            f"nothing here carries out {action.type}; take the action out, or install or declare "
            f"a provider of that type"
        )
    if action.environment and action.type.category is not Category.COMPUTE:
        return (
            f"its environmentVariables are read by no provider here; give {action.type.provider} "
            f"its variables in its own configuration instead"
        )
    for key, value in action.configuration.items():
        left = placeholders(value)
        if left and not _is_secret(provider.type, key):
            return (
                f"its {key} holds {left[0]}, which an import left in the place of a value; write "
                f"the value there, or import again with --parameter"
            )
    check_action = provider.traits.check
    return check_action(action, settings) if check_action else None


def _is_secret(kind: ActionType, key: str) -> bool:
    return any(each.name == key and each.secret for each in kind.properties)
