"""What a store keeps of pipelines: the kinds of its rows."""

from pipelinekit.model.account import CustomType, Tags, Webhook
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    OutputVariables,
    PipelineExecution,
    PipelineRecord,
    Produced,
    StageExecution,
    StageState,
    StartToken,
)
from pipelinekit.model.job import WorkerJob

Row = (
    PipelineRecord
    | Definition
    | StageState
    | PipelineExecution
    | StageExecution
    | ActionExecution
    | Produced
    | OutputVariables
    | ConditionExecution
    | RuleExecution
    | StartToken
    | WorkerJob
    | CustomType
    | Webhook
    | Tags
)
