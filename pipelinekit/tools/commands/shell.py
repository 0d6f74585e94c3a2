"""Keeps one shell for many commands: what one of them exports or enters, the next one finds.

```python
with Shell(Launch("/bin/bash", environment, start=sources), scratch) as shell:
    shell.run("cd app && export LEVEL=info", name="build-1.sh")
    status = shell.run('test "$LEVEL" = info', name="build-2.sh")
```

The shell reads its lines from a fifo and answers into another, so that no descriptor of ours is
open in a command: output goes straight to where this process prints, standard input is empty, and
nothing that a command prints, closes or leaves running is taken for an answer. Where somebody else
would hand the output on, as a container's engine does, it comes by a third fifo instead, so that
all that a command has printed is there before its answer.
"""

import os
import re
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from pipelinekit.tools.commands.confinement import ConfinementError
from pipelinekit.tools.commands.exposed import ExposedFolder
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.jobs.proctree import family, processes, reads_from, send

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a shell takes for the name of a variable."""

_NOT_FOR_EXPORT: Final = {
    "BASHOPTS",
    "BASH_VERSINFO",
    "EUID",
    "GROUPS",
    "PPID",
    "SHELLOPTS",
    "UID",
}
"""Variables that some shells do not let themselves be given once they run."""

LINES: Final = "lines"
ANSWERS: Final = "answers"
PRINTED: Final = "printed"
PRINTED_BYTES: Final = 64 * 1024
"""What a fifo holds at most, so that one look gets all that is in it."""

STATE: Final = "state"
NEW_STATE: Final = "state-new"
VARIABLES: Final = "variables"
BEGUN: Final = "begun"
LOOK_SECONDS: Final = 0.05
CLOSING_SECONDS: Final = 5.0
SILENT_SECONDS: Final = 1.0
"""How often it is looked whether a shell asks for its next line without having answered."""

SIGNALLED: Final = 128
LOST: Final = 2
"""The status of a command after which its shell answers no more, as `set -n` has it."""

LOST_TEXT: Final = (
    "the shell no longer does what it is told (set -n, a function of the name command, no files "
    "left to open?); the next command gets a new one\n"
)


class ShellTimeout(TimeoutError):
    """The time was up while a command ran; it and its shell were killed."""


class ShellEnded(Exception):
    """Nobody wanted the shell any longer while a command ran; it and its shell were killed."""


class Shell:
    """One shell process, and the files by which it is led.

    A command that ends the shell itself (`exit`, `exec`, an error under `set -e`) ends with the
    shell's status; the next command gets a new shell with the exported variables and the folder
    that were there before that command. So it is with one that keeps the shell from answering,
    whose status is 2.
    """

    def __init__(
        self,
        launch: Launch,
        folder: Path,
        *,
        deadline: float | None = None,
        output: int | None = None,
        ended: Callable[[], bool] | None = None,
    ) -> None:
        """Prepare a shell; its process starts with the first command.

        Args:
            launch: Which shell it is, where it runs and as whom.
            folder: An empty folder for its files; made if it is missing.
            deadline: When the time is up, as `time.monotonic()` counts it, in seconds.
            output: The descriptor that takes what commands print; this process's own when None.
            ended: Tells that nobody wants the shell any longer; asked before and while a command
                runs.

        Raises:
            ConfinementError: Its user cannot be had, or cannot reach the folders.
        """
        self._launch = launch
        self._environment = launch.variables()
        self._files = ExposedFolder(folder, launch.owner())
        self._keep = _keeping(self._files.path)
        self._deadline = deadline
        self._output = output
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []
        self._group = 0
        # Open for both directions, since either end of a fifo waits for the other.
        self._lines = self._files.fifo(LINES, os.O_RDWR)
        self._answers = self._files.fifo(ANSWERS, os.O_RDWR | os.O_NONBLOCK)
        relays = launch.within.relays
        self._printed = self._files.fifo(PRINTED, os.O_RDWR | os.O_NONBLOCK) if relays else -1
        self._files.hand_over()
        launch.check_reach(self._files.path / LINES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, text: str, name: str) -> int:
        """Run one command, of one line or many, and give its status.

        Args:
            text: The command.
            name: A file name for it, by which the shell's own error messages call it.

        Returns:
            0 to 255; 128 and the signal's number when the shell was ended by a signal.

        Raises:
            ShellTimeout: The deadline passed.
            ShellEnded: It is no longer wanted.
            ConfinementError: The shell cannot be started in its place.
        """
        self._files.write(name, f"{text}\n")
        return self._ask(f". {shlex.quote(str(self._files.path / name))}")

    def export(self, name: str, value: str) -> None:
        """Set an environment variable for all commands to come.

        Raises:
            ShellTimeout: The deadline passed.
        """
        self._environment[name] = value
        if self._process or self._files.has(STATE):
            self._ask(f"export {name}={shlex.quote(value)}")

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """Read those of these variables that are set, exported or not.

        Raises:
            ShellTimeout: The deadline passed.
        """
        asked = [name for name in names if NAME.fullmatch(name)]
        tell = "; ".join(
            f'if [ -n "${{{name}+x}}" ]; then command printf \'{name}=%s\\0\' "${name}"; fi'
            for name in asked
        )
        self._ask(f"{{ {tell or ':'}; }} >| {shlex.quote(str(self._files.path / VARIABLES))}")
        pairs = self._files.read(VARIABLES).split("\0")[:-1]
        return dict(pair.split("=", 1) for pair in pairs)

    def forget(self) -> None:
        """Let the next command begin in a new shell, as the first one did."""
        self._end()
        self._files.remove(STATE)

    def close(self) -> None:
        """Let the shell run its EXIT trap, then kill what its commands left in the background.

        A process that made itself a session of its own (`setsid`) is left to live on.
        """
        if self._lines < 0:
            return
        self._end()
        if self._group:
            _kill_group(self._group)
        self._launch.within.end()
        for descriptor in (self._lines, self._answers, self._printed):
            if descriptor >= 0:
                os.close(descriptor)
        self._files.close()
        self._lines = self._answers = self._printed = -1

    def _keep_state(self) -> None:
        if self._process is None:
            self._files.remove(NEW_STATE)
        elif self._files.has(NEW_STATE):
            self._files.move(NEW_STATE, STATE)

    def _ask(self, line: str) -> int:
        self._check_wanted()
        if self._process is None:
            self._process = self._started()
        self._tell(f"{line}; {{ __status=$?; {self._keep}; }} 2>/dev/null\n")
        status = self._answer(self._process)
        self._keep_state()
        return status

    def _started(self) -> "subprocess.Popen[bytes]":
        group = self._group if self._group and _is_group(self._group) else 0
        inherits = self._launch.within.inherits
        if not inherits and not self._files.has(STATE):
            self._files.write(STATE, _exports(self._environment))
        visible = {} if inherits else _not_for_export(self._environment)
        lines = str(self._files.path / LINES)
        self._command = self._launch.command(lines, visible=visible)
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            cwd=self._launch.start if inherits else self._files.path,
            env=self._environment if inherits else None,
            process_group=group,
        )
        self._group = group or process.pid
        if self._files.has(STATE):
            self._files.remove(BEGUN)
            state, begun = (shlex.quote(str(self._files.path / name)) for name in (STATE, BEGUN))
            self._tell(f'{{ command : >| {begun}; . {state}; cd "$PWD"; }} 2>/dev/null\n')
        if self._printed >= 0:
            self._tell(f"exec >> {shlex.quote(str(self._files.path / PRINTED))} 2>&1\n")
        return process

    def _tell(self, line: str) -> None:
        os.write(self._lines, line.encode())

    def _answer(self, process: "subprocess.Popen[bytes]") -> int:
        silent, look = False, time.monotonic() + SILENT_SECONDS
        heard = [each for each in (self._answers, self._printed) if each >= 0]
        while True:
            # Asked in this order, a shell that answered and then died, or asked, has answered.
            dead = process.poll() is not None
            patience = 0 if dead or silent else LOOK_SECONDS
            ready, _, _ = select.select(heard, [], [], patience)
            self._relay()
            if self._answers in ready:
                return int(os.read(self._answers, 64))
            if dead:
                self._process = None
                self._check_begun()
                status = process.returncode
                return SIGNALLED - status if status < 0 else status
            if silent:
                self._kill()
                self._print(LOST_TEXT.encode())
                return LOST
            self._check_wanted()
            if time.monotonic() > look:
                silent, look = self._asks_again(process), look + SILENT_SECONDS

    def _relay(self) -> None:
        if self._printed >= 0:
            with suppress(BlockingIOError):
                self._print(os.read(self._printed, PRINTED_BYTES))

    def _print(self, data: bytes) -> None:
        while data:
            data = data[os.write(1 if self._output is None else self._output, data) :]

    def _check_begun(self) -> None:
        launch = self._launch
        if not launch.within.inherits and not self._files.has(BEGUN):
            told = launch.obstacle() or "it ended at once, as the log may tell"
            raise ConfinementError(
                f"commands are to run in {launch.within.place}, and {launch.program} could not be "
                f"started there: {told}; put this right, or let them run elsewhere"
            )

    def _asks_again(self, process: "subprocess.Popen[bytes]") -> bool:
        inside = {process.pid}
        if not self._launch.within.inherits:
            inside |= family(process.pid, processes())
        return any(reads_from(pid, self._lines) for pid in inside)

    def _check_wanted(self) -> None:
        if self._ended is not None and self._ended():
            self._kill()
            raise ShellEnded("nobody wanted the shell any longer while a command ran")
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._kill()
            raise ShellTimeout("the time was up while a command ran")

    def _end(self) -> None:
        if self._process is None:
            return
        self._tell("exit 0\n")
        try:
            self._process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
        self._relay()
        self._process = None

    def _kill(self) -> None:
        process = self._process
        if process is None:
            return
        send(signal.SIGKILL, family(process.pid, processes()) | {process.pid})
        _kill_group(self._group)
        self._launch.within.kill(self._command)
        process.wait()
        self._process = None


def _keeping(folder: Path) -> str:
    # `>|` holds under `set -C` too, and the trace of `set -x` goes where the errors go.
    state, answers = (shlex.quote(str(folder / name)) for name in (NEW_STATE, ANSWERS))
    return f"command export -p >| {state}; command printf '%s\\n' \"$__status\" >| {answers}"


def _exports(environment: Mapping[str, str]) -> str:
    hidden = environment.keys() - _not_for_export(environment).keys()
    return "".join(f"export {name}={shlex.quote(environment[name])}\n" for name in sorted(hidden))


def _not_for_export(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name in _NOT_FOR_EXPORT or not NAME.fullmatch(name)
    }


def _is_group(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_group(number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
