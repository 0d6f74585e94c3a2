"""How a query becomes SQL that an index answers, however long the history is.

The SQL of a query depends on what it asks for and not on the values: each form of it is written
once and then known.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Table,
    bindparam,
    func,
    not_,
    select,
    tuple_,
)

from pipelinekit.model.noun import Noun
from pipelinekit.ports.store import Query
from pipelinekit.store.many import rows_of_text
from pipelinekit.store.schema import EXECUTIONS, ORDERS, PIPELINES, TABLES, TOKENS, Value, columns

UUID_SHAPE = "00000000-0000-0000-0000-000000000000"
FORMS = 512
"""How many forms of queries are known at once; there are fewer."""

_EQUAL = ("pipeline", "execution", "stage", "version", "id", "ended", "type")


def bodies(connection: Connection, table: Table, query: Query) -> Iterator[str]:
    """Read the bodies of the rows that a query describes, the newest first."""
    values = _values(query)
    form = _text(connection.dialect, table, frozenset(values))
    given = {**form.fixed, **values}
    placed = tuple(given[name] for name in form.names) if form.positional else given
    for (body,) in rows_of_text(connection, form.sql, placed):
        yield body


def number(connection: Connection, table: Table, query: Query) -> int:
    """Count the rows that a query describes; pages and limits do not matter."""
    values = _values(query)
    wanted = select(func.count()).select_from(table)
    conditions = _conditions(table, frozenset(values))
    return connection.execute(wanted.where(*conditions), values).scalar_one()


class _Form(Noun):
    sql: str
    names: tuple[str, ...]
    positional: bool
    fixed: Mapping[str, Value]


@lru_cache(FORMS)
def _text(dialect: Dialect, table: Table, names: frozenset[str]) -> _Form:
    compiled = _bodies(table, names).compile(dialect=dialect)
    places = tuple(compiled.positiontup or ())
    return _Form(str(compiled), places, compiled.positional, compiled.params)


def _bodies(table: Table, names: frozenset[str]) -> Select[str]:
    order = _order(table, names)
    wanted = select(table.c.body).where(*_conditions(table, names))
    if "limit" in names:
        wanted = wanted.limit(bindparam("limit"))
    before = [bindparam(f"before_{each.name}", type_=each.type) for each in order]
    if before[0].key in names:
        wanted = wanted.where(tuple_(*order) < tuple_(*before))
    return wanted.order_by(*(each.desc() for each in order))


def _values(query: Query) -> Mapping[str, Value]:
    values: dict[str, Value] = {
        name: value for name in _EQUAL if (value := getattr(query, name)) is not None
    }
    if query.limit is not None:
        values["limit"] = query.limit
    if query.prefix is not None:
        values["low"], values["high"] = _range(query.prefix)
    for name, at in (("since", query.since), ("until", query.until)):
        if at is not None:
            values[name] = at.timestamp()
    if query.before is not None:
        values |= {f"before_{name}": value for name, value in columns(query.before).items()}
    return values


def _order(table: Table, names: frozenset[str]) -> list[Column[object]]:
    newest = "id" if table is ORDERS else _newest(table)
    timed = not names.isdisjoint({"since", "until"})
    if table is EXECUTIONS and (timed or "pipeline" not in names):
        newest = _time(table)  # numbers are of one pipeline, and no index has them with times
    first = table.c[newest]
    return [first, *(each for each in table.primary_key if each is not first)]


def _newest(table: Table) -> str:
    return next(kept.newest for kept in TABLES.values() if kept.table is table)


def _conditions(table: Table, names: frozenset[str]) -> Iterator[ColumnElement[bool]]:
    for name in _EQUAL:
        if name in names:
            yield table.c[_column(table, name)] == bindparam(name)
    if table is ORDERS:  # those that an engine of this place holds are its own business
        yield table.c.owner.is_(None)
        yield not_(table.c.halt)
    if "low" in names:
        yield table.c.id.between(bindparam("low"), bindparam("high"))
    if "since" in names:
        yield table.c[_time(table)] >= bindparam("since")
        if "pipeline" not in names and table is not EXECUTIONS:  # the indices begin with it
            yield table.c.pipeline.in_(select(PIPELINES.c.pipeline))
    if "until" in names:
        yield table.c[_time(table)] < bindparam("until")


def _range(prefix: str) -> tuple[str, str]:
    # Whole ids at both ends: so the order of hyphens, which databases see differently, is no
    # matter, and what is the beginning of no id finds nothing.
    rest = UUID_SHAPE[len(prefix) :]
    return prefix + rest, prefix + rest.replace("0", "f")


def _time(table: Table) -> str:
    return "started" if "started" in table.c else "at"


def _column(table: Table, asked: str) -> str:
    if table is TOKENS and asked == "id":
        return "token"
    return "id" if table is EXECUTIONS and asked == "execution" else asked
