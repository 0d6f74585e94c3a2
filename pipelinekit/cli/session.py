"""Following an execution from a terminal: the options, what is shown, and how one leaves."""

import sys
import time
from collections.abc import Callable, Collection
from typing import TypeVar

import click

from pipelinekit.cli.background import door, spawn_engine, under_way
from pipelinekit.cli.follow import Follower, Manner
from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json
from pipelinekit.cli.view import data
from pipelinekit.engine.review import asks
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.observe import observed
from pipelinekit.kit.origin import remembered, settings_folder
from pipelinekit.kit.registry import own
from pipelinekit.kit.run import Run
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.status import ActionStatus
from pipelinekit.runtime.clock import now
from pipelinekit.runtime.hands import CLOSING_SECONDS
from pipelinekit.wire.words import SHORT_ID

Command = TypeVar("Command", bound=Callable[..., object])
Conclude = Callable[[Surroundings, Run], None]

HANDED_OVER = {Exit.SUCCEEDED, Exit.FAILED, Exit.WAITING}


def following(command: Command) -> Command:
    """Give a command the options that say what to do while an execution goes on."""
    for add in (_TIMEOUT, _WAIT, _YES, _APPROVE):
        command = add(command)
    return command


def manner(
    place: Surroundings, pipeline: Pipeline, approve: Collection[str], **said: float | bool | None
) -> Manner:
    """Put the options together.

    Args:
        place: Says whether the answer is JSON.
        pipeline: The definition, which must have the approvals.
        approve: Approvals by name.
        said: The values of `--yes`, `--wait` and `--timeout`; and whether it `stays` afterwards.

    Raises:
        click.UsageError: The pipeline has no approval of such a name.
    """
    from pipelinekit.cli.screen import screen

    known = [
        action.name for stage in pipeline.stages for action in stage.actions if asks(action.type)
    ]
    for name in approve:
        if name not in known:
            raise click.UsageError(
                f"--approve {name}: pipeline {pipeline.name} has no such approval; its approvals "
                f"are {', '.join(known) or 'none'}"
            )
    timeout = said["timeout"]
    stream = sys.stderr if place.json else sys.stdout
    stays = bool(said.get("stays", True))
    return Manner(
        screen(stream, advise=stays),
        stays=stays,
        approve=frozenset(approve),
        yes=bool(said["yes"]),
        ask=sys.stdin.isatty() and stream.isatty(),
        wait=bool(said["wait"]),
        until=None if timeout is None else time.monotonic() + timeout,
    )


def tell(place: Surroundings, run: Run) -> None:
    """Say in JSON how an execution stands, where that is wanted."""
    if place.json:
        echo_json(data(observed(run, now())))


def follow(
    place: Surroundings, kit: Kit, run: Run, how: Manner, conclude: Conclude = tell
) -> Exit | None:
    """Follow an execution and say how to go on where it stays behind.

    Args:
        place: How to answer.
        kit: A kit.
        run: The execution.
        how: What to do meanwhile.
        conclude: What is said at the end.

    Returns:
        The exit code; None where no engine is at work any more.
    """
    try:
        code = Follower(run, kit.worker, how).follow()
    except KeyboardInterrupt:
        how.screen.pause()
        code = Exit.INTERRUPTED
    if how.stays and code in {Exit.TIMEOUT, Exit.INTERRUPTED}:
        what = "The time is over" if code is Exit.TIMEOUT else "Interrupted"
        short = run.id[:SHORT_ID]
        click.echo(
            f"{what}; the execution stays. Go on with: pipelinekit watch {short}; "
            f"end it with: pipelinekit stop {short}",
            err=True,
        )
    if code is not None:
        conclude(place, run)
    return code


def work_and_follow(
    place: Surroundings, kit: Kit, run: Run, how: Manner, conclude: Conclude = tell
) -> Exit:
    """Follow an execution with the engine of this process, then leave through the door.

    What others have started in the meantime is left to an engine in the background.

    Args:
        place: How to answer.
        kit: A kit with an engine; it is closed.
        run: The execution.
        how: What to do meanwhile.
        conclude: What is said at the end.
    """
    code = follow(place, kit, run, how, conclude) or Exit.SUCCEEDED
    if ending := _ending_here(run):
        click.echo(
            f"Of this process are the functions of {', '.join(ending)}: what has not ended within "
            f"{CLOSING_SECONDS:g} seconds ends with it, and fails; it can be retried then",
            err=True,
        )
    with door(kit.home.folder):
        others = under_way(kit, besides=run.id)
        kit.close()
        if others and code in HANDED_OVER:
            spawn_engine(kit.home, settings_folder(remembered(kit.home.folder, run.pipeline)))
    return code


def _ending_here(run: Run) -> list[str]:
    """Name the actions under way that no other process can go on with or begin again."""
    functions = own()
    return [
        f"{row.stage}/{row.action}"
        for row in run.actions
        if row.status is ActionStatus.IN_PROGRESS
        and row.token is None
        and row.type in functions
        and not functions[row.type].traits.detached
        and not functions[row.type].traits.repeatable
    ]


_TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Leave with exit code 124 after so long; the execution stays.",
)
_WAIT = click.option(
    "--wait",
    is_flag=True,
    help="At an approval wait for somebody else's answer instead of leaving.",
)
_YES = click.option("--yes", is_flag=True, help="Approve every approval as soon as it waits.")
_APPROVE = click.option(
    "--approve",
    multiple=True,
    metavar="NAME",
    help="Approve this approval as soon as it waits; may be repeated.",
)
