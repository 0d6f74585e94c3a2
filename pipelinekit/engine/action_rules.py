"""What can be wrong with an action by itself: rules A1 to A5, A14 to A16 and A18 of the catalogue.

Source: codepipeline.md, sections 2.12 and 7.
"""

import re
from collections.abc import Callable, Iterator

from pipelinekit.engine.declaration import Finding, PlacedAction, PlacedRule
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.near import nearest
from pipelinekit.model.pipeline import PipelineType

MAX_OVERRIDES_BYTES = 1024

_QUERYABLE = re.compile(r"[A-Za-z0-9_-]{1,20}")
_MASK = re.compile(r"\*{4,}")


def wrong_number_of_artifacts(placed: PlacedAction) -> Iterator[Finding]:
    """A1: fewer or more artifacts than the type takes."""
    if placed.type is None:
        return
    action = placed.action
    sides = (
        ("inputArtifacts", len(action.inputs), placed.type.inputs),
        ("outputArtifacts", len(action.outputs), placed.type.outputs),
    )
    for member, count, (least, most) in sides:
        if not least <= count <= most:
            found = f'action "{action.name}" has {count} {member}'
            allowed = str(most) if least == most else f"{least} to {most}"
            advice = f"give it {allowed}, as {action.type.provider} takes"
            yield Finding((*placed.path, member), found, advice)


def unknown_action_type(placed: PlacedAction) -> Iterator[Finding]:
    """A2: no such category, owner, provider and version."""
    if placed.type is not None and placed.action.type.category is not Category.RULE:
        return
    action, declaration = placed.action, placed.declaration
    asked = action.type
    region = (action.region or declaration.region).upper().replace("-", "_")
    found = (
        f'action "{action.name}" asks for category "{asked.category}", owner "{asked.owner}", '
        f'provider "{asked.provider}", version "{asked.version}", which {region} does not know'
    )
    close = nearest(str(asked), map(str, declaration.types))
    advice = f"use {close}" if close else "use a known type"
    if asked.owner is Owner.CUSTOM:
        advice = "create the custom action type first"
    yield Finding((*placed.path, "actionTypeId"), found, advice)


def action_type_in_v1(placed: PlacedAction) -> Iterator[Finding]:
    """A3: a V1 pipeline uses an action type of V2."""
    v1 = placed.declaration.pipeline.type is PipelineType.V1
    if v1 and placed.type and placed.type.v2_only:
        provider = placed.action.type.provider
        found = f'action "{placed.action.name}" is a {provider}, which V1 pipelines cannot use'
        path = (*placed.path, "actionTypeId", "provider")
        yield Finding(path, found, "set pipelineType to V2, or use another type")


def missing_key(placed: PlacedAction) -> Iterator[Finding]:
    """A4: a required key of the configuration is missing."""
    action = placed.action
    for key in placed.type.properties if placed.type else ():
        if key.required and key.name not in action.configuration:
            found = f'action "{action.name}" lacks the configuration key "{key.name}"'
            advice = f"add it: every {action.type.provider} action needs it"
            yield Finding((*placed.path, "configuration", key.name), found, advice)


def unknown_key(placed: PlacedAction) -> Iterator[Finding]:
    """A5: a key of the configuration that the type does not have."""
    if placed.type is None or placed.type.open:
        return
    action = placed.action
    names = [key.name for key in placed.type.properties]
    for key in action.configuration:
        if key not in names:
            close = nearest(key, names)
            known = ", ".join(names) or "none"
            found = f'{action.type.provider} has no configuration key "{key}"'
            advice = f'write "{close}"' if close else f"remove it; its keys are {known}"
            yield Finding((*placed.path, "configuration", key), found, advice)


def foreign_region(placed: PlacedAction) -> Iterator[Finding]:
    """A14: a source, third-party or custom action in another region than the pipeline's."""
    action, home = placed.action, placed.declaration.region
    bound = placed.is_source or action.type.owner is not Owner.AWS
    if bound and action.region is not None and action.region != home:
        kind = "source" if placed.is_source else str(action.type.owner)
        found = f'{kind} action "{action.name}" is to run in {action.region}'
        advice = f"remove the region: it must run in the pipeline's own, {home}"
        yield Finding((*placed.path, "region"), found, advice)


