"""Where time and ids come from, so that nothing beneath needs to ask."""

from datetime import UTC, datetime
from uuid import uuid4


def now() -> datetime:
    """Give the present time, UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Give an id that nothing has had before."""
    return str(uuid4())
