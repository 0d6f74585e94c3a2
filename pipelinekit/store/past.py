"""Housekeeping in a store over SQL: counts, what is referred to, and where the journal begins."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, not_, select

from pipelinekit.model.errors import StoreError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.ports.store import Anchor, Query
from pipelinekit.store.asking import number
from pipelinekit.store.schema import ACTIONS, ANCHOR, ARTIFACTS, JOURNAL, ORDERS, RULES, TABLES
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import artifacts_in, read, read_record

Opened = Callable[[], AbstractContextManager[Connection]]

MANY_IDS, MANY_ROWS, MANY_RECORDS = 500, 2_000, 10_000
"""How many are asked for, read, and removed at once: others write in between."""

_HOLDERS = select(ORDERS.c.owner).where(ORDERS.c.owner.is_not(None)).distinct()
_WANTED = select(ORDERS.c.body).where(not_(ORDERS.c.halt))
_FIRST = select(func.min(JOURNAL.c.number)).scalar_subquery()
_LAST = select(func.max(JOURNAL.c.number)).scalar_subquery()


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
            return list(connection.execute(_HOLDERS).scalars())

    def late(self, at: datetime) -> Sequence[Order]:
        """Give the orders that are to be dealt with by now: to be asked again, or out of time."""
        with self._reading() as connection:
            orders = [read(body, Order) for body in connection.execute(_WANTED).scalars()]
        return [order for order in orders if min(_times(order), default=at) < at]

    def count(self, kind: type[Row], query: Query) -> int:
        """Count rows without reading them."""
        with self._reading() as connection:
            return number(connection, TABLES[kind].table, query)

    def strangers(self, ids: Collection[str], without: Collection[str] = ()) -> set[str]:
        """Tell which ids are those of no action or rule that was ever begun."""
        left = sorted(ids)
        found: set[str] = set()
        with self._reading() as connection:
            for start in range(0, len(left), MANY_IDS):
                some = left[start : start + MANY_IDS]
                orders = select(ORDERS.c.id).where(ORDERS.c.id.in_(some))
                found.update(connection.execute(orders).scalars())
                for table in (ACTIONS, RULES):
                    found.update(_known(connection, table, some, without))
        return set(left) - found

    def objects(self, without: Collection[str] = ()) -> Iterator[Artifact]:
        """Go through the artifacts that are referred to, some of them many times."""
        with self._reading() as connection:
            for body in connection.execute(select(ORDERS.c.body)).scalars():
                yield from artifacts_in(body)
            for table in (ARTIFACTS, ACTIONS):
                rows = select(table.c.execution, table.c.body)
                many = rows.execution_options(yield_per=MANY_ROWS)
                for execution, body in connection.execute(many):
                    if execution not in without and "object_key" in body:
                        yield from artifacts_in(body)

    def anchor(self) -> Anchor:
        """Tell what the journal's first record is chained to."""
        with self._reading() as connection:
            return _anchor(connection)

    def first_since(self, at: datetime) -> int:
        """Give the number of the first record of a time, UTC, or later; else that of the last."""
        with self._reading() as connection:
            low, high = connection.execute(select(_FIRST, _LAST)).one()
            low, high = low or 0, high or 0
            while low < high:
                middle = (low + high) // 2
                body = select(JOURNAL.c.body).where(JOURNAL.c.number == middle)
                event, _ = read_record(connection.execute(body).scalar_one())
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
            anchor = {"number": end.number, "digest": end.digest, "at": at.timestamp(), "by": by}
            connection.execute(ANCHOR.delete())
            connection.execute(ANCHOR.insert().values(anchor))
            connection.execute(JOURNAL.delete().where(JOURNAL.c.number <= end.number))
            return len(rows)


def _times(order: Order) -> Iterator[datetime]:
    return (time for time in (order.due, order.deadline) if time is not None)


def _known(
    connection: Connection, table: Table, ids: Sequence[str], without: Collection[str]
) -> Iterator[str]:
    rows = connection.execute(select(table.c.id, table.c.execution).where(table.c.id.in_(ids)))
    return (row.id for row in rows if row.execution not in without)


def _anchor(connection: Connection) -> Anchor:
    row = connection.execute(select(ANCHOR)).one_or_none()
    if row is None:
        return Anchor(0, EMPTY_DIGEST)
    return Anchor(row.number, row.digest, datetime.fromtimestamp(row.at, UTC), row.by)


def _after(connection: Connection, last: int, first: int | None) -> Sequence[_Line]:
    wanted = select(JOURNAL.c.number, JOURNAL.c.body, JOURNAL.c.digest)
    wanted = wanted.where(JOURNAL.c.number > last)
    if first is not None:
        # The last record of all is never removed: the next one is chained to it.
        wanted = wanted.where(JOURNAL.c.number < first, JOURNAL.c.number < _LAST)
    rows = connection.execute(wanted.order_by(JOURNAL.c.number).limit(MANY_RECORDS))
    return [_Line(*row) for row in rows]


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
