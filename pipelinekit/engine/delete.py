"""How a pipeline is deleted. Source: codepipeline.md 3.14."""

from pipelinekit.engine.draft import Draft
from pipelinekit.model.command import Halt
from pipelinekit.model.event import Deleted
from pipelinekit.model.execution import PipelineRecord


def delete(draft: Draft, event: Deleted) -> None:
    """Drop a pipeline with all that is known of it; a name that nobody bears is no fault.

    What runs for it here is ended (CHOICE: AWS leaves a provider's work alone; here nobody would
    ever see its end).
    """
    if draft.get(PipelineRecord, event.pipeline) is None:
        return
    for attempt in draft.under_way():
        draft.command(Halt(attempt.id))
    draft.deleted = True
    draft.answer = event.pipeline
