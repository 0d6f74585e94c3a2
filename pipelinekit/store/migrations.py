"""How an older store is brought up to date, one numbered step after the other."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Table, inspect, select, text

from pipelinekit.model.errors import EngineOutdated
from pipelinekit.store.schema import (
    ANCHOR,
    CONDITIONS,
    ENGINES,
    EXECUTIONS,
    JOBS,
    META,
    METADATA,
    ORDERS,
    RULES,
    STAGES,
    TAGS,
    TYPES,
    WEBHOOKS,
    WRITES,
)
from pipelinekit.tools.failpoint import failpoint

Step = Callable[[Connection], None]


def _first(connection: Connection) -> None:
    METADATA.create_all(connection)


def _conditions(connection: Connection) -> None:
    METADATA.create_all(connection, [CONDITIONS, RULES])


def _long_history(connection: Connection) -> None:
    METADATA.create_all(connection, [ANCHOR])
    connection.execute(text("DROP INDEX IF EXISTS executions_under_way"))
    for table in (EXECUTIONS, STAGES):
        for index in table.indexes:
            index.create(connection, checkfirst=True)


def _fences(connection: Connection) -> None:
    METADATA.create_all(connection, [ENGINES, WRITES])
    if connection.execute(select(WRITES)).first() is None:
        connection.execute(WRITES.insert().values(number=0))
    _add(connection, ORDERS, "fence", "INTEGER NOT NULL DEFAULT 1")
    _add(connection, ORDERS, "place", "VARCHAR(300)")


def _needs(connection: Connection) -> None:
    _add(connection, WRITES, "needs", "INTEGER NOT NULL DEFAULT 0")


def _add(connection: Connection, table: Table, name: str, kind: str) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    if name not in there:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {name} {kind}")


def _account(connection: Connection) -> None:
    METADATA.create_all(connection, [JOBS, TYPES, WEBHOOKS, TAGS])


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
        connection.execute(META.delete())
        connection.execute(META.insert().values(version=number))
    if version < CURRENT:
        connection.execute(WRITES.update().values(needs=CURRENT))


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
    if not inspect(connection).has_table(META.name):
        return 0
    return connection.execute(select(META.c.version)).scalar_one_or_none() or 0
