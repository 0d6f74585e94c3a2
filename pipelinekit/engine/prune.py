"""Which executions nobody needs any more."""

from collections.abc import Iterator

from pipelinekit.engine.draft import Draft
from pipelinekit.model.event import Pruned
from pipelinekit.model.execution import PipelineExecution


def prune(draft: Draft, event: Pruned) -> None:
    """Forget executions, but none that has not ended, was the last in a stage, or is gone back to.

    All that are needed are in every state, so what is not in this one can go.
    """
    needed = set(_needed(draft))
    draft.forgotten = tuple(each for each in event.executions if each not in needed)
    draft.answer = str(len(draft.forgotten))


def _needed(draft: Draft) -> Iterator[str | None]:
    last = set()
    for state in draft.stage_states():
        last |= {state.holder, state.latest, state.good, *state.waiting}
    yield from last
    rows = [draft.get(PipelineExecution, each) for each in last if each]
    for row in (*draft.live(), *filter(None, rows)):
        yield row.id
        yield row.target
