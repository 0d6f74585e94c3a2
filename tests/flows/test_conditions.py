"""Conditions of stages through the public face: every place, every result, every way past it."""

from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import (
    CannotRunHere,
    ConditionNotOverridable,
    StageNotRetryable,
    ValidationError,
)
from pipelinekit.model.gate import gate, retry
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.settings import Function
from pipelinekit.model.status import TriggerType
from pipelinekit.providers.cloudwatch_alarm import cloudwatch_alarm
from pipelinekit.providers.codebuild_rule import codebuild_check
from pipelinekit.providers.commands_rule import commands_check
from pipelinekit.providers.deployment_window import deployment_window
from pipelinekit.providers.lambda_rule import lambda_check
from pipelinekit.providers.variable_check import variable_check
from tests.flows.ledger import WAIT, Site, check_replay, stage, stages, until

ALWAYS = deployment_window("hours", "* * * * * ? *")


@pk.rule("ConditionRaise")
def explode(job: pk.Job) -> bool:
    """Raise."""
    del job
    raise RuntimeError("the roof is on fire")


def checks(run: pk.Run) -> list[tuple[str, str, str]]:
    return [(row.stage, row.condition.value, row.status.value) for row in run.conditions]


# ------------------------------------------------------------------ at the entry


def test_an_entry_that_fails_fails_the_stage_before_any_action(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=gate(ALWAYS, site.opened()))
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert run.status == "Failed"
    assert stages(run) == {"Source": "Succeeded", "Prod": "Failed"}
    assert checks(run) == [("Prod", "BEFORE_ENTRY", "Failed")]
    assert site.ledger == []
    assert "The BEFORE_ENTRY condition of stage Prod failed: is-gate: " in run.execution.summary
    assert "LedgerOpen answered False" in run.execution.summary
    assert {row.rule: row.status for row in run.rules} == {
        "hours": "Succeeded",
        "is-gate": "Failed",
    }


def test_rules_have_logs_as_actions_have(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=gate(site.opened(), explode("boom")))
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert "== Prod/is-gate: Failed ==\nlooking for " in run.logs()
    assert "Traceback" in run.logs("boom")
    assert "looking for" not in run.logs("boom")
    assert "RuntimeError: the roof is on fire" in run.execution.summary


def test_an_entry_that_failed_is_overridden_and_the_run_goes_on(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=site.opened())
    run = kit.start(site.line(prod, Stage("After", site.ship("after")))).wait(timeout=WAIT)
    run.override("Prod", "BEFORE_ENTRY").wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert checks(run) == [("Prod", "BEFORE_ENTRY", "Overridden")]
    assert run.conditions[0].summary == "Overridden by ann"
    assert site.ledger == ["live one one", "after one one"]
    with pytest.raises(ConditionNotOverridable):
        run.override("Prod", "BEFORE_ENTRY")


def test_a_retry_checks_the_entry_again(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=site.opened())
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert run.retry().wait(timeout=WAIT).status == "Failed"
    site.opens()
    assert run.retry().wait(timeout=WAIT).status == "Succeeded"
    assert [(row.attempt, row.status) for row in run.rules] == [
        (1, "Failed"),
        (2, "Failed"),
        (3, "Succeeded"),
    ]


def test_an_entry_can_skip_the_stage(kit: pk.Kit, site: Site) -> None:
    only_two = variable_check("only-two", "#{src.Text}", "two")
    prod = Stage("Prod", site.ship("live"), before_entry=gate(only_two, result="SKIP"))
    pipeline = site.line(prod, Stage("After", site.ship("after")))
    run = kit.start(pipeline).wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert stages(run) == {"Source": "Succeeded", "Prod": "Skipped", "After": "Succeeded"}
    assert site.ledger == ["after one one"]
    with pytest.raises(ConditionNotOverridable):
        run.override("Prod", "BEFORE_ENTRY")
    with pytest.raises(StageNotRetryable):
        run.retry("Prod")
    site.writes("two")
    assert stages(kit.start(pipeline).wait(timeout=WAIT))["Prod"] == "Succeeded"


