"""GetPipelineState: where a pipeline stands."""

from collections.abc import Iterable, Mapping

from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.execution import (
    ActionExecution,
    PipelineExecution,
    StageExecution,
    StageState,
)
from pipelinekit.model.pipeline import ExecutionMode, Pipeline
from pipelinekit.operations.reading import (
    Answer,
    Given,
    custom_types,
    definition_of,
    record_of,
    text,
)
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.wire.state_answers import Standing, pipeline_state

RECENT = 100
"""How many attempts are looked through for actions that the last execution has not come to."""


def get(control: Control, given: Given) -> Answer:
    """Read where a pipeline stands."""
    record = record_of(control, text(given, "name"))
    definition = definition_of(control, record)
    if definition.mode is ExecutionMode.PARALLEL:
        return pipeline_state(Standing(record, definition, {}, {}, {}, {}, {}, {}))
    states = {row.stage: row for row in control.find(StageState, Query(pipeline=record.name))}
    latest = {state.latest for state in states.values() if state.latest}
    waiting = {each for state in states.values() for each in state.waiting}
    visits = _visits(control, latest, states)
    actions = _actions(control, definition, latest, states)
    named = latest | waiting | {row.execution for row in actions.values()}
    custom = custom_types(control) if _has_custom(definition) else {}
    return pipeline_state(
        Standing(
            record=record,
            definition=definition,
            states=states,
            executions={row.id: row for row in _executions(control, named)},
            visits=visits,
            actions=actions,
            checks=_checks(control, definition, latest, states),
            rules=_rules(control, definition, latest, states),
            types=custom,
        )
    )


States = Mapping[str, StageState]


def _executions(control: Control, ids: Iterable[str]) -> list[PipelineExecution]:
    return [row for each in ids for row in control.find(PipelineExecution, Query(id=each))]


def _is_latest(states: States, row: StageExecution | ConditionExecution | RuleExecution) -> bool:
    state = states.get(row.stage)
    return state is not None and state.latest == row.execution


def _visits(control: Control, latest: set[str], states: States) -> dict[str, StageExecution]:
    rows = [row for each in latest for row in control.find(StageExecution, Query(execution=each))]
    return {row.stage: row for row in rows if _is_latest(states, row)}


def _actions(
    control: Control, definition: Pipeline, latest: set[str], states: States
) -> dict[tuple[str, str], ActionExecution]:
    """Find the latest attempt of each action, of the execution that was last in its stage."""
    found: dict[tuple[str, str], ActionExecution] = {}
    for each in latest:
        for row in control.find(ActionExecution, Query(execution=each)):
            state = states.get(row.stage)
            if state is not None and state.latest == each:
                _keep_newer(found, row)
    wanted = {
        (stage.name, action.name)
        for stage in definition.stages
        for action in stage.actions
        if stage.name in states
    }
    if wanted - found.keys():
        recent = control.find(ActionExecution, Query(pipeline=definition.name, limit=RECENT))
        for row in recent:
            if (row.stage, row.action) in wanted:
                found.setdefault((row.stage, row.action), row)
    return found


def _keep_newer(found: dict[tuple[str, str], ActionExecution], row: ActionExecution) -> None:
    place = (row.stage, row.action)
    if place not in found or found[place].attempt < row.attempt:
        found[place] = row


def _checks(
    control: Control, definition: Pipeline, latest: set[str], states: States
) -> dict[tuple[str, str], ConditionExecution]:
    if not any(stage.conditions for stage in definition.stages):
        return {}
    rows = [
        row for each in latest for row in control.find(ConditionExecution, Query(execution=each))
    ]
    return {(row.stage, row.condition): row for row in rows if _is_latest(states, row)}


def _rules(
    control: Control, definition: Pipeline, latest: set[str], states: States
) -> dict[tuple[str, str, str], RuleExecution]:
    if not any(stage.conditions for stage in definition.stages):
        return {}
    rows = [row for each in latest for row in control.find(RuleExecution, Query(execution=each))]
    rows.sort(key=lambda row: row.attempt)
    return {(row.stage, row.condition, row.rule): row for row in rows if _is_latest(states, row)}


def _has_custom(definition: Pipeline) -> bool:
    return any(
        action.type.owner == "Custom" for stage in definition.stages for action in stage.actions
    )
