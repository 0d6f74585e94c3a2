"""The question at a manual gate, for somebody who sits at the terminal."""

import select
import sys
from collections.abc import Callable, Iterator, Mapping

import click
from msgspec import field
from msgspec.structs import replace

from pipelinekit.cli.board import asked
from pipelinekit.cli.colours import colour
from pipelinekit.kit.fact_words import votes, wanted
from pipelinekit.kit.facts import RunFacts
from pipelinekit.kit.logs import tail
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import Run
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ApprovalStatus
from pipelinekit.runtime.clock import now
from pipelinekit.wire.words import WAITING, clean

LOOK_SECONDS = 0.2
LOG_LINES = 10
QUESTION = "[a]pprove, [r]eject, [d]etails, [l]eave; a comment may follow the word"


class Answer(Noun):
    """What somebody decided; without a status the gate is left as it is.

    Attributes:
        given: Whether somebody answered at all; else the question was called off.
        inputs: What was filled in.
    """

    status: ApprovalStatus | None = None
    comment: str = ""
    given: bool = True
    inputs: Mapping[str, str] = field(default_factory=dict)


Still = Callable[[], bool]


def ask(run: Run, approval: ActionExecution, still: Still) -> Answer:
    """Ask what is to be done with an approval, until there is an answer.

    Args:
        run: The execution.
        approval: What waits.
        still: Tells whether the question still makes sense: nobody else has answered.
    """
    for line in _gate(approval):
        click.echo(line, err=True)
    while True:
        typed = _typed(QUESTION, still)
        if typed is None:
            return _called_off()
        word, _, comment = typed.strip().partition(" ")
        answer = _answer(word.lower(), comment.strip(), ended=not typed)
        if answer is not None:
            return _filled_in(answer, approval, still)
        if word and "details".startswith(word.lower()):
            for line in _details(observed(run, now())):
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


def _filled_in(answer: Answer, approval: ActionExecution, still: Still) -> Answer:
    if answer.status is not ApprovalStatus.APPROVED:
        return answer
    inputs = {}
    for name, form in wanted(approval):
        typed = _typed(clean(f"{name} ({form})"), still)
        if typed is None:
            return _called_off()
        if typed.strip():  # nothing stands for the value that it has unless it is given
            inputs[name] = typed.strip()
    return replace(answer, inputs=inputs)


def _called_off() -> Answer:
    click.echo("answered elsewhere, or out of time", err=True)
    return Answer(given=False)


def _typed(question: str, still: Still) -> str | None:
    click.echo(f"{question}: ", err=True, nl=False)
    while still():
        ready, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if ready:
            return sys.stdin.readline()
    return None


def _gate(approval: ActionExecution) -> Iterator[str]:
    count = votes(approval)
    heading = f"{WAITING.icon} {approval.stage}/{approval.action}{f', {count}' if count else ''}"
    yield click.style(heading, fg=colour(WAITING), bold=True)
    yield from (f"  {line}" for line in asked(approval))


def _details(facts: RunFacts) -> Iterator[str]:
    for name, revision in facts.execution.revisions.items():
        yield f"  revision of {name}: {clean(revision.id)}"
    for action in facts.actions:
        if action.attempt is not None and action.log is not None:
            yield f"  {action.mark}: {action.stage}/{action.name}"
            yield from (f"    | {line}" for line in tail(action.log, LOG_LINES))
