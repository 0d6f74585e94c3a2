"""The table: from the name of an operation to the function that does it."""

from collections.abc import Callable, Mapping
from typing import Final

from pipelinekit.operations import attempts, executions, pipelines, stages, state
from pipelinekit.operations.reading import Answer, Given
from pipelinekit.ports.control import Control

Operation = Callable[[Control, Given], Answer]

OPERATIONS: Final[Mapping[str, Operation]] = {
    "CreatePipeline": pipelines.create,
    "DeletePipeline": pipelines.delete,
    "DisableStageTransition": stages.disable,
    "EnableStageTransition": stages.enable,
    "GetPipeline": pipelines.get,
    "GetPipelineExecution": executions.get,
    "GetPipelineState": state.get,
    "ListActionExecutions": attempts.list_actions,
    "ListDeployActionExecutionTargets": attempts.list_targets,
    "ListPipelineExecutions": executions.list_all,
    "ListPipelines": pipelines.list_all,
    "ListRuleExecutions": attempts.list_rules,
    "OverrideStageCondition": stages.override,
    "PutActionRevision": stages.put_revision,
    "PutApprovalResult": stages.approve,
    "RetryStageExecution": stages.retry,
    "RollbackStage": stages.rollback,
    "StartPipelineExecution": executions.start,
    "StopPipelineExecution": executions.stop,
    "UpdatePipeline": pipelines.update,
}
