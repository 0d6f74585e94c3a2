"""What can be wrong with a stage: rules G1 to G9 of the catalogue.

Source: codepipeline.md, sections 2.12, 2.7 and 8.
"""

from collections.abc import Callable, Iterator

from pipelinekit.engine.catalog import RULE_TYPES
from pipelinekit.engine.declaration import Finding, PlacedStage
from pipelinekit.engine.ruletypes import rule_type
from pipelinekit.model.action import Owner
from pipelinekit.model.condition import Result
from pipelinekit.model.errors import Path
from pipelinekit.model.pipeline import ExecutionMode, PipelineType

MAX_ACTIONS = 100
RESULTS = {
    "beforeEntry": (Result.FAIL, Result.SKIP),
    "onSuccess": (Result.ROLLBACK, Result.FAIL),
    "onFailure": (Result.ROLLBACK,),
}
FAILURE_RESULTS = (Result.ROLLBACK, Result.RETRY)


def stage_name_used_twice(placed: PlacedStage) -> Iterator[Finding]:
    """G1: an earlier stage has the same name."""
    name = placed.stage.name
    if name in [stage.name for stage in placed.declaration.pipeline.stages[: placed.index]]:
        found = f'an earlier stage is called "{name}" already'
        yield Finding((*placed.path, "name"), found, "rename one of them")


def too_many_actions_in_a_stage(placed: PlacedStage) -> Iterator[Finding]:
    """G2: more actions than a stage may have."""
    count = len(placed.stage.actions)
    if count > MAX_ACTIONS:
        found = f'stage "{placed.stage.name}" has {count} actions'
        advice = f"split it into stages of at most {MAX_ACTIONS} actions"
        yield Finding((*placed.path, "actions"), found, advice)


def conditions_in_v1(placed: PlacedStage) -> Iterator[Finding]:
    """G3: beforeEntry, onSuccess or onFailure in a V1 pipeline."""
    if placed.declaration.pipeline.type is PipelineType.V2:
        return
    stage = placed.stage
    gates = {
        "beforeEntry": bool(stage.before_entry),
        "onSuccess": bool(stage.on_success),
        "onFailure": stage.on_failure is not None,
    }
    for gate, given in gates.items():
        if given:
            found = f'stage "{stage.name}" has {gate}, which a V1 pipeline may not have'
            yield Finding((*placed.path, gate), found, "set pipelineType to V2, or remove it")


def rollback_in_parallel(placed: PlacedStage) -> Iterator[Finding]:
    """G4: the result ROLLBACK in a PARALLEL pipeline."""
    if placed.declaration.pipeline.mode is not ExecutionMode.PARALLEL:
        return
    for path, result in _results(placed):
        if result is Result.ROLLBACK:
            found = f'stage "{placed.stage.name}" rolls back, which a PARALLEL pipeline cannot'
            yield Finding(path, found, "choose another result or another executionMode")


def failure_result_beside_conditions(placed: PlacedStage) -> Iterator[Finding]:
    """G5: onFailure with both a result, or a retry, and conditions."""
    failure = placed.stage.on_failure
    if failure and failure.conditions and (failure.result or failure.retry_mode):
        found = f'onFailure of stage "{placed.stage.name}" has a result besides its conditions'
        yield Finding((*placed.path, "onFailure"), found, "remove the result or the conditions")


def result_not_allowed_here(placed: PlacedStage) -> Iterator[Finding]:
    """G6: a result that the gate does not offer."""
    for each in placed.conditions:
        allowed = RESULTS[each.gate]
        if each.condition.result and each.condition.result not in allowed:
            found = f"{each.condition.result} is no result of a condition of {each.gate}"
            yield Finding((*each.path, "result"), found, f"write {' or '.join(allowed)}")
    failure = placed.stage.on_failure
    if failure and failure.result and failure.result not in FAILURE_RESULTS:
        found = f"{failure.result} is no result of onFailure"
        advice = f"write {' or '.join(FAILURE_RESULTS)}"
        yield Finding((*placed.path, "onFailure", "result"), found, advice)


