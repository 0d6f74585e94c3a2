"""How things are put for people: statuses, durations, times, and text that strangers wrote."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

TAIL_BYTES = 16_384
MINUTE, HOUR, DAY = 60, 3600, 86_400
TENTHS_BELOW = 9.95
SHORT_ID = 8

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"  # strings for the terminal
    r"|.)?"
)


@dataclass(frozen=True, slots=True)
class Sign:
    """How a status is shown: readable without the colour, which click and rich both know."""

    icon: str
    word: str
    colour: str

    def __str__(self) -> str:
        return f"{self.icon} {self.word}"


WAITING = Sign("⏸", "Waiting for approval", "yellow")
NOT_STARTED = Sign("○", "Not started", "bright_black")
QUEUED = Sign("○", "Waiting in front", "yellow")

SIGNS = {
    "Succeeded": Sign("✓", "Succeeded", "green"),
    "InProgress": Sign("●", "In progress", "blue"),
    "Failed": Sign("✗", "Failed", "red"),
    "Stopping": Sign("■", "Stopping", "bright_black"),
    "Stopped": Sign("■", "Stopped", "bright_black"),
    "Superseded": Sign("■", "Superseded", "bright_black"),
    "Cancelled": Sign("■", "Cancelled", "bright_black"),
    "Abandoned": Sign("■", "Abandoned", "bright_black"),
    "Skipped": Sign("○", "Skipped", "bright_black"),
    "Approved": Sign("✓", "Approved", "green"),
    "Rejected": Sign("✗", "Rejected", "red"),
    "Expired": Sign("✗", "Expired", "red"),
    "Waiting": WAITING,
}
"""By the value of every status that the model knows, and every decision of the history."""


def span(seconds: float) -> str:
    """Put a duration in one or two units: `0.4 s`, `12 s`, `2 min 5 s`, `1 h 3 min`, `2 d 4 h`."""
    whole = round(seconds)
    if seconds < TENTHS_BELOW:
        return f"{seconds:.1f} s"
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def clock(at: datetime) -> str:
    """Put a time as local date and time of day."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def harmless(text: str) -> str:
    """Take everything out of text of a stranger that a terminal would obey; lines stay lines."""
    lines = _ESCAPES.sub("", text).split("\n")
    return "\n".join(_line(line) for line in lines)


def one_line(text: str, most: int = 200) -> str:
    """Put text of a stranger into one harmless line of at most so many characters."""
    line = " ".join(harmless(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def tail(log: Path, lines: int) -> list[str]:
    """Give the last lines of a log, harmless, without empty ones; none where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            content = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line for line in harmless(content).split("\n") if line.strip()][-lines:]


def _line(line: str) -> str:
    shown = line.rstrip("\r").rpartition("\r")[2].expandtabs(4)  # as a progress bar leaves it
    return "".join(character for character in shown if character.isprintable())
