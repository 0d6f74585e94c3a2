"""How facts are put into words, the same in drawings and on terminals."""

from collections.abc import Collection, Iterator
from datetime import datetime

from pipelinekit.engine.review import asks
from pipelinekit.kit.fact_words import needed, refused, retried, skipped, votes, wanted
from pipelinekit.kit.facts import ActionFacts, StageFacts
from pipelinekit.kit.logs import tail
from pipelinekit.model.action import Action
from pipelinekit.model.condition import Condition, ConditionType
from pipelinekit.model.execution import ActionExecution, PipelineExecution, Revision
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import PipelineStatus
from pipelinekit.wire.report_words import failed_names, totals
from pipelinekit.wire.words import (
    FAILED,
    IN_PROGRESS,
    SHORT_ID,
    clean,
    flat,
    one_line,
    shortened,
)

LOG_LINES = 5


def paragraph(text: str, most: int = 8) -> tuple[str, ...]:
    """Break foreign text into lines; at most so many, with an ellipsis where some are missing."""
    lines = [shortened(line.rstrip()) for line in clean(text.strip()).splitlines()]
    return tuple(lines) if len(lines) <= most else (*lines[: most - 1], "…")


def moment(at: datetime) -> str:
    """Say when something was, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def kind(action: Action) -> str:
    """Name an action's category and provider."""
    return f"{action.type.category} · {action.type.provider}"


def flow(action: Action) -> str:
    """Say which artifacts an action reads and writes."""
    read = ", ".join(action.inputs)
    written = ", ".join(output.name for output in action.outputs)
    if read and written:
        return f"{read} → {written}"
    return f"reads {read}" if read else written and f"writes {written}"


def traits(pipeline: Pipeline) -> str:
    """Say what kind of pipeline it is, which variables it takes and what starts it."""
    variables = ", ".join(
        each.name if each.default is None else f"{each.name}={each.default}"
        for each in pipeline.variables
    )
    triggers = ", ".join(each.git_configuration.source_action_name for each in pipeline.triggers)
    said = (
        f"{pipeline.type} · {pipeline.mode} · version {pipeline.version}",
        variables and f"variables {variables}",
        triggers and f"started by changes of {triggers}",
    )
    return " · ".join(filter(None, said))


def gates(stage: Stage, checked: Collection[ConditionType] = ()) -> Iterator[str]:
    """Say on what conditions a stage is entered and left, and what happens when it fails.

    Args:
        stage: The stage.
        checked: The places whose conditions are shown with what came of them instead.
    """
    failure = stage.on_failure
    if stage.before_entry and ConditionType.BEFORE_ENTRY not in checked:
        yield f"entered if {_rules(stage.before_entry)}"
    if stage.on_success and ConditionType.ON_SUCCESS not in checked:
        yield f"left if {_rules(stage.on_success)}"
    if failure is not None and ConditionType.ON_FAILURE not in checked:
        result = failure.result or f"if {_rules(failure.conditions)}"
        yield f"on failure {result}"


def origin(execution: PipelineExecution) -> str:
    """Say when an execution started, and what started it."""
    detail = f" ({execution.cause.detail})" if execution.cause.detail else ""
    cause = f"{execution.cause.type}{detail}"
    again = f" · run {execution.attempts} times" if execution.attempts > 1 else ""
    return f"{moment(execution.started)} · {cause} · version {execution.version}{again}"


def settings(execution: PipelineExecution) -> str:
    """List the values of the pipeline's variables."""
    return ", ".join(f"{name}={value}" for name, value in execution.variables.items())


def ending(execution: PipelineExecution) -> Iterator[str]:
    """Say who stopped an execution, or why another ended it; failures speak for themselves."""
    quiet = {PipelineStatus.IN_PROGRESS, PipelineStatus.SUCCEEDED, PipelineStatus.FAILED}
    if execution.stop is not None:
        yield one_line(
            ": ".join(filter(None, (f"stopped by {execution.stop.by}", execution.stop.reason)))
        )
    elif execution.summary and execution.status not in quiet:
        yield one_line(execution.summary)


def entry(stage: StageFacts) -> Iterator[str]:
    """Say why a stage was skipped, and how often it was retried."""
    return filter(None, (skipped(stage), retried(stage)))


def question(row: ActionExecution) -> tuple[str, ...]:
    """Tell what an approval asks, or what freeze is waited for."""
    return paragraph(row.resolved.get("CustomData", "") if asks(row.type) else row.summary)


def asked(row: ActionExecution) -> Iterator[str]:
    """Say who has approved, since when an approval waits and until when, and what it asks."""
    until = f" · until {moment(row.deadline)}" if row.deadline and asks(row.type) else ""
    count = votes(row)
    yield f"{f'{count} · ' if count else ''}since {moment(row.started)}{until}"
    yield from refused(row)
    for name, form in wanted(row):
        yield one_line(f"to be filled in: {name} ({form})")


def answers(row: ActionExecution) -> str:
    """Show how an approval is answered in a notebook, or a freeze overridden."""
    name = flat(row.action)
    if not asks(row.type):
        return f'run.override(action={name!r}, reason="...")'
    inputs = ", ".join(f"{flat(each)!r}: ..." for each in needed(row))
    filled = f", inputs={{{inputs}}}" if inputs else ""
    return f"run.approve(action={name!r}{filled})  or  run.reject(action={name!r})"


def last_lines(facts: ActionFacts) -> tuple[str, ...]:
    """Give the last lines of the log of what is under way or has failed."""
    if facts.log is None or facts.mark not in {FAILED, IN_PROGRESS}:
        return ()
    return tuple(map(shortened, tail(facts.log, LOG_LINES)))


def outcome(row: ActionExecution) -> Iterator[str]:
    """Tell, in a few words each, what else is known of an attempt."""
    told = (
        votes(row) or (row.by and f"by {row.by}"),
        f"{row.percent} %" if row.percent is not None else "",
        f"attempt {row.attempt}" if row.attempt > 1 else "",
        f"ran in {row.place}" if row.place != "here" else "",
        totals(row.reports),
        one_line(row.summary),
    )
    return filter(None, told)


def failure(row: ActionExecution | None) -> tuple[str, ...]:
    """Say why an attempt failed."""
    if row is None or row.error is None:
        return ()
    return paragraph(f"{row.error.code}: {row.error.message}")


def failed_tests(row: ActionExecution | None) -> tuple[str, ...]:
    """List the tests that failed in an attempt, in a line each."""
    return () if row is None else tuple(f"failed: {name}" for name in failed_names(row.reports))


def commit(revision: Revision) -> tuple[str, str]:
    """Give the short id of a revision, and the first line of its message."""
    first = next(iter(revision.summary.strip().splitlines()), "")
    return flat(revision.id)[:SHORT_ID], one_line(first)


def _rules(conditions: tuple[Condition, ...]) -> str:
    return ", ".join(rule.name for condition in conditions for rule in condition.rules)
