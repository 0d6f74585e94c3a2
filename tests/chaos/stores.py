"""The stores that faults are done to: where each lies, and what is in it, as lines of JSON."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

TABLES = (
    "journal",
    "pipeline_executions",
    "stage_executions",
    "action_executions",
    "orders",
)
NUMBERED = "journal"


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'pipelinekit.db'}"


URLS: Mapping[str, Callable[[Path], str]] = {"sqlite": _sqlite}
"""For each kind of store, the URL of an empty one that belongs to a folder."""


def export(url: str) -> Iterator[dict[str, object]]:
    """Read every row of a store; a row's body stays text, since its digest is of the text."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for table in TABLES:
            order = " ORDER BY number" if table == NUMBERED else ""
            found = text(f"SELECT * FROM {table}{order}")  # noqa: S608 - the names are above
            for row in connection.execute(found).mappings():
                yield {"table": table, **row}
    engine.dispose()


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