def queryable_value(placed: PlacedAction) -> Iterator[Finding]:
    """A15: the value of a queryable key is too long or has other characters."""
    for key in placed.type.properties if placed.type else ():
        value = placed.configuration.get(key.name) if key.queryable else None
        if value is not None and not _QUERYABLE.fullmatch(value):
            found = f'the value of the queryable key "{key.name}" is "{value}"'
            advice = "write 1 to 20 letters, digits, hyphens and underscores"
            yield Finding((*placed.path, "configuration", key.name), found, advice)


def commands_where_none_belong(placed: PlacedAction) -> Iterator[Finding]:
    """A16: a Commands action without commands, or another one with what only it may have."""
    action = placed.action
    commands = action.type.category is Category.COMPUTE and action.type.provider == "Commands"
    if commands:
        if not action.commands:
            found = f'Commands action "{action.name}" has no commands'
            yield Finding((*placed.path, "commands"), found, "add at least one shell command")
        return
    files = any(output.files for output in action.outputs)
    members = {
        "commands": bool(action.commands),
        "outputVariables": bool(action.output_variables),
        "outputArtifacts": files,
    }
    for member, given in members.items():
        if given:
            what = "files of outputArtifacts" if member == "outputArtifacts" else member
            found = f'action "{action.name}" is a {action.type.provider}, but it has {what}'
            advice = "remove them, or use the provider Commands of category Compute"
            yield Finding((*placed.path, member), found, advice)


def command_of_several_lines(placed: PlacedAction | PlacedRule) -> Iterator[Finding]:
    """A16: a command that is no single line, which botocore's model lets in (section 7.8)."""
    for index, command in enumerate(placed.commands):
        if "\n" in str(command):
            found = f"{placed.title} has a command of several lines"
            advice = "write each line as a command of its own; all run in one shell"
            yield Finding((*placed.path, "commands", index), found, advice)


def masked_secret_of_a_new_action(placed: PlacedAction) -> Iterator[Finding]:
    """A18: a secret is the mask of GetPipeline, but no stored secret stands behind it."""
    before = _before(placed)
    stored = before.configuration if before else {}
    for key in placed.type.properties if placed.type else ():
        if (
            key.secret
            and key.name not in stored
            and _MASK.fullmatch(placed.configuration.get(key.name, ""))
        ):
            found = f'the secret "{key.name}" of action "{placed.action.name}" is masked'
            advice = "write the secret itself: none is stored; renamed and moved actions are new"
            yield Finding((*placed.path, "configuration", key.name), found, advice)


def too_long_parameter_overrides(placed: PlacedAction) -> Iterator[Finding]:
    """Section 2.8: ParameterOverrides of CloudFormation of more than 1 KB."""
    if placed.action.type.provider != "CloudFormation":
        return
    size = len(placed.configuration.get("ParameterOverrides", "").encode())
    if size > MAX_OVERRIDES_BYTES:
        found = f"ParameterOverrides has {size} bytes, and {MAX_OVERRIDES_BYTES} are allowed"
        path = (*placed.path, "configuration", "ParameterOverrides")
        yield Finding(path, found, "put parameters into a TemplateConfiguration file")


def _before(placed: PlacedAction) -> Action | None:
    previous = placed.declaration.previous
    stage = previous.stage(placed.stage.stage.name) if previous else None
    action = stage.action(placed.action.name) if stage else None
    return action if action and action.type == placed.action.type else None


ACTION_RULES: tuple[tuple[str, Callable[[PlacedAction], Iterator[Finding]]], ...] = (
    ("A1", wrong_number_of_artifacts),
    ("A2", unknown_action_type),
    ("A3", action_type_in_v1),
    ("A4", missing_key),
    ("A5", unknown_key),
    ("A14", foreign_region),
    ("A15", queryable_value),
    ("A16", commands_where_none_belong),
    ("A16", command_of_several_lines),
    ("A18", masked_secret_of_a_new_action),
    ("quota", too_long_parameter_overrides),
)
