"""How a database and its refusals are told."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipelinekit.model.errors import StoreError

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""What SQLite says of a file that it cannot make sense of."""

MEND = "restore it from a copy, or move it away with its -wal and -shm files to begin anew"
"""What to do about such a file."""

SECRETS = frozenset({"oauth_client_secret", "passfile", "password", "sslpassword"})
"""What PostgreSQL takes from a URL's query and nobody is to read."""

IN_THE_WAY = frozenset({"40001", "40P01"})
"""The SQL states of a transaction that was rolled back since another was in its way."""


def shown(url: URL) -> str:
    """Give a database's URL as people may see it, without its passwords."""
    masked = dict.fromkeys(SECRETS & url.query.keys(), "...")
    return url.update_query_dict(masked).render_as_string(hide_password=True)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise a StoreError in place of a failure of the database.

    Args:
        what: What was to be done with the store, such as `read`.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as error:
        advice = "what was not acknowledged counts only if reading it back shows it"
        raise StoreError(
            f"the store was to be {what} and that failed: {reason(error)}; "
            f"{f'its file is damaged: {MEND}' if damaged(error) else advice}"
        ) from error


def reason(error: Exception) -> str:
    """Give what the database itself said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def damaged(error: Exception) -> bool:
    """Tell whether a SQLite file is no database, or none any more."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", 0)
    return code & 0xFF in DAMAGE  # the higher bits say more of the same


def in_the_way(error: StoreError) -> bool:
    """Tell whether nothing was written since another transaction was in the way."""
    original = getattr(error.__cause__, "orig", None)
    return getattr(original, "sqlstate", None) in IN_THE_WAY
