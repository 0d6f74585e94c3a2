"""How a query becomes SQL that an index answers, however long the history is."""

from collections.abc import Iterator

from sqlalchemy import Column, ColumnElement, Select, Table, func, not_, select, tuple_

from pipelinekit.ports.store import Query
from pipelinekit.store.schema import EXECUTIONS, ORDERS, PIPELINES, TABLES, TOKENS, columns

UUID_SHAPE = "00000000-0000-0000-0000-000000000000"


def bodies(table: Table, query: Query) -> Select[str]:
    """Ask for the bodies of the rows that a query describes, the newest first."""
    order = _order(table, query)
    wanted = select(table.c.body).where(*_conditions(table, query)).limit(query.limit)
    if query.before is not None:
        values = columns(query.before)
        wanted = wanted.where(tuple_(*order) < tuple_(*(values[each.name] for each in order)))
    return wanted.order_by(*(each.desc() for each in order))


def number(table: Table, query: Query) -> Select[int]:
    """Ask how many rows a query describes; bodies, pages and limits do not matter."""
    return select(func.count()).select_from(table).where(*_conditions(table, query))


def _order(table: Table, query: Query) -> list[Column[object]]:
    newest = "id" if table is ORDERS else _newest(table)
    timed = query.since is not None or query.until is not None
    if table is EXECUTIONS and (timed or query.pipeline is None):
        newest = _time(table)  # numbers are of one pipeline, and no index has them with times
    first = table.c[newest]
    return [first, *(each for each in table.primary_key if each is not first)]


def _newest(table: Table) -> str:
    return next(name for each, name in TABLES.values() if each is table)


def _conditions(table: Table, query: Query) -> Iterator[ColumnElement[bool]]:
    for name, value in (
        ("pipeline", query.pipeline),
        ("execution", query.execution),
        ("stage", query.stage),
        ("version", query.version),
        ("id", query.id),
        ("ended", query.ended),
        ("type", query.type),
    ):
        if value is not None:
            yield table.c[_column(table, name)] == value
    if table is ORDERS:  # those that an engine of this place holds are its own business
        yield table.c.owner.is_(None)
        yield not_(table.c.halt)
    if query.prefix is not None:
        yield table.c.id.between(*_range(query.prefix))
    if query.since is not None:
        yield table.c[_time(table)] >= query.since.timestamp()
        if query.pipeline is None and table is not EXECUTIONS:  # the indices begin with it
            yield table.c.pipeline.in_(select(PIPELINES.c.pipeline))
    if query.until is not None:
        yield table.c[_time(table)] < query.until.timestamp()


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
