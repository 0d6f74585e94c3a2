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
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from pipelinekit.tools.proctree import family, processes, send

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a shell takes for the name of a variable."""

LOOK_SECONDS: Final = 0.05
CLOSING_SECONDS: Final = 5.0
SIGNALLED: Final = 128


class ShellTimeout(TimeoutError):
    """The time was up while a command ran; it and its shell were killed."""


class Shell:
    """One shell process, and the files by which it is led.

    A command that ends the shell itself (`exit`, `exec`, an error under `set -e`) ends with the
    shell's status; the next command gets a new shell with the exported variables and the folder
    that were there before that command.
    """

    def __init__(
        self,
        program: str,
        environment: Mapping[str, str],
        *,
        start: Path,
        folder: Path,
        deadline: float | None = None,
    ) -> None:
        """Prepare a shell; its process starts with the first command.

        Args:
            program: The shell, such as `/bin/bash`.
            environment: All environment variables that it is to have.
            start: The folder in which it begins.
            folder: An empty folder for its files; made if it is missing.
            deadline: When the time is up, as `time.monotonic()` counts it, in seconds.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._program = program
        self._environment = {**environment, "PWD": str(start)}
        self._start = start
        self._folder = folder.resolve()
        self._deadline = deadline
        self._process: subprocess.Popen[bytes] | None = None
        self._group = 0
        # Open for both directions, since either end of a fifo waits for the other.
        self._lines = self._fifo("lines", os.O_RDWR)
        self._answers = self._fifo("answers", os.O_RDWR | os.O_NONBLOCK)

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
        """
        script = self._folder / name
        script.write_text(f"{text}\n", encoding="utf-8")
        return self._ask(f". {shlex.quote(str(script))}")

    def export(self, name: str, value: str) -> None:
        """Set an environment variable for all commands to come.

        Raises:
            ShellTimeout: The deadline passed.
        """
        self._environment[name] = value
        if self._process or self._state.exists():
            self._ask(f"export {name}={shlex.quote(value)}")

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """Read those of these variables that are set, exported or not.

        Raises:
            ShellTimeout: The deadline passed.
        """
        asked = [name for name in names if NAME.fullmatch(name)]
        found = self._folder / "variables"
        tell = "; ".join(
            f'if [ -n "${{{name}+x}}" ]; then printf \'{name}=%s\\0\' "${name}"; fi'
            for name in asked
        )
        self._ask(f"{{ {tell or ':'}; }} >| {shlex.quote(str(found))}")
        pairs = found.read_text(encoding="utf-8", errors="replace").split("\0")[:-1]
        return dict(pair.split("=", 1) for pair in pairs)

    def forget(self) -> None:
        """Let the next command begin in a new shell, as the first one did."""
        self._end()
        self._state.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the shell run its EXIT trap, then kill what its commands left in the background.

        A process that made itself a session of its own (`setsid`) is left to live on.
        """
        if self._lines < 0:
            return
        self._end()
        if self._group:
            _kill_group(self._group)
        os.close(self._lines)
        os.close(self._answers)
        self._lines = self._answers = -1

    @property
    def _state(self) -> Path:
        return self._folder / "state"

    def _fifo(self, name: str, flags: int) -> int:
        path = self._folder / name
        os.mkfifo(path, 0o600)
        return os.open(path, flags | os.O_CLOEXEC)

    def _ask(self, line: str) -> int:
        if self._process is None:
            self._process = self._started()
        # `>|` holds under `set -C` too, and the trace of `set -x` goes where the errors go.
        keep = (
            f"export -p >| {shlex.quote(str(self._state))}; "
            f"printf '%s\\n' \"$__status\" >| {shlex.quote(str(self._folder / 'answers'))}"
        )
        self._tell(f"{line}; {{ __status=$?; {keep}; }} 2>/dev/null\n")
        return self._answer(self._process)

    def _started(self) -> "subprocess.Popen[bytes]":
        group = self._group if self._group and _is_group(self._group) else 0
        process = subprocess.Popen(
            [self._program, str(self._folder / "lines")],
            stdin=subprocess.DEVNULL,
            cwd=self._start,
            env=self._environment,
            process_group=group,
        )
        self._group = group or process.pid
        if self._state.exists():
            self._tell(f'{{ . {shlex.quote(str(self._state))}; cd "$PWD"; }} 2>/dev/null\n')
        return process

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
            self._check_time(process)

    def _check_time(self, process: "subprocess.Popen[bytes]") -> None:
        if self._deadline is None or time.monotonic() < self._deadline:
            return
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
        process.wait()
        self._process = None


def _is_group(number: int) -> bool:
    try:
        os.killpg(number, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _kill_group(number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(number, signal.SIGKILL)
