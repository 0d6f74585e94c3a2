"""Tells what would happen if a pipeline were started now, by asking the engine itself.

The definition and the start are decided on a copy of the state, so that what the plan says of
superseding, cancelling and refusals is what would happen; the rest is read off the definition.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from pipelinekit.engine.begin import action_limit
from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.conditions import USUAL_RESULTS, condition_of, rule_limit
from pipelinekit.engine.decide import decide
from pipelinekit.engine.planned import (
    Change,
    Closed,
    Later,
    Occupant,
    Plan,
    PlannedAction,
    PlannedCondition,
    PlannedInput,
    PlannedRule,
    PlannedStage,
    PlannedVariable,
    Setting,
)
from pipelinekit.engine.variables import resolve
from pipelinekit.model.action import Action, ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.condition import ConditionType, Rule
from pipelinekit.model.errors import Fault, PipelineKitError
from pipelinekit.model.event import Defined, Started
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    PipelineExecution,
    PipelineRecord,
    StageExecution,
    StageState,
)
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from pipelinekit.model.state import PARTS, State
from pipelinekit.model.status import ActionStatus, PipelineStatus

HIDDEN = "****"
"""What stands in the place of a secret."""

KINDS = (PipelineRecord, Definition, StageState, PipelineExecution, *PARTS)


class Aim(Noun):
    """What is to be planned.

    Attributes:
        definition: The pipeline.
        start: How it would be started.
        types: The action types that there are, for their secret keys.
        faults: What is wrong with the definition; with faults nothing is tried.
    """

    definition: Pipeline
    start: Started
    types: Mapping[ActionTypeId, ActionType]
    faults: tuple[Fault, ...] = ()


def plan(state: State, aim: Aim) -> Plan:
    """Tell what would happen if a pipeline were started now.

    Args:
        state: Of the pipeline as it is stored; it is not changed.
        aim: What is to be planned.
    """
    after, refusal = _tried(state, aim)
    record = after.get(PipelineRecord, (aim.definition.name,))
    before = state.get(PipelineRecord, (aim.definition.name,))
    version = record.version if record else 1
    change = _change(before, version)
    live = [row for row in state.all(PipelineExecution) if not row.ended]
    over = {row.id: row.status for row in after.all(PipelineExecution)}
    superseded = [row for row in live if over.get(row.id) is PipelineStatus.SUPERSEDED]
    serial = [row for row in live if row.mode is not ExecutionMode.PARALLEL]
    cancelled = serial if change is Change.CHANGED else []
    rows = _Rows(after, aim)
    return Plan(
        pipeline=aim.definition.name,
        mode=aim.definition.mode,
        change=change,
        version=version,
        number=(before.executions if before else 0) + 1,
        variables=rows.variables,
        stages=tuple(rows.stages()),
        enters=any(row.execution == aim.start.id for row in after.all(StageExecution)),
        superseded=tuple(occupant(state, row) for row in _by_number(superseded)),
        cancelled=tuple(occupant(state, row) for row in _by_number(cancelled)),
        faults=aim.faults,
        obstacles=(refusal,) if refusal else (),
    )


def occupant(state: State, row: PipelineExecution) -> Occupant:
    """Describe an execution, with the approvals that it waits for and nothing else."""
    working = [
        each
        for each in state.all(ActionExecution)
        if each.execution == row.id and each.status is ActionStatus.IN_PROGRESS
    ]
    asks = tuple(each.action for each in working if each.token)
    return Occupant(row.id, row.number, row.stage, asks if len(asks) == len(working) else ())


def _tried(state: State, aim: Aim) -> tuple[State, str]:
    after = State(row for kind in KINDS for row in state.all(kind))
    if aim.faults:
        return after, ""
    start = aim.start
    defined = Defined(
        id=start.id,
        pipeline=start.pipeline,
        at=start.at,
        by=start.by,
        definition=aim.definition,
        unless_same=True,
    )
    after.apply(decide(after, defined).rows)
    try:
        after.apply(decide(after, start).rows)
    except PipelineKitError as refused:
        return after, str(refused)
    return after, ""


def _change(before: PipelineRecord | None, version: int) -> Change:
    if before is None:
        return Change.NEW
    return Change.SAME if before.version == version else Change.CHANGED


def _by_number(rows: list[PipelineExecution]) -> list[PipelineExecution]:
    return sorted(rows, key=lambda row: row.number)


class _Rows:
    """Reads stages, actions and rules off the definition and the state.

    Args:
        state: As it would be after the start.
        aim: What is planned.
    """

    def __init__(self, state: State, aim: Aim) -> None:
        self._state = state
        self._aim = aim
        given = aim.start.variables
        self.variables = tuple(
            PlannedVariable(each.name, given.get(each.name, each.default), each.name in given)
            for each in aim.definition.variables
        )
        self._values = {each.name: each.value for each in self.variables}
        placed = [(stage, action) for stage in aim.definition.stages for action in stage.actions]
        self._writers = {
            output.name: f"{stage.name}/{action.name}"
            for stage, action in placed
            for output in action.outputs
        }
        self._namespaces = {
            action.namespace: f"{stage.name}/{action.name}"
            for stage, action in placed
            if action.namespace
        }

    def stages(self) -> Iterator[PlannedStage]:
        before: str | None = None
        for stage in self._aim.definition.stages:
            state = self._between(stage.name)
            conditions = (self._condition(stage, place) for place in ConditionType)
            yield PlannedStage(
                name=stage.name,
                groups=tuple(tuple(map(self._action, group)) for group in stage.groups),
                conditions=tuple(each for each in conditions if each is not None),
                on_failure=_on_failure(stage),
                back_to=self._occupant(state.good),
                holder=self._occupant(state.holder),
                waiting=tuple(filter(None, map(self._occupant, state.waiting))),
                closed=tuple(self._closed(state, before)),
            )
            before = stage.name

    def _between(self, stage: str) -> StageState:
        return self._state.get(StageState, (stage,)) or StageState("", stage)

    def _occupant(self, execution: str | None) -> Occupant | None:
        row = self._state.get(PipelineExecution, (execution,)) if execution else None
        if row is None or row.id == self._aim.start.id:
            return None
        return occupant(self._state, row)

    def _closed(self, state: StageState, before: str | None) -> Iterator[Closed]:
        outbound = self._between(before).outbound if before else None
        if outbound is not None and not outbound.enabled:
            yield Closed(outbound, before)
        if not state.inbound.enabled:
            yield Closed(state.inbound)

    # -------------------------------------------------------------- actions and rules

    def _action(self, action: Action) -> PlannedAction:
        start = self._aim.start
        known = self._aim.types.get(action.type) or TYPES.get(action.type)
        secret = {each.name for each in known.properties if each.secret} if known else set()
        shell = {each.name: each.value for each in action.environment}
        asked = (each.get(action.name, "") for each in (start.revisions, start.object_keys))
        return PlannedAction(
            name=action.name,
            type=str(action.type),
            category=action.type.category,
            run_order=action.run_order,
            settings=self._settings(action.configuration, secret),
            environment=self._settings(shell),
            commands=self._commands(action.commands),
            inputs=tuple(PlannedInput(e, self._writers.get(e, "")) for e in action.inputs),
            outputs=tuple(output.name for output in action.outputs),
            namespace=action.namespace,
            limit_seconds=action_limit(action, self._aim.start.limits).total_seconds(),
            revision=", ".join(filter(None, asked)),
        )

    def _condition(self, stage: Stage, place: ConditionType) -> PlannedCondition | None:
        condition = condition_of(stage, place)
        if condition is None:
            return None
        rules = tuple(map(self._rule, condition.rules))
        return PlannedCondition(place, condition.result or USUAL_RESULTS[place], rules)

    def _rule(self, rule: Rule) -> PlannedRule:
        return PlannedRule(
            name=rule.name,
            type=rule.type.provider,
            settings=self._settings(rule.configuration),
            commands=self._commands(rule.commands),
            limit_seconds=rule_limit(rule).total_seconds(),
        )

    def _settings(
        self, texts: Mapping[str, str], secret: set[str] | None = None
    ) -> tuple[Setting, ...]:
        settings = (self._setting(key, text) for key, text in texts.items())
        hidden = secret or set()
        return tuple(
            replace(each, text=HIDDEN) if each.key in hidden else each for each in settings
        )

    def _commands(self, commands: tuple[str, ...]) -> tuple[Setting, ...]:
        return tuple(self._setting("$", command) for command in commands)

    def _setting(self, key: str, text: str) -> Setting:
        put_in, missing = resolve(text, self._value)
        later = (Later(each, self._writer(each.partition(".")[0])) for each in missing)
        return Setting(key, put_in, tuple(later))

    def _value(self, namespace: str, key: str) -> str | None:
        return self._values.get(key) if namespace == "variables" else None

    def _writer(self, namespace: str) -> str:
        return "the start" if namespace == "codepipeline" else self._namespaces.get(namespace, "")


def _on_failure(stage: Stage) -> str:
    failure = stage.on_failure
    if failure is None or failure.result is None:
        return ""
    return f"{failure.result} {failure.retry_mode or ''}".rstrip()
