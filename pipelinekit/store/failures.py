"""How a database and its refusals are told."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pipelinekit.model.errors import StoreError

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
"""What SQLite says of a file that it cannot make sense of."""

MEND = "restore it from a copy, or move it away with its -wal and -shm files to begin anew"
"""What to do about such a file."""

IN_THE_WAY = frozenset({"40001", "40P01"})
"""The SQL states of a transaction that was rolled back since another was in its way."""


class ServerError(Exception):
    """What a database's server refused, or why it could not be asked.

    Args:
        said: What it said.
        state: The SQL state, where it gave one.
    """

    def __init__(self, said: object, state: str | None = None) -> None:
        super().__init__(str(said))
        self.state = state


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise a StoreError in place of a failure of the database.

    Args:
        what: What was to be done with the store, such as `read`.
    """
    try:
        yield
    except (ServerError, sqlite3.Error, OSError) as error:
        advice = "what was not acknowledged counts only if reading it back shows it"
        raise StoreError(
            f"the store was to be {what} and that failed: {reason(error)}; "
            f"{f'its file is damaged: {MEND}' if damaged(error) else advice}"
        ) from error


def reason(error: Exception) -> str:
    """Give what the database itself said, in one line."""
    return " ".join(str(error).split())


def damaged(error: Exception) -> bool:
    """Tell whether a SQLite file is no database, or none any more."""
    return _code(error) in DAMAGE


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether SQLite was refused a lock that somebody else has."""
    return _code(error) == sqlite3.SQLITE_BUSY


def _code(error: Exception) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF  # the higher bits say more of the same


def in_the_way(error: StoreError) -> bool:
    """Tell whether nothing was written since another transaction was in the way."""
    return getattr(error.__cause__, "state", None) in IN_THE_WAY
