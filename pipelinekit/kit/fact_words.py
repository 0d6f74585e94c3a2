"""How the facts of a run are put into words, the same on terminals and in drawings."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pipelinekit.engine.review import INPUTS, REQUIRED, Input, read_inputs
from pipelinekit.kit.facts import ConditionFacts, Rival, RuleFacts, RunFacts, StageFacts
from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.status import ActionStatus, ApprovalStatus, StageStatus
from pipelinekit.wire.words import SHORT_ID, one_line

When = Callable[[datetime], str]
"""How a time is told."""

PLACES = {
    ConditionType.BEFORE_ENTRY: "entry",
    ConditionType.ON_SUCCESS: "success",
    ConditionType.ON_FAILURE: "failure",
}
"""A word for each place of a condition."""


def rival(each: Rival) -> str:
    """Name another execution: `#3 (9b2d6f0a)`."""
    return f"#{each.number} ({each.id[:SHORT_ID]})"


def rivals(several: Sequence[Rival]) -> str:
    """List other executions by their numbers: `#3, #4`."""
    return ", ".join(f"#{each.number}" for each in several)


def between(stage: StageFacts, when: When) -> Iterator[str]:
    """Tell what is on the way into a stage: whom one waits for, what is disabled, who waits.

    Args:
        stage: The stage.
        when: How times are told.
    """
    if stage.queue is not None:
        yield f"{_awaited(stage)}, since {when(stage.queue.since)}"
    for switch in stage.switches:
        way = f"way out of {switch.leaving}" if switch.leaving else "transition"
        turned = switch.transition
        at = f" since {when(turned.at)}" if turned.at else ""
        yield f"{way} disabled by {turned.by}{at}: {one_line(turned.reason)}"
    if stage.behind and stage.queue is None:
        verb = "waits" if len(stage.behind) == 1 else "wait"
        yield f"{rivals(stage.behind)} {verb} in front of it"


def retried(stage: StageFacts) -> str:
    """Tell how often a stage was retried, and how often by itself."""
    row = stage.entered
    told = ""
    if row is not None and row.auto_retries:
        told = "retried by itself"
    if row is not None and row.retries:
        told += f"{', then' if told else 'retried'} {_times(row.retries)}"
        told += " by hand" if row.auto_retries else ""
    return told


def skipped(stage: StageFacts) -> str:
    """Tell why a stage was skipped; empty when it was not."""
    row = stage.entered
    entry = [each for each in stage.conditions if each.place is ConditionType.BEFORE_ENTRY]
    if row is None or row.status is not StageStatus.SKIPPED or not entry:
        return ""
    failed = ", ".join(
        each.rule.name
        for each in entry[0].rules
        if each.attempt and each.attempt.status is ActionStatus.FAILED
    )
    return f"its entry rule {failed} failed"


def rule(facts: RuleFacts, condition: ConditionFacts) -> str:
    """Tell what a rule checks, what it waits for, and what its failure did."""
    row = facts.attempt
    if row is None:
        return facts.rule.type.provider
    if row.status is ActionStatus.ABANDONED and condition.check.summary:
        return one_line(condition.check.summary)
    failed = row.status is ActionStatus.FAILED
    result = ""
    if failed:
        overridden = condition.check.status is ConditionStatus.OVERRIDDEN
        result = condition.check.summary if overridden else f"result {condition.result}"
    told = row.error.message if row.error else row.summary
    return "; ".join(filter(None, map(one_line, (told or facts.rule.type.provider, result))))


def rolled_back(facts: RunFacts) -> str:
    """Tell which stage a rollback puts back, and to which execution; empty for all others."""
    if facts.target is None:
        return ""
    return f"rolls {facts.execution.stage} back to {rival(facts.target)}"


def votes(row: ActionExecution) -> str:
    """Tell who has approved a review, of how many: `1 of 2: ann`; empty where one decided."""
    required = row.resolved.get(REQUIRED, "1")
    names = [
        each.by
        for each in row.votes
        if not each.refused and each.status is ApprovalStatus.APPROVED
    ]
    if required == "1" or row.status in {ActionStatus.FAILED, ActionStatus.ABANDONED}:
        return ""  # then it says by whom anyway
    return ": ".join(filter(None, (f"{len(names)} of {required}", one_line(", ".join(names)))))


def refused(row: ActionExecution) -> Iterator[str]:
    """Tell which answers to a review did not count, and why."""
    for vote in row.votes:
        if vote.refused:
            yield one_line(f"an answer of {vote.by} did not count: {vote.refused}")


def needed(row: ActionExecution) -> list[str]:
    """Name the values that a review asks for and that have no default."""
    return [name for name, each in _inputs(row).items() if each.default is None]


def wanted(row: ActionExecution) -> Iterator[tuple[str, str]]:
    """Give the values that a review asks for by name, each with what it may be."""
    for name, each in _inputs(row).items():
        form = f"one of {', '.join(each.choices)}" if each.choices else each.type
        default = "" if each.default is None else f", {each.default} unless it is given"
        yield name, f"{form}{default}"


def _inputs(row: ActionExecution) -> dict[str, Input]:
    text = row.resolved.get(INPUTS)
    return read_inputs(text) if text else {}


def _awaited(stage: StageFacts) -> str:
    queue = stage.queue
    if queue and queue.stale:
        return "waited too long for the transition and will not enter"
    ahead = f", after {rivals(queue.ahead)}" if queue and queue.ahead else ""
    if queue and queue.holder:
        asks = " and waits for approval" if queue.asks else ""
        return f"waits for {rival(queue.holder)}, which is in it{asks}{ahead}"
    if stage.switches:
        return f"waits until it is enabled{ahead}"
    return f"about to be entered{ahead}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
