"""What a database must be able to do so that a store can lie in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from pipelinekit.ports.store import Hints, Leases

Value = str | int | float | bool | None
Values = Mapping[str, Value]
Types = Mapping[str, str]
NONE: Final[Values] = {}

COUNTER: Final = "COUNTER"
"""The type of a count of more than two thousand million things."""

MOMENT: Final = "MOMENT"
"""The type of a time by the database's own clock."""


class Connection(Protocol):
    """Runs SQL that SQLite and PostgreSQL read alike.

    Where a value belongs, `:name` is written, and `?` in what is run for many rows.
    """

    @property
    def types(self) -> Types:
        """Tell what the database calls `COUNTER` and `MOMENT`."""
        ...

    def rows(self, sql: str, values: Values = NONE) -> Sequence[tuple[Any, ...]]:
        """Give all rows of an answer."""
        ...

    def each(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Go through the rows of an answer that may be too many for the memory."""
        ...

    def run(self, sql: str, values: Values = NONE) -> int:
        """Run a statement, and tell how many rows it met."""
        ...

    def run_many(self, sql: str, rows: Sequence[Sequence[Value]]) -> int:
        """Run a statement for each of some rows, and tell how many rows of the table it met."""
        ...

    def columns(self, table: str) -> Sequence[str]:
        """Name the columns of a table; none where there is no such table."""
        ...


class Database(Protocol):
    """A database that is open, with all tables as they are to be."""

    @property
    def leases(self) -> Leases | None:
        """Tell who is alive; None where all engines are on one host."""
        ...

    @property
    def hints(self) -> Hints | None:
        """Tell who waits that there is something; None where looking costs next to nothing."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection for one question."""
        ...

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one moment, however many questions it is asked."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection that writes all or nothing, while no other process writes."""
        ...

    def at_once(self, connection: Connection) -> AbstractContextManager[object]:
        """Send all that is written in the block at once; nothing can be read in it."""
        ...

    def wrote(self, connection: Connection) -> None:
        """Let other processes know, with what is being written, that something is."""
        ...

    def hint(self, connection: Connection) -> None:
        """Have engines that wait look, once what is being written is committed."""
        ...

    def version(self) -> int:
        """Give a number that changes whenever another process has written."""
        ...

    def change(self) -> int:
        """Give a number that changes whenever anybody has written."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def first_row(connection: Connection, sql: str, values: Values = NONE) -> tuple[Any, ...] | None:
    """Give the first row of an answer; None where there is none."""
    found = connection.rows(sql, values)
    return found[0] if found else None


def listed(name: str, values: Iterable[Value]) -> tuple[str, Values]:
    """Write a list of values for SQL's `IN`, and give them by the names that stand in it.

    Args:
        name: What the names begin with, which no other place may do.
        values: The values; what is in an empty list is nothing.
    """
    given = {f"{name}_{number}": value for number, value in enumerate(values)}
    return f"({', '.join(f':{each}' for each in given) or 'NULL'})", given
