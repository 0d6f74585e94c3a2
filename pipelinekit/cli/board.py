"""The lines in which an execution is shown, for text and for live pictures alike."""

from collections.abc import Iterator

import click

from pipelinekit.cli.colours import colour
from pipelinekit.cli.view import failure, told
from pipelinekit.engine.review import asks
from pipelinekit.kit import fact_words as words
from pipelinekit.kit.facts import BUSY, ActionFacts, RunFacts, StageFacts
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ActionStatus, PipelineStatus, StageStatus
from pipelinekit.wire.report_words import failed_names
from pipelinekit.wire.words import NOT_STARTED, SHORT_ID, Mark, clean, clock, duration, one_line

NAME_WIDTH = 28
WORD_WIDTH = 22
QUIET = {PipelineStatus.IN_PROGRESS, PipelineStatus.SUCCEEDED}
OPEN = {*BUSY, StageStatus.FAILED}


class Line(Noun):
    """One line of the board.

    Attributes:
        depth: 0 for a stage, 1 for an action or a rule, 2 for what belongs to an action.
        mark: Its status; None for a line that only tells something.
        name: Of the stage, the action or the rule.
        time: How long it took, or has taken.
        detail: What else there is to say, clean.
        action: The action that it shows.
    """

    depth: int
    mark: Mark | None
    name: str
    time: str = ""
    detail: str = ""
    action: ActionFacts | None = None


def title(facts: RunFacts) -> str:
    """Give the heading of an execution, without its status."""
    return f"{facts.execution.pipeline} #{facts.execution.number}"


def origin(facts: RunFacts) -> str:
    """Tell where an execution comes from, in one line."""
    row = facts.execution
    by = f" by {one_line(row.cause.detail, 60)}" if row.cause.detail else ""
    told_more = [
        ", ".join(
            f"{name} {clean(revision.id)[:SHORT_ID]}"
            for name, revision in sorted(row.revisions.items())
        ),
        words.rolled_back(facts),
    ]
    more = "".join(f"; {each}" for each in told_more if each)
    return f"{row.id}, started {clock(row.started)}{by} ({row.cause.type}){more}"


def lines(facts: RunFacts, *, short: bool = False) -> Iterator[Line]:
    """Give the lines of the stages, their conditions and their actions.

    Args:
        facts: What is shown.
        short: Whether the actions of stages that are over or have not begun are left out.
    """
    for stage in facts.stages:
        first, *more = stage_details(stage) or [""]
        yield Line(0, stage.mark, stage.name, _time(stage.seconds), first)
        for detail in more:
            yield Line(1, None, "", detail=detail)
        if short and (stage.entered is None or stage.entered.status not in OPEN):
            continue
        yield from rules(stage, entry=True)
        for action in stage.actions:
            yield from _action(action)
        yield from rules(stage, entry=False)


def action_detail(action: ActionFacts) -> str:
    """Tell what there is to say about an action besides its status and its duration."""
    row = action.attempt
    if row is None:
        return ""
    parts = [
        f"attempt {row.attempt}" if row.attempt > 1 else "",
        row.place if row.place != "here" else "",
        f"{row.percent} %" if row.percent is not None else "",
        words.votes(row),
        _answer(action) or (failure(row) or told(row.summary, row) if not action.waits else ""),
        row.external_url,
    ]
    return "; ".join(one_line(part) for part in parts if part)


def stage_details(stage: StageFacts) -> list[str]:
    """Tell what is between an execution and a stage, why it was skipped, how often retried."""
    found = [words.skipped(stage), words.retried(stage), *words.between(stage, clock)]
    return [each for each in found if each]


def rules(stage: StageFacts, *, entry: bool) -> Iterator[Line]:
    """Give a line to each rule that was checked: at the entry of the stage, or at its end."""
    for condition in stage.conditions:
        at_entry = condition.place is ConditionType.BEFORE_ENTRY
        for rule in condition.rules if at_entry is entry else ():
            name = f"{words.PLACES[condition.place]}: {rule.rule.name}"
            said = words.rule(rule, condition)
            yield Line(1, rule.mark, name, _time(rule.seconds), said)


def asked(row: ActionExecution) -> Iterator[str]:
    """Tell what an approval that waits asks, in lines."""
    until = f", until {clock(row.deadline)}" if row.deadline else ""
    yield f"waits since {clock(row.started)}{until}"
    for text in (row.resolved.get("CustomData"), row.resolved.get("ExternalEntityLink")):
        yield from (line for line in clean(text or "").split("\n") if line)
    for name, form in words.wanted(row):
        yield f"to be filled in: {one_line(f'{name} ({form})')}"
    yield from words.refused(row)


