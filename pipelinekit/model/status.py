"""How executions, stages, actions and approvals stand, in AWS's words."""

from enum import StrEnum


class PipelineStatus(StrEnum):
    """Where an execution of a pipeline stands."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class StageStatus(StrEnum):
    """Where an execution stands inside one stage."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"


class ActionStatus(StrEnum):
    """Where one attempt of an action stands."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ABANDONED = "Abandoned"


class TriggerType(StrEnum):
    """What started an execution."""

    CREATE_PIPELINE = "CreatePipeline"
    START_PIPELINE_EXECUTION = "StartPipelineExecution"
    POLL_FOR_SOURCE_CHANGES = "PollForSourceChanges"
    WEBHOOK = "Webhook"
    CLOUD_WATCH_EVENT = "CloudWatchEvent"
    PUT_ACTION_REVISION = "PutActionRevision"
    WEBHOOK_V2 = "WebhookV2"
    MANUAL_ROLLBACK = "ManualRollback"
    AUTOMATED_ROLLBACK = "AutomatedRollback"


class ExecutionType(StrEnum):
    """Whether an execution runs the pipeline, or puts one stage back to what it was."""

    STANDARD = "STANDARD"
    ROLLBACK = "ROLLBACK"


class Phase(StrEnum):
    """What an execution does inside a stage."""

    ENTRY = "Entry"
    ACTIONS = "Actions"
    SUCCESS = "Success"
    FAILURE = "Failure"


class RetryTrigger(StrEnum):
    """What made a stage run again."""

    AUTOMATED = "AutomatedStageRetry"
    MANUAL = "ManualStageRetry"


class ApprovalStatus(StrEnum):
    """What a reviewer decided."""

    APPROVED = "Approved"
    REJECTED = "Rejected"
