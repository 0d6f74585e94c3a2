"""Reads CodePipeline's PipelineDeclaration: a function for each noun, a line for each member.

Each function names the members that CodePipeline requires, then takes all that it knows; what
nobody takes is refused.
"""

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
    PipelineType,
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
from pipelinekit.wire.members import Members


def read_pipeline(given: Members) -> Pipeline:
    """Read a PipelineDeclaration; its members note their own faults."""
    given.need("name", "roleArn", "stages")
    return Pipeline(
        name=given.text("name"),
        stages=given.each("stages", _read_stage),
        mode=given.choice("executionMode", ExecutionMode, ExecutionMode.SUPERSEDED),
        type=given.choice("pipelineType", PipelineType, PipelineType.V1),
        variables=given.each("variables", _read_variable),
        triggers=given.each("triggers", _read_trigger),
        role_arn=given.text("roleArn"),
        artifact_store=given.one_or_none("artifactStore", _read_store),
        artifact_stores=given.one_by_key("artifactStores", _read_store),
        version=given.whole("version", 1),
    )


def _read_store(given: Members) -> ArtifactStore:
    given.need("type", "location")
    return ArtifactStore(
        type=given.text("type"),
        location=given.text("location"),
        encryption_key=given.one_or_none("encryptionKey", _read_key),
    )


def _read_key(given: Members) -> EncryptionKey:
    given.need("id", "type")
    return EncryptionKey(id=given.text("id"), type=given.text("type"))


def _read_variable(given: Members) -> Variable:
    given.need("name")
    return Variable(
        name=given.text("name"),
        default=given.text_or_none("defaultValue"),
        description=given.text_or_none("description"),
    )


def _read_stage(given: Members) -> Stage:
    given.need("name", "actions")
    return Stage(
        given.text("name"),
        actions=given.each("actions", _read_action),
        blockers=given.each("blockers", _read_blocker),
        before_entry=given.one_or_none("beforeEntry", _read_conditions) or (),
        on_success=given.one_or_none("onSuccess", _read_conditions) or (),
        on_failure=given.one_or_none("onFailure", _read_failure),
    )


def _read_blocker(given: Members) -> Blocker:
    given.need("name", "type")
    return Blocker(name=given.text("name"), type=given.text("type"))


def _read_conditions(given: Members) -> tuple[Condition, ...]:
    given.need("conditions")
    return given.each("conditions", _read_condition, least=1)


def _read_failure(given: Members) -> FailureConditions:
    return FailureConditions(
        result=given.choice("result", Result, None),
        retry_mode=given.one_or_none("retryConfiguration", _read_retry_mode),
        conditions=given.each("conditions", _read_condition, least=1),
    )


def _read_retry_mode(given: Members) -> RetryMode | None:
    return given.choice("retryMode", RetryMode, None)


def _read_condition(given: Members) -> Condition:
    return Condition(
        rules=given.each("rules", _read_rule, least=1),
        result=given.choice("result", Result, None),
    )


def _read_rule(given: Members) -> Rule:
    given.need("name", "ruleTypeId")
    return Rule(
        name=given.text("name"),
        type=given.one("ruleTypeId", _read_rule_type),
        configuration=given.text_by_key("configuration"),
        commands=given.texts("commands", least=1),
        inputs=given.each("inputArtifacts", _read_name),
        role_arn=given.text_or_none("roleArn"),
        region=given.text_or_none("region"),
        timeout_minutes=given.whole("timeoutInMinutes", None),
    )


def _read_rule_type(given: Members) -> RuleTypeId:
    given.need("category", "provider")
    return RuleTypeId(
        category=given.text("category"),
        owner=given.text_or_none("owner"),
        provider=given.text("provider"),
        version=given.version("version"),
    )


def _read_action(given: Members) -> Action:
    given.need("name", "actionTypeId")
    return Action(
        name=given.text("name"),
        type=given.one("actionTypeId", _read_action_type),
        configuration=given.text_by_key("configuration"),
        run_order=given.whole("runOrder", 1),
        inputs=given.each("inputArtifacts", _read_name),
        outputs=given.each("outputArtifacts", _read_output),
        namespace=given.text_or_none("namespace"),
        commands=given.texts("commands", least=1),
        output_variables=given.texts("outputVariables", least=1),
        environment=given.each("environmentVariables", _read_environment_variable, least=1),
        role_arn=given.text_or_none("roleArn"),
        region=given.text_or_none("region"),
        timeout_minutes=given.whole("timeoutInMinutes", None),
    )


def _read_action_type(given: Members) -> ActionTypeId:
    given.need("category", "owner", "provider", "version")
    return ActionTypeId(
        category=given.choice("category", Category, Category.SOURCE),
        owner=given.choice("owner", Owner, Owner.AWS),
        provider=given.text("provider"),
        version=given.version("version") or "",
    )


def _read_name(given: Members) -> str:
    given.need("name")
    return given.text("name")


def _read_output(given: Members) -> OutputArtifact:
    given.need("name")
    return OutputArtifact(name=given.text("name"), files=given.texts("files", least=1))


def _read_environment_variable(given: Members) -> EnvironmentVariable:
    given.need("name", "value")
    return EnvironmentVariable(
        name=given.text("name"),
        value=given.text("value"),
        type=given.choice("type", SecretType, None),
    )


def _read_trigger(given: Members) -> Trigger:
    given.need("providerType", "gitConfiguration")
    return Trigger(
        provider_type=given.text("providerType"),
        git_configuration=given.one("gitConfiguration", _read_git),
    )


def _read_git(given: Members) -> GitConfiguration:
    given.need("sourceActionName")
    return GitConfiguration(
        source_action_name=given.text("sourceActionName"),
        push=given.each("push", _read_push, least=1),
        pull_request=given.each("pullRequest", _read_pull_request, least=1),
    )


def _read_push(given: Members) -> PushFilter:
    return PushFilter(
        tags=given.one_or_none("tags", _read_patterns),
        branches=given.one_or_none("branches", _read_patterns),
        file_paths=given.one_or_none("filePaths", _read_patterns),
    )


def _read_pull_request(given: Members) -> PullRequestFilter:
    return PullRequestFilter(
        events=given.choices("events", PullRequestEvent, least=1),
        branches=given.one_or_none("branches", _read_patterns),
        file_paths=given.one_or_none("filePaths", _read_patterns),
    )


def _read_patterns(given: Members) -> Patterns:
    return Patterns(
        includes=given.texts("includes", least=1), excludes=given.texts("excludes", least=1)
    )
