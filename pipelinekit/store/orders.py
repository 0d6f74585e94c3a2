"""The open orders: who holds them, who is done with them, who may take them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy import Row as SqlRow

from pipelinekit.model.command import Ask, Halt, Run
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Claim, Entry, FenceError, Taker
from pipelinekit.store.many import put_rows, run_many, upsert
from pipelinekit.store.schema import ENGINES, ORDERS, Value
from pipelinekit.wire.record import read, text

_DONE = ORDERS.delete().where(
    ORDERS.c.id == bindparam("done"),
    ORDERS.c.fence == bindparam("under"),
    ORDERS.c.owner == bindparam("held_by"),
)
_FREED = (
    ORDERS.update()
    .where(
        ORDERS.c.id.in_(bindparam("freed", expanding=True)),
        ORDERS.c.owner == bindparam("held_by"),
    )
    .values(owner=None)
)
_HALTED = ORDERS.update().where(ORDERS.c.id == bindparam("unwanted")).values(halt=True)


def disown(connection: Connection, dead: Collection[str]) -> bool:
    """Make the orders of dead engines nobody's, and remember that and where they were somebody's.

    Returns:
        Whether there were any.
    """
    if not dead:
        return False
    place = select(ENGINES.c.place).where(ENGINES.c.id == ORDERS.c.owner).scalar_subquery()
    freed = ORDERS.update().where(ORDERS.c.owner.in_(dead))
    return connection.execute(freed.values(owner=None, inherited=True, place=place)).rowcount > 0


def take(connection: Connection, taker: Taker, at: datetime) -> list[Claim]:
    """Take orders that are for an engine; see `ports.store.Store`."""
    here = select(ENGINES.c.place).where(ENGINES.c.id == taker.owner).scalar_subquery()
    mine = ORDERS.c.owner == taker.owner
    called = mine if taker.unsure else and_(mine, ORDERS.c.halt)
    wanted = or_(called, _free(taker, at, here))
    found = connection.execute(select(ORDERS, here.label("here")).where(wanted)).all()
    new = [row.id for row in found if row.owner is None]
    if new:
        taken = {"owner": taker.owner, "fence": ORDERS.c.fence + 1}
        connection.execute(ORDERS.update().where(ORDERS.c.id.in_(new)).values(taken))
    return [_claim(row) for row in found]


def _free(taker: Taker, at: datetime, here: ScalarSelect[str]) -> ColumnElement[bool]:
    late = ORDERS.c.deadline < at.timestamp()
    meant = or_(ORDERS.c.type.in_(taker.able), ORDERS.c.halt, late)
    living = select(ENGINES.c.place).where(ENGINES.c.at_work, ENGINES.c.until > func.now())
    place = ORDERS.c.place
    awaited = and_(place.is_not(None), place != here, place.in_(living))
    return and_(ORDERS.c.owner.is_(None), meant, not_(awaited))


def _claim(row: SqlRow[Any]) -> Claim:
    return Claim(
        replace(read(row.body, Order), fence=row.fence + (row.owner is None)),
        halt=row.halt,
        inherited=row.inherited,
        elsewhere=row.place is not None and row.place != row.here,
    )


def answer(connection: Connection, entry: Entry) -> None:
    """Let go of what an entry's owner gives back, and drop what it is done with.

    Raises:
        FenceError: The owner does not hold an order that it is done with, or under another fence.
    """
    if entry.released:
        connection.execute(_FREED, {"freed": entry.released, "held_by": entry.owner})
    if not entry.answered:
        return
    answered = [
        {"done": order, "under": fence, "held_by": entry.owner}
        for order, fence in entry.answered.items()
    ]
    if run_many(connection, _DONE, answered) != len(answered):
        raise FenceError(f"not all of {entry.answered} (order, fence) are held by {entry.owner}")


def ask(connection: Connection, entry: Entry) -> None:
    """Write down what is to be asked again, and when."""
    for command in entry.commands:
        if isinstance(command, Ask):
            which = ORDERS.c.id == command.action_execution
            body = connection.execute(select(ORDERS.c.body).where(which)).scalar_one_or_none()
            if body is not None:
                asked = replace(read(body, Order), token=command.token, due=command.due)
                connection.execute(ORDERS.update().where(which).values(body=text(asked)))


def command(connection: Connection, entry: Entry) -> None:
    """Write down what is to be begun and to be ended, without reading anything."""
    runs = [command.order for command in entry.commands if isinstance(command, Run)]
    if runs:
        put_rows(connection, upsert(connection, ORDERS), [_order(entry, each) for each in runs])
    for command in entry.commands:
        if isinstance(command, Halt):
            connection.execute(_HALTED, {"unwanted": command.action_execution})


def _order(entry: Entry, order: Order) -> tuple[Value, ...]:
    deadline = order.deadline.timestamp() if order.deadline else None
    owner = entry.owner if str(order.type) in entry.able else None
    return (
        order.id,
        order.pipeline,
        str(order.type),
        False,  # nobody wants it halted
        owner,
        False,  # nobody has died with it
        deadline,
        text(order),
        order.fence,
        None,  # so there is no place where somebody did
    )
