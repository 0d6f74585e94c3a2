"""Keeps one shell for many commands: what one of them exports or enters, the next one finds.

```python
with Shell("/bin/bash", environment, start=sources, folder=scratch) as shell:
    shell.run("cd app && export LEVEL=info", name="build-1.sh")
    status = shell.run('test "$LEVEL" = info', name="build-2.sh")
```

The shell reads its lines from a fifo and answers into another, so that no descriptor of ours is
open in a command: output goes straight to where this process prints, standard input is empty, and
nothing that a command prints, closes or leaves running is taken for an answer.
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

from pipelinekit.tools.commands.confinement import HOST, Confinement, ConfinementError
from pipelinekit.tools.jobs.proctree import family, processes, send

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

STATE: Final = "state"
NEW_STATE: Final = "state-new"
VARIABLES: Final = "variables"
LOOK_SECONDS: Final = 0.05
CLOSING_SECONDS: Final = 5.0
SIGNALLED: Final = 128


class ShellTimeout(TimeoutError):
    """The time was up while a command ran; it and its shell were killed."""


class ShellEnded(Exception):
    """Nobody wanted the shell any longer while a command ran; it and its shell were killed."""


class Shell:
    """One shell process, and the files by which it is led.

    A command that ends the shell itself (`exit`, `exec`, an error under `set -e`) ends with the
    shell's status; the next command gets a new shell with the exported variables and the folder
    that were there before that command.
    """

    def __init__(  # noqa: PLR0913 - whoever starts a process has this much to say
        self,
        program: str,
        environment: Mapping[str, str],
        *,
        start: Path,
        folder: Path,
        deadline: float | None = None,
        within: Confinement = HOST,
        user: str | None = None,
        output: int | None = None,
        ended: Callable[[], bool] | None = None,
    ) -> None:
        """Prepare a shell; its process starts with the first command.

        Args:
            program: The shell, such as `/bin/bash`.
            environment: All environment variables that it is to have.
            start: The folder in which it begins.
            folder: An empty folder for its files; made if it is missing.
            deadline: When the time is up, as `time.monotonic()` counts it, in seconds.
            within: Where it runs; the folders have the same paths there.
            user: As whom it runs, which only root can ask for; as this process's user when None.
            output: The descriptor that takes what commands print; this process's own when None.
            ended: Tells that nobody wants the shell any longer; asked while a command runs.

        Raises:
            ConfinementError: That user cannot be had, or cannot reach the folders.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._program = program
        self._within = within
        self._user = user
        self._owner = within.uid(user) if user else -1
        # Commands may put links in the place of whatever they can reach, this folder included.
        self._at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._environment = within.variables({**environment, "PWD": str(start)}, user)
        self._start = start
        self._folder = folder.resolve()
        self._keep = _keeping(self._folder)
        self._deadline = deadline
        self._output = output
        self._ended = ended
        self._process: subprocess.Popen[bytes] | None = None
        self._command: list[str] = []
        self._group = 0
        # Open for both directions, since either end of a fifo waits for the other.
        self._lines = self._fifo("lines", os.O_RDWR)
        self._answers = self._fifo("answers", os.O_RDWR | os.O_NONBLOCK)
        if user:
            os.chown(self._at, self._owner, -1)
            self._check_reach(user)

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
        """
        self._write(name, f"{text}\n")
        return self._ask(f". {shlex.quote(str(self._folder / name))}")

    def export(self, name: str, value: str) -> None:
        """Set an environment variable for all commands to come.

        Raises:
            ShellTimeout: The deadline passed.
        """
        self._environment[name] = value
        if self._process or self._has(STATE):
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
        self._ask(f"{{ {tell or ':'}; }} >| {shlex.quote(str(self._folder / VARIABLES))}")
        pairs = self._read(VARIABLES).split("\0")[:-1]
        return dict(pair.split("=", 1) for pair in pairs)

    def forget(self) -> None:
        """Let the next command begin in a new shell, as the first one did."""
        self._end()
        self._remove(STATE)

    def close(self) -> None:
        """Let the shell run its EXIT trap, then kill what its commands left in the background.

        A process that made itself a session of its own (`setsid`) is left to live on.
        """
        if self._lines < 0:
            return
        self._end()
        if self._group:
            _kill_group(self._group)
        self._within.end()
        for descriptor in (self._lines, self._answers, self._at):
            os.close(descriptor)
        self._lines = self._answers = self._at = -1

    def _fifo(self, name: str, flags: int) -> int:
        os.mkfifo(name, 0o600, dir_fd=self._at)
        fifo = os.open(name, flags | os.O_CLOEXEC, dir_fd=self._at)
        os.chown(fifo, self._owner, -1)
        return fifo

    def _write(self, name: str, text: str) -> None:
        self._remove(name)
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(name, new, 0o600, dir_fd=self._at)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.chown(descriptor, self._owner, -1)
            file.write(text)

    def _read(self, name: str) -> str:
        only = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, only, dir_fd=self._at)
        with os.fdopen(descriptor, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._at)

    def _has(self, name: str) -> bool:
        with suppress(FileNotFoundError):
            return bool(os.stat(name, dir_fd=self._at, follow_symlinks=False))
        return False

    def _keep_state(self) -> None:
        # Each time in a new file: a file that is written over, ext4 puts on the disk at once.
        if self._process is None:
            self._remove(NEW_STATE)
        elif self._has(NEW_STATE):
            self._remove(STATE)
            os.rename(NEW_STATE, STATE, src_dir_fd=self._at, dst_dir_fd=self._at)

    def _ask(self, line: str) -> int:
        if self._process is None:
            self._process = self._started()
        self._tell(f"{line}; {{ __status=$?; {self._keep}; }} 2>/dev/null\n")
        status = self._answer(self._process)
        self._keep_state()
        return status

    def _started(self) -> "subprocess.Popen[bytes]":
        group = self._group if self._group and _is_group(self._group) else 0
        inherits = self._within.inherits
        if not inherits and not self._has(STATE):
            self._write(STATE, _exports(self._environment))
        visible = {} if inherits else _not_for_export(self._environment)
        argv = [self._program, str(self._folder / "lines")]
        self._command = self._within.command(argv, visible, self._start, self._user)
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            cwd=self._start if inherits else self._folder,
            env=self._environment if inherits else None,
            process_group=group,
        )
        self._group = group or process.pid
        if self._has(STATE):
            self._tell(
                f'{{ . {shlex.quote(str(self._folder / STATE))}; cd "$PWD"; }} 2>/dev/null\n'
            )
        return process

    def _check_reach(self, user: str) -> None:
        look = 'test -r "$0" && cd "$1"'
        argv = [self._program, "-c", look, str(self._folder / "lines"), str(self._start)]
        command = self._within.command(argv, {}, self._start, user)
        asked = subprocess.run(command, capture_output=True, check=False, text=True)
        if asked.returncode:
            told = asked.stderr.strip() or f"status {asked.returncode}"
            raise ConfinementError(
                f"commands are to run as {user}, who cannot reach {self._start} and "
                f"{self._folder} ({told}); let that user through the folders above them"
            )

    def _tell(self, line: str) -> None:
        os.write(self._lines, line.encode())

    def _answer(self, process: "subprocess.Popen[bytes]") -> int:
        while True:
            # Asked in this order, a shell that answered and then died has answered.
            dead = process.poll() is not None
            ready, _, _ = select.select([self._answers], [], [], 0 if dead else LOOK_SECONDS)
            if ready:
                return int(os.read(self._answers, 64))
            if dead:
                self._process = None
                status = process.returncode
                return SIGNALLED - status if status < 0 else status
            self._check_wanted(process)

    def _check_wanted(self, process: "subprocess.Popen[bytes]") -> None:
        if self._ended is not None and self._ended():
            self._kill(process)
            raise ShellEnded("nobody wanted the shell any longer while a command ran")
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._kill(process)
            raise ShellTimeout("the time was up while a command ran")

    def _end(self) -> None:
        if self._process is None:
            return
        self._tell("exit 0\n")
        try:
            self._process.wait(CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill(self._process)
        self._process = None

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        send(signal.SIGKILL, family(process.pid, processes()) | {process.pid})
        _kill_group(self._group)
        self._within.kill(self._command)
        process.wait()
        self._process = None


def _keeping(folder: Path) -> str:
    # `>|` holds under `set -C` too, and the trace of `set -x` goes where the errors go.
    state, answers = (shlex.quote(str(folder / name)) for name in (NEW_STATE, "answers"))
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
