"""How a row takes the place of the one with the same key, in one statement."""

from functools import cache

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import sqlite


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
