"""The table: from the name of an operation to the function that does it."""

from collections.abc import Callable, Mapping
from typing import Final

from pipelinekit.operations import (
    actiontypes,
    attempts,
    executions,
    jobs,
    pipelines,
    registration,
    stages,
    state,
    tags,
    third_party,
    webhooks,
)
from pipelinekit.operations.reading import Answer, Given
from pipelinekit.ports.control import Control

Operation = Callable[[Control, Given], Answer]

OPERATIONS: Final[Mapping[str, Operation]] = {
    "AcknowledgeJob": jobs.acknowledge,
    "AcknowledgeThirdPartyJob": third_party.job,
    "CreateCustomActionType": actiontypes.create,
    "CreatePipeline": pipelines.create,
    "DeleteCustomActionType": actiontypes.delete,
    "DeletePipeline": pipelines.delete,
    "DeleteWebhook": webhooks.delete,
    "DeregisterWebhookWithThirdParty": registration.deregister,
    "DisableStageTransition": stages.disable,
    "EnableStageTransition": stages.enable,
    "GetActionType": third_party.get_type,
    "GetJobDetails": jobs.details,
    "GetPipeline": pipelines.get,
    "GetPipelineExecution": executions.get,
    "GetPipelineState": state.get,
    "GetThirdPartyJobDetails": third_party.job,
    "ListActionExecutions": attempts.list_actions,
    "ListActionTypes": actiontypes.list_all,
    "ListDeployActionExecutionTargets": attempts.list_targets,
    "ListPipelineExecutions": executions.list_all,
    "ListPipelines": pipelines.list_all,
    "ListRuleExecutions": attempts.list_rules,
    "ListRuleTypes": actiontypes.list_rules,
    "ListTagsForResource": tags.list_all,
    "ListWebhooks": webhooks.list_all,
    "OverrideStageCondition": stages.override,
    "PollForJobs": jobs.poll,
    "PollForThirdPartyJobs": third_party.poll,
    "PutActionRevision": stages.put_revision,
    "PutApprovalResult": stages.approve,
    "PutJobFailureResult": jobs.fail,
    "PutJobSuccessResult": jobs.succeed,
    "PutThirdPartyJobFailureResult": third_party.job,
    "PutThirdPartyJobSuccessResult": third_party.job,
    "PutWebhook": webhooks.put,
    "RegisterWebhookWithThirdParty": registration.register,
    "RetryStageExecution": stages.retry,
    "RollbackStage": stages.rollback,
    "StartPipelineExecution": executions.start,
    "StopPipelineExecution": executions.stop,
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
    "UpdateActionType": third_party.update_type,
    "UpdatePipeline": pipelines.update,
}

OF_THE_STORE: Final = frozenset(
    {
        "GetPipeline",
        "GetPipelineExecution",
        "GetPipelineState",
        "ListActionExecutions",
        "ListPipelineExecutions",
        "ListPipelines",
        "ListRuleExecutions",
        "ListTagsForResource",
    }
)
"""Operations whose answers depend on the request and on what is in the store alone."""

SLOW: Final = frozenset(
    {
        "DeregisterWebhookWithThirdParty",
        "GetJobDetails",
        "PollForJobs",
        "PutJobFailureResult",
        "PutJobSuccessResult",
        "RegisterWebhookWithThirdParty",
    }
)
"""Operations that read and write artifacts or ask others, which may take seconds."""
