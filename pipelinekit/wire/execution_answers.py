"""Writes executions, and the attempts of actions and rules, as the API lists them.

Source: codepipeline.md 12.3.
"""

from collections.abc import Mapping, Sequence

from pipelinekit.model.account import CustomType
from pipelinekit.model.action import Action, Owner
from pipelinekit.model.check import RuleExecution
from pipelinekit.model.condition import Rule
from pipelinekit.model.deploytarget import DeployTarget, TargetEvent
from pipelinekit.model.execution import ActionExecution, Artifact, PipelineExecution
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.wire.answers import (
    EXTERNAL_ID,
    SUMMARY,
    URL,
    Json,
    action_type_id,
    cut,
    epoch,
    error_details,
    present,
)

TRIGGER_DETAIL, CHANGE = 1_024, 100


def execution_summary(row: PipelineExecution) -> Json:
    """Write an execution as ListPipelineExecutions does."""
    return present(
        pipelineExecutionId=row.id,
        status=row.status.value,
        statusSummary=row.summary,
        startTime=epoch(row.started),
        lastUpdateTime=epoch(row.updated),
        sourceRevisions=[
            present(
                actionName=action,
                revisionId=cut(revision.id, EXTERNAL_ID),
                revisionSummary=cut(revision.summary, SUMMARY),
                revisionUrl=cut(revision.url, URL),
            )
            for action, revision in row.revisions.items()
        ],
        stopTrigger=present(reason=row.stop.reason) if row.stop else None,
        **_of_both(row),
    )


def execution_detail(row: PipelineExecution, definition: Pipeline) -> Json:
    """Write an execution as GetPipelineExecution does.

    Args:
        row: The execution.
        definition: The version that it runs by, in which its sources name their artifacts.
    """
    return present(
        pipelineName=row.pipeline,
        pipelineVersion=row.version,
        pipelineExecutionId=row.id,
        status=row.status.value,
        statusSummary=row.summary,
        artifactRevisions=_artifact_revisions(row, definition),
        variables=[
            {"name": name, "resolvedValue": value} for name, value in row.variables.items()
        ],
        **_of_both(row),
    )


def action_detail(
    row: ActionExecution,
    declared: Action | None,
    resolved: Mapping[str, str],
    custom: CustomType | None = None,
) -> Json:
    """Write an attempt of an action as ListActionExecutions does.

    Args:
        row: The attempt.
        declared: The action in the definition that it ran by, where that is known, secrets masked.
        resolved: What it was configured with, variables put in and secrets masked.
        custom: Its type, where that is of the account.
    """
    return present(
        pipelineExecutionId=row.execution,
        actionExecutionId=row.id,
        pipelineVersion=row.version,
        stageName=row.stage,
        actionName=row.action,
        startTime=epoch(row.started),
        lastUpdateTime=epoch(row.updated),
        updatedBy=row.by,
        status=row.status.value,
        input=present(
            actionTypeId=action_type_id(row.type),
            configuration=dict(declared.configuration) if declared else None,
            resolvedConfiguration=dict(resolved),
            roleArn=declared.role_arn if declared else None,
            region=declared.region if declared else None,
            inputArtifacts=_artifacts(row.inputs),
            namespace=declared.namespace if declared else None,
        ),
        output=present(
            outputArtifacts=_artifacts(row.outputs),
            executionResult=_result(row, link(custom, row, "executionUrlTemplate")),
            outputVariables=dict(row.variables),
        ),
    )


def rule_detail(row: RuleExecution, declared: Rule | None) -> Json:
    """Write an attempt of a rule as ListRuleExecutions does.

    Args:
        row: The attempt.
        declared: The rule in the definition that it ran by, where that is known.
    """
    kind = row.type
    owner = kind.owner.value if kind.owner is Owner.AWS else None
    return present(
        pipelineExecutionId=row.execution,
        ruleExecutionId=row.id,
        pipelineVersion=row.version,
        stageName=row.stage,
        ruleName=row.rule,
        startTime=epoch(row.started),
        lastUpdateTime=epoch(row.updated),
        updatedBy=row.by,
        status=row.status.value,
        input=present(
            ruleTypeId=present(
                category="Rule", owner=owner, provider=kind.provider, version=kind.version
            ),
            configuration=dict(declared.configuration) if declared else None,
            resolvedConfiguration=dict(row.resolved),
            roleArn=declared.role_arn if declared else None,
            region=declared.region if declared else None,
            inputArtifacts=_artifacts(row.inputs),
        ),
        output=present(executionResult=_result(row)),
    )


def _of_both(row: PipelineExecution) -> Json:
    target = row.target
    return present(
        trigger={
            "triggerType": row.cause.type.value,
            "triggerDetail": row.cause.detail[:TRIGGER_DETAIL],
        },
        executionMode=row.mode.value,
        executionType=row.type.value,
        rollbackMetadata={"rollbackTargetPipelineExecutionId": target} if target else None,
    )


def _artifact_revisions(row: PipelineExecution, definition: Pipeline) -> list[Json]:
    written = {
        action.name: [output.name for output in action.outputs]
        for stage in definition.stages
        for action in stage.actions
    }
    return [
        present(
            name=artifact,
            revisionId=cut(revision.id, EXTERNAL_ID),
            revisionChangeIdentifier=cut(revision.change, CHANGE),
            revisionSummary=cut(revision.summary, SUMMARY),
            created=epoch(revision.created),
            revisionUrl=cut(revision.url, URL),
        )
        for action, revision in row.revisions.items()
        for artifact in written.get(action, ())
    ]


def _artifacts(artifacts: Sequence[Artifact]) -> list[Json]:
    return [
        {"name": each.name, "s3location": {"bucket": each.bucket, "key": each.object_key}}
        for each in artifacts
    ]


def link(custom: CustomType | None, row: ActionExecution | None, template: str) -> str | None:
    """Give a link that a custom action type has a template of.

    Args:
        custom: The type, where the action is of one.
        row: The attempt whose configuration and id are put in.
        template: CodePipeline's name of the template.
    """
    url = custom.urls.get(template, "") if custom else ""
    for key, value in (row.resolved if row else {}).items():
        url = url.replace(f"{{Config:{key}}}", value)
    return cut(url.replace("{ExternalExecutionId}", row.external_id if row else ""), URL)


def _result(row: ActionExecution | RuleExecution, url: str | None = None) -> Json:
    token = row.token if isinstance(row, ActionExecution) else None
    return present(
        externalExecutionId=row.external_id or token,
        externalExecutionSummary=row.summary,
        externalExecutionUrl=cut(row.external_url, URL) or url,
        errorDetails=error_details(row.error),
    )


def deploy_target(target: DeployTarget) -> Json:
    """Write what a deployment did at one target."""
    events = target.events
    return present(
        targetId=target.id,
        targetType=target.type,
        status=target.status,
        startTime=epoch(events[0].started) if events else None,
        endTime=epoch(max(each.ended for each in events)) if events else None,
        events=[_target_event(each) for each in events],
    )


def _target_event(event: TargetEvent) -> Json:
    return present(
        name=event.name,
        status=event.status,
        startTime=epoch(event.started),
        endTime=epoch(event.ended),
        context={"message": event.message} if event.message else None,
    )
