"""A notebook to execute."""

from pathlib import Path

import pytest

from tests.tools.notebooks.books import Book


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Give a folder for a notebook."""
    return Book(tmp_path)
