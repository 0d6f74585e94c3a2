"""Who is compared: this engine, its peers, and what the machine allows."""

import sqlite3
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import pipelinekit as pk
from tests.bench.peers import environments
from tests.postgres import USER, Server

ENGINES: Final = "tests.bench.peers.engines"
OURS: Final = "pipelinekit, SQLite"
OURS_POSTGRES: Final = "pipelinekit, PostgreSQL"
DBOS: Final = "DBOS, SQLite"
DBOS_POSTGRES: Final = "DBOS, PostgreSQL"
FLOOR: Final = "raw SQLite commits"
FLOOR_GROUPED: Final = "raw SQLite commits, grouped"
SPAWN: Final = "raw process spawn"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """An engine on a store.

    Attributes:
        name: As it is shown.
        script: The module in `engines`.
        peer: The package of a peer; None where it runs in this environment.
        postgres: Whether it is given a PostgreSQL, or keeps its own files.
        settings: Its environment; `{home}` stands for the folder it is given.
        kept: What it keeps of an action, and how.
        slow: Whether it takes so long that it takes part in few rounds, with fewer executions.
        goes_on: Whether it is killed: it goes on by itself.
        several: Whether two of its processes are measured on one store.
    """

    name: str
    script: str
    kept: str
    peer: str | None = None
    postgres: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False
    goes_on: bool = False
    several: bool = False

    @property
    def version(self) -> str:
        """Give its version."""
        if self.peer:
            return environments.version(self.peer)
        return pk.__version__ if self.script == "ours" else sqlite3.sqlite_version

    def command(self, home: Path, *more: str) -> list[str]:
        """Give the command that runs it on a home.

        Raises:
            NotInstalled: It cannot be installed here.
        """
        python = environments.python(self.peer) if self.peer else sys.executable
        return [python, "-m", f"{ENGINES}.{self.script}", str(home), *more]

    def environment(self, home: Path, server: Server | None) -> dict[str, str]:
        """Give its environment on a home, with a fresh place on the server where it needs one."""
        own = {name: value.format(home=home) for name, value in self.settings.items()}
        if not self.postgres or server is None:
            return own
        if self.script == "ours":
            return {**own, "PIPELINEKIT_DB_URL": server.url()}
        database = f"d{uuid4().hex}"
        server.run("createdb", "-h", server.folder, "-U", USER, database)
        return {**own, "DBOS_URL": f"postgresql+psycopg://{USER}@/{database}?host={server.folder}"}


SYNCED: Final = "starts and ends, synced"
ENDS: Final = "ends, synced"
MARKS: Final = "marks, not synced"

ALL: Final = (
    Contestant(name=OURS, script="ours", kept=SYNCED, goes_on=True, several=True),
    Contestant(
        name=OURS_POSTGRES, script="ours", kept=SYNCED, postgres=True, goes_on=True, several=True
    ),
    Contestant(name=DBOS, script="dbos", peer="dbos", kept=ENDS, goes_on=True),
    Contestant(
        name=DBOS_POSTGRES, script="dbos", peer="dbos", kept=ENDS, postgres=True, goes_on=True
    ),
    Contestant(name="Luigi", script="luigi", peer="luigi", kept=MARKS, goes_on=True),
    Contestant(
        name="doit",
        script="doit",
        peer="doit",
        kept="marks, in one commit when all is done",
        goes_on=True,
    ),
    Contestant(
        name="Dagster",
        script="dagster",
        peer="dagster",
        kept="starts and ends, its own SQLite",
        settings={"DAGSTER_HOME": "{home}"},
        slow=True,
    ),
    Contestant(
        name="Prefect",
        script="prefect",
        peer="prefect",
        kept="starts and ends, its server's SQLite",
        settings={
            "PREFECT_HOME": "{home}",
            "PREFECT_LOGGING_LEVEL": "ERROR",
            "PREFECT_LOGGING_TO_API_ENABLED": "false",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
            "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        },
        slow=True,
    ),
    Contestant(name=FLOOR, script="floor", kept=SYNCED),
    Contestant(name=FLOOR_GROUPED, script="floor", kept=SYNCED, settings={"FLOOR_GROUPED": "yes"}),
)
