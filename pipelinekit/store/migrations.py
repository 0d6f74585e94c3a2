"""How an older store is brought up to date, one numbered step after the other."""

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, Engine, inspect, select, text

from pipelinekit.model.errors import StoreError
from pipelinekit.store.schema import ANCHOR, CONDITIONS, EXECUTIONS, META, METADATA, RULES, STAGES

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


STEPS: Mapping[int, Step] = {1: _first, 2: _conditions, 3: _long_history}
CURRENT = max(STEPS)


def migrate(engine: Engine) -> None:
    """Bring a store to the current version, all steps in one transaction.

    Raises:
        StoreError: It was written by a newer version of this package.
    """
    with engine.begin() as connection:
        version = _version(connection)
        if version > CURRENT:
            raise StoreError(
                f"the store has schema version {version} and this version of pipelinekit knows "
                f"{CURRENT}; install a newer pipelinekit, or use another PIPELINEKIT_HOME"
            )
        for number in range(version + 1, CURRENT + 1):
            STEPS[number](connection)
            connection.execute(META.delete())
            connection.execute(META.insert().values(version=number))


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(META.name):
        return 0
    return connection.execute(select(META.c.version)).scalar_one_or_none() or 0
