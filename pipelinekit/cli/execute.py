"""The commands that start executions and follow them: run, start, watch."""

from functools import partial
from pathlib import Path

import click

from pipelinekit.cli.background import door, ensure_engine, under_way
from pipelinekit.cli.choice import chosen
from pipelinekit.cli.session import follow, following, manner, tell, work_and_follow
from pipelinekit.cli.starting import Values, begin, read_target, starting
from pipelinekit.cli.surroundings import Surroundings, echo_json, functions_of, shared
from pipelinekit.kit.files import Written, read_definition
from pipelinekit.kit.home import Home
from pipelinekit.kit.origin import remembered, remembered_out, settings_folder
from pipelinekit.kit.run import Run
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.wire.words import SHORT_ID


@click.command()
@shared
@click.argument("target", metavar="FILE|NAME")
@starting
@following
@click.pass_context
def run(
    context: click.Context,
    /,
    target: str,
    values: Values,
    approve: tuple[str, ...],
    **said: float | bool | None,
) -> None:
    """Start a pipeline and work on it here, with live progress.

    FILE is a definition: JSON or YAML as CodePipeline has it, or Python. NAME is a pipeline that
    was defined before. At an approval somebody at the terminal is asked; elsewhere the command
    leaves with exit code 3 and the execution stays. So it does on Ctrl-C: `watch` goes on, though
    not with a Python function that has not ended after a few seconds; that fails, and can be
    retried.
    """
    place = context.ensure_object(Surroundings)
    written = read_target(target)
    if written is None:
        kit = place.worker_of(target)
    else:
        kit = place.kit(settings_folder(written.file), work=True)
    with kit:
        definition = written.pipeline if written else kit.definition(target)
        how = manner(place, definition, approve, **said)
        begun = begin(kit, target, written, values)
        code = work_and_follow(place, kit, begun, how)
        for other in under_way(kit, besides=begun.id):
            name = f"{other.pipeline} #{other.number}"
            click.echo(
                f"{name} is under way too; go on with: pipelinekit watch {other.id[:SHORT_ID]}",
                err=True,
            )
    context.exit(code)


@click.command()
@shared
@click.argument("target", metavar="FILE|NAME")
@starting
@click.pass_obj
def start(place: Surroundings, target: str, values: Values) -> None:
    """Start a pipeline in the background.

    The execution's id is printed. FILE and NAME are those of `run`. An engine in the background
    does the work; one is started where none is alive. It ends by itself when there is nothing to
    do.
    """
    written = read_target(target)
    if written is not None:
        _refuse_functions(written)
    file = written.file if written else remembered(Home.find(place.home).folder, target)
    with place.kit(settings_folder(file)) as kit, door(kit.home.folder):
        if written is None and file is not None and functions_of(kit.definition(target)):
            _refuse_functions(read_definition(file))
        begun = begin(kit, target, written, values)
        ensure_engine(kit, begun)
        number = begun.execution.number
    if place.json:
        echo_json({"pipeline": begun.pipeline, "execution": begun.id, "number": number})
        return
    click.echo(begun.id)
    click.echo(f"Follow it with: pipelinekit watch {begun.id[:SHORT_ID]}", err=True)


@click.command()
@shared
@click.argument("execution", required=False, metavar="[EXECUTION]")
@following
@click.pass_context
def watch(
    context: click.Context,
    /,
    execution: str | None,
    approve: tuple[str, ...],
    **said: float | bool | None,
) -> None:
    """Follow an execution; carry it on where no engine works.

    EXECUTION is the beginning of an id, or a pipeline, of which the latest execution is meant;
    without it the latest one that has not ended. The exit codes are those of `run`. The notebooks
    that a release has executed are copied to where it was told to.
    """
    place = context.ensure_object(Surroundings)
    with place.existing() as looking:
        found = chosen(looking, execution)
        how = manner(place, found.definition, approve, **said)
        out = remembered_out(looking.home.folder, found.pipeline)
        conclude = partial(_copy_and_tell, out) if out else tell
        code = follow(place, looking, found, how, conclude)
    if code is None:
        with place.worker_of(found.pipeline) as kit:
            code = work_and_follow(place, kit, kit.run(found.id), how, conclude)
    context.exit(code)


def _copy_and_tell(out: Path, place: Surroundings, run: Run) -> None:
    from pipelinekit.kit.release import copied, standing

    _, results = standing(run)
    copies = copied(results, out)
    tell(place, run)
    for copy in copies:
        click.echo(f"Executed: {copy}", err=True)


def _refuse_functions(written: Written) -> None:
    if written.own:
        raise CannotRunHere(
            f"{written.file} was to be started in the background, and {', '.join(written.own)} "
            f"are functions of that file, which an engine in the background does not have; use "
            f"`pipelinekit run {written.file}`"
        )
