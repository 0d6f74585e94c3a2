"""The command `environments`: what can be released to, in which order and on which terms."""

from pathlib import Path

import click
from msgspec.structs import asdict

from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.environment_words import HEADINGS, cells
from pipelinekit.kit.environments import environments as known
from pipelinekit.runtime.clock import now
from pipelinekit.wire.words import one_line


@click.command()
@shared
@click.option(
    "--environments",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where they are described.  [default: environments.yaml or the table `environments` of "
    "the settings]",
)
@click.pass_obj
def environments(place: Surroundings, file: Path | None) -> None:
    """List the environments that notebooks are released to, in their order.

    For each: what it comes after, its parameters, its account, who approves, and its freezes.
    """
    found = known(file)
    if place.json:
        echo_json([asdict(each) for each in found.values()])
        return
    for each in found.values():
        name, *told = cells(each, now())
        click.secho(name, bold=True)
        for heading, text in zip(HEADINGS[1:], told, strict=True):
            if text:
                click.echo(f"  {heading.lower().ljust(10)}  {one_line(text)}")
