"""How rows are read: the working rows of a pipeline, and rows by what is asked."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeVar, cast

from sqlalchemy import Connection, Select, Table, bindparam, select

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
from pipelinekit.store import many
from pipelinekit.store.asking import bodies
from pipelinekit.store.schema import ACTIONS, DEFINITIONS, EXECUTIONS, ORDERS, RULES, TABLES
from pipelinekit.wire.record import read

R = TypeVar("R", bound=Row | Order)

KNOWN = 2_048
"""How many rows are kept as they were read last."""


def search(connection: Connection, kind: type[R], query: Query) -> Sequence[R]:
    """Read the rows of a kind that a query describes, the newest first."""
    table = ORDERS if kind is Order else TABLES[kind].table
    return [_read(body, kind) for body in bodies(connection, table, query)]


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
    table = EXECUTIONS
    wanted = select(table.c.body).where(table.c.id.in_(named), table.c.pipeline == pipeline)
    yield from (_read(body, PipelineExecution) for body in connection.execute(wanted).scalars())


def _definitions(
    connection: Connection, pipeline: str, executions: Iterable[PipelineExecution]
) -> Iterator[Definition]:
    table = DEFINITIONS
    wanted = select(table.c.body).where(table.c.pipeline == pipeline)
    current = wanted.order_by(table.c.version.desc()).limit(1)
    used = wanted.where(table.c.version.in_({each.version for each in executions}))
    for found in (connection.execute(current), connection.execute(used)):
        yield from (_read(body, Definition) for body in found.scalars())


def _parts(connection: Connection, execution: str) -> Iterator[Row]:
    own = Query(execution=execution)
    yield from search(connection, StageExecution, own)
    yield from search(connection, Produced, own)
    yield from search(connection, OutputVariables, own)
    yield from search(connection, ConditionExecution, own)
    yield from search(connection, WorkerJob, own)
    yield from _attempts(connection, ACTIONS, ActionExecution, execution)
    yield from _attempts(connection, RULES, RuleExecution, execution)


def _attempts(connection: Connection, table: Table, kind: type[R], execution: str) -> Iterator[R]:
    found = many.rows_of(connection, _attempts_of(table), execution=execution)
    yield from (_read(body, kind) for (body,) in found)


@cache
def _attempts_of(table: Table) -> Select[str]:
    mine = table.c.execution == bindparam("execution")
    # A state keeps the last of those with one key.
    return select(table.c.body).where(mine).order_by(table.c.attempt)
