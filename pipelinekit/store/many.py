"""How SQL that was written once is run, without what SQLAlchemy does for each statement."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select, Table, UpdateBase
from sqlalchemy.dialects import sqlite

from pipelinekit.model.noun import Noun
from pipelinekit.store.schema import Value

Placed = Mapping[str, Value] | tuple[Value, ...]


def run_many(
    connection: Connection, statement: UpdateBase, rows: Sequence[Mapping[str, Value]]
) -> int:
    """Run a statement for each of some rows, and tell how many rows of the table it met.

    Args:
        connection: Where to.
        statement: One that lives as long as the program, as it is kept together with its text.
        rows: A value for each place of the statement, by name.
    """
    written = _written(connection.dialect, statement)
    values = [written.placed(row) for row in rows]
    if handle := _sqlite(connection):
        return handle.executemany(written.text, values).rowcount
    return connection.exec_driver_sql(written.text, values).rowcount


def put_rows(connection: Connection, statement: Insert, rows: Sequence[tuple[Value, ...]]) -> None:
    """Run an insert for each of some rows.

    Args:
        connection: Where to.
        statement: One that lives as long as the program; it names no columns.
        rows: A value for each column of the table, in the order in which they are declared.
    """
    written = _written(connection.dialect, statement)
    if handle := _sqlite(connection):
        handle.executemany(written.text, rows)
    else:
        names = statement.table.c.keys()
        named = [dict(zip(names, row, strict=True)) for row in rows]
        connection.exec_driver_sql(written.text, named)


def first_of(
    connection: Connection, statement: Select[Any], **values: Value
) -> tuple[Any, ...] | None:
    """Give the first row of an answer, as `rows_of` does; None where there is none."""
    found = rows_of(connection, statement, **values)
    return found[0] if found else None


def rows_of(
    connection: Connection, statement: Select[Any], **values: Value
) -> Sequence[tuple[Any, ...]]:
    """Give all rows of an answer.

    Args:
        connection: Whom to ask; a transaction has to be begun by now, where one is wanted.
        statement: One that lives as long as the program.
        values: A value for each place of the statement, by name.
    """
    written = _written(connection.dialect, statement)
    return rows_of_text(connection, written.text, written.placed({**written.fixed, **values}))


def rows_of_text(connection: Connection, text: str, values: Placed) -> Sequence[tuple[Any, ...]]:
    """Give all rows of an answer to a question in the database's own SQL.

    Args:
        connection: Whom to ask; a transaction has to be begun by now, where one is wanted.
        text: The question.
        values: What stands in its places.
    """
    if handle := _sqlite(connection):
        return handle.execute(text, values).fetchall()
    return [tuple(row) for row in connection.exec_driver_sql(text, values)]


def _sqlite(connection: Connection) -> sqlite3.Connection | None:
    """Give SQLite's own connection, whose answers cost a fifth of those that SQLAlchemy hands on.

    Other drivers have connections that break, of which SQLAlchemy has to learn.
    """
    handle = connection.connection.driver_connection
    return handle if isinstance(handle, sqlite3.Connection) else None


def upsert(connection: Connection, table: Table) -> Insert:
    """Give the statement that inserts a row, or changes the one that is there; made once."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> Insert:
    keys = list(table.primary_key)
    changing = [each.name for each in table.c if not (each.primary_key or "fixed" in each.info)]
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - costs each start 40 ms

        there = postgresql.insert(table)
        new = {name: there.excluded[name] for name in changing}
        return there.on_conflict_do_update(index_elements=keys, set_=new)
    here = sqlite.insert(table)
    new = {name: here.excluded[name] for name in changing}
    return here.on_conflict_do_update(index_elements=keys, set_=new)


class _Written(Noun):
    text: str
    places: Sequence[str] | None
    fixed: Mapping[str, Value]

    def placed(self, values: Mapping[str, Value]) -> Placed:
        return values if self.places is None else tuple(values[name] for name in self.places)


@cache
def _written(dialect: Dialect, statement: UpdateBase | Select[Any]) -> _Written:
    compiled = statement.compile(dialect=dialect)
    return _Written(str(compiled), compiled.positiontup, compiled.params)
