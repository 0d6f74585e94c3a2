"""How a row takes the place of the one with the same key, in one statement."""

from functools import cache

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Give the statement that inserts a row, or changes the one that is there; made once."""
    return _upsert(connection.dialect.name, table)


@cache
def _upsert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    new = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    changed = {column.name: new.excluded[column.name] for column in table.c}
    return new.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
