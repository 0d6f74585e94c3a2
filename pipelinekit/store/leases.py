"""The leases of engines, by the clock of the database."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from pipelinekit.store.database import Connection, Values
from pipelinekit.store.failures import told

RETURN_SECONDS: Final = 10
"""How long nobody counts as dead after the server's start: all need a moment to come back."""

KEPT_DAYS: Final = 30

_RENEWED = """
INSERT INTO engines (id, place, until, at_work)
VALUES (:id, :place, clock_timestamp() + make_interval(secs => :seconds), :at_work)
ON CONFLICT (id) DO UPDATE
SET place = excluded.place, until = excluded.until, at_work = excluded.at_work
"""
_DEAD = """
SELECT DISTINCT owner FROM orders LEFT JOIN engines ON engines.id = owner
WHERE owner IS NOT NULL
  AND (engines.id IS NULL OR until < clock_timestamp())
  AND clock_timestamp() > pg_postmaster_start_time() + make_interval(secs => :return)
"""
_ALIVE = "SELECT EXISTS (SELECT 1 FROM engines WHERE at_work AND until > clock_timestamp())"
_GONE = """
DELETE FROM engines
WHERE until < clock_timestamp() - make_interval(days => :kept)
  AND id NOT IN (SELECT owner FROM orders WHERE owner IS NOT NULL)
"""


class SqlLeases:
    """Keeps the leases in PostgreSQL; see `ports.store.Leases`.

    Args:
        connect: Gives a connection that commits each statement by itself.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._connect = connect

    def renew(self, engine: str, place: str, seconds: float, *, at_work: bool = True) -> None:
        """Let an engine count as alive for so many seconds from now."""
        lease: Values = {"id": engine, "place": place, "seconds": seconds, "at_work": at_work}
        with told("written"), self._connect() as connection:
            connection.run(_RENEWED, lease)

    def dead(self) -> list[str]:
        """List the engines that hold orders and whose leases have ended."""
        settled = {"return": float(RETURN_SECONDS)}
        with told("read"), self._connect() as connection:
            return [owner for (owner,) in connection.rows(_DEAD, settled)]

    def alive(self) -> bool:
        """Tell whether some engine is at work."""
        with told("read"), self._connect() as connection:
            ((alive,),) = connection.rows(_ALIVE)
            return bool(alive)

    def tidy(self) -> None:
        """Forget engines that are long gone and hold nothing."""
        with told("written"), self._connect() as connection:
            connection.run(_GONE, {"kept": KEPT_DAYS})
