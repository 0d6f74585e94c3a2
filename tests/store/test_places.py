"""Which database a URL names, and what people are shown of it."""

from pathlib import Path

import pytest

from pipelinekit.model.errors import StoreError
from pipelinekit.store.looking import look_at
from pipelinekit.store.places import file_of, installed, shown
from pipelinekit.store.sql import open_store


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (
            "sqlite:////home/ann/.pipelinekit/pipelinekit.db",
            "/home/ann/.pipelinekit/pipelinekit.db",
        ),
        ("sqlite:///near/pipelinekit.db", "near/pipelinekit.db"),
        ("sqlite+pysqlite:////x.db", "/x.db"),
        ("sqlite:////odd #1? folder/x.db", "/odd #1? folder/x.db"),
        ("sqlite:////x.db?timeout=5", "/x.db"),
        ("postgresql://ann@here/shop", None),
        ("postgres://ann:pw@here:5433/shop?options=-csearch_path%3Dteam", None),
    ],
)
def test_a_url_names_a_file_or_a_server(url: str, file: str | None) -> None:
    assert file_of(url) == (None if file is None else Path(file))


@pytest.mark.parametrize("url", ["sqlite://here/x.db", "sqlite:///", "oracle://here/x", "here"])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="only SQLite files and PostgreSQL databases"):
        file_of(url)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("postgresql://ann:hush@here/shop", "postgresql://ann:***@here/shop"),
        ("postgresql://ann:hu@sh?x@here/shop", "postgresql://ann:***@here/shop"),
        (
            "postgresql://ann:hush@h/s?password=hush&host=x",
            "postgresql://ann:***@h/s?password=...&host=x",
        ),
        ("postgresql://a?n:hush@here/shop", "postgresql://a?n:***@here/shop"),
        ("postgresql://h/s?pass%77ord=hush", "postgresql://h/s?pass%77ord=..."),
        ("postgresql://ann@here:5432/shop", "postgresql://ann@here:5432/shop"),
        ("sqlite:////home/ann/x.db", "sqlite:////home/ann/x.db"),
    ],
)
def test_no_password_is_shown(url: str, seen: str) -> None:
    assert shown(url) == seen


@pytest.mark.parametrize(
    "url", ["postgresql+psy-copg://here/shop", "postgresql://ann:12/3@here:port/shop"]
)
def test_what_looks_like_a_server_and_is_no_url_is_refused(url: str) -> None:
    for ask in (open_store, look_at):
        with pytest.raises(StoreError, match="something that is no URL"):
            ask(url)


def test_what_a_server_needs_and_is_missing_is_named_with_the_line_that_installs_it() -> None:
    url = "postgresql://ann:hush@here/shop"
    with (
        pytest.raises(
            StoreError, match=r"psycopg, .*pip install 'pipelinekit\[postgres\]'"
        ) as said,
        installed(url),
    ):
        raise ModuleNotFoundError("no", name="psycopg")
    assert "hush" not in str(said.value)
