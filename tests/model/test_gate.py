"""Gates of stages, as they are written down in a cell."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipelinekit.engine.catalog import RULE_TYPES, TYPES
from pipelinekit.engine.ruletypes import RULES
from pipelinekit.engine.validate import faults
from pipelinekit.model.condition import (
    Condition,
    ConditionType,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
    RuleTypeId,
)
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.gate import MAX_RULES, RESULTS, SKIPPING, gate, retry
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.providers.cloudwatch_alarm import cloudwatch_alarm
from pipelinekit.providers.commands_rule import commands_check
from pipelinekit.wire import codepipeline
from tests.build import build, deploy, pipeline, rule, source, window
from tests.engine.world import step

HOURS, CHECK = window(), rule()
LOOSE: Any = gate
LOOSE_STAGE: Any = Stage
ROLLBACK = FailureConditions(Result.ROLLBACK)
AGAIN = FailureConditions(Result.RETRY, RetryMode.FAILED_ACTIONS)


@pytest.mark.parametrize(
    ("stage", "long"),
    [
        (
            Stage("Go", before_entry=HOURS),
            Stage("Go", before_entry=(Condition((HOURS,), Result.FAIL),)),
        ),
        (
            Stage("Go", before_entry=gate(HOURS, CHECK)),
            Stage("Go", before_entry=(Condition((HOURS, CHECK), Result.FAIL),)),
        ),
        (
            Stage("Go", before_entry=gate(CHECK, result="SKIP")),
            Stage("Go", before_entry=(Condition((CHECK,), Result.SKIP),)),
        ),
        (
            Stage("Go", on_success=CHECK),
            Stage("Go", on_success=(Condition((CHECK,), Result.FAIL),)),
        ),
        (
            Stage("Go", on_success=gate(CHECK, result=Result.ROLLBACK)),
            Stage("Go", on_success=(Condition((CHECK,), Result.ROLLBACK),)),
        ),
        (Stage("Go", on_failure="ROLLBACK"), Stage("Go", on_failure=ROLLBACK)),
        (Stage("Go", on_failure=Result.RETRY), Stage("Go", on_failure=AGAIN)),
        (Stage("Go", on_failure=retry()), Stage("Go", on_failure=AGAIN)),
        (
            Stage("Go", on_failure=retry(all_actions=True)),
            Stage("Go", on_failure=FailureConditions(Result.RETRY, RetryMode.ALL_ACTIONS)),
        ),
        (
            Stage("Go", on_failure=gate(HOURS, CHECK)),
            Stage(
                "Go",
                on_failure=FailureConditions(
                    conditions=(Condition((HOURS, CHECK), Result.ROLLBACK),)
                ),
            ),
        ),
    ],
)
def test_a_short_form_is_the_long_one(stage: Stage, long: Stage) -> None:
    assert stage == long


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (gate, "a gate of 0 rules"),
        (lambda: gate(*(replace(CHECK, name=str(n)) for n in range(MAX_RULES + 1))), "6 rules"),
        (lambda: gate(CHECK, HOURS, CHECK), "called OnMain; rename"),
        (lambda: LOOSE(step("live")), "the Action 'live' was asked for, which is no rule"),
        (lambda: LOOSE(CHECK, result="SKIPP"), "one of ROLLBACK, FAIL, RETRY, SKIP"),
        (lambda: LOOSE(CHECK, result="RETRY"), 'on_failure="RETRY" at the stage'),
        (lambda: gate(CHECK, HOURS, result="SKIP"), "DeploymentWindow cannot skip a stage; use"),
        (
            lambda: Stage("Go", before_entry=gate(CHECK, result="ROLLBACK")),
            "ROLLBACK at before_entry, where CodePipeline offers FAIL and SKIP",
        ),
        (
            lambda: Stage("Go", on_success=gate(CHECK, result="SKIP")),
            "SKIP at on_success, where CodePipeline offers FAIL and ROLLBACK",
        ),
        (
            lambda: Stage("Go", on_failure=gate(CHECK, result="FAIL")),
            "FAIL at on_failure, where CodePipeline offers ROLLBACK",
        ),
        (lambda: LOOSE_STAGE("Go", on_failure="SKIP"), "only be rolled back or retried"),
        (lambda: LOOSE_STAGE("Go", on_failure="UNDO"), "'UNDO', which is no result"),
        (lambda: LOOSE_STAGE("Go", before_entry="SKIP"), r"write gate\(...\) of rules"),
        (
            lambda: LOOSE_STAGE("Go", before_entry=step("ok")),
            "the Action 'ok' as its before_entry",
        ),
        (lambda: LOOSE_STAGE("Go", on_success=[HOURS]), r"write gate\(...\) of rules"),
    ],
)
def test_what_codepipeline_cannot_express_is_refused_on_the_spot(
    write: Callable[[], Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        write()


def written(place: ConditionType, kind: str, result: Result, *, short: bool) -> Stage:
    needed = RULE_TYPES[kind].properties
    keys = {each.name: "x" for each in needed if each.required}
    check = Rule("check", RuleTypeId(kind), keys)
    condition = gate(check, result=result) if short else Condition((check,), result)
    given: Any = condition if short else (condition,)
    if place is ConditionType.ON_FAILURE and not short:
        given = FailureConditions(conditions=given)
    return Stage("Deploy", deploy(), **{place.lower(): given})


@pytest.mark.parametrize(
    ("place", "kind", "result"), [*product(ConditionType, sorted(RULE_TYPES), Result)]
)
def test_the_short_forms_refuse_what_the_validation_of_files_refuses(
    place: ConditionType, kind: str, result: Result
) -> None:
    stages = (Stage("Source", source()), Stage("Build", build()))
    declared = pipeline(*stages, written(place, kind, result, short=False))
    if faults(declared, TYPES):
        with pytest.raises(ValidationError):
            written(place, kind, result, short=True)
    else:
        assert pipeline(*stages, written(place, kind, result, short=True)) == declared


def test_the_rules_that_skip_are_those_of_the_catalogue() -> None:
    assert set(SKIPPING) == {each.provider for each in RULES if each.skip}
    assert set(RESULTS) == set(ConditionType)


def test_a_stage_with_gates_keeps_them_when_it_is_copied() -> None:
    stage = Stage("Go", before_entry=gate(HOURS), on_failure="ROLLBACK")
    assert dataclasses.replace(stage, name="Gone") == Stage(
        "Gone", before_entry=HOURS, on_failure="ROLLBACK"
    )


def test_gates_are_exported_and_read_back_equal() -> None:
    lint = commands_check("lint", "make lint", "make docs").reads("Code").within(10)
    calm = cloudwatch_alarm("calm", "errors", states="ALARM,INSUFFICIENT_DATA", minutes=5)
    shop = pipeline(
        Stage("Source", source()),
        Stage("Build", build(), before_entry=gate(lint, HOURS), on_failure="RETRY"),
        Stage("Test", step("t"), before_entry=gate(CHECK, result="SKIP"), on_failure=retry()),
        Stage("Deploy", deploy(), on_success=gate(calm, result="ROLLBACK"), on_failure=calm),
    )
    assert codepipeline.read(codepipeline.write(shop)) == shop


def test_a_rule_reads_the_only_artifact_of_an_action() -> None:
    assert CHECK.reads(build(), "Code").inputs == ("Program", "Code")
    with pytest.raises(ValidationError, match="writes none"):
        CHECK.reads(deploy())


TYPED = """
from pipelinekit.model.condition import Result
from pipelinekit.model.gate import gate, retry
from pipelinekit.model.pipeline import Stage
from pipelinekit.providers.approval import approval
from pipelinekit.providers.cloudwatch_alarm import cloudwatch_alarm
from pipelinekit.providers.deployment_window import deployment_window

