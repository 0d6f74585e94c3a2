"""Whether a store can be opened, asked without opening it: nothing is made, changed or written."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from pipelinekit.store.migrations import refuse_newer, version_of
from pipelinekit.store.postgres import engine_of, unreachable
from pipelinekit.store.sql import parsed
from pipelinekit.store.sqlite import unopened


def look_at(url: str) -> None:
    """Find what keeps a store from being opened; nothing does where its file is not there yet.

    Args:
        url: As of `store.sql.open_store`.

    Raises:
        StoreError: It is damaged, newer than this version, or cannot be reached or read.
    """
    place = parsed(url)
    if place.drivername.startswith("sqlite"):
        _look_at_file(Path(place.database or ""))
    else:
        _look_at_server(place)


def _look_at_file(path: Path) -> None:
    if not path.exists():
        return
    read_only = f"file:{quote(str(path))}?mode=ro"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(read_only, uri=True))
    try:
        _ask(engine)
    except DBAPIError as error:
        raise unopened(path, error) from error


def _look_at_server(place: URL) -> None:
    try:
        _ask(engine_of(place))
    except DBAPIError as error:
        raise unreachable(place, error) from error


def _ask(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            refuse_newer(version_of(connection))
    finally:
        engine.dispose()
