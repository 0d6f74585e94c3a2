"""How things are put for people, wherever they look: statuses, durations, times, foreign text."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ActionStatus, ApprovalStatus, PipelineStatus, StageStatus

SHORT_ID = 8
"""How many characters of an id people are shown."""

LINE_LIMIT = 200
TAB_WIDTH = 4
TENTHS_BELOW = 9.95
MINUTE, HOUR, DAY = 60, 3600, 86_400

_CODES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles, links, other strings for the terminal
    r"|[ -/]*[0-~])?"  # character sets, saved cursors
)


class Tone(StrEnum):
    """What a status means to who looks at it."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    ASKING = "asking"
    OVER = "over"
    AHEAD = "ahead"


class Mark(Noun):
    """How a status is shown; never by the colour of its tone alone."""

    icon: str
    word: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.icon} {self.word}"


def _over(word: str) -> Mark:
    return Mark("■", word, Tone.OVER)


SUCCEEDED = Mark("✓", "Succeeded", Tone.GOOD)
IN_PROGRESS = Mark("●", "In progress", Tone.BUSY)
FAILED = Mark("✗", "Failed", Tone.BAD)
WAITING = Mark("⏸", "Waiting for approval", Tone.ASKING)
FROZEN = Mark("❄", "Frozen", Tone.ASKING)
NOT_STARTED = Mark("○", "Not started", Tone.AHEAD)
AT_THE_DOOR = Mark("○", "Waiting to enter", Tone.AHEAD)

MARKS: Mapping[str, Mark] = {
    PipelineStatus.IN_PROGRESS: IN_PROGRESS,
    PipelineStatus.STOPPING: _over("Stopping"),
    PipelineStatus.STOPPED: _over("Stopped"),
    PipelineStatus.SUCCEEDED: SUCCEEDED,
    PipelineStatus.SUPERSEDED: _over("Superseded"),
    PipelineStatus.FAILED: FAILED,
    PipelineStatus.CANCELLED: _over("Cancelled"),
    StageStatus.SKIPPED: _over("Skipped"),
    ActionStatus.ABANDONED: _over("Abandoned"),
    ApprovalStatus.APPROVED: Mark("✓", "Approved", Tone.GOOD),
    ApprovalStatus.REJECTED: Mark("✗", "Rejected", Tone.BAD),
    "Expired": Mark("✗", "Expired", Tone.BAD),
    "Waiting": WAITING,
}
"""By every status of executions, stages, actions and approvals, of which equal ones look equal,
and by every decision of the history."""


def duration(seconds: float) -> str:
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


def clean(text: str) -> str:
    """Take out of foreign text whatever a terminal would obey or nobody sees; lines stay lines."""
    return "\n".join(_seen(_last_state(line)) for line in _CODES.sub("", text).split("\n"))


def flat(text: str) -> str:
    """Clean foreign text as `clean` does, but into one line, with spaces where lines ended."""
    return _seen(_CODES.sub("", text))


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Put foreign text into one clean line of at most `limit` characters, in single spaces."""
    return shortened(" ".join(clean(text).split()), limit)


def shortened(text: str, limit: int = LINE_LIMIT) -> str:
    """Shorten text to `limit` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _last_state(line: str) -> str:
    # A progress bar writes over itself with carriage returns.
    return line.rstrip("\r").rpartition("\r")[2]


def _seen(text: str) -> str:
    return "".join(
        each if each.isprintable() else " " if each.isspace() else ""
        for each in text.expandtabs(TAB_WIDTH)
    )
