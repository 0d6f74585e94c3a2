"""Pipelines and runs as HTML: stages from left to right, their actions from top to bottom."""

from collections.abc import Iterator

from pipelinekit.kit.fact_words import PLACES, between, rolled_back, rule
from pipelinekit.kit.facts import (
    ActionFacts,
    ConditionFacts,
    RunFacts,
    StageFacts,
    planned,
)
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action, Steps
from pipelinekit.model.execution import PipelineExecution
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.runtime.clock import now
from pipelinekit.widgets import look, wording
from pipelinekit.widgets.markup import Html, joined, link, tag, web_address
from pipelinekit.wire.words import FROZEN, NOT_STARTED, WAITING, Mark, duration, one_line

BREAK = Html("<br>")
NO_EMOJI = "\N{VARIATION SELECTOR-15}"  # icons are text, whatever fonts there are
# Money in a commit message is no formula, whatever MathJax thinks.
NO_FORMULAS = "mathjax_ignore tex2jax_ignore"


def pipeline_html(pipeline: Pipeline) -> str:
    """Draw a pipeline as it is declared."""
    return _frame(
        f"Pipeline {pipeline.name}",
        tag("div", tag("span", pipeline.name, style=look.TITLE), style=look.HEAD),
        tag("div", wording.traits(pipeline), style=look.NOTE),
        _stages(tuple(map(planned, pipeline.stages))),
    )


def stage_html(stage: Stage) -> str:
    """Draw one stage as it is declared."""
    return _frame(f"Stage {stage.name}", _stage(planned(stage)))


def action_html(action: Action) -> str:
    """Draw one action as it is declared."""
    card = tag("ul", _action(ActionFacts("", action)), style=look.SINGLE, role="list")
    return _frame(f"Action {action.name}", card)


def steps_html(steps: Steps) -> str:
    """Draw actions that stand beside and after each other."""
    stage = planned(Stage("", steps))
    return _frame(f"Actions {steps}", tag("div", _groups(stage), style=look.stage(_beside(stage))))


def run_html(run: Run) -> str:
    """Draw a run as it stands: every status, what waits for whom, what failed and why."""
    facts = observed(run, now())
    execution = facts.execution
    panels = tuple(map(_panel, facts.notable))
    return _frame(
        f"Execution {execution.number} of pipeline {execution.pipeline}: {facts.mark.word}",
        *_run_head(facts),
        _stages(facts.stages),
        tag("ul", *panels, style=look.PANELS, role="list") if panels else "",
    )


def _frame(label: str, *content: str) -> str:
    named = {"class": NO_FORMULAS, "aria_label": label}
    return str(tag("div", *content, style=look.FRAME, role="group", **named))


def _run_head(facts: RunFacts) -> Iterator[Html]:
    execution = facts.execution
    yield tag(
        "div",
        tag("span", f"{execution.pipeline} #{execution.number}", style=look.TITLE),
        _pill(facts.mark),
        _time(facts.seconds),
        style=look.HEAD,
    )
    yield tag(
        "div",
        f"{wording.origin(execution)} · ",
        tag("span", execution.id, style=look.CODE),
        style=look.NOTE,
    )
    if facts.target is not None:
        yield tag("div", rolled_back(facts), style=look.REVISION)
    if execution.variables:
        yield tag("div", f"variables {wording.settings(execution)}", style=look.NOTE)
    yield from _revisions(execution)
    yield from (tag("div", why, style=look.REVISION) for why in wording.ending(execution))


def _revisions(execution: PipelineExecution) -> Iterator[Html]:
    for action, revision in execution.revisions.items():
        short, message = wording.commit(revision)
        name = tag("span", f"{action} ", style=look.QUIET)
        code = tag("code", link(short, revision.url, style=look.ANCHOR), title=revision.id)
        yield tag("div", name, code, f" {message}", style=look.REVISION)


def _stages(stages: tuple[StageFacts, ...]) -> Html:
    arrow = tag("span", "→", style=look.ARROW, aria_hidden="true")
    steps = (
        tag("li", _stage(stage), arrow if place < len(stages) else "", style=look.STEP)
        for place, stage in enumerate(stages, start=1)
    )
    return tag("ol", *steps, style=look.STAGES, role="list")


def _groups(facts: StageFacts) -> Html:
    groups = (_group(group, place) for place, group in enumerate(facts.groups))
    return tag("ol", *groups, style=look.GROUPS, role="list")


def _beside(facts: StageFacts) -> int:
    return max(map(len, facts.groups), default=1)


