"""What the tests of builds share."""

from pathlib import Path

import pytest

from tests.builds.sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a place for a project's source and its builds."""
    return Site(tmp_path)