def advice(facts: RunFacts) -> list[str]:
    """Tell what one can do now, as lines with commands."""
    row = facts.execution
    short = row.id[:SHORT_ID]
    if row.status in {PipelineStatus.FAILED, PipelineStatus.STOPPED}:
        over = {StageStatus.FAILED, StageStatus.STOPPED}
        again = any(each.entered and each.entered.status in over for each in facts.stages)
        how = f": pipelinekit run {row.pipeline}"
        if again:
            how = f", with what it took: pipelinekit retry {short}"
        return [f"See why: pipelinekit logs {short}; run it again{how}"]
    if not row.ended and not facts.engine and not facts.waits_for_people:
        return [f"No engine is at work; go on with: pipelinekit watch {short}"]
    return [*_at_the_door(facts), *_frozen(facts), *_to_answer(facts)]


def text(facts: RunFacts) -> str:
    """Give the whole board as text, coloured for a terminal that wants it."""
    status = click.style(str(facts.mark), fg=colour(facts.mark))
    heading = f"{click.style(title(facts), bold=True)}  {status}  {duration(facts.seconds)}"
    parts = [heading, f"  {origin(facts)}"]
    if facts.execution.summary and facts.execution.status not in QUIET:
        parts.append(f"  {one_line(facts.execution.summary, 500)}")
    parts += [_text(line) for line in lines(facts)]
    return "\n".join([*parts, *advice(facts)])


def _at_the_door(facts: RunFacts) -> Iterator[str]:
    for stage in facts.stages:
        queue = stage.queue
        if queue and queue.holder and queue.asks:
            holder = queue.holder.id[:SHORT_ID]
            yield f"It waits for {holder}: pipelinekit approve {holder}  (or reject)"
        elif queue and stage.waits_for_people:
            for switch in stage.switches:
                where = f"{switch.leaving} --outbound" if switch.leaving else stage.name
                pipeline = facts.execution.pipeline
                yield f"Let it in with: pipelinekit transition enable {pipeline} {where}"


def _frozen(facts: RunFacts) -> Iterator[str]:
    several = len(facts.frozen) > 1
    for each in facts.frozen:
        told = one_line(each.attempt.summary if each.attempt else "")
        short = facts.execution.id[:SHORT_ID]
        meant = f" --action {each.name}" if several and isinstance(each, ActionFacts) else ""
        what = f"{each.name}:" if isinstance(each, ActionFacts) else "It is"
        yield f"{what} {told}; go on then with: pipelinekit watch {short}"
        yield f'Do not wait for that with: pipelinekit override {short}{meant} --reason "..."'


def _to_answer(facts: RunFacts) -> Iterator[str]:
    several = len(facts.asked) > 1
    for row in facts.asked:
        chosen = f" --action {row.action}" if several else ""
        filled = "".join(f" --input {name}=..." for name in words.needed(row))
        short = facts.execution.id[:SHORT_ID]
        yield f"Answer with: pipelinekit approve {short}{chosen}{filled}  (or reject)"


def _text(line: Line) -> str:
    indent = "  " * line.depth
    if line.mark is None:
        return f"{indent}{line.detail}"
    name = f"{indent}{line.mark.icon} {line.name}".ljust(NAME_WIDTH)
    rest = f"{line.mark.word.ljust(WORD_WIDTH)}{line.time.rjust(12)}  {line.detail}"
    return f"{click.style(name, fg=colour(line.mark))} {rest}".rstrip()


def _time(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _action(action: ActionFacts) -> Iterator[Line]:
    mark = action.mark or NOT_STARTED
    yield Line(1, mark, action.name, _time(action.seconds), action_detail(action), action)
    if action.attempt is None:
        return
    if action.waits:
        yield from (Line(2, None, "", detail=line) for line in asked(action.attempt))
    names = failed_names(action.attempt.reports)
    yield from (Line(2, None, "", detail=f"failed: {name}") for name in names)


def _answer(action: ActionFacts) -> str:
    row = action.attempt
    if row is None or not _is_answered(row):
        return ""
    good = "approved" if asks(row.type) else "overridden"
    verb = good if row.status is ActionStatus.SUCCEEDED else "rejected"
    return f"{verb} by {row.by}{f': {row.summary}' if row.summary else ''}"


def _is_answered(row: ActionExecution) -> bool:
    over = row.status is not ActionStatus.IN_PROGRESS
    return over and row.type.category == "Approval" and bool(row.by)
