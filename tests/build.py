"""Builds valid pipelines, which a test then changes in the one thing that it is about."""

from typing import Any

from msgspec.structs import replace

from pipelinekit.model.action import (
    Action,
    ActionTypeId,
    Category,
    EnvironmentVariable,
    OutputArtifact,
    Owner,
    SecretType,
)
from pipelinekit.model.condition import (
    Condition,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
    RuleTypeId,
)
from pipelinekit.model.pipeline import (
    ArtifactStore,
    Blocker,
    EncryptionKey,
    ExecutionMode,
    Pipeline,
    Stage,
    Variable,
)
from pipelinekit.model.trigger import (
    GitConfiguration,
    Patterns,
    PullRequestEvent,
    PullRequestFilter,
    PushFilter,
    Trigger,
)

CONNECTION = "arn:aws:codestar-connections:us-east-1:111122223333:connection/shop"
ROLE = "arn:aws:iam::111122223333:role/shop"


def aws(category: Category, provider: str) -> ActionTypeId:
    """Name a type of AWS."""
    return ActionTypeId(category, Owner.AWS, provider)


def source(**changes: Any) -> Action:
    """Make a source action at a connection, with some members changed."""
    action = Action(
        "Fetch",
        aws(Category.SOURCE, "CodeStarSourceConnection"),
        {"ConnectionArn": CONNECTION, "FullRepositoryId": "me/shop", "BranchName": "main"},
        outputs=(OutputArtifact("Code"),),
        namespace="src",
    )
    return replace(action, **changes)


def build(**changes: Any) -> Action:
    """Make a CodeBuild action that reads the source, with some members changed."""
    action = Action(
        "Make",
        aws(Category.BUILD, "CodeBuild"),
        {"ProjectName": "shop"},
        inputs=("Code",),
        outputs=(OutputArtifact("Program"),),
        namespace="bld",
    )
    return replace(action, **changes)


def deploy(**changes: Any) -> Action:
    """Make a CodeDeploy action that reads what was built, with some members changed."""
    action = Action(
        "Release",
        aws(Category.DEPLOY, "CodeDeploy"),
        {"ApplicationName": "shop", "DeploymentGroupName": "production"},
        inputs=("Program",),
    )
    return replace(action, **changes)


def approval(**changes: Any) -> Action:
    """Make a manual approval, with some members changed."""
    action = Action("Ask", aws(Category.APPROVAL, "Manual"), {"CustomData": "Ready?"})
    return replace(action, **changes)


def commands(**changes: Any) -> Action:
    """Make a Commands action that reads the source, with some members changed."""
    action = Action(
        "Check",
        aws(Category.COMPUTE, "Commands"),
        inputs=("Code",),
        outputs=(OutputArtifact("Report", ("report/**/*",)),),
        namespace="chk",
        commands=("make check", "export LEVEL=$(cat level)"),
        output_variables=("LEVEL",),
        environment=(
            EnvironmentVariable("COMMIT", "#{src.CommitId}", SecretType.PLAINTEXT),
            EnvironmentVariable("MODE", "strict"),
        ),
    )
    return replace(action, **changes)


def pipeline(*stages: Stage, **changes: Any) -> Pipeline:
    """Make a V2 pipeline of Source, Build and Deploy, or of other stages, with members changed."""
    usual = (Stage("Source", source()), Stage("Build", build()), Stage("Deploy", deploy()))
    return replace(Pipeline("shop", stages or usual), **changes)


def rule(**changes: Any) -> Rule:
    """Make a rule that compares a variable, with some members changed."""
    checks = {"Variable": "#{src.BranchName}", "Value": "main", "Operator": "EQ"}
    return replace(Rule("OnMain", RuleTypeId("VariableCheck"), checks), **changes)


def window(**changes: Any) -> Rule:
    """Make a rule that waits for a window of time, with some members changed."""
    hours = {"Cron": "0 0 9-17 ? * MON-FRI *"}
    return replace(Rule("AtWork", RuleTypeId("DeploymentWindow"), hours), **changes)


def trigger(**changes: Any) -> Trigger:
    """Make a trigger of the source for pushes to main, with members of its filters changed."""
    git = GitConfiguration("Fetch", push=(PushFilter(branches=Patterns(("main",))),))
    return Trigger(replace(git, **changes))


def full() -> Pipeline:
    """Make a valid pipeline in which every member that CodePipeline knows is given somewhere."""
    checked_rule = Rule(
        "Built",
        RuleTypeId("Commands"),
        commands=("make check",),
        inputs=("Code",),
        role_arn=ROLE,
        region="us-east-1",
        timeout_minutes=10,
    )
    test = Stage(
        "Test",
        commands(run_order=2, role_arn=ROLE, region="us-east-1", timeout_minutes=30),
        blockers=(Blocker("Never"),),
        before_entry=(Condition((rule(),), Result.SKIP),),
        on_success=(Condition((checked_rule, window()), Result.ROLLBACK),),
        on_failure=FailureConditions(Result.RETRY, RetryMode.ALL_ACTIONS),
    )
    live = Stage(
        "Live",
        actions=(approval(timeout_minutes=600), deploy(run_order=2)),
        on_failure=FailureConditions(conditions=(Condition((window(),), Result.ROLLBACK),)),
    )
    return pipeline(
        Stage("Source", source()),
        Stage("Build", build(configuration={"ProjectName": "shop-#{variables.level}"})),
        test,
        live,
        mode=ExecutionMode.QUEUED,
        variables=(Variable("level", "info", "How much is told."), Variable("target")),
        triggers=(_every_filter(),),
        role_arn=ROLE,
        artifact_store=ArtifactStore("shop-artifacts", encryption_key=EncryptionKey("alias/shop")),
        version=7,
    )


def _every_filter() -> Trigger:
    some = Patterns(("main", "release/*"), ("release/old",))
    return trigger(
        push=(PushFilter(tags=Patterns(("v*",))), PushFilter(branches=some, file_paths=some)),
        pull_request=(
            PullRequestFilter((PullRequestEvent.OPEN, PullRequestEvent.UPDATED), some, some),
        ),
    )
