"""The commands that show how things stand: status, logs."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

from pipelinekit.cli.background import under_way
from pipelinekit.cli.board import text
from pipelinekit.cli.choice import chosen
from pipelinekit.cli.colours import colour
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.cli.view import data
from pipelinekit.kit.fact_words import between, rolled_back
from pipelinekit.kit.facts import RunFacts
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.logs import news, refuse_unknown, shown
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import Run
from pipelinekit.model.check import RuleExecution
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.status import ActionStatus
from pipelinekit.runtime.clock import now
from pipelinekit.wire.words import clean, clock, duration

LOOK_SECONDS = 0.1
NAME_WIDTH = 24


@click.command()
@shared
@click.argument("name", required=False, metavar="[NAME|EXECUTION]")
@click.pass_obj
def status(place: Surroundings, name: str | None) -> None:
    """Show how executions stand, and what waits for whom.

    NAME is a pipeline, of which the latest execution is shown; EXECUTION the beginning of an id.
    Without either a line is given to the latest execution of each pipeline and to every other one
    that has not ended.
    """
    if name is None:
        _all(place)
        return
    with place.existing() as kit:
        facts = observed(chosen(kit, name), now())
    if place.json:
        echo_json(data(facts))
    else:
        click.echo(text(facts))


@click.command()
@shared
@click.argument("execution", required=False, metavar="[EXECUTION]")
@click.option("--action", metavar="NAME", help="Only the logs of this action or rule.")
@click.option("--follow", is_flag=True, help="Go on until the execution ends or no engine works.")
@click.pass_obj
def logs(place: Surroundings, execution: str | None, action: str | None, *, follow: bool) -> None:
    """Print the logs of an execution's actions and rules.

    EXECUTION is the beginning of an id, or a pipeline, of which the latest execution is meant;
    without it the latest one that has not ended, or else the latest. What a terminal would obey
    is taken out of the logs.
    """
    with place.existing() as kit:
        run = chosen(kit, execution)
        if action is not None:
            refuse_unknown(run.definition, action)
        if follow:
            _follow(kit, run, action, aloud=not place.json)
        if place.json:
            echo_json([_log_data(run, row) for row in _attempts(run, action)])
        elif not follow:
            click.echo(clean(run.logs(action)))


def _all(place: Surroundings) -> None:
    found = [] if place.fresh else _latest(place)
    if place.json:
        echo_json([data(facts) for facts in found])
    elif not found:
        click.echo("No pipelines here yet; begin with: pipelinekit init")
    for facts in () if place.json else found:
        click.echo(_row(facts))


def _latest(place: Surroundings) -> list[RunFacts]:
    with place.existing() as kit:
        found = [run for each in kit.pipelines() for run in kit.runs(each.name, limit=1)]
        latest = {run.id for run in found}
        older = [Run(kit, row.pipeline, row.id) for row in under_way(kit) if row.id not in latest]
        return [observed(run, now()) for run in (*found, *older)]


def _row(facts: RunFacts) -> str:
    row = facts.execution
    name = f"{row.pipeline} #{row.number}".ljust(NAME_WIDTH)
    mark = click.style(str(facts.mark).ljust(NAME_WIDTH), fg=colour(facts.mark))
    idle = "" if row.ended or facts.engine or facts.waits_for_people else "no engine is at work"
    since = f"started {clock(row.started)}, {duration(facts.seconds)}"
    parts = (_where(facts), since, rolled_back(facts), idle)
    return f"{name} {mark} {'  '.join(filter(None, parts))}"


def _where(facts: RunFacts) -> str:
    asking = ", ".join(f"{each.stage}/{each.action}" for each in facts.asked)
    reached = [stage for stage in facts.stages if stage.entered or stage.queue]
    if asking or not reached:
        return asking
    last = reached[-1]
    told = next(between(last, clock), "") if last.queue else ""
    return f"{last.name} {told}".rstrip()


def _attempts(run: Run, action: str | None) -> list[ActionExecution | RuleExecution]:
    return [row for row in run.tries if action in {None, row.action}]


def _log_data(run: Run, row: ActionExecution | RuleExecution) -> dict[str, object]:
    file = run.log_file(row)
    return {
        "stage": row.stage,
        "action": row.action,
        "condition": row.condition if isinstance(row, RuleExecution) else None,
        "attempt": row.attempt,
        "status": row.status,
        "log": shown(file),
        "error": row.error,
    }


def _follow(kit: Kit, run: Run, action: str | None, *, aloud: bool) -> None:
    feed = _Feed()
    while True:
        over = run.execution.ended or not kit.engine_alive()
        for row in _attempts(run, action) if aloud else ():
            for line in feed.of(row, run.log_file(row), over=over):
                click.echo(clean(line))
        if over:
            break
        sys.stdout.flush()
        time.sleep(LOOK_SECONDS)
    if not run.execution.ended:
        click.echo("No engine is at work; go on with: pipelinekit watch", err=True)


class _Feed:
    """Gives what is new of attempts, under the name of each: their logs, and how they end."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}
        self._ended: set[str] = set()
        self._last = ""

    def of(self, row: ActionExecution | RuleExecution, log: Path, *, over: bool) -> Iterator[str]:
        if row.id in self._ended:
            return
        place = f"{row.stage}/{row.action}, attempt {row.attempt}"
        ended = row.status is not ActionStatus.IN_PROGRESS
        for line in news(log, self._read, rest=over or ended):
            if place != self._last:
                yield f"== {place} =="
                self._last = place
            yield line
        if ended:
            self._ended.add(row.id)
            self._last = ""
            yield f"== {place}: {row.status} =="
            if row.error is not None:
                yield f"{row.error.code}: {row.error.message}"
