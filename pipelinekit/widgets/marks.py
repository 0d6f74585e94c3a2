"""The mark of every status: an icon, a word and a tone, as in the AWS console."""

from dataclasses import dataclass
from enum import StrEnum

from pipelinekit.model.execution import ActionStatus, PipelineStatus, StageStatus


class Tone(StrEnum):
    """What a status means to who looks at it."""

    GOOD = "good"
    BAD = "bad"
    BUSY = "busy"
    ASKING = "asking"
    OVER = "over"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a status is shown; never by the colour of its tone alone."""

    icon: str
    word: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.icon} {self.word}"


SUCCEEDED = Mark("✓", "Succeeded", Tone.GOOD)
IN_PROGRESS = Mark("●", "In progress", Tone.BUSY)
FAILED = Mark("✗", "Failed", Tone.BAD)
WAITING = Mark("⏸\N{VARIATION SELECTOR-15}", "Waiting for approval", Tone.ASKING)
NOT_STARTED = Mark("○", "Not started", Tone.AHEAD)
AT_THE_DOOR = Mark("○", "Waiting to enter", Tone.AHEAD)


def _over(word: str) -> Mark:
    return Mark("■", word, Tone.OVER)


RUN = {
    PipelineStatus.IN_PROGRESS: IN_PROGRESS,
    PipelineStatus.STOPPING: _over("Stopping"),
    PipelineStatus.STOPPED: _over("Stopped"),
    PipelineStatus.SUCCEEDED: SUCCEEDED,
    PipelineStatus.SUPERSEDED: _over("Superseded"),
    PipelineStatus.FAILED: FAILED,
    PipelineStatus.CANCELLED: _over("Cancelled"),
}
STAGE = {
    StageStatus.IN_PROGRESS: IN_PROGRESS,
    StageStatus.STOPPING: _over("Stopping"),
    StageStatus.STOPPED: _over("Stopped"),
    StageStatus.SUCCEEDED: SUCCEEDED,
    StageStatus.FAILED: FAILED,
    StageStatus.CANCELLED: _over("Cancelled"),
    StageStatus.SKIPPED: _over("Skipped"),
}
ACTION = {
    ActionStatus.IN_PROGRESS: IN_PROGRESS,
    ActionStatus.SUCCEEDED: SUCCEEDED,
    ActionStatus.FAILED: FAILED,
    ActionStatus.ABANDONED: _over("Abandoned"),
}
