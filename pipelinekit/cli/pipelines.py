"""The commands about a pipeline as a whole: rollback, transition, delete."""

import sys

import click

from pipelinekit.cli.answer import deciding, finish
from pipelinekit.cli.background import ensure_engine, spawn_engine, under_way
from pipelinekit.cli.choice import chosen
from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remembered, settings_folder
from pipelinekit.kit.run import Run
from pipelinekit.model.execution import PipelineExecution, PipelineRecord
from pipelinekit.wire.words import SHORT_ID


@click.command()
@shared
@click.argument("pipeline")
@click.argument("stage")
@click.option(
    "--to",
    "target",
    metavar="EXECUTION",
    help="The beginning of its id; by default the latest that succeeded in the stage, other than "
    "the one whose work is there.",
)
@click.pass_obj
def rollback(place: Surroundings, pipeline: str, stage: str, target: str | None) -> None:
    """Run a stage again with what an earlier execution had there.

    A new execution does it, with the revisions, artifacts and variables of the earlier one. Any
    stage but the first can be rolled back.

    Example: pipelinekit rollback shop Production --to 9b2d6f0a
    """
    with deciding(place) as kit:
        earlier = chosen(kit, target) if target else None
        finish(place, kit, kit.rollback(pipeline, stage, earlier))


@click.command()
@shared
@click.argument("way", type=click.Choice(["disable", "enable"]))
@click.argument("pipeline")
@click.argument("stage")
@click.option(
    "--reason",
    metavar="TEXT",
    help="Why it is disabled, which is needed; up to 300 letters, digits and ! @ ( ) . * ? -",
)
@click.option("--outbound", is_flag=True, help="The way out of the stage instead of the way in.")
@click.pass_context
def transition(  # noqa: PLR0913 - a parameter for each option
    context: click.Context,
    /,
    way: str,
    pipeline: str,
    stage: str,
    reason: str | None,
    *,
    outbound: bool,
) -> None:
    """Disable or enable the transition into a stage.

    While it is disabled executions wait in front of the stage. Enabled again, it lets in whoever
    waits, and an engine in the background goes on.

    Example: pipelinekit transition disable shop Production --reason "Freeze until Monday"
    """
    place = context.ensure_object(Surroundings)
    if (way == "disable") is not bool(reason):
        raise click.UsageError("disable needs --reason, and enable takes none")
    with deciding(place) as kit:
        if reason:
            kit.disable(pipeline, stage, reason, outbound=outbound)
        else:
            kit.enable(pipeline, stage, outbound=outbound)
        waiting = _running(kit, pipeline)
        if waiting and not reason:
            ensure_engine(kit, Run(kit, pipeline, waiting[0].id))
    turned = {"pipeline": pipeline, "stage": stage, "outbound": outbound, "enabled": not reason}
    _say(place, {**turned, "reason": reason or ""}, waiting)


@click.command()
@shared
@click.argument("pipeline")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def delete(context: click.Context, /, pipeline: str, *, yes: bool) -> None:
    """Delete a pipeline with its definitions, its state and its history.

    Executions under way are ended; artifacts and logs stay. On a terminal you are asked first. A
    name that no pipeline bears is no fault.

    Example: pipelinekit delete shop --yes
    """
    place = context.ensure_object(Surroundings)
    with place.existing() as kit:
        known = next((each for each in kit.pipelines() if each.name == pipeline), None)
        running = _running(kit, pipeline)
    if known is not None and not yes and not _agreed(known, len(running)):
        click.echo("Nothing was deleted.", err=True)
        context.exit(Exit.FAILED)
    with deciding(place) as kit:
        kit.delete(pipeline)
        if running and not kit.engine_alive():  # somebody has to end what runs for them
            spawn_engine(kit.home, settings_folder(remembered(kit.home.folder, pipeline)))
    if place.json:
        echo_json({"pipeline": pipeline, "deleted": known is not None, "ended": len(running)})
    else:
        told = f"Pipeline {pipeline} is deleted; artifacts and logs stay in {kit.home.folder}"
        click.echo(told if known else f"There is no pipeline {pipeline}; nothing was deleted.")


def _agreed(pipeline: PipelineRecord, running: int) -> bool:
    count = f"{pipeline.executions} execution{'' if pipeline.executions == 1 else 's'}"
    what = f"pipeline {pipeline.name} with {count}, {running} of them under way,"
    if not sys.stdin.isatty():
        raise click.UsageError(
            f"{what} was to be deleted, and nobody can be asked; give --yes where that is meant"
        )
    return click.confirm(f"Delete {what.rstrip(',')}?", err=True)


def _running(kit: Kit, pipeline: str) -> list[PipelineExecution]:
    return [row for row in under_way(kit) if row.pipeline == pipeline]


def _say(place: Surroundings, turned: dict[str, object], waiting: list[PipelineExecution]) -> None:
    if place.json:
        echo_json(turned)
        return
    way = "The way out of" if turned["outbound"] else "The transition into"
    state = "enabled" if turned["enabled"] else f"disabled: {turned['reason']}"
    click.echo(f"{way} {turned['stage']} of pipeline {turned['pipeline']} is {state}")
    for row in waiting:
        click.echo(f"  #{row.number} ({row.id[:SHORT_ID]}) is under way, at {row.stage}")
