"""What the flows share: a kit on a fresh store, and a site to release to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from tests.flows.ledger import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a site to which nothing was released yet."""
    return Site(tmp_path)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    """Open a kit on a fresh store."""
    with pk.Kit(tmp_path / "home", settings=pk.Settings(folder=str(tmp_path)), by="ann") as made:
        yield made
