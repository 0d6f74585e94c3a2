"""Where time and ids come from, so that nothing beneath needs to ask."""

import os
import time
from collections import deque
from datetime import UTC, datetime
from uuid import UUID

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS counts no sleep


def now() -> datetime:
    """Give the present time, UTC, as the wall clock has it: to tell, never to wait by."""
    return datetime.now(UTC)


def steady() -> float:
    """Give seconds that go on evenly, also while the machine sleeps, whoever sets the clock."""
    return time.clock_gettime(_STEADY)


IDS = 64
"""How many ids are made at once: to ask the system for each lets every other thread go first."""

_ids: deque[str] = deque()


def new_id() -> str:
    """Give an id that nothing has had before."""
    try:
        return _ids.popleft()
    except IndexError:
        random = os.urandom(16 * IDS)
        made = [str(UUID(bytes=random[at : at + 16], version=4)) for at in range(0, 16 * IDS, 16)]
        _ids.extend(made[1:])
        return made[0]


os.register_at_fork(after_in_child=_ids.clear)
