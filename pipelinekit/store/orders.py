"""The open orders: who holds them, who is done with them, who may take them."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select

from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Claim, Entry, FenceError
from pipelinekit.store.schema import ORDERS
from pipelinekit.store.upsert import upsert
from pipelinekit.wire.record import read, text

_DONE = ORDERS.delete().where(
    ORDERS.c.id.in_(bindparam("done", expanding=True)), ORDERS.c.owner == bindparam("held_by")
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


def disown(connection: Connection, dead: Collection[str]) -> None:
    """Make the orders of dead engines nobody's, and remember that they were somebody's."""
    left = ORDERS.c.owner.in_(dead)
    connection.execute(ORDERS.update().where(left).values(owner=None, inherited=True))


def take(connection: Connection, owner: str, able: Collection[str], at: datetime) -> list[Claim]:
    """Take orders that are for an engine; see `ports.store.Store`."""
    mine = and_(ORDERS.c.owner == owner, ORDERS.c.halt)
    late = ORDERS.c.deadline < at.timestamp()
    meant = or_(ORDERS.c.type.in_(able), ORDERS.c.halt, late)
    free = and_(ORDERS.c.owner.is_(None), meant)
    found = connection.execute(select(ORDERS).where(or_(free, mine))).all()
    if found:
        chosen = ORDERS.c.id.in_([row.id for row in found])
        connection.execute(ORDERS.update().where(chosen).values(owner=owner))
    return [Claim(read(row.body, Order), halt=row.halt, inherited=row.inherited) for row in found]


def answer(connection: Connection, entry: Entry) -> None:
    """Let go of what an entry's owner gives back, and drop what it is done with.

    Raises:
        FenceError: The owner does not hold an order that it is done with.
    """
    if entry.released:
        connection.execute(_FREED, {"freed": entry.released, "held_by": entry.owner})
    if not entry.answered:
        return
    done = connection.execute(_DONE, {"done": entry.answered, "held_by": entry.owner})
    if done.rowcount != len(entry.answered):
        raise FenceError(f"not all of {entry.answered} are held by {entry.owner}")


def command(connection: Connection, entry: Entry) -> None:
    """Write down what an entry wants done."""
    runs = [command.order for command in entry.commands if isinstance(command, Run)]
    if runs:
        connection.execute(upsert(ORDERS), [_order(entry, order) for order in runs])
    for command in entry.commands:
        _change(connection, command)


def _change(connection: Connection, command: Command) -> None:
    match command:
        case Run():
            pass
        case Halt():
            connection.execute(_HALTED, {"unwanted": command.action_execution})
        case Ask():
            which = ORDERS.c.id == command.action_execution
            body = connection.execute(select(ORDERS.c.body).where(which)).scalar_one_or_none()
            if body is not None:
                asked = _asked(read(body, Order), command)
                connection.execute(ORDERS.update().where(which).values(body=text(asked)))


def _asked(order: Order, ask: Ask) -> Order:
    return replace(order, token=ask.token, due=ask.due)


def _order(entry: Entry, order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "pipeline": order.pipeline,
        "type": str(order.type),
        "halt": False,
        "owner": entry.owner if str(order.type) in entry.able else None,
        "inherited": False,
        "deadline": order.deadline.timestamp() if order.deadline else None,
        "body": text(order),
    }
