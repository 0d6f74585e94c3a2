"""A target on a host over SSH: sends the program there, then errands, and listens to it."""

import json
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import paramiko

from pipelinekit.tools.deployments.host_program import STARTER, program
from pipelinekit.tools.deployments.revision import UNREACHABLE, DeploymentError
from pipelinekit.tools.deployments.ssh import LOST, connected
from pipelinekit.tools.deployments.ssh_address import Address

SILENCE_SECONDS: Final = 30.0
"""How long a host may say nothing, where it should say something every few seconds."""

_ENDING_SECONDS: Final = 5.0
_CHUNK: Final = 32 * 1024


class RemoteHost:
    """A target on a host over SSH; satisfies `fleet.Host`."""

    def __init__(
        self, address: Address, python: str, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        """Name a target.

        Args:
            address: Where it is.
            python: The program that runs Python 3.11 or later there.
            silence_seconds: How long it may say nothing before it counts as dead.
        """
        self.name = str(address).removeprefix("ssh://")
        self.place = str(address)
        self._address = address
        self._python = python
        self._silence = silence_seconds
        self._client: paramiko.SSHClient | None = None
        self._channel: paramiko.Channel | None = None
        self._answers: paramiko.ChannelFile | None = None
        self._say: Callable[[str], None] = lambda _: None

    def connect(self, say: Callable[[str], None]) -> None:
        """Log in and start the program.

        Args:
            say: Called with each line for the log.

        Raises:
            DeploymentError: The host cannot be reached, or the program cannot be started there.
        """
        self._say = say
        self._client = connected(self._address)
        sent = program()
        words = (self._python, "-I", "-c", STARTER, str(len(sent)), self._address.folder)
        try:
            transport = self._client.get_transport()
            if transport is None:
                raise EOFError("the connection was closed at once")
            self._channel = transport.open_session(timeout=self._silence)
            self._channel.settimeout(self._silence)
            self._channel.exec_command(shlex.join(words))
            self._answers = self._channel.makefile("rb")
            self._channel.sendall(sent)
        except LOST as error:
            raise self._lost("starting the deployment", error) from None

    def ask(self, errand: str, **given: str) -> str:
        """Have an errand carried out on the host; see `lifecycle`.

        Raises:
            DeploymentError: It failed there, or the host is gone.
        """
        return self._exchange(given.get("event", errand), {"do": errand, "with": given})

    def send(self, bundle: Path) -> str:
        """Send the bundle, and give its path on the host.

        Raises:
            DeploymentError: There is no room for it, or the host is gone.
        """
        message = {"receive": bundle.stat().st_size}
        return self._exchange("DownloadBundle", message, bundle)

    def close(self) -> None:
        """Hang up, which ends the program on the host."""
        if self._client is not None:
            self._client.close()
        self._client = self._channel = self._answers = None

    def _exchange(self, asked: str, message: object, bundle: Path | None = None) -> str:
        if self._channel is None:
            raise DeploymentError(f"The connection to {self.place} is gone", UNREACHABLE)
        try:
            self._channel.sendall(json.dumps(message).encode() + b"\n")
            if bundle is not None:
                self._stream(bundle, self._channel)
            return self._answer(asked)
        except LOST as error:
            raise self._lost(asked, error) from None

    def _stream(self, bundle: Path, channel: paramiko.Channel) -> None:
        with bundle.open("rb") as file:
            while chunk := file.read(_CHUNK):
                channel.sendall(chunk)

    def _answer(self, asked: str) -> str:
        while line := self._answers.readline() if self._answers else b"":
            match _parsed(line):
                case {"answer": str() as answer}:
                    return answer
                case {"error": str() as error, "code": str() as code}:
                    raise DeploymentError(error, code)
                case {"say": str() as text}:
                    self._say(text)
                case _:
                    pass  # a beat, by which the host is known to live
        raise self._lost(asked, EOFError("the connection was closed"))

    def _lost(self, asked: str, error: BaseException) -> DeploymentError:
        told = self._last_words()
        self.close()
        found = f"said nothing for {self._silence:g} seconds"
        if not isinstance(error, TimeoutError):
            found = f"broke off ({error})"
        return DeploymentError(
            f"{asked} on {self.place}: the host {found}{told}; check the host, then deploy again",
            UNREACHABLE,
        )

    def _last_words(self) -> str:
        if self._channel is None:
            return ""
        self._channel.settimeout(_ENDING_SECONDS)
        with suppress(*LOST):
            words = self._channel.recv_stderr(_CHUNK).decode("utf-8", errors="replace").strip()
            return f" and said: {words}" if words else ""
        return ""


def _parsed(line: bytes) -> object:
    text = line.decode("utf-8", errors="replace").rstrip()
    with suppress(ValueError):
        if text.startswith("{"):
            return json.loads(text)
    return {"say": text}  # what a login script on the host prints
