"""The stores that faults are done to: where each lies, and what is in it, as lines of JSON."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from tests import postgres

TABLES = (
    "journal",
    "pipeline_executions",
    "stage_executions",
    "action_executions",
    "orders",
)
NUMBERED = "journal"
_ENDING = ExitStack()


@cache
def server() -> postgres.Server:
    """Give the PostgreSQL server of this process and its children, started when first asked."""
    return _ENDING.enter_context(postgres.running(durable=True))


def end() -> None:
    """End the server, if there is one."""
    _ENDING.close()
    server.cache_clear()


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'pipelinekit.db'}"


def _postgres(folder: Path) -> str:
    return server().url(folder.parent.name.replace("-", "_").lower())


URLS: Mapping[str, Callable[[Path], str]] = {"sqlite": _sqlite, "postgres": _postgres}
"""For each kind of store, the URL of an empty one that belongs to a folder."""


def engine(url: str) -> Engine:
    """Give what the harness itself asks a store with."""
    driver = {"postgresql": "postgresql+psycopg"}
    parsed = make_url(url)
    return create_engine(
        parsed.set(drivername=driver.get(parsed.drivername, parsed.drivername)),
        poolclass=NullPool,
    )


def export(url: str) -> Iterator[dict[str, object]]:
    """Read every row of a store; a row's body stays text, since its digest is of the text."""
    asking = engine(url)
    with asking.connect() as connection:
        for table in TABLES:
            order = " ORDER BY number" if table == NUMBERED else ""
            found = text(f"SELECT * FROM {table}{order}")  # noqa: S608 - the names are above
            for row in connection.execute(found).mappings():
                yield {"table": table, **row}
    asking.dispose()


def nobodys(url: str) -> int:
    """Count the orders that no engine has taken."""
    asking = engine(url)
    with asking.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM orders WHERE owner IS NULL"))
        count = int(found.scalar_one())
    asking.dispose()
    return count


def write_history(url: str, file: Path) -> None:
    """Export a store into a file of JSON lines."""
    with file.open("w", encoding="utf-8") as history:
        history.writelines(json.dumps(line) + "\n" for line in export(url))


def damage(url: str) -> str:
    """Say what the database itself finds wrong with its file; empty when it is sound."""
    if not url.startswith("sqlite:///"):
        return ""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    finally:
        connection.close()
    return "" if found == "ok" else str(found)
