"""The command `release`: a notebook, once for each environment."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from pipelinekit.cli.colours import colour
from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.kit.release import Executed, choose, read_environments, release_each
from pipelinekit.wire.words import FAILED, NOT_STARTED, SUCCEEDED, clean, duration

ENVIRONMENTS = "environments.yaml"


@click.command()
@shared
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--env",
    "names",
    multiple=True,
    required=True,
    metavar="NAME",
    help="An environment; may be repeated, and the order counts.",
)
@click.option(
    "--environments",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the environments are described.  [default: environments.yaml here, else beside "
    "the notebook]",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter for all environments; may be repeated. A JSON value counts as that value.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs",
    show_default=True,
    metavar="DIR",
    help="Where the executed notebooks are kept.",
)
@click.pass_context
def release(  # noqa: PLR0913 - a parameter for each option
    context: click.Context,
    notebook: Path,
    *,
    names: tuple[str, ...],
    file: Path | None,
    parameters: tuple[tuple[str, str], ...],
    out: Path,
) -> None:
    """Execute a notebook once for each environment.

    papermill executes it for one environment after the other, until one fails. The notebook is
    given the parameters of the environment, and its name as `environment`.
    """
    place = context.ensure_object(Surroundings)
    environments = choose(read_environments(file or _environments(notebook)), names)
    extra = {name: _value(text) for name, text in parameters}
    done = []
    for executed in release_each(notebook, environments, out, extra):
        done.append(executed)
        _say(executed, quiet=place.json)
    _say_left_out(names[len(done) :])
    if place.json:
        echo_json(done)
    context.exit(Exit.SUCCEEDED if done[-1].succeeded else Exit.FAILED)


def _environments(notebook: Path) -> Path:
    here = Path(ENVIRONMENTS)
    beside = notebook.with_name(ENVIRONMENTS)
    return beside if beside.exists() and not here.exists() else here


def _value(text: str) -> object:
    words: dict[str, object] = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _say(executed: Executed, *, quiet: bool) -> None:
    mark = SUCCEEDED if executed.succeeded else FAILED
    told = f"{executed.environment}  {duration(executed.seconds)}  {executed.notebook}"
    stream = sys.stderr if quiet else sys.stdout
    click.echo(f"{click.style(str(mark), fg=colour(mark))}  {told}", file=stream)
    if executed.error is not None:
        click.echo(f"  {clean(executed.error)}", file=stream)


def _say_left_out(names: Iterable[str]) -> None:
    for name in names:
        click.echo(f"{NOT_STARTED}  {name}", err=True)
