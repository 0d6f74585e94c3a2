"""How a query becomes SQL that an index answers, however long the history is.

The statement of each kind of query is made once, with places for its values: making one takes
longer than having it answered.
"""

from collections.abc import Iterator, Mapping
from functools import cache

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    bindparam,
    func,
    select,
    tuple_,
)

from pipelinekit.ports.store import Query
from pipelinekit.store.schema import EXECUTIONS, PIPELINES, TABLES, TOKENS, columns

Values = Mapping[str, object]

UUID_SHAPE = "00000000-0000-0000-0000-000000000000"
EQUAL = ("pipeline", "execution", "stage", "version", "id", "ended")
BEFORE = "before_"


def bodies(table: Table, query: Query) -> tuple[Select[str], Values]:
    """Ask for the bodies of the rows that a query describes, the newest first."""
    values = _values(table, query)
    return _bodies(table, frozenset(values)), values


def number(table: Table, query: Query) -> tuple[Select[int], Values]:
    """Ask how many rows a query describes; bodies, pages and limits do not matter."""
    values = _values(table, query)
    return _number(table, frozenset(values)), values


def _values(table: Table, query: Query) -> Values:
    values: dict[str, object] = {name: getattr(query, name) for name in EQUAL}
    values["limit"] = query.limit
    if query.prefix is not None:
        values["first"], values["last"] = _range(query.prefix)
    if query.since is not None:
        values["since"] = query.since.timestamp()
    if query.until is not None:
        values["until"] = query.until.timestamp()
    given = {name: value for name, value in values.items() if value is not None}
    if query.before is not None:
        last = columns(query.before)
        given |= {BEFORE + each.name: last[each.name] for each in _order(table, frozenset(given))}
    return given


@cache
def _bodies(table: Table, given: frozenset[str]) -> Select[str]:
    order = _order(table, given)
    wanted = select(table.c.body).where(*_conditions(table, given))
    if "limit" in given:
        wanted = wanted.limit(bindparam("limit"))
    if any(name.startswith(BEFORE) for name in given):
        last = tuple_(*(bindparam(BEFORE + each.name) for each in order))
        wanted = wanted.where(tuple_(*order) < last)
    return wanted.order_by(*(each.desc() for each in order))


@cache
def _number(table: Table, given: frozenset[str]) -> Select[int]:
    return select(func.count()).select_from(table).where(*_conditions(table, given))


def _order(table: Table, given: frozenset[str]) -> list[Column[object]]:
    newest = next(name for each, name in TABLES.values() if each is table)
    if table is EXECUTIONS and ({"since", "until"} & given or "pipeline" not in given):
        newest = _time(table)  # numbers are of one pipeline, and no index has them with times
    first = table.c[newest]
    return [first, *(each for each in table.primary_key if each is not first)]


def _conditions(table: Table, given: frozenset[str]) -> Iterator[ColumnElement[bool]]:
    for name in EQUAL:
        if name in given:
            yield table.c[_column(table, name)] == bindparam(name)
    if "first" in given:
        yield table.c.id.between(bindparam("first"), bindparam("last"))
    if "since" in given:
        yield table.c[_time(table)] >= bindparam("since")
        if "pipeline" not in given and table is not EXECUTIONS:  # the indices begin with it
            yield table.c.pipeline.in_(select(PIPELINES.c.pipeline))
    if "until" in given:
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
