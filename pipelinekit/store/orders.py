"""The open orders: who holds them, who is done with them, who may take them."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from pipelinekit.model.command import Ask, Halt, Run
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Claim, Entry, FenceError, Taker
from pipelinekit.store.database import Connection, Value, first_row, listed
from pipelinekit.store.schema import ORDERS
from pipelinekit.wire.record import read, text

_DONE = "DELETE FROM orders WHERE id = ? AND fence = ? AND owner = ?"
_FREED = "UPDATE orders SET owner = NULL WHERE id = ? AND owner = ?"
_HALTED = "UPDATE orders SET halt = TRUE WHERE id = :id"
_TAKEN = "UPDATE orders SET owner = ?, fence = fence + 1 WHERE id = ?"
_DISOWNED = """
UPDATE orders
SET owner = NULL, inherited = TRUE, place = (SELECT place FROM engines WHERE id = orders.owner)
WHERE owner IN {dead}
"""
_WANTED = """
SELECT orders.id, owner, halt, inherited, orders.place, fence, body, here.place
FROM orders LEFT JOIN engines AS here ON here.id = :owner
WHERE owner = :owner AND (halt OR :unsure)
   OR owner IS NULL
      AND (type IN {able} OR halt OR deadline < :at)
      AND NOT (
          orders.place IS NOT NULL
          AND orders.place <> here.place
          AND orders.place IN (
              SELECT place FROM engines WHERE at_work AND until > CURRENT_TIMESTAMP
          )
      )
"""


class _Line(NamedTuple):
    id: str
    owner: str | None
    halt: bool
    inherited: bool
    place: str | None
    fence: int
    body: str
    here: str | None


def disown(connection: Connection, dead: Collection[str]) -> bool:
    """Make the orders of dead engines nobody's, and remember that and where they were somebody's.

    Returns:
        Whether there were any.
    """
    if not dead:
        return False
    names, values = listed("dead", dead)
    return connection.run(_DISOWNED.format(dead=names), values) > 0


def take(connection: Connection, taker: Taker, at: datetime) -> list[Claim]:
    """Take orders that are for an engine; see `ports.store.Store`."""
    able, values = listed("able", taker.able)
    asked = {**values, "owner": taker.owner, "unsure": taker.unsure, "at": at.timestamp()}
    found = [_Line(*row) for row in connection.rows(_WANTED.format(able=able), asked)]
    new = [(taker.owner, line.id) for line in found if line.owner is None]
    if new:
        connection.run_many(_TAKEN, new)
    return [_claim(line) for line in found]


def _claim(line: _Line) -> Claim:
    return Claim(
        replace(read(line.body, Order), fence=line.fence + (line.owner is None)),
        halt=bool(line.halt),
        inherited=bool(line.inherited),
        elsewhere=line.place is not None and line.place != line.here,
    )


def answer(connection: Connection, entry: Entry) -> None:
    """Let go of what an entry's owner gives back, and drop what it is done with.

    Raises:
        FenceError: The owner does not hold an order that it is done with, or under another fence.
    """
    if entry.released:
        connection.run_many(_FREED, [(order, entry.owner) for order in entry.released])
    if not entry.answered:
        return
    answered = [(order, fence, entry.owner) for order, fence in entry.answered.items()]
    if connection.run_many(_DONE, answered) != len(answered):
        raise FenceError(f"not all of {entry.answered} (order, fence) are held by {entry.owner}")


def ask(connection: Connection, entry: Entry) -> None:
    """Write down what is to be asked again, and when."""
    for command in entry.commands:
        if isinstance(command, Ask):
            which = {"id": command.action_execution}
            found = first_row(connection, "SELECT body FROM orders WHERE id = :id", which)
            if found:
                asked = replace(read(found[0], Order), token=command.token, due=command.due)
                body = {**which, "body": text(asked)}
                connection.run("UPDATE orders SET body = :body WHERE id = :id", body)


def command(connection: Connection, entry: Entry) -> None:
    """Write down what is to be begun and to be ended, without reading anything."""
    runs = [command.order for command in entry.commands if isinstance(command, Run)]
    if runs:
        connection.run_many(ORDERS.upsert, [_order(entry, each) for each in runs])
    for command in entry.commands:
        if isinstance(command, Halt):
            connection.run(_HALTED, {"id": command.action_execution})


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
