"""A change of status, as the journal keeps it beside the event that caused it."""

from pipelinekit.model.noun import Noun


class Move(Noun):
    """Something came into being or took on another status.

    Attributes:
        execution: The pipeline execution it belongs to.
        status: The new status.
        stage: The stage; empty for the execution as a whole.
        action: The action; empty for a stage.
        id: The id of the action execution.
        resumed: Whether what had ended goes on.
    """

    execution: str
    status: str
    stage: str = ""
    action: str = ""
    id: str = ""
    resumed: bool = False
