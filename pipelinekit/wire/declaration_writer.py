"""Writes CodePipeline's PipelineDeclaration as GetPipeline gives it, a function for each noun."""

from enum import StrEnum

from pipelinekit.model.action import Action, ActionTypeId, EnvironmentVariable, OutputArtifact
from pipelinekit.model.condition import Condition, FailureConditions, RetryMode, Rule, RuleTypeId
from pipelinekit.model.pipeline import ArtifactStore, Blocker, Pipeline, Stage, Variable
from pipelinekit.model.trigger import (
    GitConfiguration,
    Patterns,
    PullRequestFilter,
    PushFilter,
    Trigger,
)
from pipelinekit.tools.documents.document import JSON

Object = dict[str, JSON]


def write_pipeline(pipeline: Pipeline) -> Object:
    """Write a PipelineDeclaration; absent members are left out, defaults are filled in."""
    return _present(
        name=pipeline.name,
        roleArn=pipeline.role_arn,
        artifactStore=_store_or_none(pipeline.artifact_store),
        artifactStores={
            region: _store(store) for region, store in pipeline.artifact_stores.items()
        }
        or None,
        stages=[_stage(stage) for stage in pipeline.stages],
        version=pipeline.version,
        executionMode=pipeline.mode.value,
        pipelineType=pipeline.type.value,
        variables=[_variable(variable) for variable in pipeline.variables] or None,
        triggers=[_trigger(trigger) for trigger in pipeline.triggers] or None,
    )


def _present(**members: JSON) -> Object:
    return {name: value for name, value in members.items() if value is not None}


def _word(word: StrEnum | None) -> str | None:
    return None if word is None else word.value


def _store_or_none(store: ArtifactStore | None) -> Object | None:
    return None if store is None else _store(store)


def _store(store: ArtifactStore) -> Object:
    key = store.encryption_key
    return _present(
        type=store.type,
        location=store.location,
        encryptionKey=None if key is None else {"id": key.id, "type": key.type},
    )


def _variable(variable: Variable) -> Object:
    return _present(
        name=variable.name, defaultValue=variable.default, description=variable.description
    )


def _stage(stage: Stage) -> Object:
    return _present(
        name=stage.name,
        blockers=[_blocker(blocker) for blocker in stage.blockers] or None,
        actions=[_action(action) for action in stage.actions],
        onFailure=None if stage.on_failure is None else _failure(stage.on_failure),
        onSuccess=_conditions(stage.on_success),
        beforeEntry=_conditions(stage.before_entry),
    )


def _blocker(blocker: Blocker) -> Object:
    return {"name": blocker.name, "type": blocker.type}


def _conditions(conditions: tuple[Condition, ...]) -> Object | None:
    return {"conditions": [_condition(each) for each in conditions]} if conditions else None


def _failure(failure: FailureConditions) -> Object:
    return _present(
        result=_word(failure.result),
        retryConfiguration=_retry(failure.retry_mode),
        conditions=[_condition(condition) for condition in failure.conditions] or None,
    )


def _retry(mode: RetryMode | None) -> Object | None:
    return None if mode is None else {"retryMode": mode.value}


def _condition(condition: Condition) -> Object:
    return _present(
        result=_word(condition.result), rules=[_rule(rule) for rule in condition.rules] or None
    )


def _rule(rule: Rule) -> Object:
    return _present(
        name=rule.name,
        ruleTypeId=_rule_type(rule.type),
        configuration=dict(rule.configuration) or None,
        commands=list(rule.commands) or None,
        inputArtifacts=_names(rule.inputs) or None,
        roleArn=rule.role_arn,
        region=rule.region,
        timeoutInMinutes=rule.timeout_minutes,
    )


def _rule_type(type_id: RuleTypeId) -> Object:
    return _present(
        category=type_id.category,
        owner=type_id.owner,
        provider=type_id.provider,
        version=type_id.version,
    )


def _action(action: Action) -> Object:
    return _present(
        name=action.name,
        actionTypeId=_action_type(action.type),
        runOrder=action.run_order,
        configuration=dict(action.configuration),
        commands=list(action.commands) or None,
        outputArtifacts=[_output(output) for output in action.outputs],
        inputArtifacts=_names(action.inputs),
        outputVariables=list(action.output_variables) or None,
        environmentVariables=[_environment_variable(each) for each in action.environment] or None,
        roleArn=action.role_arn,
        region=action.region,
        namespace=action.namespace,
        timeoutInMinutes=action.timeout_minutes,
    )


def _action_type(type_id: ActionTypeId) -> Object:
    return {
        "category": type_id.category.value,
        "owner": type_id.owner.value,
        "provider": type_id.provider,
        "version": type_id.version,
    }


def _names(names: tuple[str, ...]) -> list[JSON]:
    return [{"name": name} for name in names]


def _output(output: OutputArtifact) -> Object:
    return _present(name=output.name, files=list(output.files) or None)


def _environment_variable(variable: EnvironmentVariable) -> Object:
    return _present(name=variable.name, value=variable.value, type=_word(variable.type))


def _trigger(trigger: Trigger) -> Object:
    return {
        "providerType": trigger.provider_type,
        "gitConfiguration": _git(trigger.git_configuration),
    }


def _git(git: GitConfiguration) -> Object:
    return _present(
        sourceActionName=git.source_action_name,
        push=[_push(each) for each in git.push] or None,
        pullRequest=[_pull_request(each) for each in git.pull_request] or None,
    )


def _push(each: PushFilter) -> Object:
    return _present(
        tags=_patterns(each.tags),
        branches=_patterns(each.branches),
        filePaths=_patterns(each.file_paths),
    )


def _pull_request(each: PullRequestFilter) -> Object:
    return _present(
        events=[event.value for event in each.events] or None,
        branches=_patterns(each.branches),
        filePaths=_patterns(each.file_paths),
    )


def _patterns(patterns: Patterns | None) -> Object | None:
    if patterns is None:
        return None
    return _present(
        includes=list(patterns.includes) or None, excludes=list(patterns.excludes) or None
    )
