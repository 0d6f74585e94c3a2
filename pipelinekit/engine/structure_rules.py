"""What can be wrong with a pipeline as a whole: rules S1 to S18 of the catalogue, and quotas.

Source: codepipeline.md, sections 2.12, 2.8 and 9.2. S12 asks an account whether a role can be
assumed, and S17, a store for a region that no action uses, is allowed: they have no function.
"""

import re
from collections.abc import Callable, Iterator

from pipelinekit.engine.declaration import Declaration, Finding
from pipelinekit.model.errors import Path
from pipelinekit.model.pipeline import ExecutionMode, PipelineType
from pipelinekit.model.trigger import Patterns

MIN_STAGES = 2
MAX_STAGES = 50
MAX_ACTIONS = 1000
MAX_TRIGGERS_BYTES = 200 * 1024
CONNECTION = "CodeStarSourceConnection"

_REGION = re.compile(
    r"(us|us-gov|us-iso[a-z]?|eu|eu-iso[a-z]?|eusc-[a-z]{2}|af|ap|ca|cn|il|me|mx|sa)"
    r"-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[1-9]"
)


def fewer_than_two_stages(declaration: Declaration) -> Iterator[Finding]:
    """S1: fewer than 2 stages."""
    count = len(declaration.pipeline.stages)
    if count < MIN_STAGES:
        advice = f"add stages until there are {MIN_STAGES}: the first one holds the sources"
        yield Finding(("stages",), f"the pipeline has {_count(count, 'stage')}", advice)


def more_than_fifty_stages(declaration: Declaration) -> Iterator[Finding]:
    """S2: more than 50 stages."""
    count = len(declaration.pipeline.stages)
    if count > MAX_STAGES:
        advice = f"join stages, or split the pipeline: at most {MAX_STAGES} are allowed"
        yield Finding(("stages",), f"the pipeline has {count} stages", advice)


def first_stage_not_of_sources(declaration: Declaration) -> Iterator[Finding]:
    """S3: the first stage contains another action than sources, or none at all."""
    for stage in declaration.stages[:1]:
        if not stage.stage.actions:
            found = f'the first stage "{stage.stage.name}" has no source action'
            yield Finding(stage.path, found, "put a source action into it")
    for each in declaration.actions:
        if each.stage.index == 0 and not each.is_source:
            found = f'action "{each.action.name}" of the first stage is no source action'
            yield Finding(_category(each.path), found, "move it to a later stage")


def source_outside_the_first_stage(declaration: Declaration) -> Iterator[Finding]:
    """S4: a source action outside the first stage."""
    for each in declaration.actions:
        if each.stage.index > 0 and each.is_source:
            found = (
                f'source action "{each.action.name}" stands in stage "{each.stage.stage.name}", '
                f"which is not the first one"
            )
            yield Finding(_category(each.path), found, "move it to the first stage")


def nothing_but_sources(declaration: Declaration) -> Iterator[Finding]:
    """S5: all actions of the pipeline are source actions."""
    actions = declaration.actions
    if actions and all(each.is_source for each in actions):
        found = "all actions of the pipeline are source actions"
        yield Finding(("stages",), found, "add an action that does something with the source")


def variables_in_v1(declaration: Declaration) -> Iterator[Finding]:
    """S6: a V1 pipeline with variables."""
    if declaration.pipeline.variables:
        yield from _only_in_v2(declaration, "variables")


def triggers_in_v1(declaration: Declaration) -> Iterator[Finding]:
    """S7: a V1 pipeline with triggers."""
    if declaration.pipeline.triggers:
        yield from _only_in_v2(declaration, "triggers")


def execution_mode_in_v1(declaration: Declaration) -> Iterator[Finding]:
    """S8: a V1 pipeline that is QUEUED or PARALLEL."""
    if declaration.pipeline.mode is not ExecutionMode.SUPERSEDED:
        yield from _only_in_v2(declaration, "executionMode")


def variable_declared_twice(declaration: Declaration) -> Iterator[Finding]:
    """S9: two variables of the pipeline with the same name."""
    names: set[str] = set()
    for index, variable in enumerate(declaration.pipeline.variables):
        if variable.name in names:
            found = f'the variable "{variable.name}" is declared twice'
            yield Finding(("variables", index, "name"), found, "rename one of them")
        names.add(variable.name)


def trigger_without_its_source(declaration: Declaration) -> Iterator[Finding]:
    """S10: a trigger that names no connection source of this pipeline."""
    if not declaration.pipeline.triggers:
        return
    sources = [
        each.action.name
        for each in declaration.actions
        if each.is_source and each.action.type.provider == CONNECTION
    ]
    for path, name in _trigger_names(declaration):
        if name not in sources:
            known = " or ".join(f'"{source}"' for source in sources)
            found = f'"{name}" is no {CONNECTION} action of this pipeline'
            yield Finding(path, found, f"name {known}" if known else "remove the trigger")


def two_triggers_for_a_source(declaration: Declaration) -> Iterator[Finding]:
    """S11: two triggers for the same source action."""
    names: set[str] = set()
    for path, name in _trigger_names(declaration):
        if name in names:
            found = f'source action "{name}" has a trigger already'
            yield Finding(path, found, "put the filters of both into one trigger")
        names.add(name)


def both_or_neither_artifact_store(declaration: Declaration) -> Iterator[Finding]:
    """S13: both or neither of artifactStore and artifactStores."""
    one, many = declaration.pipeline.artifact_store, declaration.pipeline.artifact_stores
    if one and many:
        found = "artifactStore and artifactStores are both given"
        yield Finding(("artifactStores",), found, "remove one of them")
    if not one and not many:
        found = "neither artifactStore nor artifactStores is given"
        yield Finding(("artifactStore",), found, "add artifactStore with the bucket for artifacts")


