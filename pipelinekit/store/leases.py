"""The leases of engines, by the clock of the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, and_, exists, func, or_, select

from pipelinekit.store.failures import told
from pipelinekit.store.many import upsert
from pipelinekit.store.schema import ENGINES, ORDERS

RETURN_SECONDS: Final = 10
"""How long nobody counts as dead after the server's start: all need a moment to come back."""

KEPT: Final = timedelta(days=30)


class SqlLeases:
    """Keeps the leases in PostgreSQL; see `ports.store.Leases`.

    Args:
        connect: Gives a connection that commits each statement by itself.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._connect = connect

    def renew(self, engine: str, place: str, seconds: float, *, at_work: bool = True) -> None:
        """Let an engine count as alive for so many seconds from now."""
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        lease = {"id": engine, "place": place, "until": until, "at_work": at_work}
        with told("written"), self._connect() as connection:
            connection.execute(upsert(connection, ENGINES).values(lease))

    def dead(self) -> list[str]:
        """List the engines that hold orders and whose leases have ended."""
        now = func.clock_timestamp()
        holders = select(ORDERS.c.owner).join_from(
            ORDERS, ENGINES, ENGINES.c.id == ORDERS.c.owner, isouter=True
        )
        ended = or_(ENGINES.c.id.is_(None), ENGINES.c.until < now)
        settled = now > func.pg_postmaster_start_time() + timedelta(seconds=RETURN_SECONDS)
        with told("read"), self._connect() as connection:
            found = connection.execute(
                holders.where(ORDERS.c.owner.is_not(None), ended, settled).distinct()
            )
            return list(found.scalars())

    def alive(self) -> bool:
        """Tell whether some engine is at work."""
        at_work = and_(ENGINES.c.at_work, ENGINES.c.until > func.clock_timestamp())
        with told("read"), self._connect() as connection:
            return bool(connection.execute(select(exists().where(at_work))).scalar_one())

    def tidy(self) -> None:
        """Forget engines that are long gone and hold nothing."""
        holders = select(ORDERS.c.owner).where(ORDERS.c.owner.is_not(None))
        gone = ENGINES.c.until < func.clock_timestamp() - KEPT
        with told("written"), self._connect() as connection:
            connection.execute(ENGINES.delete().where(gone, ENGINES.c.id.not_in(holders)))
