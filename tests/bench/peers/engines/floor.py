"""No engine: raw SQLite with WAL and synchronous FULL, doing the least that is still durable."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.peers import talk

SCHEMA = "CREATE TABLE fact (execution, stage, action, what)"


class Floor:
    """A table of starts and ends: a commit for each, or one for all that are ready at a time."""

    def __init__(self, connection: sqlite3.Connection, *, grouped: bool) -> None:
        self._connection = connection
        self._grouped = grouped

    def run(self, stages: int, actions: int) -> None:
        """Write the starts of a stage, and then its ends."""
        self._stages(1, stages, actions)

    def many(self, executions: int, stages: int) -> None:
        """Run all at once where commits are grouped, and one after the other otherwise."""
        if self._grouped:
            self._stages(executions, stages, 1)
            return
        for _ in range(executions):
            self._stages(1, stages, 1)

    def _stages(self, executions: int, stages: int, actions: int) -> None:
        for stage in range(stages):
            for what in ("start", "end"):
                self._write(
                    [(e, stage, a, what) for e in range(executions) for a in range(actions)]
                )

    def _write(self, facts: list[tuple[int, int, int, str]]) -> None:
        for group in [facts] if self._grouped else [[each] for each in facts]:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO fact VALUES (?, ?, ?, ?)", group)
            self._connection.execute("COMMIT")


@contextmanager
def opened(home: Path) -> Iterator[Floor]:
    """Open a database; commits are grouped where the environment has `FLOOR_GROUPED`."""
    connection = sqlite3.connect(home / "floor.db", isolation_level=None, timeout=30)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(SCHEMA)
    yield Floor(connection, grouped="FLOOR_GROUPED" in os.environ)
    connection.close()


if __name__ == "__main__":
    talk.serve(opened)
