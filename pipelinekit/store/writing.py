"""How a commit is written: the journal's records, the rows, the orders, under their conditions."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from pipelinekit.model.noun import Noun
from pipelinekit.model.row import Row
from pipelinekit.ports.store import ConflictError, Entry
from pipelinekit.store.many import first_of, put_rows, rows_of, upsert
from pipelinekit.store.orders import answer, ask, command
from pipelinekit.store.schema import (
    EXECUTIONS,
    HEADS,
    JOURNAL,
    PARTS,
    TABLES,
    TOKENS,
    Value,
)
from pipelinekit.wire.record import record_text, text

EMPTY_DIGEST = "0" * 64
"""What the journal's first record is chained to."""

_LAST = select(JOURNAL.c.number, JOURNAL.c.digest).order_by(JOURNAL.c.number.desc()).limit(1)
_RECORD = JOURNAL.insert()


class Tip(Noun):
    """The journal's last record."""

    number: int = 0
    digest: str = EMPTY_DIGEST


def check(connection: Connection, entries: Sequence[Entry]) -> Tip:
    """Do what has conditions, and give the journal's tip.

    Raises:
        ConflictError: A pipeline has other records than those that were seen.
        FenceError: An answered order is not held.
    """
    happened = [entry for entry in entries if entry.events]
    if happened:
        _compare(connection, happened)
    for entry in entries:
        answer(connection, entry)
        ask(connection, entry)
    last = first_of(connection, _LAST) if happened else None
    return Tip(*last) if last else Tip()


def write(connection: Connection, entries: Sequence[Entry], tip: Tip) -> None:
    """Write the rest of the entries, without reading anything."""
    _journal(connection, [entry for entry in entries if entry.events], tip)
    for entry in entries:
        if entry.deleted:
            _delete(connection, entry.pipeline)
    _rows(connection, (row for entry in entries for row in entry.rows))
    for entry in entries:
        if entry.forgotten:
            _forget(connection, entry.pipeline, entry.forgotten)
        command(connection, entry)


def chained(digest: str, body: str) -> str:
    """Give the digest of a record: SHA-256 of the digest before and its body."""
    return hashlib.sha256((digest + body).encode()).hexdigest()


def _compare(connection: Connection, entries: Sequence[Entry]) -> None:
    names = {f"name_{number}": entry.pipeline for number, entry in enumerate(entries)}
    there: dict[str, int] = dict(rows_of(connection, _heads(len(names)), **names))
    for entry in entries:
        found = there.get(entry.pipeline, 0)
        if found != entry.seen:
            raise ConflictError(f"{entry.pipeline} has {found} records, not {entry.seen}")


@cache
def _heads(count: int) -> Select[tuple[str, int]]:
    names: list[BindParameter[str]] = [bindparam(f"name_{each}") for each in range(count)]
    return select(HEADS.c.pipeline, HEADS.c.records).where(HEADS.c.pipeline.in_(names))


def _journal(connection: Connection, entries: Sequence[Entry], tip: Tip) -> None:
    if not entries:
        return
    number, digest = tip.number, tip.digest
    records: list[tuple[Value, ...]] = []
    for entry in entries:
        for event, moves in entry.records:
            number += 1
            body = record_text(event, moves)
            digest = chained(digest, body)
            records.append((number, entry.pipeline, body, digest))
    heads = [(entry.pipeline, entry.seen + len(entry.events)) for entry in entries]
    put_rows(connection, _RECORD, records)
    put_rows(connection, upsert(connection, HEADS), heads)


def _delete(connection: Connection, pipeline: str) -> None:
    own = select(EXECUTIONS.c.id).where(EXECUTIONS.c.pipeline == pipeline)
    for table in PARTS:
        connection.execute(table.delete().where(table.c.execution.in_(own)))
    for table in (kept.table for kept in TABLES.values()):
        if table not in PARTS:
            connection.execute(table.delete().where(table.c.pipeline == pipeline))


def _forget(connection: Connection, pipeline: str, executions: Sequence[str]) -> None:
    for table in PARTS:
        connection.execute(table.delete().where(table.c.execution.in_(executions)))
    gone = EXECUTIONS.c.id.in_(executions)
    used = TOKENS.c.at.in_(select(EXECUTIONS.c.started).where(gone))  # both began in one decision
    connection.execute(TOKENS.delete().where(TOKENS.c.pipeline == pipeline, used))
    connection.execute(EXECUTIONS.delete().where(gone))


def _rows(connection: Connection, rows: Iterable[Row]) -> None:
    values: dict[type[Row], list[tuple[Value, ...]]] = {}
    for row in rows:
        kind = type(row)
        values.setdefault(kind, []).append((*TABLES[kind].columns(row), text(row)))
    for kind, written in values.items():
        put_rows(connection, upsert(connection, TABLES[kind].table), written)
