"""The commands for people with notebooks: notebook, open."""

import shlex
from pathlib import Path

import click

from pipelinekit.cli.choice import chosen
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.notebook_file import CATEGORIES, Wish, written
from pipelinekit.kit.workbench import lay_out


@click.command(name="open")
@shared
@click.argument("execution", metavar="EXECUTION")
@click.option("--action", metavar="NAME", help="The action; by default the one that failed last.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A new folder.  [default: open-ACTION]",
)
@click.pass_obj
def open_step(
    place: Surroundings, execution: str, action: str | None, folder: Path | None
) -> None:
    """Open a failed step as a notebook: a folder with its inputs, ready for JupyterLab.

    Of a notebook that failed it holds the cells with their outputs and parameters; of another
    action its commands and the end of its log. EXECUTION is the beginning of an id, or a pipeline,
    of which the latest execution is meant.
    """
    with place.existing() as kit:
        made = lay_out(chosen(kit, execution), action, folder, kit.settings)
    if place.json:
        echo_json({"notebook": str(made)})
        return
    click.echo(made)
    click.echo(f"Open it with: jupyter lab {shlex.quote(str(made))}", err=True)


@click.command()
@shared
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="NOTEBOOK...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--after",
    multiple=True,
    metavar="LATER:EARLIER",
    help="One notebook needs another, by the names without .ipynb; may be repeated.",
)
@click.option("--name", metavar="NAME", help="Of the pipeline.  [default: that of the folder]")
@click.option(
    "--category",
    type=click.Choice(CATEGORIES, case_sensitive=False),
    default="Build",
    show_default=True,
    help="What the actions are for.",
)
@click.option("--stages", is_flag=True, help="Give each step a stage, instead of a run order.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="A new file to be written."
)
@click.pass_obj
def notebook(  # noqa: PLR0913 - a parameter for each option
    place: Surroundings,
    files: tuple[Path, ...],
    *,
    after: tuple[str, ...],
    name: str | None,
    category: str,
    stages: bool,
    out: Path | None,
) -> None:
    """Turn notebooks into a pipeline: a Python file with an action for each.

    Notebooks that need no other one run side by side; one that needs another runs after it, and
    reads what it wrote. The parameters stand there with their defaults, to be changed.

    Example: pipelinekit notebook clean.ipynb train.ipynb --after train:clean --out pipeline.py
    """
    text = written(Wish(files, after, name or Path.cwd().name, category, by_stage=stages))
    if out is None:
        if place.json:
            echo_json({"file": None, "text": text})
        else:
            click.echo(text, nl=False)
        return
    with out.open("x", encoding="utf-8") as file:
        file.write(text)
    if place.json:
        echo_json({"file": str(out)})
    else:
        click.echo(f"{out}: try it with: pipelinekit run {shlex.quote(str(out))}")
