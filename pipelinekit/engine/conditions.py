"""How a condition of a stage is checked: its rules begun side by side, their verdict drawn.

Source: codepipeline.md 3.12. The rules' results are taken together once all have ended (CHOICE: no
early end), and a condition's result is engaged when a rule failed, in all three places.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.engine.catalog import RULE_TYPES
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.inputs import artifacts, lookup, problem, put_in, put_in_shell
from pipelinekit.engine.ruletypes import RuleType, rule_type
from pipelinekit.model.check import ConditionExecution, ConditionStatus, RuleExecution
from pipelinekit.model.command import Halt, Run
from pipelinekit.model.condition import Condition, ConditionType, Result, Rule
from pipelinekit.model.execution import ErrorDetails, PipelineExecution, StageExecution
from pipelinekit.model.order import FailureType, Order
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, Phase

PHASES: Mapping[ConditionType, Phase] = {
    ConditionType.BEFORE_ENTRY: Phase.ENTRY,
    ConditionType.ON_SUCCESS: Phase.SUCCESS,
    ConditionType.ON_FAILURE: Phase.FAILURE,
}
_PLACES = {phase: place for place, phase in PHASES.items()}
USUAL_RESULTS: Mapping[ConditionType, Result] = {
    ConditionType.BEFORE_ENTRY: Result.FAIL,
    ConditionType.ON_SUCCESS: Result.FAIL,
    ConditionType.ON_FAILURE: Result.ROLLBACK,
}
"""What is engaged where a condition does not say it."""


def condition_of(stage: Stage, place: ConditionType) -> Condition | None:
    """Give the condition that a stage declares for a place."""
    match place:
        case ConditionType.BEFORE_ENTRY:
            declared = stage.before_entry
        case ConditionType.ON_SUCCESS:
            declared = stage.on_success
        case ConditionType.ON_FAILURE:
            declared = stage.on_failure.conditions if stage.on_failure else ()
    return declared[0] if declared else None


def begin_check(
    draft: Draft, execution: str, stage: Stage, place: ConditionType, condition: Condition
) -> None:
    """Begin all rules of a condition; those that cannot start have failed."""
    before = draft.get(ConditionExecution, execution, stage.name, place)
    row = draft.stage_execution(execution, stage.name)
    draft.put(
        ConditionExecution(
            pipeline=row.pipeline,
            execution=execution,
            stage=stage.name,
            condition=place,
            result=condition.result or USUAL_RESULTS[place],
            started=draft.at,
            updated=draft.at,
            attempt=before.attempt + 1 if before else 1,
        )
    )
    running = draft.execution(execution)
    begun = sum(_begin(draft, running, stage, place, rule) for rule in condition.rules)
    failed = len(condition.rules) - begun
    phase = PHASES[place]
    draft.put(replace(row, phase=phase, running=begun, failed=failed, updated=draft.at))


def judge(draft: Draft, row: StageExecution, stage: Stage) -> ConditionExecution:
    """Close the check that is under way in a stage, all of its rules having ended."""
    place = _PLACES[row.phase]
    check = _check(draft, row)
    failed = [each for each in _rules(draft, row, stage) if each.status is ActionStatus.FAILED]
    if not failed:
        closed = replace(check, status=ConditionStatus.SUCCEEDED, updated=draft.at)
        draft.put(closed)
        return closed
    told = "; ".join(f"{each.rule}: {_why(each)}" for each in failed)
    summary = f"The {place} condition of stage {row.stage} failed: {told}"
    closed = replace(check, status=ConditionStatus.FAILED, summary=summary, updated=draft.at)
    draft.put(closed)
    execution = draft.execution(row.execution)
    if place is ConditionType.ON_FAILURE:  # why the stage failed is still to be read
        summary = "; ".join(filter(None, (execution.summary, summary)))
    draft.put(replace(execution, summary=summary, updated=draft.at))
    return closed


def break_off(
    draft: Draft, row: StageExecution, stage: Stage, status: ConditionStatus, summary: str
) -> None:
    """End the check that is under way, or was last, and abandon its rules that have not ended."""
    for rule in list(_rules(draft, row, stage)):
        if rule.status is ActionStatus.IN_PROGRESS:
            draft.put(replace(rule, status=ActionStatus.ABANDONED, updated=draft.at))
            draft.command(Halt(rule.id))
    check = _check(draft, row)
    draft.put(replace(check, status=status, summary=summary, updated=draft.at))
    draft.put(replace(row, running=0, failed=0, updated=draft.at))


def _check(draft: Draft, row: StageExecution) -> ConditionExecution:
    check = draft.get(ConditionExecution, row.execution, row.stage, _PLACES[row.phase])
    assert check is not None  # noqa: S101 - the phase says that it was begun
    return check


def _rules(draft: Draft, row: StageExecution, stage: Stage) -> Iterator[RuleExecution]:
    place = _PLACES[row.phase]
    condition = condition_of(stage, place)
    for rule in condition.rules if condition else ():
        found = draft.get(RuleExecution, row.execution, row.stage, place, rule.name)
        if found is not None:
            yield found


def _why(rule: RuleExecution) -> str:
    return rule.error.message if rule.error else rule.summary or "no"


def _begin(
    draft: Draft, execution: PipelineExecution, stage: Stage, place: ConditionType, rule: Rule
) -> bool:
    find = lookup(draft, execution)
    resolved, missing = put_in(rule.configuration, find)
    commands, values, unset = put_in_shell(rule.commands, find)
    row = replace(
        _row(draft, execution, stage.name, place, rule),
        resolved=resolved,
        inputs=artifacts(draft, execution, rule.inputs),
    )
    trouble = problem(rule.inputs, row.inputs, resolved, (*missing, *unset))
    if trouble is None:
        draft.put(row)
        order = _order(execution, row)
        draft.command(Run(replace(order, commands=commands, environment=values)))
        return True
    error = ErrorDetails(FailureType.CONFIGURATION_ERROR, f"it could not start: {trouble}")
    draft.put(replace(row, status=ActionStatus.FAILED, error=error))
    return False


def _row(
    draft: Draft, execution: PipelineExecution, stage: str, place: ConditionType, rule: Rule
) -> RuleExecution:
    before = draft.get(RuleExecution, execution.id, stage, place, rule.name)
    attempt = before.attempt + 1 if before else 1
    return RuleExecution(
        id=draft.derive(execution.id, stage, place, rule.name, str(attempt)),
        pipeline=execution.pipeline,
        execution=execution.id,
        stage=stage,
        condition=place,
        rule=rule.name,
        type=rule_type(rule),
        version=execution.version,
        started=draft.at,
        updated=draft.at,
        attempt=attempt,
        deadline=draft.at + rule_limit(rule),
    )


def rule_limit(rule: Rule) -> timedelta:
    """Tell how long a rule may take."""
    if rule.timeout_minutes:
        return timedelta(minutes=rule.timeout_minutes)
    return RULE_TYPES.get(rule.type.provider, RuleType(rule.type.provider)).timeout


def _order(execution: PipelineExecution, row: RuleExecution) -> Order:
    return Order(
        id=row.id,
        pipeline=row.pipeline,
        execution=row.execution,
        stage=row.stage,
        action=row.rule,
        type=row.type,
        configuration=row.resolved,
        inputs=row.inputs,
        number=execution.number,
        deadline=row.deadline,
        condition=row.condition,
    )
