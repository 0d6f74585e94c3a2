"""The commands by which people decide about executions: approve, reject, stop, retry ..."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pipelinekit.cli.background import door, ensure_engine
from pipelinekit.cli.board import text
from pipelinekit.cli.choice import asked, chosen
from pipelinekit.cli.pairs import pairs
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.cli.view import data
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.observe import observed
from pipelinekit.kit.outdated import outdated
from pipelinekit.kit.run import Run
from pipelinekit.model.condition import ConditionType
from pipelinekit.runtime.clock import now
from pipelinekit.tools.on_error import on_error

OVERRIDABLE = (ConditionType.BEFORE_ENTRY, ConditionType.ON_SUCCESS)

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
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A value that a review asks to be filled in; may be repeated.",
)
@click.pass_obj
def approve(
    place: Surroundings,
    execution: str | None,
    action: str | None,
    comment: str,
    inputs: dict[str, str],
) -> None:
    """Approve what waits for approval.

    Without EXECUTION the only approval that waits is meant. EXECUTION is the beginning of an id,
    or a pipeline, of which the latest execution is meant. An engine in the background goes on.

    Example: pipelinekit approve shop --comment "looks good" --input size=3
    """
    with deciding(place) as kit:
        run = asked(kit, execution, action).approve(comment, action, inputs=inputs)
        finish(place, kit, run)


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
    with deciding(place) as kit:
        run = asked(kit, execution, action).reject(comment, action)
        finish(place, kit, run)


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
    with deciding(place) as kit:
        finish(place, kit, chosen(kit, execution).stop(reason, abandon=abandon))


@click.command()
@shared
@click.argument("execution", metavar="EXECUTION")
@click.option("--stage", metavar="NAME", help="The stage that failed or was stopped.")
@click.option("--all", "everything", is_flag=True, help="Run all actions of the stage again.")
@click.pass_obj
def retry(place: Surroundings, execution: str, stage: str | None, *, everything: bool) -> None:
    """Run a stage that failed again, in the same execution.

    Without --all only its failed actions are run again. They get what the execution took when it
    began; where a release has taken files that have changed since, that is said.
    """
    with deciding(place) as kit:
        run = chosen(kit, execution)
        _tell_outdated(kit, run)
        finish(place, kit, run.retry(stage, all_actions=everything))


@click.command()
@shared
@click.argument("execution", metavar="EXECUTION")
@click.pass_obj
def resume(place: Surroundings, execution: str) -> None:
    """Go on with notebooks that failed, from the cell that failed.

    It goes on in the kernel that was kept for it. Where that is gone, a fresh one first executes
    the cells tagged `checkpoint`, and those that the rest needs. Other actions that failed begin
    anew. What is executed is what the execution took when it began; where a release has taken
    files that have changed since, that is said. EXECUTION is the beginning of an id, or a
    pipeline, of which the latest execution is meant.
    """
    with deciding(place) as kit:
        run = chosen(kit, execution)
        _tell_outdated(kit, run)
        finish(place, kit, run.resume())


@click.command()
@shared
@click.argument("execution", metavar="EXECUTION")
@click.option("--stage", metavar="NAME", help="The stage; by default the one it is in.")
@click.option(
    "--condition",
    type=click.Choice(OVERRIDABLE, case_sensitive=False),
    help="The condition; by default the one that was checked last.",
)
@click.option("--action", metavar="NAME", help="Instead of both: a freeze, where several hold.")
@click.option(
    "--reason",
    default="",
    metavar="TEXT",
    help="Why, kept in the history; a freeze is not overridden without it.",
)
@click.pass_obj
def override(  # noqa: PLR0913 - a parameter for each option
    place: Surroundings,
    execution: str,
    *,
    stage: str | None,
    condition: str | None,
    action: str | None,
    reason: str,
) -> None:
    """Let an execution go on whatever a freeze, or a condition of a stage, says.

    EXECUTION is the beginning of an id, or a pipeline, of which the latest execution is meant.

    Example: pipelinekit override shop --stage Production --reason "a hotfix"
    """
    with deciding(place) as kit:
        run = chosen(kit, execution)
        finish(place, kit, run.override(stage, condition, action=action, reason=reason))


def _tell_outdated(kit: Kit, run: Run) -> None:
    if told := outdated(kit, run):
        click.echo(told, err=True)


@contextmanager
def deciding(place: Surroundings) -> Iterator[Kit]:
    """Open a kit to decide something in, while no engine leaves."""
    with place.existing() as kit, door(kit.home.folder), on_error(_catch_up, kit):
        yield kit


def _catch_up(kit: Kit) -> None:
    """See to an engine where time has passed by without one: what was refused is right then."""
    for late in kit.store.past.late(now())[:1]:
        ensure_engine(kit, Run(kit, late.pipeline, late.execution))


def finish(place: Surroundings, kit: Kit, run: Run) -> None:
    """See to it that an engine does what was decided about an execution, and show that."""
    ensure_engine(kit, run)
    facts = observed(run, now())
    if place.json:
        echo_json(data(facts))
    else:
        click.echo(text(facts))
