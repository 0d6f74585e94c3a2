"""What a store keeps of pipelines: the kinds of its rows."""

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
)