def test_the_last_stage_may_be_skipped(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=gate(site.opened(), result="SKIP"))
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert (run.status, stages(run)["Prod"]) == ("Succeeded", "Skipped")


def test_a_window_is_waited_for_while_the_stage_is_locked(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=gate(site.until_open(), ALWAYS))
    pipeline = site.line(prod)
    first = kit.start(pipeline)
    until(lambda: any(row.status == "Succeeded" for row in first.rules))
    site.writes("two")
    second = kit.start(pipeline)
    until(lambda: second.execution.stage == "Prod")
    assert (stages(first)["Prod"], "Prod" in stages(second)) == ("InProgress", False)
    assert site.ledger == []
    site.opens()
    assert first.wait(timeout=WAIT).status == second.wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger == ["live one one", "live two two"]


def test_a_rule_that_still_waits_is_overridden(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=site.until_open())
    run = kit.start(site.line(prod))
    until(lambda: run.rules)
    assert run.override().wait(timeout=WAIT).status == "Succeeded"
    assert [row.status for row in run.rules] == ["Abandoned"]
    assert checks(run) == [("Prod", "BEFORE_ENTRY", "Overridden")]


def test_a_run_that_waits_for_a_window_can_be_stopped(kit: pk.Kit, site: Site) -> None:
    run = kit.start(site.line(Stage("Prod", site.ship("live"), before_entry=site.until_open())))
    until(lambda: run.rules)
    run.stop("no", abandon=True).wait(timeout=WAIT)
    assert run.status == "Stopped"
    assert [row.status for row in run.rules] == ["Abandoned"]
    assert site.ledger == []


def test_a_window_is_waited_for_by_the_next_kit(tmp_path: Path, site: Site) -> None:
    home, settings = tmp_path / "home", pk.Settings()
    with pk.Kit(home, settings=settings) as kit:
        prod = Stage("Prod", site.ship("live"), before_entry=site.until_open())
        run = kit.start(site.line(prod))
        until(lambda: run.rules)
    site.opens()
    with pk.Kit(home, settings=settings) as kit:
        assert kit.run(run.id).wait(timeout=WAIT).status == "Succeeded"


# ------------------------------------------------------------------ on success


def test_a_success_that_is_not_confirmed_fails_the_stage(kit: pk.Kit, site: Site) -> None:
    prod = Stage("Prod", site.ship("live"), on_success=site.opened())
    run = kit.start(site.line(prod, Stage("After", site.ship("after")))).wait(timeout=WAIT)
    assert (run.status, stages(run)["Prod"]) == ("Failed", "Failed")
    assert "The ON_SUCCESS condition of stage Prod failed" in run.execution.summary
    assert site.ledger == ["live one one"]
    run.override().wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert site.ledger == ["live one one", "after one one"]


def test_a_stage_whose_success_was_not_confirmed_is_retried_as_a_whole(
    kit: pk.Kit, site: Site
) -> None:
    prod = Stage("Prod", site.ship("live"), on_success=site.opened())
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    with pytest.raises(StageNotRetryable, match="ALL_ACTIONS"):
        run.retry()
    site.opens()
    assert run.retry(all_actions=True).wait(timeout=WAIT).status == "Succeeded"
    assert site.ledger == ["live one one"] * 2


def test_a_success_that_is_confirmed_goes_on(kit: pk.Kit, site: Site) -> None:
    site.opens()
    prod = Stage("Prod", site.ship("live"), on_success=gate(site.opened(), result="ROLLBACK"))
    run = kit.start(site.line(prod, Stage("After", site.ship("after")))).wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert checks(run) == [("Prod", "ON_SUCCESS", "Succeeded")]


