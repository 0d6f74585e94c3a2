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
from pipelinekit.cli.view import ExecutionView, Lens
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.run import Run
from pipelinekit.model.errors import ActionNotFound
from pipelinekit.model.execution import ActionExecution
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
        view = Lens(kit, chosen(kit, name)).look()
    if place.json:
        echo_json(view)
    else:
        click.echo(text(view))


@click.command()
@shared
@click.argument("execution", required=False, metavar="[EXECUTION]")
@click.option("--action", metavar="NAME", help="Only the logs of this action.")
@click.option("--follow", is_flag=True, help="Go on until the execution ends or no engine works.")
@click.pass_obj
def logs(place: Surroundings, execution: str | None, action: str | None, *, follow: bool) -> None:
    """Print the logs of an execution's actions.

    EXECUTION is the beginning of an id, or a pipeline, of which the latest execution is meant;
    without it the latest one that has not ended, or else the latest. What a terminal would obey
    is taken out of the logs.
    """
    with place.existing() as kit:
        run = chosen(kit, execution)
        _check_action(run, action)
        if place.json:
            echo_json([_log_data(run, row) for row in _attempts(run, action)])
        elif follow:
            _follow(kit, run, action)
        else:
            click.echo(clean(run.logs(action)))


def _all(place: Surroundings) -> None:
    views = [] if place.fresh else _latest(place)
    if place.json:
        echo_json(views)
    elif not views:
        click.echo("No pipelines here yet; begin with: pipelinekit init")
    for view in () if place.json else views:
        click.echo(_row(view))


def _latest(place: Surroundings) -> list[ExecutionView]:
    with place.existing() as kit:
        found = [run for each in kit.pipelines() for run in kit.runs(each.name, limit=1)]
        latest = {run.id for run in found}
        older = [Run(kit, row.pipeline, row.id) for row in under_way(kit) if row.id not in latest]
        return [Lens(kit, run).look() for run in (*found, *older)]


def _row(view: ExecutionView) -> str:
    name = f"{view.pipeline} #{view.number}".ljust(NAME_WIDTH)
    mark = click.style(str(view.mark).ljust(NAME_WIDTH), fg=colour(view.mark))
    waits = ", ".join(f"{each.stage}/{each.name}" for each in view.approvals)
    stages = [stage.name for stage in view.stages if stage.status or stage.queue]
    where = waits or (stages[-1] if stages else "")
    idle = "" if view.ended or view.engine or view.waits_for_people else "  no engine is at work"
    return f"{name} {mark} {where}  started {clock(view.started)}, {duration(view.seconds)}{idle}"


def _attempts(run: Run, action: str | None) -> list[ActionExecution]:
    return [row for row in run.attempts if action in {None, row.action}]


def _check_action(run: Run, action: str | None) -> None:
    names = [each.name for stage in run.definition.stages for each in stage.actions]
    if action is not None and action not in names:
        raise ActionNotFound(
            f"the logs of action {action!r} were asked for and pipeline {run.pipeline} has no "
            f"such action; its actions are {', '.join(names)}"
        )


def _log_data(run: Run, row: ActionExecution) -> dict[str, object]:
    file = run.log_file(row)
    return {
        "stage": row.stage,
        "action": row.action,
        "attempt": row.attempt,
        "status": row.status,
        "log": file.read_text(encoding="utf-8", errors="replace") if file.exists() else "",
        "error": row.error,
    }


def _follow(kit: Kit, run: Run, action: str | None) -> None:
    read: dict[Path, int] = {}
    last = ""
    while True:
        over = run.execution.ended or not kit.engine_alive()
        for row in _attempts(run, action):
            for line in _news(run.log_file(row), read, rest=over):
                heading = f"== {row.stage}/{row.action}, attempt {row.attempt} =="
                if heading != last:
                    click.echo(heading)
                    last = heading
                click.echo(clean(line))
        if over:
            break
        sys.stdout.flush()
        time.sleep(LOOK_SECONDS)
    if not run.execution.ended:
        click.echo("No engine is at work; go on with: pipelinekit watch", err=True)


def _news(log: Path, read: dict[Path, int], *, rest: bool) -> Iterator[str]:
    """Give the whole lines that are new in a log; with `rest` also one that is not finished."""
    if not log.exists():
        return
    with log.open("rb") as file:
        file.seek(read.get(log, 0))
        new = file.read()
    end = len(new) if rest else new.rfind(b"\n") + 1
    read[log] = read.get(log, 0) + end
    yield from new[:end].decode("utf-8", "replace").splitlines()
