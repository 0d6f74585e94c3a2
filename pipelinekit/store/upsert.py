"""How a row takes the place of the one with the same key, in one statement."""

from sqlalchemy import Table
from sqlalchemy.dialects.sqlite import Insert, insert

_UPSERTS: dict[str, Insert] = {}


def upsert(table: Table) -> Insert:
    """Give the statement that inserts a row, or changes the one that is there; made once."""
    statement = _UPSERTS.get(table.name)
    if statement is None:
        new = insert(table)
        keys = list(table.primary_key)
        changed = {column.name: new.excluded[column.name] for column in table.c}
        statement = new.on_conflict_do_update(index_elements=keys, set_=changed)
        _UPSERTS[table.name] = statement
    return statement
