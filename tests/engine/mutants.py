"""Engines that are wrong on purpose: a judge who lets one of them pass proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from pipelinekit.engine import (
    advance,
    approval,
    begin,
    conditions,
    decide,
    define,
    inputs,
    limits,
    modes,
    report,
    restore,
    retry,
    review,
    rollback,
    start,
    stop,
    transition,
)
from pipelinekit.engine.draft import Decision, Draft
from pipelinekit.model.action import Action
from pipelinekit.model.command import Halt
from pipelinekit.model.condition import ConditionType, RetryMode
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageExecution
from pipelinekit.model.pipeline import ExecutionMode, Stage
from pipelinekit.model.status import Phase, PipelineStatus, StageStatus

Function = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """A wrong engine.

    Attributes:
        wrong: Makes the wrong function from the right one.
        name: The function's name.
        places: The modules that call it.
    """

    wrong: Callable[[Function], Function]
    name: str
    places: tuple[object, ...]

    def let_loose(self, patch: pytest.MonkeyPatch) -> None:
        """Put it in the place of the engine."""
        right = getattr(self.places[0], self.name)
        wrong = self.wrong(right)
        for place in self.places:
            patch.setattr(place, self.name, wrong)


def _always(*, answer: object = None) -> Callable[[Function], Function]:
    return lambda _: lambda *_, **__: answer


def _no_lock(right: Function) -> Function:
    def call_in(draft: Draft, stage: str) -> list[PipelineExecution]:
        draft.put(replace(draft.stage_state(stage), holder=None))
        return list(right(draft, stage))

    return call_in


def _last_first(right: Function) -> Function:
    def call_in(draft: Draft, stage: str) -> list[PipelineExecution]:
        state = draft.stage_state(stage)
        draft.put(replace(state, waiting=state.waiting[::-1]))
        return list(right(draft, stage))

    return call_in


def _supersedes_inside(right: Function) -> Function:
    def admit(draft: Draft, execution: PipelineExecution, stage: str) -> list[PipelineExecution]:
        holder = draft.stage_state(stage).holder
        if holder and execution.mode is ExecutionMode.SUPERSEDED:
            gone = PipelineStatus.SUPERSEDED
            draft.put(replace(draft.execution(holder), status=gone))
        return list(right(draft, execution, stage))

    return admit


def _new_execution(right: Function) -> Function:
    def resume(
        draft: Draft, row: StageExecution, stage: Stage, actions: tuple[Action, ...]
    ) -> None:
        again = draft.derive("another")
        draft.put(
            replace(draft.execution(row.execution), id=again, status=PipelineStatus.IN_PROGRESS)
        )
        draft.put(replace(row, execution=again, status=StageStatus.IN_PROGRESS))
        right(draft, replace(row, execution=again), stage, actions)

    return resume


def _checks_first(right: Function) -> Function:
    def arrive(draft: Draft, execution: PipelineExecution, stage: Stage) -> None:
        right(draft, execution, stage)
        if stage.before_entry and not modes.inside(draft, draft.execution(execution.id)):
            at = draft.at
            draft.put(StageExecution("shop", execution.id, stage.name, at, at, phase=Phase.ENTRY))
            place, condition = ConditionType.BEFORE_ENTRY, stage.before_entry[0]
            conditions.begin_check(draft, execution.id, stage, place, condition)

    return arrive


def _kills_siblings(right: Function) -> Function:
    def settle(draft: Draft, execution: str, stage: Stage) -> None:
        if draft.stage_execution(execution, stage.name).failed:
            stop._abandon(draft, draft.execution(execution), stage, approvals_only=False)  # noqa: SLF001 - it is the engine that is broken
        right(draft, execution, stage)

    return settle


def _whole_group(_: Function) -> Function:
    def reruns(draft: Draft, row: StageExecution, stage: Stage, mode: object) -> object:
        del draft, row, mode
        return stage.groups[0]

    return reruns


def _one_more(right: Function) -> Function:
    def close(
        draft: Draft, row: StageExecution, stage: StageStatus, status: PipelineStatus
    ) -> None:
        execution = draft.execution(row.execution)
        if status is PipelineStatus.STOPPED and not row.running:
            declared = draft.stage(execution, row.stage)
            begin.begin(draft, execution, row.stage, declared.groups[-1][0])
        right(draft, row, stage, status)

    return close


def _twice(right: Function) -> Function:
    def resolve(text: str, lookup: Function) -> object:
        return right(right(text, lookup)[0], lookup)

    return resolve


def _no_revisions(right: Function) -> Function:
    def restored(draft: Draft, *told: object) -> PipelineExecution:
        execution: PipelineExecution = replace(right(draft, *told), revisions={})
        draft.put(execution)
        return execution

    return restored


def _retries_on(right: Function) -> Function:
    def failed(draft: Draft, row: StageExecution, stage: Stage) -> None:
        few = draft.execution(row.execution).attempts < 4
        right(draft, replace(row, auto_retries=0) if few else row, stage)

    return failed


def _more(right: Function) -> Function:
    def too_many(draft: Draft, mode: ExecutionMode, most: int) -> bool:
        return bool(right(draft, mode, most + 1))

    return too_many


def _unchecked(place: ConditionType) -> Callable[[Function], Function]:
    def wrong(right: Function) -> Function:
        def condition_of(stage: Stage, asked: ConditionType) -> object:
            return None if asked is place else right(stage, asked)

        return condition_of

    return wrong


def _takes_all(right: Function) -> Function:
    def under_way(draft: Draft, event: Any) -> object:
        row = draft.get(ActionExecution, event.execution, event.stage, event.action)
        return right(draft, event) if row is None else row

    return under_way


def _forgetful(right: Function) -> Function:
    def decision(draft: Draft) -> Decision:
        draft._past.clear()  # noqa: SLF001 - it is the engine that is broken
        decided: Decision = right(draft)
        return decided

    return decision


def _mute(right: Function) -> Function:
    def expire(draft: Draft, event: object) -> None:
        right(draft, event)
        draft._commands[:] = [c for c in draft._commands if not isinstance(c, Halt)]  # noqa: SLF001 - it is the engine that is broken

    return expire


def _hasty(right: Function) -> Function:
    def put(draft: Draft, row: Any) -> None:
        right(draft, row)
        draft._state.apply([row])  # noqa: SLF001 - it is the engine that is broken

    return put


def _gives_up(_: Function) -> Function:
    def retry_by_itself(draft: Draft, row: StageExecution, stage: Stage, mode: RetryMode) -> None:
        del mode
        advance._fail(draft, row, stage)  # noqa: SLF001 - it is the engine that is broken

    return retry_by_itself


def _nothing(_: Function) -> Function:
    def own(*_: object) -> Iterator[tuple[str, str]]:
        return iter(())

    return own


def _oldest(right: Function) -> Function:
    def newest(draft: Draft, state: Any, execution: PipelineExecution) -> tuple[str, ...]:
        if not state.waiting:
            return tuple(right(draft, state, execution))
        winner = draft.execution(state.waiting[0])
        modes._supersede(draft, execution, winner)  # noqa: SLF001 - it is the engine that is broken
        return (winner.id,)

    return newest


MUTANTS: Mapping[str, Mutant] = {
    "there is no lock of a stage": Mutant(_no_lock, "call_in", (modes, advance)),
    "the last in a line enters first": Mutant(_last_first, "call_in", (modes, advance)),
    "who is inside is superseded": Mutant(_supersedes_inside, "admit", (advance,)),
    "the older one supersedes": Mutant(_oldest, "_newest", (modes,)),
    "a retry makes an execution": Mutant(_new_execution, "resume", (retry,)),
    "the entry is checked before the lock": Mutant(_checks_first, "arrive", (advance, start)),
    "a rollback goes to a failed stage": Mutant(_always(), "_unsuccessful", (restore,)),
    "a rollback goes to an old version": Mutant(_always(), "unfit", (restore, rollback)),
    "a rollback takes no revisions": Mutant(_no_revisions, "restored", (restore, rollback)),
    "a failure kills its siblings": Mutant(_kills_siblings, "settle", (report,)),
    "an approval is decided twice": Mutant(_always(), "_refuse", (approval,)),
    "one approval is enough": Mutant(_always(answer=True), "is_decided", (approval,)),
    "everybody may approve": Mutant(_always(), "objection", (approval,)),
    "what is one's own may be approved": Mutant(_nothing, "_own", (review,)),
    "a retry runs what succeeded": Mutant(_whole_group, "reruns", (retry,)),
    "a disabled transition is open": Mutant(_always(answer=True), "is_open", (modes,)),
    "who waited for 30 days is let in": Mutant(_always(answer=False), "is_stale", (transition,)),
    "nobody is let in": Mutant(_always(), "let_in", (advance, transition, define)),
    "a stop starts something": Mutant(_one_more, "_close", (advance,)),
    "variables are put in twice": Mutant(_twice, "resolve", (inputs,)),
    "what is missing is no problem": Mutant(_always(), "problem", (begin, conditions)),
    "an old artifact is taken again": Mutant(_always(), "forget", (begin,)),
    "a stage retries itself again": Mutant(_retries_on, "_actions_failed", (advance,)),
    "a token is of no account": Mutant(_always(answer=False), "_asked_before", (start,)),
    "one more is let in than may be": Mutant(_more, "too_many", (limits, start)),
    "more run side by side": Mutant(lambda _: 7, "SIDE_BY_SIDE", (advance,)),  # type: ignore[arg-type,return-value]  # a number
    "the entry is not checked": Mutant(
        _unchecked(ConditionType.BEFORE_ENTRY), "condition_of", (advance,)
    ),
    "the success is not checked": Mutant(
        _unchecked(ConditionType.ON_SUCCESS), "condition_of", (advance,)
    ),
    "a late report counts": Mutant(_takes_all, "_under_way", (report,)),
    "an earlier attempt is forgotten": Mutant(_forgetful, "decision", (Draft,)),
    "what timed out goes on": Mutant(_mute, "expire", (decide,)),
    "an old definition goes on": Mutant(_always(answer=False), "is_outdated", (advance,)),
    "a failure is not rolled back": Mutant(_always(), "automatic", (advance,)),
    "no stage retries itself": Mutant(_gives_up, "_retry_by_itself", (advance,)),
    "abandoned work goes on": Mutant(_always(), "give_up", (stop,)),
    "what an old definition runs goes on": Mutant(_always(), "_cancel_inside", (define,)),
    "who is stopped still waits": Mutant(_always(), "withdraw", (stop, define)),
    "a stage stays locked": Mutant(_always(), "unlock", (advance,)),
    "a decision is written before it is made": Mutant(_hasty, "put", (Draft,)),
}
