"""Runs the phases of a buildspec in one shell, and says which command failed."""

import re
import time
from contextlib import ExitStack
from typing import Final, Self

from pipelinekit.builds.task import BuildFailed, Task
from pipelinekit.builds.transcript import Transcript
from pipelinekit.model.order import FailureType
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.commands.shell import Shell
from pipelinekit.tools.documents.places import printable
from pipelinekit.wire.buildspec import OnFailure, Phase

SHOWN: Final = 100


class PhaseFailed(BuildFailed):
    """A phase of which a command failed.

    Attributes:
        phase: The phase.
        printed: The last of what that command printed, if the phase may be asked again for it.
    """

    def __init__(self, message: str, phase: Phase, printed: str) -> None:
        super().__init__(message, FailureType.JOB_FAILED)
        self.phase = phase
        self.printed = printed

    def asks_again(self, times: int) -> bool:
        """Tell whether the build is to run again.

        Args:
            times: How often it has been run again already.
        """
        reaction = self.phase.on_failure
        if reaction is None or reaction.action is not OnFailure.RETRY or times >= reaction.times:
            return False
        told = f"{self.printed}\n{self}"
        return re.search(reaction.pattern, told, re.MULTILINE) is not None


class Shells:
    """The shells of a build: one for each user as whom its phases run.

    CHOICE: what the commands of one user export or enter is not there for those of another, since
    CodeBuild does not say whether it is.
    """

    def __init__(
        self, task: Task, folder: str, deadline: float | None, output: int | None
    ) -> None:
        """Prepare them; each starts with its first command.

        Args:
            task: The build.
            folder: A name for the folder of their files.
            deadline: When the time is up, as `time.monotonic()` counts it, in seconds.
            output: The descriptor that commands print into; this process's own when None.
        """
        self._task = task
        self._folder = task.request.private / "shells" / folder
        self._deadline = deadline
        self._output = output
        self._shells: dict[str | None, Shell] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, user: str | None) -> Shell:
        """Give the shell of a user; of this process's own when None.

        Raises:
            BuildFailed: The shell that the buildspec asks for is not there.
            ConfinementError: The user cannot be had.
        """
        if user not in self._shells:
            spec = self._task.spec
            program = self._task.place.shell(spec.shell)
            if program is None:
                raise BuildFailed(
                    f"the buildspec asks for the shell {spec.shell or 'bash or sh'}, which is not "
                    f"in the place where it runs ({self._task.place.place}); install it there"
                )
            start, place = self._task.sources.primary, self._task.place
            shell = Shell(
                Launch(program, self._task.environment, start, place, user),
                self._folder / (user or "own"),
                deadline=self._deadline,
                output=self._output,
                ended=self._task.request.ended,
            )
            self._shells[user] = self._stack.enter_context(shell)
        return self._shells[user]

    def tell_failure(self) -> None:
        """Let all commands to come know that the build has failed."""
        for shell in self._shells.values():
            shell.export("CODEBUILD_BUILD_SUCCEEDING", "0")


def run_phases(task: Task, shells: Shells, transcript: Transcript) -> PhaseFailed | None:
    """Run the phases of a build, and give the first failure, or that which asks for a retry.

    Args:
        task: The build.
        shells: In which the commands run.
        transcript: What they print.

    Source:
        The chapter on phase transitions of the CodeBuild user guide: a failure ends the build,
        but that of the phase build leads on to post_build.
    """
    failure = None
    for phase in task.spec.phases:
        failed = _run_phase(task, shells, transcript, phase)
        wants_again = phase.on_failure is not None and phase.on_failure.action is OnFailure.RETRY
        failure = failed if failed and wants_again else failure or failed
        implied = OnFailure.CONTINUE if phase.name == "build" else OnFailure.ABORT
        action = phase.on_failure.action if phase.on_failure else implied
        if failed and action is not OnFailure.CONTINUE:
            break
    return failure


def _run_phase(
    task: Task, shells: Shells, transcript: Transcript, phase: Phase
) -> PhaseFailed | None:
    task.say(f"-- phase {phase.name} --")
    began = time.monotonic()
    shell = shells.of(phase.run_as or task.spec.run_as)
    failure = None
    for number, command in enumerate((*phase.commands, *phase.last), start=1):
        if failure and number <= len(phase.commands):
            continue
        task.say("$ " + command.rstrip().replace("\n", "\n  "))
        status = shell.run(command, f"{phase.name}.sh")
        printed = transcript.printed()
        if task.spec.version == "0.1":
            shell.forget()
        if status:
            told = f"command `{printable(command.strip(), SHOWN)}` of phase {phase.name}"
            why = task.place.complaint()
            message = f"{told} exited with {status}; {why or 'see the log'}"
            failure = failure or PhaseFailed(message, phase, printed)
            shells.tell_failure()
    came = "failed" if failure else "succeeded"
    task.say(f"-- phase {phase.name} {came}, {time.monotonic() - began:.1f} s --")
    return failure
