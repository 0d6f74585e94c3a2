"""How a database's refusals are told."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipelinekit.model.errors import StoreError

IN_THE_WAY = frozenset({"40001", "40P01"})
"""The SQL states of a transaction that was rolled back since another was in its way."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise a StoreError in place of a failure of the database.

    Args:
        what: What was to be done with the store, such as `read`.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise StoreError(
            f"the store was to be {what} and that failed: {reason}; what was not acknowledged "
            f"counts only if reading it back shows it"
        ) from error


def in_the_way(error: StoreError) -> bool:
    """Tell whether nothing was written since another transaction was in the way."""
    original = getattr(error.__cause__, "orig", None)
    return getattr(original, "sqlstate", None) in IN_THE_WAY
