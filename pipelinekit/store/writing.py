"""How a commit is written: the journal's records, the rows, the orders, under their conditions."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Table, bindparam, select
from sqlalchemy.dialects.sqlite import Insert, insert

from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.execution import Row
from pipelinekit.model.order import Order
from pipelinekit.ports.store import ConflictError, Entry, FenceError
from pipelinekit.store.schema import HEADS, JOURNAL, ORDERS, TABLES, columns
from pipelinekit.wire.record import event_text, read, text

EMPTY_DIGEST = "0" * 64
"""What the journal's first record is chained to."""

_LAST = select(JOURNAL.c.number, JOURNAL.c.digest).order_by(JOURNAL.c.number.desc()).limit(1)
_SEEN = select(HEADS.c.records).where(HEADS.c.pipeline == bindparam("name"))
_DONE = ORDERS.delete().where(
    ORDERS.c.id.in_(bindparam("done", expanding=True)), ORDERS.c.owner == bindparam("held_by")
)
_HALTED = ORDERS.update().where(ORDERS.c.id == bindparam("unwanted")).values(halt=True)


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write entries inside the transaction that the connection is in."""
    for entry in entries:
        _answer(connection, entry)
    _journal(connection, entries)
    _rows(connection, (row for entry in entries for row in entry.rows))
    for entry in entries:
        _command(connection, entry)


def chained(digest: str, body: str) -> str:
    """Give the digest of a record: SHA-256 of the digest before and its body."""
    return hashlib.sha256((digest + body).encode()).hexdigest()


def _journal(connection: Connection, entries: Sequence[Entry]) -> None:
    last = connection.execute(_LAST).one_or_none()
    number, digest = (last.number, last.digest) if last else (0, EMPTY_DIGEST)
    records: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    for entry in entries:
        if not entry.events:
            continue
        seen = connection.execute(_SEEN, {"name": entry.pipeline}).scalar_one_or_none()
        if (seen or 0) != entry.seen:
            raise ConflictError(f"{entry.pipeline} has {seen} records, not {entry.seen}")
        for event in entry.events:
            number += 1
            body = event_text(event)
            digest = chained(digest, body)
            records.append(
                {"number": number, "pipeline": entry.pipeline, "body": body, "digest": digest}
            )
        heads.append({"pipeline": entry.pipeline, "records": entry.seen + len(entry.events)})
    if records:
        connection.execute(JOURNAL.insert(), records)
        connection.execute(_upsert(HEADS), heads)


def _rows(connection: Connection, rows: Iterable[Row]) -> None:
    values: dict[type[Row], list[dict[str, Any]]] = {}
    for row in rows:
        values.setdefault(type(row), []).append({**columns(row), "body": text(row)})
    for kind, written in values.items():
        connection.execute(_upsert(TABLES[kind][0]), written)


def _answer(connection: Connection, entry: Entry) -> None:
    if not entry.answered:
        return
    done = connection.execute(_DONE, {"done": entry.answered, "held_by": entry.owner})
    if done.rowcount != len(entry.answered):
        raise FenceError(f"not all of {entry.answered} are held by {entry.owner}")


def _command(connection: Connection, entry: Entry) -> None:
    runs = [command.order for command in entry.commands if isinstance(command, Run)]
    if runs:
        connection.execute(_upsert(ORDERS), [_order(entry, order) for order in runs])
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
        "body": text(order),
    }


_UPSERTS: dict[str, Insert] = {}


def _upsert(table: Table) -> Insert:
    statement = _UPSERTS.get(table.name)
    if statement is None:
        new = insert(table)
        keys = list(table.primary_key)
        changed = {column.name: new.excluded[column.name] for column in table.c}
        statement = new.on_conflict_do_update(index_elements=keys, set_=changed)
        _UPSERTS[table.name] = statement
    return statement
