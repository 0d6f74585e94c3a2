"""The jobs by which workers elsewhere carry out actions of custom types."""

from datetime import datetime
from enum import StrEnum

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.noun import Noun


class JobStatus(StrEnum):
    """Where a job stands."""

    DISPATCHED = "Dispatched"
    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class WorkerJob(Noun):
    """One job of an action execution; a continuation token begins the next one.

    Attributes:
        action_execution: The attempt of the action that it belongs to.
        nonce: What the worker that took it last acknowledges it with.
        offered: When it was last handed out, UTC.
    """

    id: str
    pipeline: str
    execution: str
    stage: str
    action: str
    action_execution: str
    type: ActionTypeId
    nonce: str
    offered: datetime
    status: JobStatus = JobStatus.DISPATCHED

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.execution, self.id)
