"""How rows are read: the working rows of a pipeline, and rows by what is asked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Table, select

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
from pipelinekit.model.row import Row
from pipelinekit.ports.store import Query
from pipelinekit.store.schema import ACTIONS, DEFINITIONS, EXECUTIONS, RULES, TABLES, TOKENS
from pipelinekit.wire.record import read

R = TypeVar("R", bound=Row)


def search(connection: Connection, kind: type[R], query: Query) -> Sequence[R]:
    """Read the rows of a kind that a query describes, the newest first."""
    table, newest = TABLES[kind]
    wanted = select(table.c.body).order_by(table.c[newest].desc(), *_tie(table))
    for column, value in (
        ("pipeline", query.pipeline),
        ("execution", query.execution),
        ("id", query.id),
        ("ended", query.ended),
    ):
        if value is not None:
            wanted = wanted.where(table.c[_column(table, column)] == value)
    if query.since is not None:
        wanted = wanted.where(table.c[newest_time(table)] >= query.since.timestamp())
    return [read(body, kind) for body in connection.execute(wanted.limit(query.limit)).scalars()]


def rows_of(connection: Connection, pipeline: str, execution: str | None) -> Iterator[Row]:
    """Read the rows that a decision about a pipeline may need.

    These are its own rows, and of executions those that have not ended, those that were the last
    in a stage or can be rolled back to, and the one that is asked for.
    """
    own = Query(pipeline=pipeline)
    yield from search(connection, PipelineRecord, own)
    states = search(connection, StageState, own)
    yield from states
    named = {name for state in states for name in (state.latest, state.good) if name}
    named.add(execution or "")
    table = EXECUTIONS
    matter = table.c.ended.is_(False) | table.c.id.in_(named)
    wanted = select(table.c.body).where(table.c.pipeline == pipeline, matter)
    executions = [read(body, PipelineExecution) for body in connection.execute(wanted).scalars()]
    yield from executions
    yield from _definitions(connection, pipeline, executions)
    for each in executions:
        yield from _parts(connection, each.id)


def _definitions(
    connection: Connection, pipeline: str, executions: Iterable[PipelineExecution]
) -> Iterator[Definition]:
    table = DEFINITIONS
    wanted = select(table.c.body).where(table.c.pipeline == pipeline)
    current = wanted.order_by(table.c.version.desc()).limit(1)
    used = wanted.where(table.c.version.in_({each.version for each in executions}))
    for bodies in (connection.execute(current), connection.execute(used)):
        yield from (read(body, Definition) for body in bodies.scalars())


def _parts(connection: Connection, execution: str) -> Iterator[Row]:
    own = Query(execution=execution)
    yield from search(connection, StageExecution, own)
    yield from search(connection, Produced, own)
    yield from search(connection, OutputVariables, own)
    yield from search(connection, ConditionExecution, own)
    yield from _attempts(connection, ACTIONS, ActionExecution, execution)
    yield from _attempts(connection, RULES, RuleExecution, execution)


def _attempts(connection: Connection, table: Table, kind: type[R], execution: str) -> Iterator[R]:
    wanted = (
        select(table.c.body)
        .where(table.c.execution == execution)
        .order_by(table.c.attempt)  # a state keeps the last of those with one key
    )
    yield from (read(body, kind) for body in connection.execute(wanted).scalars())


def newest_time(table: Table) -> str:
    """Name the column that says when a row's matter began."""
    return "started" if "started" in table.c else "at"


def _column(table: Table, asked: str) -> str:
    if table is TOKENS and asked == "id":
        return "token"
    return "id" if table is EXECUTIONS and asked == "execution" else asked


def _tie(table: Table) -> list[ColumnElement[str]]:
    return [column.desc() for column in table.primary_key]
