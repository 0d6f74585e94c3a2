"""A project folder in which the command line is used, from other processes and from this one."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KERNELS = "PIPELINEKIT_KERNELS"
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pipelinekit"]

ACTIONS = '''
import time
from pathlib import Path

import pipelinekit as pk


@pk.action("Source", "Take")
def take(job: pk.Job) -> pk.Outcome:
    """Take something."""
    job.say("\\x1b[31mtaking\\x1b[0m [bold]it[/bold]")
    return pk.Succeeded()


@pk.action("Test", "Check")
def check(job: pk.Job, file: str) -> pk.Outcome:
    """Fail where a file is missing."""
    job.say(f"looking for {file}")
    if Path(file).exists():
        return pk.Succeeded(summary="it is there")
    return pk.Failed(f"{file} is missing")


@pk.action("Test", "Until", repeatable=True)
def until(job: pk.Job, file: str) -> pk.Outcome:
    """Wait for a file."""
    job.say("waiting")
    while not Path(file).exists():
        time.sleep(0.02)
    return pk.Succeeded()

'''

GATE = (
    ACTIONS
    + """
pipeline = (
    pk.Pipeline("demo", variables=(pk.Variable("word", "one"),))
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Gate", pk.approval("ok", note="Is #{variables.word}\\x1b[2J ready?"))
)
"""
)

CHECK = (
    ACTIONS
    + """
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Test", check("look", "go"))
)
"""
)

UNTIL = (
    ACTIONS
    + """
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Test", until("rest", "go"))
)
"""
)

BUILD = """
import pipelinekit as pk

source = pk.git("source", ".")
pipeline = (
    pk.Pipeline("shop")
    >> pk.Stage("Source", source)
    >> pk.Stage("Build", pk.codebuild("build", project="shop").reads(source))
    >> pk.Stage("Live", pk.approval("ok") >> pk.codebuild("live", project="shop").reads(source))
)
"""

SETTINGS = '''
[compute]
where = "host"

[codebuild.shop]
environment = { HERE = "PLACE" }
buildspec = """
version: 0.2
phases:
  build:
    commands:
      - echo begun
      - touch "$HERE/begun"
      - while test ! -e "$HERE/go"; do sleep 0.05; done
"""
'''


@dataclass(frozen=True)
class Project:
    """A folder with definitions, where `pipelinekit` is called.

    Attributes:
        folder: The folder, which is the working directory of every call.
        by: Who calls; whoever runs the tests when None.
    """

    folder: Path
    by: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Give the environment of the calls."""
        plain = {
            key: value
            for key, value in os.environ.items()
            if "PIPELINEKIT" not in key or key == KERNELS
        }
        user = {"PIPELINEKIT_USER": self.by} if self.by else {}
        return {**plain, **user, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}

    def write(self, name: str, text: str) -> str:
        """Write a file and give its name."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the command and wait for its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Call the command in a process group of its own and do not wait."""
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def answer(self, *arguments: str) -> Any:
        """Call the command with --json, which must print it, and give what it says."""
        done = self.call(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def waits(self, pipeline: str = "demo") -> bool:
        """Tell whether the latest execution waits for an approval."""
        state = self.answer("status", pipeline)
        return any(action["approval"] for stage in state["stages"] for action in stage["actions"])

    def clean_up(self) -> None:
        """End the engines and jobs that were left in the background of this folder."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes()
                if bytes(self.folder) in command:
                    os.kill(int(entry.name), signal.SIGKILL)
            except OSError:  # it has ended in this moment
                continue


class Terminal:
    """A command on a terminal, to which one can type.

    Args:
        project: Where it is called.
        arguments: Of the command.
    """

    def __init__(self, project: Project, *arguments: str) -> None:
        self._mine, theirs = pty.openpty()
        self._seen = ""
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=project.folder,
            env={**project.environment, "TERM": "xterm", "LINES": "40"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def read_until(self, words: str) -> str:
        """Read until words appear, and give everything up to now."""
        limit = time.monotonic() + 30
        while words not in self._seen:
            assert time.monotonic() < limit, f"{words!r} did not appear in {self._seen!r}"
            self._read()
        return self._seen

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._mine, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Do what Ctrl-C does, until it is heard: the first may come before it is waited for."""
        while self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            limit = time.monotonic() + 5
            while self._process.poll() is None and time.monotonic() < limit:
                self._read()

    def end(self) -> tuple[int, str]:
        """Wait for the end; give the exit code and everything that was shown."""
        while self._read():
            pass
        os.close(self._mine)
        return self._process.wait(30), self._seen

    def _read(self) -> bool:
        ready, _, _ = select.select([self._mine], [], [], 0.2)
        if not ready:
            return self._process.poll() is None
        try:
            shown = os.read(self._mine, 65536).decode("utf-8", "replace")
        except OSError:  # the other side is closed
            return False
        self._seen += re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", shown)
        return True


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not come true"
        time.sleep(0.05)
