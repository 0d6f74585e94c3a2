"""Rules G1 to G9 refuse what they name, and accept the near twin."""

from typing import Any

from pipelinekit.model.condition import Condition, FailureConditions, Result, RetryMode, RuleTypeId
from pipelinekit.model.pipeline import ExecutionMode, PipelineType, Stage
from tests.build import approval, build, deploy, pipeline, rule, window
from tests.refusal import BUILD, SOURCE, accepted, guarded_by, refused

V1 = PipelineType.V1


def test_two_stages_with_the_same_name() -> None:
    """C21: names of stages are unique in the pipeline (G1)."""
    found = refused(pipeline(SOURCE, BUILD, Stage("Build", deploy())), "G1", "stages", 2, "name")
    assert '"Build"' in found
    accepted(pipeline(SOURCE, BUILD, Stage("build", deploy())))


def test_more_actions_than_a_stage_may_have() -> None:
    """G2."""
    gates = tuple(approval(name=f"Ask{number}") for number in range(101))
    refused(pipeline(SOURCE, Stage("Gates", actions=gates)), "G2", "stages", 1, "actions")
    accepted(pipeline(SOURCE, Stage("Gates", actions=gates[1:])))


def test_conditions_in_a_v1_pipeline() -> None:
    """3.12: conditions of a stage are a feature of V2 (G3)."""
    gates: dict[str, dict[str, Any]] = {
        "beforeEntry": {"before_entry": (Condition((window(),), Result.FAIL),)},
        "onSuccess": {"on_success": (Condition((window(),), Result.FAIL),)},
        "onFailure": {"on_failure": FailureConditions(Result.RETRY)},
    }
    for gate, members in gates.items():
        guarded = Stage("Build", build(), **members)
        refused(pipeline(SOURCE, guarded, type=V1), "G3", "stages", 1, gate)
        accepted(pipeline(SOURCE, guarded))


def test_a_rollback_in_a_parallel_pipeline() -> None:
    """3.4, 3.11, C14: no stage of a PARALLEL pipeline rolls back (G4)."""
    back = (Condition((window(),), Result.ROLLBACK),)
    here = ("stages", 1)
    cases: dict[tuple[str | int, ...], dict[str, Any]] = {
        ("onFailure", "result"): {"on_failure": FailureConditions(Result.ROLLBACK)},
        ("onFailure", "conditions", 0, "result"): {
            "on_failure": FailureConditions(conditions=back)
        },
        ("onSuccess", "conditions", 0, "result"): {"on_success": back},
    }
    for path, members in cases.items():
        guarded = Stage("Build", build(), **members)
        bad = pipeline(SOURCE, guarded, mode=ExecutionMode.PARALLEL)
        refused(bad, "G4", *here, *path)
        accepted(pipeline(SOURCE, guarded))
    failing = Stage("Build", build(), on_success=(Condition((window(),), Result.FAIL),))
    accepted(pipeline(SOURCE, failing, mode=ExecutionMode.PARALLEL))


def test_on_failure_with_both_a_result_and_conditions() -> None:
    """3.10: automatic retry and conditions of failure exclude each other (G5) (CHOICE)."""
    back = (Condition((window(),), Result.ROLLBACK),)
    for both in (
        FailureConditions(Result.ROLLBACK, conditions=back),
        FailureConditions(retry_mode=RetryMode.ALL_ACTIONS, conditions=back),
    ):
        bad = pipeline(SOURCE, Stage("Build", build(), on_failure=both))
        refused(bad, "G5", "stages", 1, "onFailure")
    for one in (FailureConditions(Result.ROLLBACK), FailureConditions(conditions=back)):
        accepted(pipeline(SOURCE, Stage("Build", build(), on_failure=one)))


def test_a_result_that_its_gate_does_not_offer() -> None:
    """3.12: each place of a condition has its own results (G6)."""
    offered = {
        "beforeEntry": {Result.FAIL, Result.SKIP},
        "onSuccess": {Result.ROLLBACK, Result.FAIL},
        "onFailure": {Result.ROLLBACK},
    }
    for result in Result:
        conditions = (Condition((rule(),), result),)
        gates: dict[str, dict[str, Any]] = {
            "beforeEntry": {"before_entry": conditions},
            "onSuccess": {"on_success": conditions},
            "onFailure": {"on_failure": FailureConditions(conditions=conditions)},
        }
        for gate, members in gates.items():
            shop = pipeline(SOURCE, Stage("Build", build(), **members))
            if result in offered[gate]:
                accepted(shop)
            else:
                refused(shop, "G6", "stages", 1, gate, "conditions", 0, "result")
    for result in (Result.FAIL, Result.SKIP):
        guarded = Stage("Build", build(), on_failure=FailureConditions(result))
        refused(pipeline(SOURCE, guarded), "G6", "stages", 1, "onFailure", "result")


def test_a_skip_by_a_rule_that_cannot_skip() -> None:
    """3.12, 8, C6: SKIP works only with LambdaInvoke and VariableCheck (G6)."""
    path = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 1, "ruleTypeId", "provider")
    rules = (rule(), window())
    bad = Stage("Build", build(), before_entry=(Condition(rules, Result.SKIP),))
    refused(pipeline(SOURCE, bad), "G6", *path)
    good = Stage("Build", build(), before_entry=(Condition(rules, Result.FAIL),))
    accepted(pipeline(SOURCE, good))


def test_a_stage_without_actions() -> None:
    """G7."""
    refused(pipeline(SOURCE, BUILD, Stage("Empty")), "G7", "stages", 2, "actions")
    accepted(pipeline(SOURCE, BUILD, Stage("Empty", approval())))


def test_two_actions_of_a_stage_with_the_same_name() -> None:
    """C21: names of actions are unique in their stage (G8)."""
    twice = Stage("Gate", approval(), approval(run_order=2))
    refused(pipeline(SOURCE, twice), "G8", "stages", 1, "actions", 1, "name")
    accepted(pipeline(SOURCE, Stage("Gate", approval()), Stage("Again", approval())))


def test_two_rules_of_a_condition_with_the_same_name() -> None:
    """G9."""
    path = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 1)
    refused(guarded_by(window(), rule(name="AtWork")), "G9", *path, "name")
    accepted(guarded_by(window(), rule()))


def test_a_rule_of_an_unknown_provider() -> None:
    """8: a rule is of one of the six providers (G9)."""
    path = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0)
    unknown = guarded_by(rule(type=RuleTypeId("Oracle")))
    assert '"Oracle"' in refused(unknown, "G9", *path, "ruleTypeId", "provider")
    accepted(guarded_by(rule()))


def test_a_rule_without_a_required_key() -> None:
    """8: a rule has the required keys of its provider (G9)."""
    path = ("stages", 1, "beforeEntry", "conditions", 0, "rules", 0)
    lacking = guarded_by(window(configuration={"TimeZone": "UTC"}))
    assert '"Cron"' in refused(lacking, "G9", *path, "configuration", "Cron")
    accepted(guarded_by(window()))
