"""The commands by which people decide: approve, reject, stop, retry."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pipelinekit.cli.background import door, ensure_engine
from pipelinekit.cli.board import text
from pipelinekit.cli.choice import asked, chosen
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.cli.view import Lens
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.run import Run

_EXECUTION = click.argument("execution", required=False, metavar="[EXECUTION]")
_ACTION = click.option("--action", metavar="NAME", help="The approval, where several wait.")
_COMMENT = click.option(
    "--comment", default="", metavar="TEXT", help="Kept with the answer; up to 512 characters."
)


@click.command()
@shared
@_EXECUTION
@_ACTION
@_COMMENT
@click.pass_obj
def approve(place: Surroundings, execution: str | None, action: str | None, comment: str) -> None:
    """Approve what waits for approval.

    Without EXECUTION the only approval that waits is meant. EXECUTION is the beginning of an id,
    or a pipeline, of which the latest execution is meant. An engine in the background goes on.
    """
    with _deciding(place) as kit:
        run = asked(kit, execution, action).approve(comment, action)
        _finish(place, kit, run)


@click.command()
@shared
@_EXECUTION
@_ACTION
@_COMMENT
@click.pass_obj
def reject(place: Surroundings, execution: str | None, action: str | None, comment: str) -> None:
    """Reject what waits for approval; its stage fails.

    Without EXECUTION the only approval that waits is meant. EXECUTION is the beginning of an id,
    or a pipeline, of which the latest execution is meant.
    """
    with _deciding(place) as kit:
        run = asked(kit, execution, action).reject(comment, action)
        _finish(place, kit, run)


@click.command()
@shared
@click.argument("execution", metavar="EXECUTION")
@click.option("--abandon", is_flag=True, help="End its actions at once, without waiting for them.")
@click.option(
    "--reason", default="", metavar="TEXT", help="Kept in the history; up to 200 characters."
)
@click.pass_obj
def stop(place: Surroundings, execution: str, *, abandon: bool, reason: str) -> None:
    """Stop an execution, when its actions under way have ended."""
    with _deciding(place) as kit:
        _finish(place, kit, chosen(kit, execution).stop(reason, abandon=abandon))


@click.command()
@shared
@click.argument("execution", metavar="EXECUTION")
@click.option("--stage", metavar="NAME", help="The stage that failed or was stopped.")
@click.option("--all", "everything", is_flag=True, help="Run all actions of the stage again.")
@click.pass_obj
def retry(place: Surroundings, execution: str, stage: str | None, *, everything: bool) -> None:
    """Run a stage that failed again, in the same execution.

    Without --all only its failed actions are run again.
    """
    with _deciding(place) as kit:
        _finish(place, kit, chosen(kit, execution).retry(stage, all_actions=everything))


@contextmanager
def _deciding(place: Surroundings) -> Iterator[Kit]:
    with place.existing() as kit, door(kit.home.folder):
        yield kit


def _finish(place: Surroundings, kit: Kit, run: Run) -> None:
    ensure_engine(kit, run)
    view = Lens(kit, run).look()
    if place.json:
        echo_json(view)
    else:
        click.echo(text(view))
