"""Rules of conditions, each really evaluated: commands, builds, functions, alarms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipelinekit.engine.ruletypes import RULES, rule_type
from pipelinekit.kit.ability import runs_here
from pipelinekit.kit.registry import discover
from pipelinekit.model.condition import ConditionType, Rule
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.model.execution import Artifact
from pipelinekit.model.gate import gate
from pipelinekit.model.order import Failed, FailureType, Order, Outcome, Succeeded, Waiting
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Aws, Compute, Function, Settings, Where
from pipelinekit.ports.provider import RuleProvider
from pipelinekit.providers.cloudwatch_alarm import cloudwatch_alarm
from pipelinekit.providers.codebuild_rule import codebuild_check
from pipelinekit.providers.commands_rule import commands_check, commands_rule
from pipelinekit.providers.deployment_window import deployment_window
from pipelinekit.providers.lambda_rule import lambda_check
from pipelinekit.providers.variable_check import variable_check
from tests.account import REGION, client
from tests.builds.sites import phases
from tests.fakes import FolderJob

ON_THE_HOST = Settings(compute=Compute(where=Where.HOST))
ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@dataclass
class Site:
    """A place for rules: source folders by name, and the settings."""

    folder: Path
    settings: Settings = ON_THE_HOST

    def source(self, name: str, files: Mapping[str, str]) -> None:
        for path, content in files.items():
            target = self.folder / "sources" / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")

    def job(self, rule: Rule, **changes: Any) -> FolderJob:
        order = Order(
            id=ID,
            pipeline="shop",
            execution="9b2d6f0a-2c1f-4e57-8c43-6c1a2b3c4d5e",
            stage="Prod",
            action=rule.name,
            type=rule_type(rule),
            configuration=rule.configuration,
            inputs=tuple(Artifact(each, "bucket", f"shop/{each}/0") for each in rule.inputs),
            commands=rule.commands,
            condition=ConditionType.BEFORE_ENTRY,
        )
        folder = self.folder / "jobs" / str(len(list(self.folder.glob("jobs/*"))))
        folder.mkdir(parents=True)
        inputs = {each: self.folder / "sources" / each for each in rule.inputs}
        return FolderJob(replace(order, **changes), folder, self.settings, inputs)

    def check(self, provider: RuleProvider[...], rule: Rule, **changes: Any) -> Outcome:
        return provider.carry_out(self.job(rule, **changes))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def waiting(outcome: Outcome) -> Waiting:
    assert isinstance(outcome, Waiting), outcome
    return outcome


def succeeded(outcome: Outcome) -> Succeeded:
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def refusal(rule: Rule, settings: Settings = ON_THE_HOST) -> str:
    with pytest.raises(CannotRunHere) as refused:
        runs_here(Pipeline("p") >> Stage("Prod", before_entry=rule), settings)
    return str(refused.value)


# ------------------------------------------------------------------ all of them


def test_every_rule_type_of_codepipeline_is_evaluated_with_its_keys_and_its_time() -> None:
    here = {
        each.traits.provider: each
        for each in discover().values()
        if isinstance(each, RuleProvider) and each.traits.owner == "AWS"
    }
    assert set(here) == {each.provider for each in RULES}
    for theirs in RULES:
        ours = here[theirs.provider].type
        assert {(each.name, each.required) for each in ours.properties} == {
            (each.name, each.required) for each in theirs.properties
        }
    for name in ("Commands", "CodeBuild"):
        (theirs,) = (each for each in RULES if each.provider == name)
        assert here[name].traits.timeout == theirs.timeout


# ------------------------------------------------------------------ Commands


def test_commands_of_a_rule_run_in_the_folder_of_the_first_input(site: Site) -> None:
    """8: a Commands rule succeeds when all of its commands exit with 0."""
    site.source("app", {"name": "app"})
    site.source("tools", {"name": "tools"})
    lines = ("test $(cat name) = app", 'echo "of $(cat $CODEBUILD_SRC_DIR_tools/name)"')
    asked = site.job(commands_check("lint", *lines).reads("app", "tools"))
    done = succeeded(commands_rule.carry_out(asked))
    assert done.external_id == f"shop-lint:{ID}"
    assert asked.written == {}


@pytest.mark.parametrize(
    "where", [Where.HOST, pytest.param(Where.SANDBOX, marks=pytest.mark.sandbox)]
)
def test_commands_of_a_rule_without_inputs_run_in_an_empty_folder(
    site: Site, where: Where
) -> None:
    """8: a Commands rule may read no artifact; it starts in an empty folder (CHOICE)."""
    site.settings = Settings(compute=Compute(where=where))
    empty = commands_check("empty", 'test -z "$(ls -A)"', 'test -z "$CODEBUILD_SOURCE_VERSION"')
    succeeded(site.check(commands_rule, empty))


def test_the_first_command_that_fails_fails_the_rule(site: Site) -> None:
    """8: a Commands rule fails at the first command that does not exit with 0."""
    told = failed(site.check(commands_rule, commands_check("lint", "true", "exit 3", "exit 0")))
    assert "`exit 3` of phase build exited with 3" in told.message
    assert told.code == FailureType.JOB_FAILED


def test_a_rule_without_commands_checks_nothing_and_is_refused() -> None:
    assert "rule Prod/lint: it has no commands" in refusal(commands_check("lint"))


# ------------------------------------------------------------------ CodeBuild


def test_a_build_that_succeeds_is_a_rule_that_succeeds_and_keeps_nothing(site: Site) -> None:
    """8: a CodeBuild rule runs a build, whose artifacts and variables are not kept (CHOICE)."""
    made = json.loads(phases(build=['test "$MODE" = strict', "touch made"]))
    spec = {**made, "artifacts": {"files": ["made"]}}
    site.source("app", {"buildspec.yml": json.dumps(spec)})
    check = codebuild_check("fit", "shop", env={"MODE": "strict"}).reads("app")
    asked = site.job(check)
    assert succeeded(codebuild_check.carry_out(asked)).external_id == f"shop:{ID}"
    assert asked.written == {}


def test_a_build_that_fails_is_a_rule_that_fails(site: Site) -> None:
    """8: a CodeBuild rule fails when its build fails."""
    site.source("app", {"buildspec.yml": phases(build=["exit 4"])})
    told = failed(site.check(codebuild_check, codebuild_check("fit", "shop").reads("app")))
    assert "`exit 4` of phase build exited with 4" in told.message


def test_a_batch_of_builds_is_a_rule(site: Site) -> None:
    spec = json.loads(phases(build=['test "$CODEBUILD_BATCH_BUILD_IDENTIFIER" != two']))
    spec["batch"] = {"build-list": [{"identifier": "one"}, {"identifier": "two"}]}
    site.source("app", {"buildspec.yml": json.dumps(spec)})
    told = failed(site.check(codebuild_check, codebuild_check("b", "s", batch=True).reads("app")))
    assert "two" in told.message


def test_a_build_without_a_source_is_refused() -> None:
    assert "rule Prod/fit: no PrimarySource" in refusal(codebuild_check("fit", "shop"))


# ------------------------------------------------------------------ LambdaInvoke

HANDLER = """\
import boto3

