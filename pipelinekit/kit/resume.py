"""Has notebooks that failed go on from where they failed."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pipelinekit.kit.home import Home
from pipelinekit.model.errors import PipelineKitError, StageNotRetryable
from pipelinekit.model.execution import ActionExecution
from pipelinekit.tools.notebooks.shelf import find, leave


def resumable(home: Home, attempts: Iterable[ActionExecution]) -> bool:
    """Tell whether some of the attempts have left a notebook to go on with."""
    return any(find(home.cache, (row.execution, row.stage, row.action)) for row in attempts)


@contextmanager
def resuming(home: Home, execution: str, stage: str, actions: Sequence[str]) -> Iterator[None]:
    """Have the next attempts of actions go on with what their notebooks left, if one is asked for.

    Args:
        home: Of the project.
        execution: The id of the execution.
        stage: That failed.
        actions: Those of it that failed.

    Raises:
        StageNotRetryable: None of them has left a notebook.
    """
    keys = [(execution, stage, action) for action in actions]
    there = {key: left for key in keys if (left := find(home.cache, key))}
    if not there:
        raise StageNotRetryable(
            f"execution {execution} was to go on from a cell that failed, and no notebook of the "
            f"stage {stage} has left one; retry the stage instead"
        )
    for key, left in there.items():
        leave(home.cache, key, left._replace(asked=True))
    try:
        yield
    except PipelineKitError:
        for key, left in there.items():
            leave(home.cache, key, left)
        raise