def one_store_for_many_regions(declaration: Declaration) -> Iterator[Finding]:
    """S14: artifactStore is used although the actions span several regions."""
    others = sorted(_regions(declaration) - {declaration.region})
    if declaration.pipeline.artifact_store and others:
        found = f"actions run in {', '.join(others)} besides {declaration.region}"
        advice = "use artifactStores instead, with a bucket for each of these regions"
        yield Finding(("artifactStore",), found, advice)


def region_without_a_store(declaration: Declaration) -> Iterator[Finding]:
    """S15: artifactStores lacks the region of the pipeline or of an action."""
    stores = declaration.pipeline.artifact_stores
    if stores:
        for region in sorted(_regions(declaration) - set(stores)):
            found = f'there is no artifact store for the region "{region}", where actions run'
            yield Finding(("artifactStores",), found, f'add a bucket under "{region}"')


def too_many_actions(declaration: Declaration) -> Iterator[Finding]:
    """S16: more actions than a pipeline may have."""
    count = len(declaration.actions)
    if count > MAX_ACTIONS:
        found = f"the pipeline has {count} actions"
        advice = f"split the pipeline: at most {MAX_ACTIONS} actions are allowed"
        yield Finding(("stages",), found, advice)


def unknown_region_of_a_store(declaration: Declaration) -> Iterator[Finding]:
    """S18: a key of artifactStores is no region."""
    for region in declaration.pipeline.artifact_stores:
        if not _REGION.fullmatch(region):
            found = f'"{region}" is no region'
            yield Finding(("artifactStores", region), found, "write one, such as us-east-1")


def tags_beside_other_criteria(declaration: Declaration) -> Iterator[Finding]:
    """Section 9.2: a push filter with tags and branches or file paths."""
    for index, trigger in enumerate(declaration.pipeline.triggers):
        for number, push in enumerate(trigger.git_configuration.push):
            if push.tags and (push.branches or push.file_paths):
                path = ("triggers", index, "gitConfiguration", "push", number, "tags")
                found = "the filter has tags besides branches or filePaths"
                yield Finding(path, found, "make a filter of its own of the tags")


def filter_given_twice(declaration: Declaration) -> Iterator[Finding]:
    """Section 2.8: two identical filters for one kind of event."""
    for index, trigger in enumerate(declaration.pipeline.triggers):
        git = trigger.git_configuration
        for event, filters in (("push", git.push), ("pullRequest", git.pull_request)):
            for number, each in enumerate(filters):
                if each in filters[:number]:
                    path = ("triggers", index, "gitConfiguration", event, number)
                    yield Finding(path, "an earlier filter is the same", "remove one of them")


def too_large_triggers(declaration: Declaration) -> Iterator[Finding]:
    """Section 2.8: triggers of more than 200 KB, of which the patterns alone are counted."""
    size = sum(
        len(pattern.encode()) for patterns in _patterns(declaration) for pattern in patterns
    )
    if size > MAX_TRIGGERS_BYTES:
        found = f"the patterns of the triggers have {size} bytes"
        advice = f"use fewer or shorter ones: {MAX_TRIGGERS_BYTES} bytes are allowed"
        yield Finding(("triggers",), found, advice)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _category(action: Path) -> Path:
    return (*action, "actionTypeId", "category")


def _only_in_v2(declaration: Declaration, member: str) -> Iterator[Finding]:
    if declaration.pipeline.type is PipelineType.V1:
        found = f"{member} is given, which a V1 pipeline may not have"
        yield Finding((member,), found, "set pipelineType to V2, or remove it")


def _trigger_names(declaration: Declaration) -> Iterator[tuple[Path, str]]:
    for index, trigger in enumerate(declaration.pipeline.triggers):
        path = ("triggers", index, "gitConfiguration", "sourceActionName")
        yield path, trigger.git_configuration.source_action_name


def _regions(declaration: Declaration) -> set[str]:
    home = declaration.region
    return {home, *[each.action.region or home for each in declaration.actions]}


def _patterns(declaration: Declaration) -> Iterator[tuple[str, ...]]:
    for trigger in declaration.pipeline.triggers:
        git = trigger.git_configuration
        criteria: list[Patterns | None] = []
        for push in git.push:
            criteria += (push.tags, push.branches, push.file_paths)
        for pull_request in git.pull_request:
            criteria += (pull_request.branches, pull_request.file_paths)
        for patterns in filter(None, criteria):
            yield patterns.includes + patterns.excludes


STRUCTURE_RULES: tuple[tuple[str, Callable[[Declaration], Iterator[Finding]]], ...] = (
    ("S1", fewer_than_two_stages),
    ("S2", more_than_fifty_stages),
    ("S3", first_stage_not_of_sources),
    ("S4", source_outside_the_first_stage),
    ("S5", nothing_but_sources),
    ("S6", variables_in_v1),
    ("S7", triggers_in_v1),
    ("S8", execution_mode_in_v1),
    ("S9", variable_declared_twice),
    ("S10", trigger_without_its_source),
    ("S11", two_triggers_for_a_source),
    ("S13", both_or_neither_artifact_store),
    ("S14", one_store_for_many_regions),
    ("S15", region_without_a_store),
    ("S16", too_many_actions),
    ("filter", tags_beside_other_criteria),
    ("quota", filter_given_twice),
    ("quota", too_large_triggers),
)

# CodePipeline answers with the code of a shape here.
REGION_RULES: tuple[tuple[str, Callable[[Declaration], Iterator[Finding]]], ...] = (
    ("S18", unknown_region_of_a_store),
)
