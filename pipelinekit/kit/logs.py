"""The logs of actions, read for people."""

import os
from pathlib import Path

from pipelinekit.wire.words import clean

TAIL_BYTES = 16 * 1024


def tail(log: Path, lines: int) -> list[str]:
    """Give the last lines of a log, clean, without empty ones; none where there is no log.

    Args:
        log: The file; no more than its last `TAIL_BYTES` are read.
        lines: At most so many.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in clean(text).split("\n") if line.strip()][-lines:]
