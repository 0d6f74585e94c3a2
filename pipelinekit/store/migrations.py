"""How an older store is brought up to date, one numbered step after the other."""

from collections.abc import Callable, Iterable, Mapping

from pipelinekit.model.errors import EngineOutdated
from pipelinekit.store.database import Connection, first_row
from pipelinekit.store.schema import (
    ANCHOR,
    CONDITIONS,
    ENGINES,
    EVERY,
    EXECUTIONS,
    JOBS,
    META,
    ORDERS,
    RULES,
    STAGES,
    TAGS,
    TYPES,
    WEBHOOKS,
    WRITES,
)
from pipelinekit.store.table import Table
from pipelinekit.tools.failpoint import failpoint

Step = Callable[[Connection], None]


def _first(connection: Connection) -> None:
    make(connection, EVERY)


def _conditions(connection: Connection) -> None:
    make(connection, [CONDITIONS, RULES])


def _long_history(connection: Connection) -> None:
    connection.run("DROP INDEX IF EXISTS executions_under_way")
    make(connection, [ANCHOR, EXECUTIONS, STAGES])


def _fences(connection: Connection) -> None:
    make(connection, [ENGINES, WRITES])
    if first_row(connection, "SELECT number FROM writes") is None:
        connection.run("INSERT INTO writes (number) VALUES (0)")
    _add(connection, ORDERS, "fence", "INTEGER NOT NULL DEFAULT 1")
    _add(connection, ORDERS, "place", "VARCHAR(300)")


def _needs(connection: Connection) -> None:
    _add(connection, WRITES, "needs", "INTEGER NOT NULL DEFAULT 0")


def _add(connection: Connection, table: Table, name: str, kind: str) -> None:
    if name not in connection.columns(table.name):
        connection.run(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")


def _account(connection: Connection) -> None:
    make(connection, [JOBS, TYPES, WEBHOOKS, TAGS])


def make(connection: Connection, tables: Iterable[Table]) -> None:
    """Make tables and their indices where they are missing."""
    for table in tables:
        if not connection.columns(table.name):
            connection.run(table.creation(connection.types))
        for statement in table.indexing:
            connection.run(statement)


STEPS: Mapping[int, Step] = {
    1: _first,
    2: _conditions,
    3: _long_history,
    4: _fences,
    5: _needs,  # and events of kinds that nobody knew before
    6: _account,
}
"""Whatever older engines could not read or would not keep needs a step, if only an empty one."""

CURRENT = max(STEPS)
NEEDS = "SELECT needs FROM writes"
"""Asked by whoever writes: the number for `refuse_newer`."""


def migrate(connection: Connection) -> None:
    """Bring a store to the current version, in the transaction that the connection is in.

    Engines that are at work on it and know only an older version write nothing from then on.

    Raises:
        EngineOutdated: It was written by a newer version of this package.
    """
    version = version_of(connection)
    refuse_newer(version)
    for number in range(version + 1, CURRENT + 1):
        STEPS[number](connection)
        failpoint("store.migrate.written")
        connection.run("DELETE FROM meta")
        connection.run_many(META.insert, [(number,)])
    if version < CURRENT:
        connection.run("UPDATE writes SET needs = :needs", {"needs": CURRENT})


def refuse_newer(version: int) -> None:
    """Raise EngineOutdated where a store has a version that is not known here."""
    if version > CURRENT:
        raise EngineOutdated(
            f"the store has schema version {version}, since a newer pipelinekit works on it, and "
            f"this one knows {CURRENT} and writes nothing to it; install the newer pipelinekit "
            f"and start again, or use another PIPELINEKIT_HOME or PIPELINEKIT_DB_URL"
        )


def version_of(connection: Connection) -> int:
    """Read the version of the tables; 0 where there are none."""
    if not connection.columns(META.name):
        return 0
    found = first_row(connection, "SELECT version FROM meta")
    return int(found[0]) if found else 0
