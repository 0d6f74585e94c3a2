"""Every legal change of status, as data; diagrams are drawn from it.

Source: codepipeline.md section 4. A status that is missing on the left is final.
"""

from collections.abc import Mapping

from pipelinekit.model.check import ConditionStatus
from pipelinekit.model.status import ActionStatus, PipelineStatus, StageStatus

PIPELINE: Mapping[PipelineStatus, Mapping[PipelineStatus, str]] = {
    PipelineStatus.IN_PROGRESS: {
        PipelineStatus.SUCCEEDED: "its last stage succeeded",
        PipelineStatus.FAILED: "a stage failed, or a condition of it",
        PipelineStatus.SUPERSEDED: "a newer execution came while it waited in front of a stage",
        PipelineStatus.STOPPING: "a stop was requested while it was in a stage",
        PipelineStatus.STOPPED: "a stop was requested while it waited in front of a stage",
        PipelineStatus.CANCELLED: "the pipeline's definition changed",
    },
    PipelineStatus.STOPPING: {
        PipelineStatus.STOPPED: "its actions under way ended or were abandoned",
        PipelineStatus.CANCELLED: "the pipeline's definition changed",
    },
    PipelineStatus.FAILED: {
        PipelineStatus.IN_PROGRESS: "the stage is retried, or its condition overridden",
    },
    PipelineStatus.STOPPED: {PipelineStatus.IN_PROGRESS: "the stage is retried"},
}

STAGE: Mapping[StageStatus, Mapping[StageStatus, str]] = {
    StageStatus.IN_PROGRESS: {
        StageStatus.SUCCEEDED: "all its actions succeeded",
        StageStatus.FAILED: "an action failed and those beside it ended, or a condition failed",
        StageStatus.SKIPPED: "its entry condition failed with the result SKIP",
        StageStatus.STOPPING: "a stop was requested",
        StageStatus.CANCELLED: "the pipeline's definition changed",
    },
    StageStatus.STOPPING: {
        StageStatus.STOPPED: "its actions under way ended or were abandoned",
        StageStatus.CANCELLED: "the pipeline's definition changed",
    },
    StageStatus.FAILED: {
        StageStatus.IN_PROGRESS: "it is retried, or its condition overridden",
    },
    StageStatus.STOPPED: {StageStatus.IN_PROGRESS: "it is retried"},
}

ACTION: Mapping[ActionStatus, Mapping[ActionStatus, str]] = {
    ActionStatus.IN_PROGRESS: {
        ActionStatus.SUCCEEDED: "its work succeeded, or it was approved",
        ActionStatus.FAILED: "its work failed, it was rejected, or its time ran out",
        ActionStatus.ABANDONED: "the execution was stopped with abandon, or cancelled",
    },
}

CONDITION: Mapping[ConditionStatus, Mapping[ConditionStatus, str]] = {
    ConditionStatus.IN_PROGRESS: {
        ConditionStatus.SUCCEEDED: "all its rules succeeded",
        ConditionStatus.FAILED: "a rule failed",
        ConditionStatus.OVERRIDDEN: "somebody overrode it",
        ConditionStatus.ABANDONED: "the execution was stopped",
        ConditionStatus.CANCELLED: "the pipeline's definition changed",
    },
    ConditionStatus.FAILED: {ConditionStatus.OVERRIDDEN: "somebody overrode it"},
}

Status = PipelineStatus | StageStatus | ActionStatus | ConditionStatus


def legal(before: Status, after: Status) -> bool:
    """Tell whether a row of one status may take on another of the same kind."""
    if before is after:
        return True
    match before:
        case PipelineStatus():
            return after in PIPELINE.get(before, {})
        case StageStatus():
            return after in STAGE.get(before, {})
        case ActionStatus():
            return after in ACTION.get(before, {})
        case ConditionStatus():
            return after in CONDITION.get(before, {})
