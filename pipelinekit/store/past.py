"""Housekeeping in a store over SQL: counts, what is referred to, and where the journal begins."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NamedTuple

from pipelinekit.model.errors import StoreError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.ports.store import Anchor, Query
from pipelinekit.store.asking import count
from pipelinekit.store.database import Connection, Value, first_row, listed
from pipelinekit.store.schema import ANCHOR, TABLES
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import artifacts_in, read, read_record

Opened = Callable[[], AbstractContextManager[Connection]]

MANY_IDS, MANY_RECORDS = 500, 10_000
"""How many are asked for, and removed at once: others write in between."""

_HOLDERS = "SELECT DISTINCT owner FROM orders WHERE owner IS NOT NULL"
_WANTED = "SELECT body FROM orders WHERE NOT halt"
_ENDS = "SELECT (SELECT min(number) FROM journal), (SELECT max(number) FROM journal)"
_RECORD = "SELECT body FROM journal WHERE number = :number"
_AFTER = """
SELECT number, body, digest FROM journal
WHERE number > :last{before} ORDER BY number LIMIT :many
"""
_BUT_THE_LAST = " AND number < :first AND number < (SELECT max(number) FROM journal)"
"""The last record of all is never removed: the next one is chained to it."""


class _Line(NamedTuple):
    number: int
    body: str
    digest: str


class SqlPast:
    """Housekeeping in one database; see `ports.store.Past`.

    Args:
        reading: Gives a connection that sees one moment.
        writing: Gives a connection that writes all or nothing.
    """

    def __init__(self, reading: Opened, writing: Opened) -> None:
        self._reading = reading
        self._writing = writing

    def holders(self) -> Collection[str]:
        """Name the engines that hold orders."""
        with self._reading() as connection:
            return [owner for (owner,) in connection.rows(_HOLDERS)]

    def late(self, at: datetime) -> Sequence[Order]:
        """Give the orders that are to be dealt with by now: to be asked again, or out of time."""
        with self._reading() as connection:
            orders = [read(body, Order) for (body,) in connection.rows(_WANTED)]
        return [order for order in orders if min(_times(order), default=at) < at]

    def count(self, kind: type[Row], query: Query) -> int:
        """Count rows without reading them."""
        with self._reading() as connection:
            return count(connection, TABLES[kind].table, query)

    def strangers(self, ids: Collection[str], without: Collection[str] = ()) -> set[str]:
        """Tell which ids are those of no action or rule that was ever begun."""
        left = sorted(ids)
        found: set[str] = set()
        with self._reading() as connection:
            for start in range(0, len(left), MANY_IDS):
                some, values = listed("id", left[start : start + MANY_IDS])
                orders = connection.rows(f"SELECT id FROM orders WHERE id IN {some}", values)
                found.update(order for (order,) in orders)
                for table in ("action_executions", "rule_executions"):
                    begun = f"SELECT id, execution FROM {table} WHERE id IN {some}"
                    rows = connection.rows(begun, values)
                    found.update(each for each, execution in rows if execution not in without)
        return set(left) - found

    def objects(self, without: Collection[str] = ()) -> Iterator[Artifact]:
        """Go through the artifacts that are referred to, some of them many times."""
        with self._reading() as connection:
            for (body,) in connection.rows("SELECT body FROM orders"):
                yield from artifacts_in(body)
            for table in ("artifacts", "action_executions"):
                for execution, body in connection.each(f"SELECT execution, body FROM {table}"):
                    if execution not in without and "object_key" in body:
                        yield from artifacts_in(body)

    def anchor(self) -> Anchor:
        """Tell what the journal's first record is chained to."""
        with self._reading() as connection:
            return _anchor(connection)

    def first_since(self, at: datetime) -> int:
        """Give the number of the first record of a time, UTC, or later; else that of the last."""
        with self._reading() as connection:
            ((low, high),) = connection.rows(_ENDS)
            low, high = low or 0, high or 0
            while low < high:
                middle = (low + high) // 2
                ((body,),) = connection.rows(_RECORD, {"number": middle})
                event, _ = read_record(body)
                low, high = (low, middle) if event.at >= at else (middle + 1, high)
            return int(low)

    def check(self) -> int:
        """Check the journal's chain from its anchor to its end, and count its records."""
        with self._reading() as connection:
            last = first = _anchor(connection)
            while rows := _after(connection, last.number, None):
                last = _followed(last, rows)
            return last.number - first.number

    def cut(self, first: int, at: datetime, by: str) -> int:
        """Remove the journal's records up to a number, many at a time, each batch whole."""
        removed = 0
        while gone := self._cut_some(first, at, by):
            removed += gone
        return removed

    def _cut_some(self, first: int, at: datetime, by: str) -> int:
        with self._writing() as connection:
            last = _anchor(connection)
            rows = _after(connection, last.number, first)
            if not rows:
                return 0
            end = _followed(last, rows)
            anchor: tuple[Value, ...] = (end.number, end.digest, at.timestamp(), by)
            connection.run("DELETE FROM journal_anchor")
            connection.run_many(ANCHOR.insert, [anchor])
            connection.run("DELETE FROM journal WHERE number <= :last", {"last": end.number})
            return len(rows)


def _times(order: Order) -> Iterator[datetime]:
    return (time for time in (order.due, order.deadline) if time is not None)


def _anchor(connection: Connection) -> Anchor:
    row = first_row(connection, "SELECT number, digest, at, by FROM journal_anchor")
    if row is None:
        return Anchor(0, EMPTY_DIGEST)
    number, digest, at, by = row
    return Anchor(number, digest, datetime.fromtimestamp(at, UTC), by)


def _after(connection: Connection, last: int, first: int | None) -> Sequence[_Line]:
    asked = _AFTER.format(before="" if first is None else _BUT_THE_LAST)
    values = {"last": last, "first": first, "many": MANY_RECORDS}
    return [_Line(*row) for row in connection.rows(asked, values)]


def _followed(last: Anchor, rows: Sequence[_Line]) -> Anchor:
    place, digest = last.number, last.digest
    for row in rows:
        place, digest = place + 1, chained(digest, row.body)
        if (row.number, row.digest) != (place, digest):
            raise StoreError(
                f"the journal was to be followed from record {last.number}, and record "
                f"{row.number} is not what was chained to record {place - 1}: somebody has "
                f"changed the store; compare it with a backup"
            )
    return Anchor(place, digest)
