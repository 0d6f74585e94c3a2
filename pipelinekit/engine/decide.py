"""What follows from an event: the one place where a status changes."""

from pipelinekit.engine.account import account
from pipelinekit.engine.approval import answer
from pipelinekit.engine.define import define
from pipelinekit.engine.delete import delete
from pipelinekit.engine.draft import Decision, Draft
from pipelinekit.engine.jobs import job
from pipelinekit.engine.override import override
from pipelinekit.engine.prune import prune
from pipelinekit.engine.report import expire, progress, refuse, report
from pipelinekit.engine.retry import retry
from pipelinekit.engine.rollback import rollback
from pipelinekit.engine.start import start
from pipelinekit.engine.stop import stop
from pipelinekit.engine.transition import turn
from pipelinekit.model.event import (
    Answered,
    AnswerRefused,
    Defined,
    Deleted,
    Event,
    Expired,
    JobAcknowledged,
    JobEnded,
    JobOffered,
    OverrideRequested,
    Progressed,
    Pruned,
    Reported,
    RetryRequested,
    RollbackRequested,
    Started,
    StopRequested,
    TransitionChanged,
)
from pipelinekit.model.state import State


def decide(state: State, event: Event) -> Decision:
    """Tell what follows from an event, changing nothing.

    Args:
        state: The rows of the event's pipeline; of executions at least those that have not
            ended and the one that the event names.
        event: What happened.

    Raises:
        PipelineKitError: The event asks for something that cannot be done; the class says why.
    """
    draft = Draft(state, event)
    _dispatch(draft, event)
    return draft.decision()


def _dispatch(draft: Draft, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - a case for each
    match event:
        case Defined():
            define(draft, event)
        case Started():
            start(draft, event)
        case Reported():
            report(draft, event)
        case Expired():
            expire(draft, event)
        case Progressed():
            progress(draft, event)
        case AnswerRefused():
            refuse(draft, event)
        case Answered():
            answer(draft, event)
        case StopRequested():
            stop(draft, event)
        case RetryRequested():
            retry(draft, event)
        case RollbackRequested():
            rollback(draft, event)
        case OverrideRequested():
            override(draft, event)
        case TransitionChanged():
            turn(draft, event)
        case Deleted():
            delete(draft, event)
        case Pruned():
            prune(draft, event)
        case JobOffered() | JobAcknowledged() | JobEnded():
            job(draft, event)
        case _:
            account(draft, event)


def replay(events: list[Event]) -> State:
    """Build the state anew from the journal's events, in their order."""
    state = State()
    for event in events:
        decision = decide(state, event)
        if decision.deleted:
            state = State()
        state.apply(decision.rows)
        state.forget(decision.forgotten)
    return state
