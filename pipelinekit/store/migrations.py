"""How an older store is brought up to date, one numbered step after the other."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, inspect, select, text

from pipelinekit.model.errors import StoreError
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
    there = {column["name"] for column in inspect(connection).get_columns(ORDERS.name)}
    for name, kind in (("fence", "INTEGER NOT NULL DEFAULT 1"), ("place", "VARCHAR(300)")):
        if name not in there:
            connection.exec_driver_sql(f"ALTER TABLE {ORDERS.name} ADD COLUMN {name} {kind}")


def _account(connection: Connection) -> None:
    METADATA.create_all(connection, [JOBS, TYPES, WEBHOOKS, TAGS])


STEPS: Mapping[int, Step] = {
    1: _first,
    2: _conditions,
    3: _long_history,
    4: _fences,
    5: _account,
}
CURRENT = max(STEPS)


def migrate(connection: Connection) -> None:
    """Bring a store to the current version, in the transaction that the connection is in.

    Raises:
        StoreError: It was written by a newer version of this package.
    """
    version = _version(connection)
    if version > CURRENT:
        raise StoreError(
            f"the store has schema version {version} and this version of pipelinekit knows "
            f"{CURRENT}; install a newer pipelinekit, or use another PIPELINEKIT_HOME or "
            f"PIPELINEKIT_DB_URL"
        )
    for number in range(version + 1, CURRENT + 1):
        STEPS[number](connection)
        connection.execute(META.delete())
        connection.execute(META.insert().values(version=number))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(META.name):
        return 0
    return connection.execute(select(META.c.version)).scalar_one_or_none() or 0
