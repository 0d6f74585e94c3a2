"""The attempts of actions and rules, listed. Source: codepipeline.md 12.3 to 12.5."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeVar, cast

from pipelinekit.engine.conditions import condition_of
from pipelinekit.engine.secrets import masked, masked_values
from pipelinekit.model.account import CustomType
from pipelinekit.model.action import Action, ActionTypeId, Owner
from pipelinekit.model.check import RuleExecution
from pipelinekit.model.condition import Rule
from pipelinekit.model.errors import (
    ActionExecutionNotFound,
    PipelineVersionNotFound,
    ValidationError,
)
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.operations.pages import last_of, last_row, next_token
from pipelinekit.operations.reading import (
    Answer,
    Given,
    custom_types,
    definition_of,
    execution_of,
    record_of,
    text,
)
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.wire.answers import present
from pipelinekit.wire.execution_answers import action_detail, deploy_target, rule_detail

PAGE = 100
_TARGETS = "ListDeployActionExecutionTargets"

A = TypeVar("A", ActionExecution, RuleExecution)


def list_actions(control: Control, given: Given) -> Answer:
    """List the attempts of actions, the newest first."""
    rows, more = _page(control, ActionExecution, "ListActionExecutions", given)
    definitions = _Definitions(control, text(given, "pipelineName"))
    details = [definitions.action(row) for row in rows]
    return present(actionExecutionDetails=details, nextToken=more)


def list_rules(control: Control, given: Given) -> Answer:
    """List the attempts of rules, the newest first."""
    rows, more = _page(control, RuleExecution, "ListRuleExecutions", given)
    definitions = _Definitions(control, text(given, "pipelineName"))
    details = [rule_detail(row, definitions.rule(row)) for row in rows]
    return present(ruleExecutionDetails=details, nextToken=more)


def list_targets(control: Control, given: Given) -> Answer:
    """List the targets of an attempt at a deployment, once it has ended, in their order."""
    row = _deployment(control, given)
    filters = cast("list[Mapping[str, list[str]]]", given.get("filters") or [])
    wanted = [each.get("values") or [] for each in filters]
    token = text(given, "nextToken")
    begin = int(last_of(control, _TARGETS, given, token)) if token else 0
    fitting = [each for each in row.targets if all(each.status in some for some in wanted)]
    targets = fitting[begin:]
    size = cast("int", given.get("maxResults", PAGE))
    more = next_token(control, _TARGETS, given, str(begin + size)) if targets[size:] else None
    return present(targets=[deploy_target(each) for each in targets[:size]], nextToken=more)


def _deployment(control: Control, given: Given) -> ActionExecution:
    name, execution = text(given, "pipelineName"), text(given, "actionExecutionId")
    if name:
        record_of(control, name)
    found = control.find(ActionExecution, Query(id=execution))
    if not found or (name and found[0].pipeline != name):
        raise ActionExecutionNotFound(
            f"the targets of action execution {execution!r} were asked for, and there is none of "
            f"that id; list the action executions to find the right one"
        )
    return found[0]


class _Definitions:
    """Finds what an attempt was declared as, secrets masked."""

    def __init__(self, control: Control, pipeline: str) -> None:
        self._control = control
        self._record = record_of(control, pipeline)
        self._types = control.types(deleted=True)
        self._known: dict[int, Pipeline | None] = {}

    def action(self, row: ActionExecution) -> Answer:
        stage = self._stage_of(row)
        declared = stage.action(row.action) if stage else None
        action = declared or Action(row.action, row.type)
        resolved = masked_values(row.resolved, action, self._types)
        custom = self._customs.get(row.type) if row.type.owner is Owner.CUSTOM else None
        return action_detail(row, declared, resolved, custom)

    @cached_property
    def _customs(self) -> Mapping[ActionTypeId, CustomType]:
        return custom_types(self._control)

    def rule(self, row: RuleExecution) -> Rule | None:
        stage = self._stage_of(row)
        condition = condition_of(stage, row.condition) if stage else None
        rules = condition.rules if condition else ()
        return next((rule for rule in rules if rule.name == row.rule), None)

    def _stage_of(self, row: ActionExecution | RuleExecution) -> Stage | None:
        definition = self._version(row.version)
        return definition.stage(row.stage) if definition else None

    def _version(self, version: int) -> Pipeline | None:
        if version not in self._known:
            try:
                found = definition_of(self._control, self._record, version)
                self._known[version] = masked(found, self._types)
            except PipelineVersionNotFound:
                self._known[version] = None
        return self._known[version]


def _page(
    control: Control, kind: type[A], operation: str, given: Given
) -> tuple[list[A], str | None]:
    name = text(given, "pipelineName")
    record_of(control, name)
    execution, latest = _filter(given)
    if execution:
        execution_of(control, name, execution)
    last = last_row(control, kind, operation, given)
    size = cast("int", given.get("maxResults", PAGE))
    query = Query(pipeline=name, execution=execution, limit=size + 1, before=last)
    rows = list(control.find(kind, query))
    more = next_token(control, operation, given, rows[size - 1].id) if rows[size:] else None
    page = rows[:size]
    if latest:
        newest = _newest(control.find(kind, Query(execution=execution)))
        page = [row for row in page if row.id in newest]
    return page, more


def _filter(given: Given) -> tuple[str | None, bool]:
    asked = cast("Mapping[str, object]", given.get("filter") or {})
    latest = cast("Mapping[str, str]", asked.get("latestInPipelineExecution") or {})
    execution = cast("str | None", asked.get("pipelineExecutionId"))
    if latest and execution:
        raise ValidationError(
            "a filter was given by pipelineExecutionId and by latestInPipelineExecution; give one "
            "of them"
        )
    return execution or latest.get("pipelineExecutionId"), latest.get("startTimeRange") == "Latest"


def _newest(rows: Sequence[A]) -> set[str]:
    """Name the attempts that no later one followed."""
    latest = {row.key: row.id for row in sorted(rows, key=lambda row: row.attempt)}
    return set(latest.values())
