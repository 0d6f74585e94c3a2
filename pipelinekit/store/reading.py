"""How rows are read: the working rows of a pipeline, and rows by what is asked."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar, cast

from pipelinekit.model.account import ACCOUNT, CustomType, Tags, Webhook
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    OutputVariables,
    PipelineExecution,
    PipelineRecord,
    Produced,
    StageExecution,
    StageState,
)
from pipelinekit.model.job import WorkerJob
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.ports.store import Query
from pipelinekit.store.asking import bodies
from pipelinekit.store.database import Connection, Values, listed
from pipelinekit.store.schema import ORDERS, TABLES
from pipelinekit.wire.record import read

R = TypeVar("R", bound=Row | Order)

KNOWN = 2_048
"""How many rows are kept as they were read last."""

_NAMED = "SELECT body FROM pipeline_executions WHERE pipeline = :pipeline AND id IN {names}"
_USED = "SELECT body FROM definitions WHERE pipeline = :pipeline AND version IN {versions}"
_CURRENT = """
SELECT body FROM definitions WHERE pipeline = :pipeline ORDER BY version DESC LIMIT 1
"""
_ATTEMPTS = "SELECT body FROM {table} WHERE execution = :execution ORDER BY attempt"
"""A state keeps the last of those with one key."""


def search(connection: Connection, kind: type[R], query: Query) -> Sequence[R]:
    """Read the rows of a kind that a query describes, the newest first."""
    table = ORDERS if kind is Order else TABLES[kind].table
    try:
        return [_read(body, kind) for body in bodies(connection, table, query)]
    except UnicodeEncodeError:  # half of a character, of which no row has one
        return []


@lru_cache(KNOWN)
def _known(body: str, kind: Hashable) -> object:
    assert isinstance(kind, type)  # noqa: S101 - mypy sees no classes among what can be hashed
    return read(body, kind)


def _read(body: str, kind: type[R]) -> R:
    # Rows never change: what is read again and again, as definitions are, is taken apart once.
    row = _known(body, cast("Hashable", kind))
    assert isinstance(row, kind)  # noqa: S101 - it was read as such
    return row


def rows_of(connection: Connection, pipeline: str, execution: str | None) -> Iterator[Row]:
    """Read the rows that a decision about a pipeline may need.

    These are its own rows, and of executions those that have not ended, those that were the last
    in a stage or can be rolled back to, and the one that is asked for.
    """
    own = Query(pipeline=pipeline)
    yield from search(connection, Tags, own)
    if pipeline == ACCOUNT:
        yield from search(connection, CustomType, own)
        yield from search(connection, Webhook, own)
        return
    yield from search(connection, PipelineRecord, own)
    states = search(connection, StageState, own)
    yield from states
    named = {name for state in states for name in (state.latest, state.good) if name}
    named.add(execution or "")
    executions = {row.id: row for row in _matter(connection, pipeline, named)}
    yield from executions.values()
    yield from _definitions(connection, pipeline, executions.values())
    for each in executions:
        yield from _parts(connection, each)


def _matter(
    connection: Connection, pipeline: str, named: Collection[str]
) -> Iterator[PipelineExecution]:
    # Two questions and no OR, which would read all executions of the pipeline.
    yield from search(connection, PipelineExecution, Query(pipeline=pipeline, ended=False))
    names, values = listed("id", named)
    wanted = {**values, "pipeline": pipeline}
    yield from _found(connection, PipelineExecution, _NAMED.format(names=names), wanted)


def _definitions(
    connection: Connection, pipeline: str, executions: Iterable[PipelineExecution]
) -> Iterator[Definition]:
    own = {"pipeline": pipeline}
    yield from _found(connection, Definition, _CURRENT, own)
    versions, values = listed("version", {each.version for each in executions})
    used = _USED.format(versions=versions)
    yield from _found(connection, Definition, used, {**values, **own})


def _parts(connection: Connection, execution: str) -> Iterator[Row]:
    own = Query(execution=execution)
    yield from search(connection, StageExecution, own)
    yield from search(connection, Produced, own)
    yield from search(connection, OutputVariables, own)
    yield from search(connection, ConditionExecution, own)
    yield from search(connection, WorkerJob, own)
    yield from _attempts(connection, ActionExecution, execution)
    yield from _attempts(connection, RuleExecution, execution)


def _attempts(connection: Connection, kind: type[R], execution: str) -> Iterator[R]:
    attempts = _ATTEMPTS.format(table=TABLES[kind].table.name)
    return _found(connection, kind, attempts, {"execution": execution})


def _found(connection: Connection, kind: type[R], sql: str, values: Values) -> Iterator[R]:
    return (_read(body, kind) for (body,) in connection.rows(sql, values))
