"""Whether a store can be opened, asked without opening it: nothing is made, changed or written."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from pipelinekit.store.migrations import refuse_newer, version_of
from pipelinekit.store.places import file_of, installed
from pipelinekit.store.sqlite import File, unopened


def look_at(url: str) -> None:
    """Find what keeps a store from being opened; nothing does where its file is not there yet.

    Args:
        url: As of `store.sql.open_store`.

    Raises:
        StoreError: It is damaged, newer than this version, or cannot be reached or read.
    """
    file = file_of(url)
    if file is not None:
        _look_at_file(file)
        return
    with installed(url):
        from pipelinekit.store.postgres import look_at_server  # noqa: PLC0415 - loads SQLAlchemy

        look_at_server(url)


def _look_at_file(path: Path) -> None:
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as handle:
            refuse_newer(version_of(File(handle)))
    except sqlite3.Error as error:
        raise unopened(path, error) from error
