"""A process of an engine, which is asked and answers."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import Final

from tests.bench.peers.environments import ROOT

PATIENCE: Final = 300.0
"""The seconds after which a process is given up."""


class NoAnswer(Exception):
    """A process of an engine ended without an answer."""


class Conversation:
    """A process of an engine, from its start.

    Args:
        command: Runs the engine's script.
        environment: What its environment has besides.
        log: Takes what it prints.
    """

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        self.began = time.perf_counter()
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=_surroundings(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        self._limit = Timer(PATIENCE, self.end)
        self._limit.daemon = True
        self._limit.start()

    def say(self, do: str, **numbers: int) -> None:
        """Ask for something."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer, and its log says why
            self.process.stdin.write(json.dumps({"do": do, **numbers}) + "\n")
            self.process.stdin.flush()

    def hear(self) -> dict[str, float]:
        """Wait for the next answer.

        Raises:
            NoAnswer: The process ended, or took too long.
        """
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self.silent()
        answer: dict[str, float] = json.loads(line)
        return answer

    def silent(self) -> NoAnswer:
        """Say with its last words that there is no answer."""
        said = self._log.read_text(encoding="utf-8", errors="replace").strip()
        return NoAnswer(said.splitlines()[-1] if said else "it ended, and said nothing")

    def ask(self, do: str, **numbers: int) -> dict[str, float]:
        """Ask for something and wait for the answer."""
        self.say(do, **numbers)
        return self.hear()

    def leave(self) -> None:
        """Let it end by itself."""
        with suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self.process.communicate(timeout=20)

    def end(self) -> None:
        """End it and whatever it has started in its session."""
        self._limit.cancel()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # what was never read by the other end
                stream.close()


@contextmanager
def conversing(
    command: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[Conversation]:
    """Run a process of an engine while the block lasts; nothing of it is left behind."""
    conversation = Conversation(command, environment, log)
    try:
        yield conversation
        conversation.leave()
    finally:
        conversation.end()


def _surroundings(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PIPELINEKIT_")
    }
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # as an installed package has it: compiled once
    return {**inherited, "PYTHONPATH": str(ROOT), **more}
