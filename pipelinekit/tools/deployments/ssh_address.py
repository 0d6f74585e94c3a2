"""Reads where a target over SSH is: `ssh://user@host:port/folder`."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Self
from urllib.parse import urlsplit

from pipelinekit.tools.deployments.revision import CONFIGURATION_ERROR, DeploymentError

SCHEME: Final = "ssh://"


@dataclass(frozen=True, slots=True)
class Address:
    """A folder of a host.

    Attributes:
        host: Its name or IP address.
        folder: The folder, absolute.
        user: Whom to log in as; None for what the SSH configuration says.
        port: Where it listens; None for what the SSH configuration says.
    """

    host: str
    folder: str
    user: str | None = None
    port: int | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a URL.

        Raises:
            DeploymentError: It is not of the form `ssh://user@host:port/folder`.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port = "", None
        folder = PurePosixPath(re.sub("^/+", "/", parts.path)) if host else PurePosixPath()
        plain = not (parts.password or parts.query or parts.fragment) if host else False
        if not plain or host.startswith("-") or not folder.is_absolute() or ".." in folder.parts:
            raise DeploymentError(
                f"The target {text} is none; write ssh://user@host:port/folder, where user and "
                "port may be left out, and keep passwords out of it",
                CONFIGURATION_ERROR,
            )
        return cls(host, str(folder), parts.username, port)

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{SCHEME}{user}{host}{port}{self.folder}"
