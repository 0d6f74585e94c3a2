"""How one statement is run for many rows, without what SQLAlchemy does for each of them."""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Connection, Dialect, Insert, Table, UpdateBase
from sqlalchemy.dialects import sqlite

Value = str | int | float | bool | None


def run_many(
    connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Value]]
) -> int:
    """Run a statement for each of some rows, and tell how many rows of the table it met.

    Args:
        connection: Where to.
        statement: One that lives as long as the program, as it is kept together with its text.
        rows: A value for each place of the statement, by name.
    """
    text, places = _written(connection.dialect, statement)
    values = rows if places is None else [tuple(row[name] for name in places) for row in rows]
    return connection.exec_driver_sql(text, list(values)).rowcount


def upsert(connection: Connection, table: Table) -> Insert:
    """Give the statement that inserts a row, or changes the one that is there; made once."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> Insert:
    keys = list(table.primary_key)
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - costs each start 40 ms

        there = postgresql.insert(table)
        return there.on_conflict_do_update(index_elements=keys, set_=dict(there.excluded))
    here = sqlite.insert(table)
    return here.on_conflict_do_update(index_elements=keys, set_=dict(here.excluded))


@cache
def _written(dialect: Dialect, statement: UpdateBase) -> tuple[str, Sequence[str] | None]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), compiled.positiontup
