"""Which database a URL names, and how people are shown it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from pipelinekit.model.errors import StoreError

_PASSWORD: Final = re.compile(r"^([^:]+://[^:/]*):.*@")
"""All up to the last sign that may end a password, since not everybody escapes that sign in it."""

_SECRETS: Final = frozenset({"oauth_client_secret", "passfile", "password", "sslpassword"})
"""What PostgreSQL takes from a URL's query and nobody is to read."""

_QUERY: Final = re.compile(r"\?\w+=.*$")
"""What SQLite has no use for; a question mark alone may belong to the name of a folder."""


def file_of(url: str) -> Path | None:
    """Give the file of SQLite that a URL names; None where it names a database of PostgreSQL.

    Raises:
        StoreError: It is no URL, or of a database that no store can lie in.
    """
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise unknown()
    kind = scheme.partition("+")[0]
    if kind in {"postgresql", "postgres"}:
        return None
    path = _QUERY.sub("", rest.removeprefix("/"))
    if kind != "sqlite" or not rest.startswith("/") or path in {"", ":memory:"}:
        raise unknown(shown(url))
    return Path(path)


def shown(url: str) -> str:
    """Give a database's URL as people may see it, without its passwords."""
    address, mark, query = _PASSWORD.sub(r"\1:***@", url).partition("?")
    return address + mark + "&".join(map(_masked, query.split("&")))


def _masked(member: str) -> str:
    name, _, _ = member.partition("=")
    return f"{name}=..." if unquote(name) in _SECRETS else member


def unknown(place: str = "something that is no URL") -> StoreError:
    """Say that no store can be opened at a place."""
    return StoreError(
        f"a store was asked for at {place}, and only SQLite files and PostgreSQL databases can "
        f"be opened; set PIPELINEKIT_DB_URL to sqlite:///<file> or "
        f"postgresql://<user>:<password>@<host>/<database>"
    )


@contextmanager
def installed(url: str) -> Iterator[None]:
    """Say how to install what a server's store needs, where the block misses something.

    Args:
        url: Of the store.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise StoreError(
            f"a store was asked for at {shown(url)}, and {error.name}, which stores in PostgreSQL "
            f"need, is not installed; install it with: pip install 'pipelinekit[postgres]'"
        ) from error