def skip_by_another_rule(placed: PlacedStage) -> Iterator[Finding]:
    """G6: the result SKIP with a rule that cannot skip."""
    for each in placed.conditions:
        if each.condition.result is Result.SKIP:
            for path, rule in each.rules:
                known = RULE_TYPES.get(rule.type.provider)
                if known and not known.skip:
                    able = " or ".join(each.provider for each in RULE_TYPES.values() if each.skip)
                    found = f'rule "{rule.name}" is a {known.provider}, which cannot skip'
                    yield Finding(_provider(path), found, f"use {able}, or the result FAIL")


def stage_without_actions(placed: PlacedStage) -> Iterator[Finding]:
    """G7: a stage without actions."""
    if not placed.stage.actions:
        found = f'stage "{placed.stage.name}" has no actions'
        yield Finding((*placed.path, "actions"), found, "add an action, or remove the stage")


def action_name_used_twice(placed: PlacedStage) -> Iterator[Finding]:
    """G8: two actions of the stage with the same name."""
    names: set[str] = set()
    for index, action in enumerate(placed.stage.actions):
        if action.name in names:
            found = f'stage "{placed.stage.name}" has an action "{action.name}" already'
            path = (*placed.path, "actions", index, "name")
            yield Finding(path, found, "rename one of them")
        names.add(action.name)


def rule_name_used_twice(placed: PlacedStage) -> Iterator[Finding]:
    """G9: two rules of a condition with the same name."""
    for each in placed.conditions:
        names: set[str] = set()
        for path, rule in each.rules:
            if rule.name in names:
                found = f'the condition has a rule "{rule.name}" already'
                yield Finding((*path, "name"), found, "rename one of them")
            names.add(rule.name)


def unknown_rule_type(placed: PlacedStage) -> Iterator[Finding]:
    """G9: a rule whose provider does not exist; one of one's own has to be declared."""
    for each in placed.conditions:
        for path, rule in each.rules:
            own = rule.type.owner == Owner.CUSTOM
            known = rule_type(rule) in placed.declaration.types if own else False
            if not known and (own or rule.type.provider not in RULE_TYPES):
                found = f'"{rule.type.provider}" is no provider of rules'
                yield Finding(_provider(path), found, f"use one of {', '.join(RULE_TYPES)}")


def missing_rule_key(placed: PlacedStage) -> Iterator[Finding]:
    """G9: a rule lacks a configuration key that its type requires."""
    for each in placed.conditions:
        for path, rule in each.rules:
            known = RULE_TYPES.get(rule.type.provider)
            for key in known.properties if known else ():
                if key.required and key.name not in rule.configuration:
                    found = f'rule "{rule.name}" lacks the configuration key "{key.name}"'
                    advice = f"add it: every {rule.type.provider} rule needs it"
                    yield Finding((*path, "configuration", key.name), found, advice)


def _provider(rule: Path) -> Path:
    return (*rule, "ruleTypeId", "provider")


def _results(placed: PlacedStage) -> Iterator[tuple[Path, Result | None]]:
    if placed.stage.on_failure:
        yield (*placed.path, "onFailure", "result"), placed.stage.on_failure.result
    for each in placed.conditions:
        yield (*each.path, "result"), each.condition.result


STAGE_RULES: tuple[tuple[str, Callable[[PlacedStage], Iterator[Finding]]], ...] = (
    ("G1", stage_name_used_twice),
    ("G2", too_many_actions_in_a_stage),
    ("G3", conditions_in_v1),
    ("G4", rollback_in_parallel),
    ("G5", failure_result_beside_conditions),
    ("G6", result_not_allowed_here),
    ("G6", skip_by_another_rule),
    ("G7", stage_without_actions),
    ("G8", action_name_used_twice),
    ("G9", rule_name_used_twice),
    ("G9", unknown_rule_type),
    ("G9", missing_rule_key),
)
