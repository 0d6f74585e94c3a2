"""How a commit is written: the journal's records, the rows, the orders, under their conditions."""

import hashlib
from collections.abc import Iterable, Sequence

from pipelinekit.model.noun import Noun
from pipelinekit.model.row import Row
from pipelinekit.ports.store import ConflictError, Entry
from pipelinekit.store.database import Connection, Value, first_row, listed
from pipelinekit.store.orders import answer, ask, command
from pipelinekit.store.schema import HEADS, JOURNAL, KINDS, PARTS, TABLES
from pipelinekit.wire.record import record_text, text

EMPTY_DIGEST = "0" * 64
"""What the journal's first record is chained to."""

_LAST = "SELECT number, digest FROM journal ORDER BY number DESC LIMIT 1"
_HEADS = "SELECT pipeline, records FROM heads WHERE pipeline IN {names}"
_OWN = "SELECT id FROM pipeline_executions WHERE pipeline = :pipeline"
_USED = """
DELETE FROM start_tokens
WHERE pipeline = ? AND at = (SELECT started FROM pipeline_executions WHERE id = ?)
"""


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
    last = first_row(connection, _LAST) if happened else None
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
    names, values = listed("name", [entry.pipeline for entry in entries])
    there: dict[str, int] = dict(connection.rows(_HEADS.format(names=names), values))
    for entry in entries:
        found = there.get(entry.pipeline, 0)
        if found != entry.seen:
            raise ConflictError(f"{entry.pipeline} has {found} records, not {entry.seen}")


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
    connection.run_many(JOURNAL.insert, records)
    connection.run_many(HEADS.upsert, heads)


def _delete(connection: Connection, pipeline: str) -> None:
    own = {"pipeline": pipeline}
    for table in PARTS:
        connection.run(f"DELETE FROM {table.name} WHERE execution IN ({_OWN})", own)
    for table in KINDS:
        if table not in PARTS:
            connection.run(f"DELETE FROM {table.name} WHERE pipeline = :pipeline", own)


def _forget(connection: Connection, pipeline: str, executions: Sequence[str]) -> None:
    gone = [(execution,) for execution in executions]
    for table in PARTS:
        connection.run_many(f"DELETE FROM {table.name} WHERE execution = ?", gone)
    # A token and the execution that was started with it began in one decision.
    connection.run_many(_USED, [(pipeline, execution) for execution in executions])
    connection.run_many("DELETE FROM pipeline_executions WHERE id = ?", gone)


def _rows(connection: Connection, rows: Iterable[Row]) -> None:
    values: dict[type[Row], list[tuple[Value, ...]]] = {}
    for row in rows:
        kind = type(row)
        values.setdefault(kind, []).append((*TABLES[kind].columns(row), text(row)))
    for kind, written in values.items():
        connection.run_many(TABLES[kind].table.upsert, written)
