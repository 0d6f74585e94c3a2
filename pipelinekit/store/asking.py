"""How a query becomes SQL that an index answers, however long the history is.

The SQL of a query depends on what it asks for and not on the values: each form of it is written
once and then known.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from pipelinekit.ports.store import Query
from pipelinekit.store.database import Connection, Value, Values
from pipelinekit.store.schema import EXECUTIONS, ORDERS, TABLES, TOKENS, columns
from pipelinekit.store.table import Table

UUID_SHAPE = "00000000-0000-0000-0000-000000000000"
FORMS = 512
"""How many forms of queries are known at once; there are fewer."""

_EQUAL = ("pipeline", "execution", "stage", "version", "id", "ended", "type")


def bodies(connection: Connection, table: Table, query: Query) -> Iterator[str]:
    """Read the bodies of the rows that a query describes, the newest first."""
    values = _values(query)
    return (body for (body,) in connection.rows(_bodies(table, frozenset(values)), values))


def count(connection: Connection, table: Table, query: Query) -> int:
    """Count the rows that a query describes; pages and limits do not matter."""
    values = _values(query)
    where = _where(_conditions(table, frozenset(values)))
    ((found,),) = connection.rows(f"SELECT count(*) FROM {table.name}{where}", values)
    return int(found)


@lru_cache(FORMS)
def _bodies(table: Table, names: frozenset[str]) -> str:
    order = _order(table, names)
    conditions = [*_conditions(table, names)]
    if f"before_{order[0]}" in names:
        before = (f":before_{each}" for each in order)
        conditions.append(f"({', '.join(order)}) < ({', '.join(before)})")
    newest_first = ", ".join(f"{each} DESC" for each in order)
    limit = " LIMIT :limit" if "limit" in names else ""
    return f"SELECT body FROM {table.name}{_where(conditions)} ORDER BY {newest_first}{limit}"


def _where(conditions: Iterable[str]) -> str:
    all_of_them = " AND ".join(conditions)
    return f" WHERE {all_of_them}" if all_of_them else ""


def _values(query: Query) -> Values:
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


def _order(table: Table, names: frozenset[str]) -> list[str]:
    newest = "id" if table is ORDERS else _newest(table)
    timed = not names.isdisjoint({"since", "until"})
    if table is EXECUTIONS and (timed or "pipeline" not in names):
        newest = _time(table)  # numbers are of one pipeline, and no index has them with times
    return [newest, *(each for each in table.keys if each != newest)]


def _newest(table: Table) -> str:
    return next(kept.newest for kept in TABLES.values() if kept.table is table)


def _conditions(table: Table, names: frozenset[str]) -> Iterator[str]:
    for name in _EQUAL:
        if name in names:
            yield f"{_column(table, name)} = :{name}"
    if table is ORDERS:  # those that an engine of this place holds are its own business
        yield "owner IS NULL"
        yield "NOT halt"
    if "low" in names:
        yield "id BETWEEN :low AND :high"
    if "since" in names:
        yield f"{_time(table)} >= :since"
        if "pipeline" not in names and table is not EXECUTIONS:  # the indices begin with it
            yield "pipeline IN (SELECT pipeline FROM pipelines)"
    if "until" in names:
        yield f"{_time(table)} < :until"


def _range(prefix: str) -> tuple[str, str]:
    # Whole ids at both ends: so the order of hyphens, which databases see differently, is no
    # matter, and what is the beginning of no id finds nothing.
    rest = UUID_SHAPE[len(prefix) :]
    return prefix + rest, prefix + rest.replace("0", "f")


def _time(table: Table) -> str:
    return "started" if "started" in table.names else "at"


def _column(table: Table, asked: str) -> str:
    if table is TOKENS and asked == "id":
        return "token"
    return "id" if table is EXECUTIONS and asked == "execution" else asked
