"""Follows an execution until there is nothing left to wait for, and gives the exit code."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from pipelinekit.cli.gate import Answer, ask
from pipelinekit.cli.screen import Screen
from pipelinekit.cli.surroundings import Exit
from pipelinekit.cli.view import ActionView, ExecutionView, Lens
from pipelinekit.kit.run import LOOK_SECONDS
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.execution import ApprovalStatus, PipelineStatus


@dataclass(frozen=True, slots=True)
class Manner:
    """What to do while an execution goes on.

    Attributes:
        approve: Approvals that are approved as soon as they wait, by name.
        yes: Whether all are.
        ask: Whether somebody can be asked.
        wait: Whether to go on waiting at an approval that nobody here answers.
        until: When to give up, on the monotonic clock.
    """

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
        lens: Looks at the execution.
        screen: Where it is shown.
        manner: What to do meanwhile.
    """

    def __init__(self, lens: Lens, screen: Screen, manner: Manner) -> None:
        self._worker = lens.kit.worker
        self._run = lens.run
        self._lens = lens
        self._screen = screen
        self._manner = manner
        self._declined: set[str] = set()

    def follow(self) -> Exit | None:
        """Show the execution until it has ended, waits for people, or the time is over.

        Returns:
            The exit code; None where no engine is at work any more.
        """
        beats = -1
        while True:
            view = self._lens.look()
            self._screen.show(view)
            code = self._verdict(view)
            if code is not None:
                self._screen.close(self._lens.look())
                return code
            if not view.engine:
                return None
            beats = self._doze(beats)

    def _verdict(self, view: ExecutionView) -> Exit | None:
        if view.ended:
            good = view.status == PipelineStatus.SUCCEEDED
            return Exit.SUCCEEDED if good else Exit.FAILED
        if self._manner.late:
            return Exit.TIMEOUT
        for action in view.approvals:
            if self._deal_with(action):
                return None
        left = view.waits_for_people and not self._manner.wait
        return Exit.WAITING if left and not self._askable(view) else None

    def _askable(self, view: ExecutionView) -> bool:
        open_questions = [each for each in view.approvals if each.id not in self._declined]
        return self._manner.ask and bool(open_questions)

    def _deal_with(self, action: ActionView) -> bool:
        if self._manner.yes or action.name in self._manner.approve:
            self._answer(action, Answer(ApprovalStatus.APPROVED))
            return True
        if not self._manner.ask or action.id in self._declined:
            return False
        self._screen.pause()
        answer = ask(self._lens, action, self._still(action))
        if answer.given and answer.status is None:
            self._declined.add(action.id or "")
        self._answer(action, answer)
        return True

    def _still(self, action: ActionView) -> Callable[[], bool]:
        def still() -> bool:
            waits = any(row.id == action.id for row in self._run.waiting)
            return waits and not self._manner.late

        return still

    def _answer(self, action: ActionView, answer: Answer) -> None:
        decide = {
            ApprovalStatus.APPROVED: self._run.approve,
            ApprovalStatus.REJECTED: self._run.reject,
        }
        if answer.status is None:
            return
        try:
            decide[answer.status](answer.comment, action.name)
        except PipelineKitError as error:  # somebody else was quicker, or the comment is too long
            self._screen.pause()
            click.echo(str(error), err=True)

    def _doze(self, beats: int) -> int:
        if self._worker is not None:
            return self._worker.wait(beats, LOOK_SECONDS)
        time.sleep(LOOK_SECONDS)
        return beats