def _stage(facts: StageFacts) -> Html:
    name = tag("span", facts.stage.name, style=look.STAGE_NAME)
    checked = [each.place for each in facts.conditions]
    gates = (tag("div", gate, style=look.NOTE) for gate in wording.gates(facts.stage, checked))
    return tag(
        "div",
        *(tag("div", told, style=look.BETWEEN) for told in between(facts, wording.moment)),
        tag(
            "div",
            tag("div", name, _time(facts.seconds), style=look.ENDS),
            tag("div", _pill(facts.mark), style=look.STAGE_STATE) if facts.mark else "",
            *(tag("div", told, style=look.NOTE) for told in wording.entry(facts)),
            *gates,
            *(_rules(each) for each in facts.conditions),
            style=look.STAGE_HEAD,
        ),
        _groups(facts),
        style=look.stage(_beside(facts)),
        role="group",
        aria_label=f"Stage {facts.stage.name}",
    )


def _rules(facts: ConditionFacts) -> Html:
    rows = (
        tag(
            "li",
            tag("div", f"{PLACES[facts.place]}: {each.rule.name}", style=look.FACT),
            tag("div", *_state(each.mark, each.seconds), style=look.RULE_STATE),
            tag("div", rule(each, facts), style=look.QUIET),
            style=look.RULE,
        )
        for each in facts.rules
    )
    return tag("ul", *rows, style=look.RULES, role="list", aria_label="rules")


def _group(actions: tuple[ActionFacts, ...], place: int) -> Html:
    down = tag("div", "↓", style=look.DOWN, aria_hidden="true") if place else ""
    label = "side by side" if len(actions) > 1 else ""
    cards = tag("ul", *map(_action, actions), style=look.BESIDE, role="list", aria_label=label)
    return tag("li", down, cards, style=look.GROUP)


def _action(facts: ActionFacts) -> Html:
    action = facts.action
    flow = wording.flow(action)
    state = tuple(_state(facts.mark, facts.seconds))
    badge = tag("span", action.type.category[:1], style=look.BADGE, aria_hidden="true")
    return tag(
        "li",
        tag("div", badge, tag("span", action.name, style=look.CARD_NAME), style=look.CARD_HEAD),
        tag("div", wording.kind(action), style=look.QUIET, title=str(action.type)),
        tag("div", flow, style=look.FACT) if flow else "",
        tag("div", f"namespace {action.namespace}", style=look.QUIET) if action.namespace else "",
        tag("div", *state, style=look.STATE) if state else "",
        *_outcome(facts),
        style=look.card(facts.mark.tone if facts.mark else None),
    )


def _outcome(facts: ActionFacts) -> Iterator[Html]:
    row = facts.attempt
    if row is None:
        return
    told = " · ".join(wording.outcome(row))
    if told and facts.mark is not WAITING:
        yield tag("div", told, style=look.QUIET)
    if web_address(row.external_url):
        shown = one_line(row.external_id or "details", 40)
        yield tag("div", link(shown, row.external_url, style=look.ANCHOR), style=look.FACT)


def _state(mark: Mark | None, seconds: float | None) -> Iterator[str]:
    if mark is not None:
        yield _pill(mark)
        yield _time(seconds)


def _time(seconds: float | None) -> str:
    return "" if seconds is None else tag("span", duration(seconds), style=look.TIME)


def _pill(mark: Mark) -> Html:
    icon = tag("span", f"{mark.icon}{NO_EMOJI}", aria_hidden="true")
    return tag("span", icon, f" {mark.word}", style=look.pill(mark.tone))


def _panel(facts: ActionFacts) -> Html:
    mark = facts.mark or NOT_STARTED
    told = _request(facts) if mark in {WAITING, FROZEN} else _trouble(facts)
    name = f"{facts.stage} / {facts.action.name}"
    return tag(
        "li",
        tag(
            "div",
            tag("span", name, style=look.CARD_NAME),
            *_state(mark, facts.seconds),
            style=look.PANEL_HEAD,
        ),
        *told,
        style=look.panel(mark.tone),
    )


def _request(facts: ActionFacts) -> Iterator[Html]:
    row = facts.attempt
    if row is None:
        return
    yield from _quote(wording.question(row))
    url = row.resolved.get("ExternalEntityLink", "")
    if url:
        yield tag("div", "To review: ", link(url, url, style=look.ANCHOR), style=look.QUOTE)
    yield from (tag("div", told, style=look.NOTE) for told in wording.asked(row))
    yield tag("code", wording.answers(row), style=look.CODE)


def _trouble(facts: ActionFacts) -> Iterator[Html]:
    yield from _quote(wording.failure(facts.attempt))
    yield from _quote(wording.failed_tests(facts.attempt))
    log = wording.last_lines(facts)
    if log:
        yield tag("pre", *(joined(line, Html("\n")) for line in log), style=look.LOG)


def _quote(lines: tuple[str, ...]) -> Iterator[Html]:
    if lines:
        rest = (joined(BREAK, line) for line in lines[1:])
        yield tag("div", lines[0], *rest, style=look.QUOTE)
