"""A real sshd on this machine, with keys of its own, and the home of a user who may log in."""

import getpass
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRAM: Final = "/usr/sbin/sshd"


@dataclass(frozen=True)
class Sshd:
    """A running server.

    Attributes:
        pid: Its process.
        port: Where it listens, on 127.0.0.1.
        home: The home of a user with a key, whose known_hosts has the server.
        authorized: The file of the keys that it lets in.
    """

    pid: int
    port: int
    home: Path
    authorized: Path

    def url(self, folder: Path) -> str:
        """Name a folder as a target on this host."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"

    @property
    def known_hosts(self) -> Path:
        """The file of the hosts that the user knows."""
        return self.home / ".ssh" / "known_hosts"


@contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    """Run a server while the block lasts.

    Args:
        folder: For its files.
    """
    (folder / "home" / ".ssh").mkdir(parents=True)
    host_key, user_key = folder / "host_key", folder / "home" / ".ssh" / "id_ed25519"
    for key in (host_key, user_key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    server = Sshd(0, port, folder / "home", folder / "authorized_keys")
    server.authorized.write_bytes(user_key.with_suffix(".pub").read_bytes())
    kind, key_text, *_ = host_key.with_suffix(".pub").read_text(encoding="utf-8").split()
    server.known_hosts.write_text(f"[127.0.0.1]:{port} {kind} {key_text}\n", encoding="utf-8")
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\n"
        f"AuthorizedKeysFile {server.authorized}\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n",
        encoding="utf-8",
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([PROGRAM, "-D", "-f", config, "-E", folder / "log"]) as process:
        try:
            _wait_for(port)
            yield Sshd(process.pid, port, server.home, server.authorized)
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
