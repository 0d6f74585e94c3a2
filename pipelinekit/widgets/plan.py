"""A plan in notebooks: a table of all that would happen, and its plain twin."""

from collections.abc import Iterator

from pipelinekit.engine.planned import Plan, PlannedAction, PlannedCondition, PlannedStage
from pipelinekit.kit import plan_words as words
from pipelinekit.model.condition import ConditionType
from pipelinekit.widgets import look
from pipelinekit.widgets.markup import Html, joined, tag
from pipelinekit.wire.words import Tone, flat

HEADINGS = ("Action", "Where", "What it would do")
ENTRY = ConditionType.BEFORE_ENTRY
BREAK = Html("<br>")
NO_FORMULAS = "mathjax_ignore tex2jax_ignore"


def plan_html(plan: Plan) -> str:
    """Draw a plan as a table with a row for each action, under its stage."""
    body = [row for stage in plan.stages for row in _stage(stage, plan)]
    headings = (tag("th", each, style=look.HEADING) for each in HEADINGS)
    return str(
        tag(
            "div",
            *_head(plan),
            tag(
                "table",
                tag("thead", tag("tr", *headings)),
                tag("tbody", *body),
                style=look.TABLE,
            ),
            style=look.FRAME,
            role="group",
            aria_label=f"Plan of pipeline {plan.pipeline}: {words.verdict(plan)}",
            **{"class": NO_FORMULAS},
        )
    )


def plan_text(plan: Plan) -> str:
    """Write down a plan; see `plan_html`."""
    return "\n".join(flat(line).rstrip() for line in _lines(plan))


def _head(plan: Plan) -> Iterator[Html]:
    tone = Tone.GOOD if plan.promising else Tone.BAD
    yield tag(
        "div",
        tag("span", f"{plan.pipeline} #{plan.number}", style=look.TITLE),
        tag("span", words.verdict(plan), style=look.pill(tone)),
        style=look.HEAD,
    )
    yield tag("div", words.origin(plan), style=look.NOTE)
    if plan.variables:
        yield tag("div", f"variables {words.variables(plan)}", style=look.NOTE)
    yield from (tag("div", f"✗ {each}", style=look.REFUSED) for each in words.refusals(plan))
    yield from (tag("div", each, style=look.BETWEEN) for each in words.consequences(plan))


def _stage(stage: PlannedStage, plan: Plan) -> Iterator[Html]:
    named = tag("div", stage.name, style=look.STAGE_NAME)
    ways = (tag("div", each, style=look.BETWEEN) for each in words.way(stage, plan.mode))
    entry = [each for each in stage.conditions if each.place is ENTRY]
    yield _wide(look.WIDE_CELL, named, *ways, *_conditions(entry))
    for group in stage.groups:
        yield from (_action(action, beside=len(group) > 1) for action in group)
    later = [each for each in stage.conditions if each.place is not ENTRY]
    failure = words.failure(stage)
    if later or failure:
        after = tag("div", failure, style=look.NOTE) if failure else ""
        yield _wide(look.CELL, *_conditions(later), after)


def _wide(style: str, *content: str) -> Html:
    cell = tag("td", *content, style=style, colspan=str(len(HEADINGS)))
    return tag("tr", cell, style=look.ROW)


def _conditions(conditions: list[PlannedCondition]) -> Iterator[Html]:
    for condition in conditions:
        for rule, told in words.condition(condition):
            style = look.BETWEEN if rule.blocks else look.NOTE
            yield tag("div", f"◆ {told}", style=style)
            if rule.obstacle:
                yield tag("div", f"✗ {rule.obstacle}", style=look.REFUSED)


def _action(action: PlannedAction, *, beside: bool) -> Html:
    tone = Tone.BAD if action.obstacle else Tone.AHEAD
    limit = tag("div", words.limit(action), style=look.QUIET)
    side = tag("div", "side by side", style=look.QUIET) if beside else ""
    refused = tag("div", f"✗ {action.obstacle}", style=look.REFUSED) if action.obstacle else ""
    details = (line for line in (words.flow(action), *words.settings(action)) if line)
    told = tag("div", *(joined(line, BREAK) for line in details), style=look.QUIET)
    return tag(
        "tr",
        tag(
            "td",
            tag("div", action.name, style=look.CARD_NAME),
            tag("div", words.kind(action), style=look.QUIET),
            side,
            style=look.CELL,
        ),
        tag("td", tag("span", words.place(action), style=look.pill(tone)), limit, style=look.CELL),
        tag("td", refused or action.does, told, style=look.CELL),
        style=look.ROW,
    )


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.pipeline} #{plan.number}  {words.verdict(plan)}"
    yield words.origin(plan)
    if plan.variables:
        yield f"variables {words.variables(plan)}"
    yield from (f"✗ {each}" for each in words.refusals(plan))
    yield from (f"! {each}" for each in words.consequences(plan))
    for stage in plan.stages:
        yield stage.name
        yield from (f"  ! {each}" for each in words.way(stage, plan.mode))
        yield from _rules(stage, entry=True)
        for group in stage.groups:
            edge = "|" if group[1:] else " "
            yield from (f" {edge}  {line}" for action in group for line in _told(action))
        yield from _rules(stage, entry=False)
        yield from (f"  {each}" for each in (words.failure(stage),) if each)


def _rules(stage: PlannedStage, *, entry: bool) -> Iterator[str]:
    for condition in stage.conditions:
        if (condition.place is ENTRY) is entry:
            yield from (f"  ◆ {told}" for _, told in words.condition(condition))


def _told(action: PlannedAction) -> Iterator[str]:
    yield "  ".join((action.name, words.kind(action), words.place(action), words.limit(action)))
    told = (action.obstacle or action.does, words.flow(action), *words.settings(action))
    yield from (f"    {line}" for line in told if line)
