"""Follows an execution until there is nothing left to wait for, and gives the exit code."""

import time
from collections.abc import Callable

import click

from pipelinekit.cli.gate import Answer, ask
from pipelinekit.cli.screen import Screen
from pipelinekit.cli.surroundings import Exit
from pipelinekit.kit.control import Engine
from pipelinekit.kit.facts import RunFacts
from pipelinekit.kit.observe import observed
from pipelinekit.kit.run import LOOK_SECONDS, Run
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ApprovalStatus, PipelineStatus
from pipelinekit.runtime.clock import now


class Manner(Noun, gc=True):
    """What to do while an execution goes on.

    Attributes:
        screen: Where it is shown, by one engine's follower after the other.
        stays: Whether somebody can go on with it later; else nothing is said of how.
        approve: Approvals that are approved as soon as they wait, by name.
        yes: Whether all are.
        ask: Whether somebody can be asked.
        wait: Whether to go on waiting for people when nobody here can do what is waited for.
        until: When to give up, on the monotonic clock.
    """

    screen: Screen
    stays: bool = True
    approve: frozenset[str] = frozenset()
    yes: bool = False
    ask: bool = False
    wait: bool = False
    until: float | None = None

    @property
    def late(self) -> bool:
        """Tell whether the time is over."""
        return self.until is not None and time.monotonic() >= self.until


class Follower:
    """Follows one execution.

    Args:
        run: The execution.
        worker: The engine of this process, if there is one.
        manner: What to do meanwhile.
    """

    def __init__(self, run: Run, worker: Engine | None, manner: Manner) -> None:
        self._worker = worker
        self._run = run
        self._screen = manner.screen
        self._manner = manner
        self._done_with: set[str] = set()  # attempts to which nobody here has more to say

    def follow(self) -> Exit | None:
        """Show the execution until it has ended, waits for people, or the time is over.

        Returns:
            The exit code; None where no engine is at work any more.
        """
        if self._worker is None:
            return self._look_after(time.sleep)
        with self._worker.pulse.listening() as ear:
            return self._look_after(ear.wait)

    def _look_after(self, doze: Callable[[float], None]) -> Exit | None:
        while True:
            facts = observed(self._run, now())
            self._screen.show(facts)
            code = self._verdict(facts)
            if code is not None:
                last = observed(self._run, now())
                if code is Exit.WAITING and not last.waits_for_people:
                    continue  # what waited was dealt with while it was looked at
                self._screen.close(last)
                return code
            if not facts.engine:
                return None
            doze(LOOK_SECONDS)

    def _verdict(self, facts: RunFacts) -> Exit | None:
        if facts.execution.ended:
            good = facts.execution.status == PipelineStatus.SUCCEEDED
            return Exit.SUCCEEDED if good else Exit.FAILED
        if self._manner.late:
            return Exit.TIMEOUT
        open_questions = [each for each in facts.asked if each.id not in self._done_with]
        for asked in open_questions:
            if self._deal_with(asked):
                return None
        left = facts.waits_for_people and not self._manner.wait
        return Exit.WAITING if left and not (self._manner.ask and open_questions) else None

    def _deal_with(self, asked: ActionExecution) -> bool:
        if self._manner.yes or asked.action in self._manner.approve:
            self._answer(asked, Answer(ApprovalStatus.APPROVED))
            self._done_with.add(asked.id)  # a review may want more than one can say with --yes
            return True
        if not self._manner.ask:
            return False
        self._screen.pause()
        answer = ask(self._run, asked, self._still(asked))
        left_alone = answer.given and answer.status is None
        if left_alone or self._answer(asked, answer):
            self._done_with.add(asked.id)
        return True

    def _still(self, asked: ActionExecution) -> Callable[[], bool]:
        def still() -> bool:
            return not self._manner.late and any(
                row.id == asked.id and row.votes == asked.votes for row in self._run.waiting
            )

        return still

    def _answer(self, asked: ActionExecution, answer: Answer) -> bool:
        """Give somebody's answer; tell whether it counts."""
        try:
            if answer.status is ApprovalStatus.APPROVED:
                self._run.approve(answer.comment, asked.action, inputs=answer.inputs)
            elif answer.status is ApprovalStatus.REJECTED:
                self._run.reject(answer.comment, asked.action)
        except PipelineKitError as error:  # it is not this person's to give, or not so
            self._screen.pause()
            click.echo(str(error), err=True)
            return False
        return answer.status is not None
