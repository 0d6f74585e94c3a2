"""A table as data, and the SQL that makes and fills it, which both databases read."""

from collections.abc import Iterator, Mapping
from functools import cached_property

from pipelinekit.model.noun import Noun
from pipelinekit.store.database import Types


class Column(Noun):
    """A column of a table.

    Attributes:
        name: What it is called.
        type: As both databases name it; or `COUNTER`, or `MOMENT`.
        key: Whether it is a part of the primary key.
        null: Whether it may be empty.
        fixed: Whether it is never another for the same key, so that no index has to be changed.
        default: What stands there where nothing was given, as SQL.
    """

    name: str
    type: str
    key: bool = False
    null: bool = False
    fixed: bool = False
    default: str | None = None


class Table:
    """A table of a store.

    Args:
        name: What it is called.
        columns: In their order, in which rows are given.
        indices: Besides that of the primary key, the columns of each with commas, by its name.
    """

    def __init__(
        self, name: str, *columns: Column, indices: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.columns = columns
        self.names = tuple(each.name for each in columns)
        self.keys = tuple(each.name for each in columns if each.key)
        self.indices = indices or {}

    def creation(self, types: Types) -> str:
        """Give the statement that makes it.

        Args:
            types: What the database calls those types that have different names.
        """
        lines = [_declared(each, types) for each in self.columns]
        if self.keys:
            lines.append(f"PRIMARY KEY ({', '.join(self.keys)})")
        return f"CREATE TABLE {self.name} ({', '.join(lines)})"

    @property
    def indexing(self) -> Iterator[str]:
        """Give the statements that make its indices where they are missing."""
        for name, columns in self.indices.items():
            yield f"CREATE INDEX IF NOT EXISTS {name} ON {self.name} ({columns})"

    @cached_property
    def insert(self) -> str:
        """Give the statement that inserts a row."""
        places = ", ".join("?" * len(self.names))
        return f"INSERT INTO {self.name} ({', '.join(self.names)}) VALUES ({places})"

    @cached_property
    def upsert(self) -> str:
        """Give the statement that inserts a row, or changes the one that is there."""
        changing = [each.name for each in self.columns if not (each.key or each.fixed)]
        new = ", ".join(f"{name} = excluded.{name}" for name in changing)
        return f"{self.insert} ON CONFLICT ({', '.join(self.keys)}) DO UPDATE SET {new}"


def _declared(column: Column, types: Types) -> str:
    default = f" DEFAULT {column.default}" if column.default else ""
    null = "" if column.null else " NOT NULL"
    return f"{column.name} {types.get(column.type, column.type)}{default}{null}"