def test_a_success_that_is_not_confirmed_rolls_back(kit: pk.Kit, site: Site) -> None:
    fit = variable_check("fit", "#{src.Text}", "one")
    pipeline = site.line(Stage("Prod", site.ship("live"), on_success=gate(fit, result="ROLLBACK")))
    good = kit.start(pipeline).wait(timeout=WAIT)
    site.writes("two")
    bad = kit.start(pipeline).wait(timeout=WAIT)
    assert (bad.status, stages(bad)["Prod"]) == ("Failed", "Succeeded")
    back = kit.runs("shop")[0].wait(timeout=WAIT)
    assert (back.status, back.execution.target) == ("Succeeded", good.id)
    assert back.execution.cause.type is TriggerType.AUTOMATED_ROLLBACK
    assert site.ledger == ["live one one", "live two two", "live one one"]


def test_a_first_success_that_is_not_confirmed_has_nothing_to_roll_back_to(
    kit: pk.Kit, site: Site
) -> None:
    prod = Stage("Prod", site.ship("live"), on_success=gate(site.opened(), result="ROLLBACK"))
    run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert run.status == "Failed"
    assert len(kit.runs("shop")) == 1


# ------------------------------------------------------------------ on failure


def test_a_failure_is_retried_once_by_itself(kit: pk.Kit, site: Site) -> None:
    site.breaks("once")
    steps = site.ship("first") >> site.ship("second")
    run = kit.start(site.line(Stage("Prod", steps, on_failure="RETRY"))).wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert site.ledger == ["first one one", "first one one", "second one one"]
    assert stage(run, "Prod").auto_retries == 1


def test_a_whole_stage_is_retried_by_itself(kit: pk.Kit, site: Site) -> None:
    once = Stage("Prod", site.ship("a") + site.ship("b"), on_failure=retry(all_actions=True))
    site.breaks("once")
    run = kit.start(site.line(once)).wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert sorted(site.ledger) == ["a one one", "a one one", "b one one", "b one one"]


def test_a_second_failure_is_final(kit: pk.Kit, site: Site) -> None:
    site.breaks()
    run = kit.start(site.line(Stage("Prod", site.ship("live"), on_failure="RETRY")))
    assert run.wait(timeout=WAIT).status == "Failed"
    assert [row.attempt for row in run.attempts if row.action == "live"] == [1, 2]


