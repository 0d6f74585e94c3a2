"""How a plan is put into words, the same on terminals and in notebooks."""

from collections.abc import Iterator

from pipelinekit.engine.planned import (
    Change,
    Later,
    Occupant,
    Plan,
    PlannedAction,
    PlannedCondition,
    PlannedRule,
    PlannedStage,
)
from pipelinekit.engine.review import APPROVERS, FREEZE, REQUIRED
from pipelinekit.model.action import Category
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.wire.words import SHORT_ID, duration, one_line

CHANGES = {
    Change.NEW: "it would be defined first",
    Change.SAME: "as it is stored",
    Change.CHANGED: "which differs from the stored one and would be defined first",
}
WHEN = {
    ConditionType.BEFORE_ENTRY: "entered if",
    ConditionType.ON_SUCCESS: "left if",
    ConditionType.ON_FAILURE: "after a failure, unless",
}


def verdict(plan: Plan) -> str:
    """Say whether a start would be taken, and whether it is known to fail then."""
    if plan.promising:
        return "would start"
    return "would start, and fail" if plan.startable else "would be refused"


def origin(plan: Plan) -> str:
    """Say on which definition, and in which mode, it would run."""
    return f"version {plan.version}, {CHANGES[plan.change]} · {plan.mode}"


def variables(plan: Plan) -> str:
    """List the variables of the pipeline, each with where its value comes from."""
    return ", ".join(
        f"{each.name} without a value"
        if each.value is None
        else f"{each.name} = {one_line(each.value)} ({'given' if each.given else 'default'})"
        for each in plan.variables
    )


def refusals(plan: Plan) -> Iterator[str]:
    """List why a start would be refused, or would fail."""
    for fault in plan.faults:
        line = f"line {fault.line}: " if fault.line else ""
        yield f"{line}{fault.place}: {fault.found}; {fault.advice}"
    yield from plan.obstacles
    yield from plan.failing


def consequences(plan: Plan) -> Iterator[str]:
    """List what a start would do to executions under way, and whether it would wait at once."""
    if not plan.startable:
        return
    if plan.cancelled:
        told = ", ".join(map(occupant, plan.cancelled))
        yield f"version {plan.version} of the definition would cancel {told}"
    if plan.superseded:
        yield f"it would supersede {', '.join(map(occupant, plan.superseded))}"
    if not plan.enters:
        yield f"it would wait in front of {plan.stages[0].name} at once"


def way(stage: PlannedStage, mode: ExecutionMode) -> Iterator[str]:
    """Tell what is in the way of an execution into a stage, as things are now.

    Args:
        stage: The stage.
        mode: Of the pipeline.
    """
    for closed in stage.closed:
        turned = closed.transition
        name = f"the way out of {closed.leaving}" if closed.leaving else "the transition"
        yield f"closed now: {name} is disabled by {turned.by}: {one_line(turned.reason)}"
    if stage.holder is not None:
        yield f"busy now: {occupant(stage.holder)} is in it"
    if stage.waiting:
        told = ", ".join(map(occupant, stage.waiting))
        verb = "waits" if len(stage.waiting) == 1 else "wait"
        fate = ", and would be superseded if it still does"
        if mode is not ExecutionMode.SUPERSEDED:
            fate = ", ahead of it"
        yield f"{told} {verb} in front of it now{fate}"


def failure(stage: PlannedStage) -> str:
    """Say what follows the failure of a stage; empty where it just fails."""
    back = ""
    automatic = "ROLLBACK" in stage.on_failure or any(
        each.result == "ROLLBACK" for each in stage.conditions
    )
    if automatic:
        back = "a rollback would find nothing to go back to"
        if stage.back_to:
            back = f"a rollback would go back to #{stage.back_to.number}"
    told = f"after a failure {stage.on_failure}" if stage.on_failure else ""
    return "; ".join(filter(None, (told, back)))


def condition(facts: PlannedCondition) -> Iterator[tuple[PlannedRule, str]]:
    """Give each rule of a condition with what it checks and what it would say now."""
    for rule in facts.rules:
        checks = ", ".join(f"{each.key} {one_line(each.text)}" for each in rule.settings)
        told = f"{WHEN[facts.place]} {rule.name}: {rule.type}({checks or _shell(rule)})"
        said = f"; now: {rule.verdict}" if rule.verdict else _unknown(rule)
        yield rule, f"{told}, else {facts.result}{said}"


def kind(action: PlannedAction) -> str:
    """Name an action's category and provider."""
    category, _, provider, _ = action.type.split("/")
    return f"{category} · {provider}"


def place(action: PlannedAction) -> str:
    """Say where an action would run."""
    return "cannot run here" if action.obstacle else action.place


def flow(action: PlannedAction) -> str:
    """Tell what an action would read, from whom, and what it would write."""
    read = ", ".join(f"{each.artifact} of {each.writer or 'nobody'}" for each in action.inputs)
    written = ", ".join(action.outputs)
    told = (read and f"reads {read}", written and f"writes {written}")
    return " · ".join(filter(None, told))


def limit(action: PlannedAction) -> str:
    """Say how long an action may take, or waits for whom."""
    most = f"at most {_long(action.limit_seconds)}"
    if action.category is not Category.APPROVAL:
        return most
    if action.type.split("/")[2] == FREEZE:
        return f"waits for the end of freezes, {most}"
    required = action.setting(REQUIRED) or "1"
    names = one_line(action.setting(APPROVERS)) or "anybody"
    count = f"{required} of " if required != "1" else ""
    return f"waits for {count}{names}, {most}"


def settings(action: PlannedAction) -> Iterator[str]:
    """Tell in lines how an action would be configured, and which values come later, from whom."""
    if action.revision:
        yield f"takes {one_line(action.revision)}"
    given = (*action.settings, *action.environment)
    known = [f"{each.key} {one_line(each.text)}" for each in given if not each.later]
    if known:
        yield " · ".join(known)
    for each in (*(one for one in given if one.later), *action.commands):
        yield f"{each.key} {one_line(each.text)}"
        if each.later:
            yield f"  where {', '.join(map(_later, each.later))}"


def occupant(each: Occupant) -> str:
    """Name an execution under way: `#3 (9b2d6f0a, at Production, asks Ok)`."""
    asks = f", waits for approval {', '.join(each.asks)}" if each.asks else ""
    return f"#{each.number} ({each.id[:SHORT_ID]}, at {each.stage}{asks})"


def _later(each: Later) -> str:
    told = f"comes from {each.writer}" if each.writer else "has no value"
    return f"{each.reference} {told}"


def _unknown(rule: PlannedRule) -> str:
    later = [one for each in (*rule.settings, *rule.commands) for one in each.later]
    if not later:
        return ""
    return "; known after " + ", ".join(dict.fromkeys(one.writer or "nobody" for one in later))


def _shell(rule: PlannedRule) -> str:
    return "; ".join(one_line(each.text) for each in rule.commands)


def _long(seconds: float) -> str:
    return duration(seconds).removesuffix(" 0 min").removesuffix(" 0 s").removesuffix(" 0 h")
