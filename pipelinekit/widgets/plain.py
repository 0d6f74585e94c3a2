"""Pipelines and runs as plain text, for terminals and wherever HTML is not shown."""

from collections.abc import Iterable, Iterator

from pipelinekit.kit.fact_words import PLACES, between, rolled_back, rule
from pipelinekit.kit.facts import ActionFacts, RunFacts, StageFacts, planned
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action, Steps
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.runtime.clock import now
from pipelinekit.widgets import wording
from pipelinekit.wire.words import FROZEN, WAITING, duration, flat, one_line

INDENT = "    "
ALONE, FIRST, INNER, LAST = "  ", "┌ ", "├ ", "└ "


def pipeline_text(pipeline: Pipeline) -> str:
    """Write down a pipeline as it is declared."""
    return _page(_pipeline(pipeline))


def stage_text(stage: Stage) -> str:
    """Write down one stage as it is declared."""
    return _page(_stages((planned(stage),)))


def action_text(action: Action) -> str:
    """Write down one action as it is declared."""
    return _page(("  ".join(_cells(ActionFacts("", action))),))


def steps_text(steps: Steps) -> str:
    """Write down actions that stand beside and after each other."""
    stage = planned(Stage("", steps))
    return _page(_groups(stage.groups, _widths((stage,))))


def run_text(run: Run) -> str:
    """Write down a run as it stands; see `drawing.run_html`."""
    return _page(_run(observed(run, now())))


def _page(lines: Iterable[str]) -> str:
    return "\n".join(flat(line).rstrip() for line in lines)


def _pipeline(pipeline: Pipeline) -> Iterator[str]:
    yield pipeline.name
    yield wording.traits(pipeline)
    yield from _stages(tuple(map(planned, pipeline.stages)))


def _run(facts: RunFacts) -> Iterator[str]:
    execution = facts.execution
    time = duration(facts.seconds)
    yield f"{execution.pipeline} #{execution.number}  {facts.mark}  {time}"
    yield f"{wording.origin(execution)} · {execution.id}"
    if facts.target is not None:
        yield rolled_back(facts)
    if execution.variables:
        yield f"variables {wording.settings(execution)}"
    for source, revision in execution.revisions.items():
        yield " ".join((source, *wording.commit(revision)))
    yield from wording.ending(execution)
    yield from _stages(facts.stages)
    for action in facts.notable:
        yield from _notable(action)


def _stages(stages: tuple[StageFacts, ...]) -> Iterator[str]:
    widths = _widths(stages)
    for stage in stages:
        mark = f"{stage.mark.icon} " if stage.mark else ""
        state = f"  {stage.mark.word}" if stage.mark else ""
        yield f"{mark}{stage.stage.name}{state}{_time(stage.seconds)}"
        yield from (f"{INDENT}{told}" for told in _told(stage))
        yield from _groups(stage.groups, widths)


def _groups(groups: Iterable[tuple[ActionFacts, ...]], widths: Iterable[int]) -> Iterator[str]:
    for group in groups:
        for edge, each in zip(_edges(len(group)), group, strict=True):
            cells = zip(_cells(each), widths, strict=True)
            yield f"  {edge}" + "  ".join(cell.ljust(width) for cell, width in cells)


def _widths(stages: Iterable[StageFacts]) -> list[int]:
    rows = [_cells(each) for stage in stages for group in stage.groups for each in group]
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _told(facts: StageFacts) -> Iterator[str]:
    yield from between(facts, wording.moment)
    yield from wording.entry(facts)
    yield from wording.gates(facts.stage, [each.place for each in facts.conditions])
    for condition in facts.conditions:
        for each in condition.rules:
            state = f"{each.mark}{_time(each.seconds)}"
            name = f"{PLACES[condition.place]}: {each.rule.name}"
            yield f"{name}  {state}  {rule(each, condition)}"


def _edges(size: int) -> tuple[str, ...]:
    return (ALONE,) if size == 1 else (FIRST, *(INNER,) * (size - 2), LAST)


def _cells(facts: ActionFacts) -> tuple[str, ...]:
    action = facts.action
    icon = f"{facts.mark.icon} " if facts.mark else ""
    state = f"{facts.mark.word}{_time(facts.seconds)}" if facts.mark else ""
    more = f"namespace {action.namespace}" if action.namespace and not facts.mark else ""
    if facts.attempt and facts.mark is not WAITING:
        more = " · ".join(wording.outcome(facts.attempt))
    return f"{icon}{action.name}", wording.kind(action), wording.flow(action), state, more


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f" {duration(seconds)}"


def _notable(facts: ActionFacts) -> Iterator[str]:
    yield ""
    yield f"{facts.mark}: {facts.stage}/{facts.action.name}"
    told = _request(facts) if facts.mark in {WAITING, FROZEN} else _trouble(facts)
    yield from (f"{INDENT}{line}" for line in told)
    yield from (f"{INDENT}| {line}" for line in wording.last_lines(facts))


def _trouble(facts: ActionFacts) -> Iterator[str]:
    yield from wording.failure(facts.attempt)
    yield from wording.failed_tests(facts.attempt)


def _request(facts: ActionFacts) -> Iterator[str]:
    row = facts.attempt
    if row is None:
        return
    yield from wording.question(row)
    if row.resolved.get("ExternalEntityLink"):
        yield f"To review: {one_line(row.resolved['ExternalEntityLink'])}"
    yield from wording.asked(row)
    yield wording.answers(row)
