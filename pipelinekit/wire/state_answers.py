"""Writes where a pipeline stands, stage by stage, as GetPipelineState does.

Source: codepipeline.md 3.4 (nothing of a PARALLEL pipeline's runs), 12.3.
"""

from collections.abc import Mapping
from functools import partial

from msgspec import field

from pipelinekit.model.account import CustomType
from pipelinekit.model.action import Action, ActionTypeId
from pipelinekit.model.check import ConditionExecution, ConditionStatus, RuleExecution
from pipelinekit.model.condition import Condition, ConditionType
from pipelinekit.model.execution import (
    ActionExecution,
    PipelineExecution,
    PipelineRecord,
    Revision,
    StageExecution,
    StageState,
    Transition,
)
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from pipelinekit.model.status import ActionStatus
from pipelinekit.wire.answers import (
    EXTERNAL_ID,
    SUMMARY,
    URL,
    Json,
    cut,
    epoch,
    error_details,
    present,
)
from pipelinekit.wire.execution_answers import link

CHANGE = 100


class Standing(Noun):
    """The rows that tell where a pipeline stands.

    Attributes:
        states: By the stage's name.
        executions: Those that are in a stage, wait for one or were the last in one, by id.
        visits: How the last execution of a stage fares there, by the stage's name.
        actions: The latest attempt, by stage and action.
        checks: The latest check, by stage and condition.
        rules: The latest attempt, by stage, condition and rule.
        types: Custom action types, with templates of links.
    """

    record: PipelineRecord
    definition: Pipeline
    states: Mapping[str, StageState]
    executions: Mapping[str, PipelineExecution]
    visits: Mapping[str, StageExecution]
    actions: Mapping[tuple[str, str], ActionExecution]
    checks: Mapping[tuple[str, str], ConditionExecution]
    rules: Mapping[tuple[str, str, str], RuleExecution]
    types: Mapping[ActionTypeId, CustomType] = field(default_factory=dict)


def pipeline_state(standing: Standing) -> Json:
    """Write the state of a pipeline."""
    record = standing.record
    return present(
        pipelineName=record.name,
        pipelineVersion=record.version,
        stageStates=[_stage(standing, stage) for stage in standing.definition.stages],
        created=epoch(record.created),
        updated=epoch(record.updated),
    )


def _stage(standing: Standing, stage: Stage) -> Json:
    state = standing.states.get(stage.name) or StageState(standing.record.name, stage.name)
    hidden = standing.definition.mode is ExecutionMode.PARALLEL
    if hidden:
        names = [{"actionName": action.name} for action in stage.actions]
        return present(stageName=stage.name, actionStates=names)
    waiting = [_waiting(standing, each) for each in state.waiting if each in standing.executions]
    return present(
        stageName=stage.name,
        inboundExecution=waiting[-1] if waiting else None,
        inboundExecutions=waiting,
        inboundTransitionState=_transition(state.inbound),
        actionStates=[_action(standing, stage, action) for action in stage.actions],
        latestExecution=_latest(standing, stage),
        beforeEntryConditionState=_conditions(
            standing, stage, ConditionType.BEFORE_ENTRY, stage.before_entry
        ),
        onSuccessConditionState=_conditions(
            standing, stage, ConditionType.ON_SUCCESS, stage.on_success
        ),
        onFailureConditionState=_conditions(
            standing,
            stage,
            ConditionType.ON_FAILURE,
            stage.on_failure.conditions if stage.on_failure else (),
        ),
        retryStageMetadata=_retries(standing.visits.get(stage.name)),
    )


def _waiting(standing: Standing, execution: str) -> Json:
    row = standing.executions[execution]
    return {"pipelineExecutionId": row.id, "status": "InProgress", "type": row.type.value}


def _latest(standing: Standing, stage: Stage) -> Json | None:
    visit = standing.visits.get(stage.name)
    if visit is None:
        return None
    run = standing.executions.get(visit.execution)
    return present(
        pipelineExecutionId=visit.execution,
        status=visit.status.value,
        type=run.type.value if run else None,
    )


def _transition(switch: Transition) -> Json:
    return present(
        enabled=switch.enabled,
        lastChangedBy=switch.by,
        lastChangedAt=epoch(switch.at),
        disabledReason=None if switch.enabled else switch.reason,
    )


def _retries(visit: StageExecution | None) -> Json | None:
    if visit is None or visit.retried is None:
        return None
    return present(
        autoStageRetryAttempt=visit.auto_retries or None,
        manualStageRetryAttempt=visit.retries or None,
        latestRetryTrigger=visit.retried.value,
    )


def _action(standing: Standing, stage: Stage, action: Action) -> Json:
    row = standing.actions.get((stage.name, action.name))
    run = standing.executions.get(row.execution) if row else None
    revision = run.revisions.get(action.name) if run else None
    links = partial(link, standing.types.get(action.type), row)
    return present(
        actionName=action.name,
        currentRevision=_revision(row, revision),
        latestExecution=_attempt(row, links("executionUrlTemplate")) if row else None,
        entityUrl=links("entityUrlTemplate"),
        revisionUrl=(cut(revision.url, URL) if revision else None) or links("revisionUrlTemplate"),
    )


def _revision(row: ActionExecution | None, revision: Revision | None) -> Json | None:
    if row is None or revision is None or row.status is not ActionStatus.SUCCEEDED:
        return None
    return {
        "revisionId": revision.id[:EXTERNAL_ID],
        "revisionChangeId": (revision.change or revision.id)[:CHANGE],
        "created": epoch(revision.created or row.updated),
    }


def _attempt(row: ActionExecution, link: str | None) -> Json:
    waits = row.token is not None and row.status is ActionStatus.IN_PROGRESS
    return present(
        actionExecutionId=row.id,
        status=row.status.value,
        summary=cut(row.summary, SUMMARY),
        lastStatusChange=epoch(row.updated),
        token=row.token if waits else None,
        lastUpdatedBy=row.by,
        externalExecutionId=cut(row.external_id, EXTERNAL_ID),
        externalExecutionUrl=cut(row.external_url, URL) or link,
        percentComplete=row.percent,
        errorDetails=error_details(row.error),
    )


def _conditions(
    standing: Standing, stage: Stage, place: ConditionType, declared: tuple[Condition, ...]
) -> Json | None:
    if not declared:
        return None
    check = standing.checks.get((stage.name, place))
    told = present(
        status=_check_status(check), summary=cut(check.summary, SUMMARY) if check else None
    )
    changed = present(lastStatusChange=epoch(check.updated if check else None))
    return present(
        latestExecution=told or None,
        conditionStates=[
            present(
                latestExecution={**told, **changed} or None,
                ruleStates=[
                    present(
                        ruleName=rule.name,
                        latestExecution=_rule(standing.rules.get((stage.name, place, rule.name))),
                    )
                    for rule in condition.rules
                ],
            )
            for condition in declared
        ],
    )


def _check_status(check: ConditionExecution | None) -> str | None:
    return None if check is None else ConditionStatus(check.status).value


def _rule(row: RuleExecution | None) -> Json | None:
    if row is None:
        return None
    return present(
        ruleExecutionId=row.id,
        status=row.status.value,
        summary=cut(row.summary, SUMMARY),
        lastStatusChange=epoch(row.updated),
        lastUpdatedBy=row.by,
        externalExecutionId=cut(row.external_id, EXTERNAL_ID),
        externalExecutionUrl=cut(row.external_url, URL),
        errorDetails=error_details(row.error),
    )
