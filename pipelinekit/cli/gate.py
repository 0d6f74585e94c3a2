"""The question at a manual gate, for somebody who sits at the terminal."""

import select
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from pipelinekit.cli.colours import colour
from pipelinekit.cli.view import ActionView, ExecutionView, Lens
from pipelinekit.kit.logs import tail
from pipelinekit.model.execution import ApprovalStatus
from pipelinekit.wire.words import WAITING, clean, clock

LOOK_SECONDS = 0.2
LOG_LINES = 10
QUESTION = "[a]pprove, [r]eject, [d]etails, [l]eave; a comment may follow the word"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody decided; without a status the gate is left as it is.

    Attributes:
        given: Whether somebody answered at all; else the question was called off.
    """

    status: ApprovalStatus | None = None
    comment: str = ""
    given: bool = True


def ask(lens: Lens, action: ActionView, still: Callable[[], bool]) -> Answer:
    """Ask what is to be done with an approval, until there is an answer.

    Args:
        lens: Looks at the execution.
        action: The approval that waits.
        still: Tells whether the question still makes sense: nobody else has answered.
    """
    for line in _gate(action):
        click.echo(line, err=True)
    while True:
        click.echo(f"{QUESTION}: ", err=True, nl=False)
        typed = _typed(still)
        if typed is None:
            click.echo("answered elsewhere, or out of time", err=True)
            return Answer(given=False)
        word, _, comment = typed.strip().partition(" ")
        answer = _answer(word.lower(), comment.strip(), ended=not typed)
        if answer is not None:
            return answer
        told = _details(lens, lens.look()) if word and "details".startswith(word.lower()) else ()
        for line in told:
            click.echo(line, err=True)


def _answer(word: str, comment: str, *, ended: bool) -> Answer | None:
    if ended:
        return Answer()
    if not word:
        return None
    if "approve".startswith(word):
        return Answer(ApprovalStatus.APPROVED, comment)
    if "reject".startswith(word):
        return Answer(ApprovalStatus.REJECTED, comment)
    return Answer() if "leave".startswith(word) else None


def _typed(still: Callable[[], bool]) -> str | None:
    while still():
        ready, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if ready:
            return sys.stdin.readline()
    return None


def _gate(action: ActionView) -> Iterator[str]:
    heading = f"{WAITING.icon} {action.stage}/{action.name}"
    yield click.style(heading, fg=colour(WAITING), bold=True)
    if action.approval is not None:
        for part in (action.approval.note, action.approval.link):
            yield from (f"  {line}" for line in clean(part).split("\n") if line)


def _details(lens: Lens, view: ExecutionView) -> Iterator[str]:
    for name, revision in view.revisions.items():
        yield f"  revision of {name}: {clean(revision)}"
    for action in view.actions:
        if action.status is None:
            continue
        yield f"  {action.mark}: {action.stage}/{action.name}"
        if action.approval is not None and action.approval.until is not None:
            yield f"    fails without an answer by {clock(action.approval.until)}"
        yield from (f"    | {line}" for line in tail(lens.log(action), LOG_LINES))
