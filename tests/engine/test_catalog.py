"""The catalogue of action types and rule types tells what CodePipeline's reference tells."""

import re
from datetime import timedelta

import pytest

from pipelinekit.engine.catalog import RULE_TYPES, TYPES, time_limit
from pipelinekit.model.action import ActionTypeId, Category, Owner
from tests.build import aws


def keys(category: Category, provider: str) -> set[str]:
    return {key.name for key in TYPES[aws(category, provider)].properties if key.required}


@pytest.mark.parametrize(
    ("action_type", "limit"),
    [
        (aws(Category.APPROVAL, "Manual"), timedelta(days=7)),
        (aws(Category.BUILD, "CodeBuild"), timedelta(hours=36)),
        (aws(Category.TEST, "CodeBuild"), timedelta(hours=8)),
        (aws(Category.DEPLOY, "CodeDeploy"), timedelta(days=5)),
        (aws(Category.DEPLOY, "CodeDeployToECS"), timedelta(days=5)),
        (aws(Category.DEPLOY, "CloudFormation"), timedelta(days=3)),
        (aws(Category.INVOKE, "StepFunctions"), timedelta(days=7)),
        (aws(Category.INVOKE, "Lambda"), timedelta(hours=24)),
        (aws(Category.DEPLOY, "S3"), timedelta(minutes=90)),
        (aws(Category.COMPUTE, "Commands"), timedelta(minutes=55)),
        (aws(Category.SOURCE, "S3"), timedelta(hours=1)),
        (ActionTypeId(Category.BUILD, Owner.CUSTOM, "Jenkins"), timedelta(hours=24)),
        (aws(Category.BUILD, "Unheard"), timedelta(hours=1)),
    ],
)
def test_each_type_has_its_time(action_type: ActionTypeId, limit: timedelta) -> None:
    """3.16, C16: each type of action has its limit, and all others an hour."""
    assert time_limit(action_type) == limit


def test_required_keys_leave_out_the_conditional_ones() -> None:
    assert keys(Category.DEPLOY, "CloudFormation") == {"ActionMode", "StackName"}
    assert keys(Category.DEPLOY, "S3") == {"BucketName", "Extract"}
    assert keys(Category.BUILD, "CodeBuild") == keys(Category.TEST, "CodeBuild") == {"ProjectName"}
    assert keys(Category.APPROVAL, "Manual") == set()


def test_numbered_keys_are_listed_out() -> None:
    names = {key.name for key in TYPES[aws(Category.DEPLOY, "CodeDeployToECS")].properties}
    assert {
        f"Image{n}{what}Name" for n in range(1, 5) for what in ("Artifact", "Container")
    } < names


def test_tokens_and_client_secrets_are_secret_and_nothing_else_is() -> None:
    secrets = {key.name for kind in TYPES.values() for key in kind.properties if key.secret}
    assert secrets == {"OAuthToken", "ClientSecret", "RefreshToken"}


def test_variables_are_open_where_the_work_itself_names_them() -> None:
    """5.4: some providers name their output variables themselves, others are fixed."""
    opened = {str(kind.id) for kind in TYPES.values() if kind.variables is None}
    assert {name for name in opened if "/AWS/" in name} == {
        "Build/AWS/CodeBuild/1",
        "Test/AWS/CodeBuild/1",
        "Compute/AWS/Commands/1",
        "Deploy/AWS/CloudFormation/1",
        "Invoke/AWS/Lambda/1",
    }
    assert TYPES[aws(Category.DEPLOY, "CodeDeploy")].variables == frozenset()
    state_machine = TYPES[aws(Category.INVOKE, "StepFunctions")]
    assert state_machine.variables == frozenset({"StateMachineArn", "ExecutionArn"})


def test_v2_types_are_marked() -> None:
    marked = {kind.id.provider for kind in TYPES.values() if kind.v2_only}
    assert marked == {
        "Commands",
        "ECRBuildAndPublish",
        "EC2",
        "EKS",
        "Lambda",
        "CodePipeline",
        "InspectorScan",
    }
    assert not TYPES[aws(Category.INVOKE, "Lambda")].v2_only


def test_every_type_is_well_formed() -> None:
    for kind in TYPES.values():
        assert kind.inputs[0] <= kind.inputs[1], kind.id
        assert kind.outputs[0] <= kind.outputs[1], kind.id
        assert kind.id.owner is not Owner.CUSTOM
        names = [key.name for key in kind.properties]
        assert len(set(names)) == len(names), kind.id
        assert re.fullmatch(r"[A-Z][^.]+\.", kind.description), kind.id
        source = kind.id.category is Category.SOURCE
        assert (kind.inputs, kind.outputs) == ((0, 0), (1, 1)) or not source


def test_two_rule_types_can_skip() -> None:
    """8, C6: of six rule types two may skip."""
    assert {name for name, rule in RULE_TYPES.items() if rule.skip} == {
        "LambdaInvoke",
        "VariableCheck",
    }
    assert list(RULE_TYPES) == [
        "CloudWatchAlarm",
        "CodeBuild",
        "Commands",
        "DeploymentWindow",
        "LambdaInvoke",
        "VariableCheck",
    ]


def test_rule_types_know_their_required_keys() -> None:
    """8: each rule type has its required keys."""
    required = {
        name: {key.name for key in rule.properties if key.required}
        for name, rule in RULE_TYPES.items()
    }
    assert required == {
        "CloudWatchAlarm": {"AlarmName"},
        "CodeBuild": {"ProjectName"},
        "Commands": set(),
        "DeploymentWindow": {"Cron"},
        "LambdaInvoke": {"FunctionName"},
        "VariableCheck": {"Variable", "Value", "Operator"},
    }