hours = deployment_window("hours", "0 0 9-17 ? * MON-FRI *")
calm = cloudwatch_alarm("calm", "errors", minutes=5)
Stage("A", before_entry=hours, on_success=gate(calm, hours), on_failure="ROLLBACK")
Stage("B", before_entry=gate(calm, result="FAIL"), on_failure=retry(all_actions=True))
Stage("C", before_entry=gate(calm, result=Result.FAIL), on_failure=gate(calm))
"""
MISTYPED = """\
Stage("D", on_failure="SKIP")
gate(calm, result="RETRY")
gate("calm")
Stage("E", before_entry=approval("ok"))
"""


@pytest.mark.slow
def test_the_editor_and_mypy_know_the_words(tmp_path: Path) -> None:
    file = tmp_path / "cell.py"
    file.write_text(TYPED + MISTYPED, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(file)]
    root = Path(__file__).parents[2]
    told = subprocess.run(command, capture_output=True, check=False, text=True, cwd=root).stdout
    lines = {int(each.split(":")[1]) for each in told.splitlines() if "cell.py" in each}
    first = TYPED.count("\n") + 1
    assert lines == set(range(first, first + 4)), told


def test_a_pipeline_with_a_condition_in_a_list_is_the_same() -> None:
    listed: Any = [Condition((HOURS,), Result.FAIL)]
    assert Pipeline("p") >> Stage("Go", before_entry=listed) == Pipeline("p") >> Stage(
        "Go", before_entry=HOURS
    )
