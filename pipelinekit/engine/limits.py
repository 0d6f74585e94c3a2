"""How many executions of a pipeline may be in progress. Source: codepipeline.md 3.1 and 3.4."""

from pipelinekit.engine.draft import Draft
from pipelinekit.model.errors import ConcurrentExecutionsLimitExceeded
from pipelinekit.model.pipeline import ExecutionMode


def too_many(draft: Draft, mode: ExecutionMode, most: int) -> bool:
    """Tell whether one more execution would be more than its mode allows."""
    return mode is not ExecutionMode.SUPERSEDED and draft.has_live(most)


def refuse_too_many(draft: Draft, mode: ExecutionMode, most: int) -> None:
    """Refuse one more execution where its mode allows no more.

    Raises:
        ConcurrentExecutionsLimitExceeded: As many as may be are in progress.
    """
    if too_many(draft, mode, most):
        raise ConcurrentExecutionsLimitExceeded(
            f"another execution of {draft.event.pipeline} was to go on, but {most} are in "
            f"progress and a {mode} pipeline may have no more; wait until one ends, or stop one"
        )
