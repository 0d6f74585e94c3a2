"""The command `report`: what happened in an execution, as a page and as a notebook."""

from pathlib import Path

import click

from pipelinekit.cli.choice import chosen
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared


@click.command()
@shared
@click.argument("execution", required=False, metavar="[EXECUTION]")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs",
    show_default=True,
    metavar="DIR",
    help="Where the page and the notebook are written to.",
)
@click.pass_obj
def report(place: Surroundings, execution: str | None, out: Path) -> None:
    """Write what happened in an execution as one HTML page and one notebook.

    Both stand alone, and run nothing when they are opened: the definition and its hash,
    parameters, revisions, commits since the last release there, who decided what and why, timings,
    artifact digests, logs, and the notebooks that were executed. EXECUTION is the beginning of an
    id, or a pipeline, of which the latest execution is meant; without it the latest of all.
    """
    from pipelinekit.kit.report import report as write

    with place.existing() as kit:
        page, notebook = write(chosen(kit, execution), out, kit=kit)
    if place.json:
        echo_json({"page": page, "notebook": notebook})
        return
    click.echo(page)
    click.echo(notebook)