def test_a_failure_rolls_back_to_the_last_run_that_succeeded(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live"), on_failure="ROLLBACK"))
    good = kit.start(pipeline).wait(timeout=WAIT)
    site.writes("two")
    site.breaks("once")
    bad = kit.start(pipeline).wait(timeout=WAIT)
    back = kit.runs("shop")[0].wait(timeout=WAIT)
    assert (bad.status, back.status, back.execution.target) == ("Failed", "Succeeded", good.id)
    assert back.execution.cause.detail == bad.id
    assert site.ledger == ["live one one", "live two two", "live one one"]


def test_a_rollback_that_fails_is_not_rolled_back(kit: pk.Kit, site: Site) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live"), on_failure="ROLLBACK"))
    kit.start(pipeline).wait(timeout=WAIT)
    site.breaks()
    kit.start(pipeline).wait(timeout=WAIT)
    back = kit.runs("shop")[0].wait(timeout=WAIT)
    assert (back.status, len(kit.runs("shop"))) == ("Failed", 3)


@pytest.mark.parametrize("calm", [True, False])
def test_the_rules_of_a_failure_decide_whether_it_rolls_back(
    kit: pk.Kit, site: Site, *, calm: bool
) -> None:
    pipeline = site.line(Stage("Prod", site.ship("live"), on_failure=site.opened("calm")))
    kit.start(pipeline).wait(timeout=WAIT)
    if calm:
        site.opens("calm")
    site.breaks("once")
    bad = kit.start(pipeline).wait(timeout=WAIT)
    assert (bad.status, stages(bad)["Prod"]) == ("Failed", "Failed")
    assert checks(bad) == [("Prod", "ON_FAILURE", "Succeeded" if calm else "Failed")]
    last = kit.runs("shop")[0].wait(timeout=WAIT)
    assert (last.id == bad.id) is calm
    assert "the host is down" in (bad.execution.summary if calm else bad.logs("live"))


# ------------------------------------------------------------------ rules that are processes

HANDLER = """\
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]
    asked = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    print("the function was asked for", asked)
    codepipeline = boto3.client("codepipeline")
    if asked == "one":
        codepipeline.put_job_success_result(jobId=job["id"])
    else:
        told = {"type": "JobFailed", "message": "not this one"}
        codepipeline.put_job_failure_result(jobId=job["id"], failureDetails=told)
"""


@pytest.mark.slow
def test_commands_builds_and_functions_are_checked_with_their_artifacts(
    tmp_path: Path, site: Site
) -> None:
    (tmp_path / "app.py").write_text(HANDLER, encoding="utf-8")
    spec = "version: 0.2\nphases: {build: {commands: ['echo built; grep one file.txt']}}\n"
    settings = pk.Settings(
        folder=str(tmp_path),
        projects={"fit": pk.Project(buildspec=spec)},
        functions={"calm": Function(".", "app.handler")},
        compute=pk.Compute(where=pk.Where.HOST),
    )
    rules = gate(
        commands_check("lint", "echo linted", "grep one file.txt").reads("src_artifact"),
        codebuild_check("fit", "fit").reads("src_artifact"),
        lambda_check("calm", "calm", "#{src.Text}"),
    )
    with pk.Kit(tmp_path / "home", settings=settings) as kit:
        pipeline = site.line(Stage("Prod", site.ship("live"), before_entry=rules))
        run = kit.start(pipeline).wait(timeout=60)
        assert run.status == "Succeeded", run.logs()
        assert "linted" in run.logs("lint")
        assert "built" in run.logs("fit")
        assert "the function was asked for one" in run.logs("calm")
        site.writes("two")
        failed = kit.start(pipeline).wait(timeout=60)
    assert (failed.status, site.ledger) == ("Failed", ["live one one"])
    told = failed.execution.summary
    for words in ("lint: command `grep one", "fit: command `echo", "calm: not this one"):
        assert words in told


@pytest.mark.slow
def test_an_alarm_holds_a_release_up(tmp_path: Path, site: Site, account: str) -> None:
    aws = pk.Aws(region="eu-west-1", endpoint=account)
    settings = pk.Settings(folder=str(tmp_path), aws=aws)
    with pk.Kit(tmp_path / "home", settings=settings) as kit:
        prod = Stage("Prod", site.ship("live"), before_entry=cloudwatch_alarm("calm", "errors"))
        run = kit.start(site.line(prod)).wait(timeout=WAIT)
    assert "there is no alarm errors in CloudWatch" in run.execution.summary


def test_a_rule_that_cannot_be_evaluated_here_is_refused_before_anything_runs(
    kit: pk.Kit, site: Site
) -> None:
    prod = Stage("Prod", site.ship("live"), before_entry=cloudwatch_alarm("calm", "errors"))
    with pytest.raises(CannotRunHere, match="rule Prod/calm: the alarm errors"):
        kit.start(site.line(prod))
    assert kit.runs() == []


# ------------------------------------------------------------------ what is kept


def test_a_rule_of_ones_own_is_known_by_its_name_and_refused_where_it_is_not(
    kit: pk.Kit, site: Site
) -> None:
    own = site.opened()
    unknown = gate(own, type(own)("other", type(own.type)("Nowhere", "Custom")))
    with pytest.raises(ValidationError, match="Nowhere"):
        kit.start(site.line(Stage("Prod", site.ship("live"), before_entry=unknown)))


def test_replaying_the_journal_of_gates_gives_what_is_kept(kit: pk.Kit, site: Site) -> None:
    prod = Stage(
        "Prod", site.ship("live"), before_entry=site.opened("in"), on_failure=site.opened("out")
    )
    pipeline = site.line(prod)
    kit.start(pipeline).wait(timeout=WAIT).override().wait(timeout=WAIT)
    site.opens("in")
    site.breaks("once")
    kit.start(pipeline).wait(timeout=WAIT)
    kit.runs("shop")[0].wait(timeout=WAIT)
    check_replay(kit)
    assert len(kit.runs("shop")) == 3