codepipeline = boto3.client("codepipeline")

def handler(event, context):
    job = event["CodePipeline.job"]
    asked = job["data"]["actionConfiguration"]["configuration"]["UserParameters"]
    print("asked for", asked)
    if asked == "yes":
        codepipeline.put_job_success_result(
            jobId=job["id"], executionDetails={"summary": "all calm"}
        )
    else:
        codepipeline.put_job_failure_result(
            jobId=job["id"], failureDetails={"type": "JobFailed", "message": "too loud"}
        )
"""


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["yes", "no"])
def test_a_function_reports_whether_a_rule_succeeds(
    site: Site, capfd: pytest.CaptureFixture[str], asked: str
) -> None:
    """8: LambdaInvoke ends by PutJobSuccessResult or PutJobFailureResult."""
    (site.folder / "app.py").write_text(HANDLER, encoding="utf-8")
    functions = {"calm": Function(".", "app.handler")}
    site.settings = Settings(folder=str(site.folder), functions=functions)
    outcome = site.check(lambda_check, lambda_check("calm", "calm", asked))
    expected = Succeeded(summary="all calm") if asked == "yes" else Failed("too loud")
    assert outcome == expected
    assert f"asked for {asked}" in capfd.readouterr().out


def test_a_function_that_is_not_known_is_refused_with_what_to_configure() -> None:
    assert "[lambda.calm]" in refusal(lambda_check("calm", "calm"))


# ------------------------------------------------------------------ CloudWatchAlarm


def alarm(endpoint: str, name: str, state: str = "OK") -> None:
    cloudwatch = client("cloudwatch", endpoint)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="shop",
        MetricName="errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    set_state(endpoint, name, state)


def set_state(endpoint: str, name: str, state: str) -> None:
    client("cloudwatch", endpoint).set_alarm_state(
        AlarmName=name, StateValue=state, StateReason=f"it was made {state}"
    )


@pytest.fixture
def watched(site: Site, account: str) -> Site:
    site.settings = Settings(aws=Aws(region=REGION, endpoint=account))
    return site


@pytest.mark.slow
def test_a_calm_alarm_succeeds_at_the_first_look(watched: Site, account: str) -> None:
    """8: CloudWatchAlarm succeeds at once when the alarm is OK at the first look."""
    alarm(account, "calm")
    outcome = watched.check(cloudwatch_alarm, cloudwatch_alarm("a", "calm", minutes=5))
    assert succeeded(outcome).summary == "alarm calm is in state OK"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("states", "state", "fails"),
    [
        ("ALARM", "INSUFFICIENT_DATA", False),
        ("ALARM, INSUFFICIENT_DATA", "INSUFFICIENT_DATA", True),
        ("OK", "OK", True),
        ("OK", "ALARM", False),
    ],
)
def test_the_states_to_react_to_can_be_chosen(
    watched: Site, account: str, states: str, state: str, *, fails: bool
) -> None:
    """8: CloudWatchAlarm reacts to AlarmStates; to ALARM where none are given (CHOICE)."""
    alarm(account, "chosen", state)
    outcome = watched.check(cloudwatch_alarm, cloudwatch_alarm("a", "chosen", states))
    assert isinstance(outcome, Failed if fails else Succeeded)


@pytest.mark.slow
def test_an_alarm_that_is_on_is_waited_for_until_it_recovers(watched: Site, account: str) -> None:
    """8: CloudWatchAlarm waits up to WaitTime for the recovery of an alarm."""
    alarm(account, "soon", "ALARM")
    rule = cloudwatch_alarm("a", "soon", minutes=5)
    asked = watched.job(rule)
    first = waiting(cloudwatch_alarm.carry_out(asked))
    assert "alarm soon is in state ALARM: it was made ALARM" in asked.said
    assert first.seconds == 30
    assert "alarm soon is in state ALARM; it has until" in first.summary
    second = waiting(watched.check(cloudwatch_alarm, rule, token=first.token))
    assert second.token == first.token
    set_state(account, "soon", "OK")
    assert "OK" in succeeded(watched.check(cloudwatch_alarm, rule, token=second.token)).summary


@pytest.mark.slow
def test_an_alarm_that_does_not_recover_in_time_fails(watched: Site, account: str) -> None:
    """8: CloudWatchAlarm fails when the alarm has not recovered within WaitTime."""
    alarm(account, "on", "ALARM")
    rule = cloudwatch_alarm("a", "on", minutes=5)
    began = datetime.now(UTC)
    until = datetime.fromisoformat(waiting(watched.check(cloudwatch_alarm, rule)).token)
    assert timedelta(minutes=5) <= until - began < timedelta(minutes=6)
    near = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    seconds = waiting(watched.check(cloudwatch_alarm, rule, token=near)).seconds
    assert seconds is not None
    assert 1 <= seconds <= 5
    past = datetime.now(UTC).isoformat()
    told = failed(watched.check(cloudwatch_alarm, rule, token=past)).message
    assert "alarm on is in state ALARM after 5 minutes: it was made ALARM" in told


@pytest.mark.slow
def test_an_alarm_that_is_not_there_fails(watched: Site) -> None:
    told = failed(watched.check(cloudwatch_alarm, cloudwatch_alarm("a", "nothing")))
    assert "there is no alarm nothing in CloudWatch" in told.message
    assert told.code == FailureType.CONFIGURATION_ERROR


@pytest.mark.slow
def test_an_account_that_cannot_be_asked_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    site.settings = Settings(aws=Aws(profile="nobody"))
    told = failed(site.check(cloudwatch_alarm, cloudwatch_alarm("a", "x"))).message
    assert "CloudWatch (nobody)" in told
    assert "could not be found" in told


def test_without_an_account_an_alarm_is_refused_with_what_to_configure(site: Site) -> None:
    rule = cloudwatch_alarm("a", "errors")
    told = refusal(rule)
    assert "rule Prod/a: the alarm errors is to be asked of CloudWatch" in told
    assert "[aws]\nprofile" in told
    assert "no AWS account" in failed(site.check(cloudwatch_alarm, rule)).message


def test_a_rule_of_another_region_than_the_account_is_refused() -> None:
    rule = replace(cloudwatch_alarm("a", "errors"), region="us-east-1")
    told = refusal(rule, Settings(aws=Aws(region=REGION)))
    assert "ask region us-east-1" in told
    assert "that of eu-west-1" in told
    runs_here(
        Pipeline("p") >> Stage("Prod", before_entry=replace(rule, region=REGION)),
        Settings(aws=Aws(region=REGION)),
    )


def test_states_that_no_alarm_has_are_refused(site: Site) -> None:
    rule = cloudwatch_alarm("a", "errors", "LOUD")
    assert "AlarmStates is 'LOUD'; write one or more of ALARM, OK" in refusal(rule)
    assert failed(site.check(cloudwatch_alarm, rule)).code == FailureType.CONFIGURATION_ERROR


# ------------------------------------------------------------------ what is not known yet


def test_a_rule_whose_value_is_not_known_yet_is_not_refused() -> None:
    later = "#{variables.later}"
    rules = (
        variable_check("v", later, "x"),
        deployment_window("w", later),
        lambda_check("l", later),
        cloudwatch_alarm("a", "errors", later),
    )
    stage = Stage("Prod", before_entry=gate(*rules))
    runs_here(Pipeline("p") >> stage, Settings(aws=Aws(region=REGION)))
