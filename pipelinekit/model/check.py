"""What became of the conditions of a stage: their checks, and the rules that these consist of."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import field

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.condition import ConditionType, Result
from pipelinekit.model.execution import Artifact, ErrorDetails
from pipelinekit.model.noun import Noun
from pipelinekit.model.status import ActionStatus


class ConditionStatus(StrEnum):
    """Where the condition of a stage stands."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    ABANDONED = "Abandoned"
    OVERRIDDEN = "Overridden"


class ConditionExecution(Noun):
    """The check of a condition of a stage.

    Attributes:
        result: What its failure does.
        attempt: 1, 2, 3 within the execution.
        summary: Which rules failed, or who overrode it.
    """

    pipeline: str
    execution: str
    stage: str
    condition: ConditionType
    result: Result
    started: datetime
    updated: datetime
    status: ConditionStatus = ConditionStatus.IN_PROGRESS
    attempt: int = 1
    summary: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the latest check is found by."""
        return (self.execution, self.stage, self.condition)


class RuleExecution(Noun):
    """One attempt of one rule of a condition; its members are those of an action execution."""

    id: str
    pipeline: str
    execution: str
    stage: str
    condition: ConditionType
    rule: str
    type: ActionTypeId
    version: int
    started: datetime
    updated: datetime
    status: ActionStatus = ActionStatus.IN_PROGRESS
    attempt: int = 1
    resolved: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    deadline: datetime | None = None
    by: str = ""
    summary: str = ""
    external_id: str = ""
    external_url: str = ""
    error: ErrorDetails | None = None
    place: str = "here"

    @property
    def action(self) -> str:
        """Give the rule's name, as what stands where an action has its own."""
        return self.rule

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the latest attempt of the rule is found by."""
        return (self.execution, self.stage, self.condition, self.rule)
