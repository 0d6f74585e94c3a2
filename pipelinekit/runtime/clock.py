"""Where time and ids come from, so that nothing beneath needs to ask."""

import time
from datetime import UTC, datetime
from uuid import uuid4

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS counts no sleep


def now() -> datetime:
    """Give the present time, UTC, as the wall clock has it: to tell, never to wait by."""
    return datetime.now(UTC)


def steady() -> float:
    """Give seconds that go on evenly, also while the machine sleeps, whoever sets the clock."""
    return time.clock_gettime(_STEADY)


def new_id() -> str:
    """Give an id that nothing has had before."""
    return str(uuid4())
