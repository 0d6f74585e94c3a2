"""What can happen to a pipeline; time and ids come with the event, so decisions stay pure."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import field

from pipelinekit.model.account import CustomType, Webhook
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.condition import ConditionType, RetryMode
from pipelinekit.model.execution import Artifact, Cause, Revision
from pipelinekit.model.noun import TAG, Noun
from pipelinekit.model.order import Outcome
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.status import ApprovalStatus

MOST_EXECUTIONS = 50
"""How many executions of a QUEUED or PARALLEL pipeline CodePipeline lets be in progress."""


class Occurred(Noun, kw_only=True, tag=True, tag_field=TAG):
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


class Defined(Occurred, kw_only=True):
    """A pipeline was created or updated.

    Attributes:
        unless_same: Whether the definition that is there already is no new version; for
            UpdatePipeline it is one.
        there: Whether the pipeline has to be there already, or must not be; None for either.
        tags: The tags of a new pipeline.
    """

    definition: Pipeline
    unless_same: bool = False
    there: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Started(Occurred, kw_only=True):
    """An execution was asked for; its id is the event's.

    Attributes:
        cause: What started it.
        variables: Values of pipeline variables.
        revisions: Revisions that source actions are to take, by action name.
        told: What else is known of such revisions, likewise.
        object_keys: The S3 object that a source takes instead of its own, by action name.
        token: A client request token, to make the start idempotent.
        limits: How many seconds actions of a custom type may take, by the type as text.
        defined: When the definition was made that the start was looked at with; None where any
            will do.
        most: How many executions of a QUEUED or PARALLEL pipeline may be in progress.
    """

    cause: Cause
    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, str] = field(default_factory=dict)
    object_keys: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    defined: datetime | None = None
    most: int = MOST_EXECUTIONS
    told: Mapping[str, Revision] = field(default_factory=dict)


class Reported(Occurred, kw_only=True):
    """The work of an action, or of a rule, gave an answer.

    Attributes:
        action: The action's name, or the rule's.
        action_execution: The id of the attempt.
        artifacts: The objects it wrote.
        condition: Where the rule stands; None for an action.
    """

    execution: str
    stage: str
    action: str
    action_execution: str
    outcome: Outcome
    artifacts: tuple[Artifact, ...] = ()
    condition: ConditionType | None = None


class Expired(Occurred, kw_only=True):
    """An action's or a rule's time has run out."""

    execution: str
    stage: str
    action: str
    action_execution: str
    condition: ConditionType | None = None


class Progressed(Occurred, kw_only=True):
    """The work of an action told how far it is.

    Attributes:
        action_execution: The id of the attempt.
        percent: How much of it is done, 0 to 100.
        summary: What it does now.
    """

    execution: str
    stage: str
    action: str
    action_execution: str
    percent: int
    summary: str


class AnswerRefused(Occurred, kw_only=True):
    """An engine that no longer held an order had an answer to it, which does not count.

    Attributes:
        action: The action's name, or the rule's.
        action_execution: The id of the attempt.
        fence: Under which the engine had held the order.
        reason: What the store said.
        condition: Where the rule stands; None for an action.
    """

    execution: str
    stage: str
    action: str
    action_execution: str
    fence: int
    reason: str
    condition: ConditionType | None = None


class Answered(Occurred, kw_only=True):
    """A reviewer answered an approval.

    Attributes:
        execution: Whose approval it is; empty when no execution has one with that token.
        token: Of the request that is answered.
        summary: The reviewer's comment, up to 512 characters.
        inputs: Values for what the approval asks to be filled in.
    """

    execution: str
    stage: str
    action: str
    token: str
    status: ApprovalStatus
    summary: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


class StopRequested(Occurred, kw_only=True):
    """Somebody wants an execution to stop; with `abandon` its actions are not waited for."""

    execution: str
    abandon: bool = False
    reason: str = ""


class RetryRequested(Occurred, kw_only=True):
    """Somebody wants a failed or stopped stage to be run again in the same execution."""

    execution: str
    stage: str
    mode: RetryMode
    most: int = MOST_EXECUTIONS


class RollbackRequested(Occurred, kw_only=True):
    """Somebody wants a stage to be what it was in an earlier execution; the new id is the event's.

    Attributes:
        target: The execution that is gone back to.
    """

    stage: str
    target: str


class OverrideRequested(Occurred, kw_only=True):
    """Somebody wants an execution to go on whatever a condition says.

    Attributes:
        reason: Why, up to 512 characters; a freeze is not overridden without one.
    """

    execution: str
    stage: str
    condition: ConditionType
    most: int = MOST_EXECUTIONS
    reason: str = ""


class TransitionChanged(Occurred, kw_only=True):
    """The switch in front of a stage, or behind it, was turned.

    Attributes:
        inbound: Whether it is the one in front.
        enabled: Whether executions may pass from now on.
        reason: Why not, 1 to 300 characters; only when disabled.
    """

    stage: str
    inbound: bool
    enabled: bool
    reason: str = ""


class Deleted(Occurred, kw_only=True):
    """The pipeline is deleted with its definitions, its state and its history."""


class Pruned(Occurred, kw_only=True):
    """The history is to be shortened.

    Attributes:
        executions: Those that are to be forgotten; one that somebody needs by then stays.
    """

    executions: tuple[str, ...]


class JobEvent(Occurred, kw_only=True):
    """What events of a worker's job bear besides.

    Attributes:
        job: Its id.
        action_execution: The attempt of the action that it belongs to.
    """

    job: str
    execution: str
    stage: str
    action: str
    action_execution: str


class JobOffered(JobEvent, kw_only=True):
    """A worker asked for work and is to be given this job; its nonce is the answer."""

    type: ActionTypeId


class JobAcknowledged(JobEvent, kw_only=True):
    """A worker says that it goes on with a job; where the job stands is the answer."""

    nonce: str


class JobEnded(JobEvent, kw_only=True):
    """A worker says what came of a job.

    Attributes:
        outcome: `Waiting` where the work goes on in another job.
        artifacts: The objects that it uploaded.
    """

    outcome: Outcome
    artifacts: tuple[Artifact, ...] = ()


class TypeCreated(Occurred, kw_only=True):
    """A custom action type was created."""

    type: CustomType
    tags: Mapping[str, str] = field(default_factory=dict)


class TypeDeleted(Occurred, kw_only=True):
    """A custom action type was deleted."""

    type: ActionTypeId


class WebhookPut(Occurred, kw_only=True):
    """A webhook was created, or changed."""

    webhook: Webhook
    tags: Mapping[str, str] = field(default_factory=dict)


class WebhookDeleted(Occurred, kw_only=True):
    """A webhook was deleted."""

    name: str


class WebhookCalled(Occurred, kw_only=True):
    """Something was delivered to a webhook.

    Attributes:
        error: The code and the message of why it was refused; both empty when it was not.
    """

    name: str
    error: tuple[str, str] = ("", "")


class Tagged(Occurred, kw_only=True):
    """A resource was given tags, or they were taken away.

    Attributes:
        resource: What its ARN ends in.
        values: Tags that it is to have.
        removed: Names of tags that it is not to have.
    """

    resource: str
    values: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


AccountEvent = TypeCreated | TypeDeleted | WebhookPut | WebhookDeleted | WebhookCalled | Tagged
"""What happens to no execution."""

Event = (
    Defined
    | Started
    | Reported
    | Expired
    | Progressed
    | AnswerRefused
    | Answered
    | StopRequested
    | RetryRequested
    | RollbackRequested
    | OverrideRequested
    | TransitionChanged
    | Deleted
    | Pruned
    | JobOffered
    | JobAcknowledged
    | JobEnded
    | AccountEvent
)
