"""What can happen to a pipeline; time and ids come with the event, so decisions stay pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipelinekit.model.condition import RetryMode
from pipelinekit.model.execution import ApprovalStatus, Artifact, Cause
from pipelinekit.model.order import Outcome
from pipelinekit.model.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurred:
    """What all events bear.

    Attributes:
        id: A UUID; ids of whatever the event brings into being are derived from it.
        pipeline: The pipeline's name.
        at: When it happened, UTC.
        by: Who or what caused it.
    """

    id: str
    pipeline: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined(Occurred):
    """A pipeline was created or updated.

    Attributes:
        unless_same: Whether the definition that is there already is no new version; for
            UpdatePipeline it is one.
    """

    definition: Pipeline
    unless_same: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Occurred):
    """An execution was asked for; its id is the event's.

    Attributes:
        cause: What started it.
        variables: Values of pipeline variables.
        revisions: Revisions that source actions are to take, by action name.
        token: A client request token, to make the start idempotent.
        limits: How many seconds actions of a custom type may take, by the type as text.
    """

    cause: Cause
    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported(Occurred):
    """The work of an action gave an answer.

    Attributes:
        action_execution: The id of the attempt.
        artifacts: The objects it wrote.
    """

    execution: str
    stage: str
    action: str
    action_execution: str
    outcome: Outcome
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Occurred):
    """An action's time has run out."""

    execution: str
    stage: str
    action: str
    action_execution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Occurred):
    """A reviewer answered an approval.

    Attributes:
        execution: Whose approval it is; empty when no execution has one with that token.
        token: Of the request that is answered.
        summary: The reviewer's comment, up to 512 characters.
    """

    execution: str
    stage: str
    action: str
    token: str
    status: ApprovalStatus
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested(Occurred):
    """Somebody wants an execution to stop; with `abandon` its actions are not waited for."""

    execution: str
    abandon: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequested(Occurred):
    """Somebody wants a failed or stopped stage to be run again in the same execution."""

    execution: str
    stage: str
    mode: RetryMode


Event = Defined | Started | Reported | Expired | Answered | StopRequested | RetryRequested
