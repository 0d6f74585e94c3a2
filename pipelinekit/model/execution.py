"""What has happened: executions, their stages and actions, as the rows that the store keeps."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import field

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.deploytarget import DeployTarget
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import ExecutionMode, Pipeline
from pipelinekit.model.status import (
    ActionStatus,
    ApprovalStatus,
    ExecutionType,
    Phase,
    PipelineStatus,
    RetryTrigger,
    StageStatus,
    TriggerType,
)
from pipelinekit.model.testreport import TestReport


class Cause(Noun):
    """What started an execution, and who or what that was."""

    type: TriggerType
    detail: str = ""


class Revision(Noun):
    """A version of a source, as its source action found it.

    Attributes:
        id: The full commit id, the object's version, the image's digest.
        summary: The commit message or its like.
        url: Where to look at it.
        change: A further identifier of the change, such as the commit's date.
        created: When the version came into being.
        authors: By which names the author is known, such as the name and the address of mail.
    """

    id: str
    summary: str = ""
    url: str = ""
    change: str = ""
    created: datetime | None = None
    authors: tuple[str, ...] = ()


class ErrorDetails(Noun):
    """Why an action failed."""

    code: str
    message: str


class Stop(Noun):
    """A request to stop an execution."""

    by: str
    reason: str = ""
    abandon: bool = False


class Transition(Noun):
    """The switch in front of a stage, or behind it.

    Attributes:
        by: Who turned it last; empty when nobody ever did.
        at: When that was.
        reason: Why it is disabled.
        since: Since when it is disabled; None when `at` says it.
    """

    enabled: bool = True
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    since: datetime | None = None


class Vote(Noun):
    """An answer to an approval, or the try of one.

    Attributes:
        by: Who answered.
        at: When, UTC.
        status: What was answered.
        summary: The reviewer's comment.
        refused: Why it does not count; empty when it does.
    """

    by: str
    at: datetime
    status: ApprovalStatus
    summary: str = ""
    refused: str = ""


class PipelineRecord(Noun):
    """The pipeline as such: its current definition and how often it ran."""

    name: str
    version: int
    created: datetime
    updated: datetime
    executions: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.name,)


class Definition(Noun):
    """One version of the pipeline's definition."""

    pipeline: str
    version: int
    body: Pipeline
    at: datetime
    by: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (str(self.version),)


class StageState(Noun):
    """A stage between executions: who holds it, who waits in front, who was in it last.

    Attributes:
        good: The last execution that succeeded in it and may be rolled back to.
        inbound: The switch in front of it.
        outbound: The switch behind it.
    """

    pipeline: str
    stage: str
    holder: str | None = None
    latest: str | None = None
    waiting: tuple[str, ...] = ()
    good: str | None = None
    inbound: Transition = Transition()
    outbound: Transition = Transition()

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.stage,)


class PipelineExecution(Noun):
    """One run of the whole pipeline.

    Attributes:
        number: 1 for the pipeline's first execution, counting up.
        version: Of the definition it runs on.
        stage: The stage it is in, or waits in front of, or ended in.
        revisions: What each source action found, by action name.
        told: What a worker had told of revisions when it started this, likewise.
        object_keys: The S3 object that a source takes instead of its own, by action name.
        limits: How many seconds actions of a custom type may take, by the type as text.
        attempts: How often it ran: 1, and 1 more for each retry.
        type: Whether it runs the pipeline, or rolls a stage back.
        target: The execution that a rollback goes back to.
        summary: Why it ended as it did, where there is something to say.
        stale: Whether it waited in front of a stage for so long that it will not enter.
    """

    id: str
    pipeline: str
    number: int
    version: int
    mode: ExecutionMode
    cause: Cause
    started: datetime
    updated: datetime
    stage: str
    status: PipelineStatus = PipelineStatus.IN_PROGRESS
    variables: Mapping[str, str] = field(default_factory=dict)
    revisions: Mapping[str, Revision] = field(default_factory=dict)
    told: Mapping[str, Revision] = field(default_factory=dict)
    object_keys: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    stop: Stop | None = None
    attempts: int = 1
    type: ExecutionType = ExecutionType.STANDARD
    target: str | None = None
    summary: str = ""
    stale: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.id,)

    @property
    def ended(self) -> bool:
        """Tell whether nothing goes on in it."""
        under_way = self.status is PipelineStatus.IN_PROGRESS
        return not under_way and self.status is not PipelineStatus.STOPPING


class StageExecution(Noun):
    """One execution inside one stage.

    Attributes:
        phase: What is under way in it: the check of a condition, or its actions.
        run_order: The group of actions that is under way, or was last.
        running: How many actions, or rules of a condition, are under way.
        failed: How many of them have failed.
        pending: Actions of the group that wait for a place, since few may run side by side.
        retries: How often a person retried it.
        auto_retries: How often it was retried by itself.
        retried: What made it run again last.
    """

    pipeline: str
    execution: str
    stage: str
    started: datetime
    updated: datetime
    status: StageStatus = StageStatus.IN_PROGRESS
    phase: Phase = Phase.ACTIONS
    run_order: int = 0
    running: int = 0
    failed: int = 0
    pending: tuple[str, ...] = ()
    retries: int = 0
    auto_retries: int = 0
    retried: RetryTrigger | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.execution, self.stage)


class Artifact(Noun):
    """A named object of one execution.

    Attributes:
        bucket: The store it lies in.
        object_key: `<pipeline, 20 chars>/<artifact, 10 chars>/<7 chars>`.
        digest: SHA-256 of the object, hexadecimal; empty while it is not written yet.
        size: Bytes.
        revision: The source revision, for the artifact of a source action.
    """

    name: str
    bucket: str
    object_key: str
    digest: str = ""
    size: int = 0
    revision: str = ""


class Produced(Noun):
    """Which object an artifact's name means in one execution."""

    pipeline: str
    execution: str
    artifact: Artifact

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.execution, self.artifact.name)


class OutputVariables(Noun):
    """What a namespace holds in one execution."""

    pipeline: str
    execution: str
    namespace: str
    values: Mapping[str, str]

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.execution, self.namespace)


class ActionExecution(Noun):
    """One attempt of one action.

    Attributes:
        id: Of the attempt; a retry makes a new one.
        attempt: 1, 2, 3 within the execution.
        resolved: The configuration after its variables were put in.
        token: What an approval is answered with.
        deadline: When it fails for want of time.
        by: Who changed it last.
        votes: The answers to an approval, and the tries that were refused, in order.
        place: Where it ran: `here`, `host`, `sandbox`, a container's image, or a service.
        reports: What the tests of a build came to.
        targets: What a deployment did at each of its targets.
        refused: How many answers did not count, of engines that had lost the attempt to others.
    """

    id: str
    pipeline: str
    execution: str
    stage: str
    action: str
    type: ActionTypeId
    version: int
    started: datetime
    updated: datetime
    status: ActionStatus = ActionStatus.IN_PROGRESS
    attempt: int = 1
    resolved: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    deadline: datetime | None = None
    by: str = ""
    votes: tuple[Vote, ...] = ()
    summary: str = ""
    percent: int | None = None
    external_id: str = ""
    external_url: str = ""
    error: ErrorDetails | None = None
    place: str = "here"
    reports: tuple[TestReport, ...] = ()
    targets: tuple[DeployTarget, ...] = ()
    refused: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the latest attempt of the action is found by."""
        return (self.execution, self.stage, self.action)


class StartToken(Noun):
    """A client request token that was used: the same start again gives the same execution."""

    pipeline: str
    token: str
    asked: str
    execution: str
    at: datetime

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.token,)
