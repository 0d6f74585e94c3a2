"""Reads how a run stands, into the facts that every face shows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from msgspec import structs

from pipelinekit.engine.conditions import condition_of
from pipelinekit.engine.review import asks
from pipelinekit.kit.facts import (
    BUSY,
    ActionFacts,
    ConditionFacts,
    Queue,
    Rival,
    RuleFacts,
    RunFacts,
    StageFacts,
    Switch,
)
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action
from pipelinekit.model.check import ConditionExecution, ConditionStatus, RuleExecution
from pipelinekit.model.condition import ConditionType, Rule
from pipelinekit.model.execution import ActionExecution, StageExecution, StageState
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, ExecutionType, PipelineStatus, StageStatus
from pipelinekit.wire.words import (
    AT_THE_DOOR,
    FROZEN,
    IN_PROGRESS,
    MARKS,
    NOT_STARTED,
    WAITING,
    Mark,
    Tone,
)

OVERRIDDEN = Mark("■", "Overridden", Tone.OVER)

Groups = tuple[tuple[ActionFacts, ...], ...]


def observed(run: Run, present: datetime) -> RunFacts:
    """Read how a run stands.

    Args:
        run: The run.
        present: Until when things under way have taken, UTC.
    """
    return _Reading(run, present).facts()


class _Reading:
    def __init__(self, run: Run, present: datetime) -> None:
        self._run = run
        self._present = present
        self._execution = run.execution
        # Actions first: whatever happens between the two, no action is seen without its stage.
        self._actions = {(row.stage, row.action): row for row in run.actions}
        self._rules = {(row.stage, row.condition, row.rule): row for row in run.rules}
        self._checks = {(row.stage, row.condition): row for row in run.conditions}
        self._entered = {row.stage: row for row in run.stages}
        self._states = {row.stage: row for row in run.stage_states}
        # What is between the stages now is of no interest to a run that others have overtaken.
        state = self._states.get(self._execution.stage)
        latest = state is not None and state.latest == run.id
        self._current = latest or not self._execution.ended
        crowded = any(row.waiting or row.holder for row in self._states.values())
        self._live = self._rivals() if self._current and crowded else {}

    def facts(self) -> RunFacts:
        execution = self._execution
        stages = tuple(self._stages())
        end = execution.updated if execution.ended else self._present
        facts = RunFacts(
            execution=execution,
            mark=self._mark(stages),
            seconds=_seconds(execution.started, end),
            stages=stages,
            engine=self._run.engine_alive(),
            target=self._target(),
        )
        late = facts.waits_for_people and self._run.overdue(self._present)
        return structs.replace(facts, overdue=True) if late else facts

    def _mark(self, stages: tuple[StageFacts, ...]) -> Mark:
        if self._execution.status is not PipelineStatus.IN_PROGRESS:
            return MARKS[self._execution.status]
        queues = [stage.queue for stage in stages if stage.queue]
        if queues:
            return WAITING if queues[0].asks else AT_THE_DOOR
        found = [stage.mark for stage in stages if stage.mark in {WAITING, FROZEN}]
        return found[0] if found else IN_PROGRESS

    def _rivals(self) -> dict[str, Rival]:
        rows = self._run.under_way
        return {row.id: Rival(row.id, row.number) for row in rows if row.id != self._run.id}

    def _target(self) -> Rival | None:
        target = self._execution.target
        return Rival(target, self._run.other(target).execution.number) if target else None

    # -------------------------------------------------------------- the stages

    def _stages(self) -> Iterator[StageFacts]:
        before: str | None = None
        rollback = self._execution.type is ExecutionType.ROLLBACK
        for stage in self._run.definition.stages:
            if not rollback:
                yield self._stage(stage, before)
            elif stage.name == self._execution.stage:  # its entry and its failure are not checked
                yield self._stage(replace(stage, before_entry=(), on_failure=None), before)
            before = stage.name

    def _stage(self, stage: Stage, before: str | None) -> StageFacts:
        row = self._entered.get(stage.name)
        skipped = row is not None and row.status is StageStatus.SKIPPED
        unbegun = MARKS[StageStatus.SKIPPED] if skipped else NOT_STARTED
        groups = tuple(
            tuple(self._action(stage.name, action, unbegun) for action in group)
            for group in stage.groups
        )
        state = self._states.get(stage.name)
        return StageFacts(
            stage=stage,
            groups=groups,
            mark=self._stage_mark(stage, row, groups),
            seconds=None if row is None else self._took(row, busy=row.status in BUSY),
            entered=row,
            conditions=tuple(self._conditions(stage)),
            queue=self._queue(state) if row is None and state else None,
            switches=tuple(self._switches(stage, before)) if self._current else (),
            behind=self._known(state.waiting) if state else (),
        )

    def _stage_mark(self, stage: Stage, row: StageExecution | None, groups: Groups) -> Mark:
        if row is None:
            ahead = not self._execution.ended and self._execution.stage == stage.name
            return AT_THE_DOOR if ahead else NOT_STARTED
        found = {action.mark for group in groups for action in group}
        asking = [mark for mark in (WAITING, FROZEN) if mark in found]
        if row.status is StageStatus.IN_PROGRESS and asking:
            return IN_PROGRESS if IN_PROGRESS in found else asking[0]
        return MARKS[row.status]

    def _queue(self, state: StageState) -> Queue | None:
        if self._execution.ended or self._run.id not in state.waiting:
            return None
        since = self._execution.updated
        ahead = self._known(state.waiting[: state.waiting.index(self._run.id)])
        holder = self._live.get(state.holder or "")
        asks = holder is not None and self._asks(self._run.other(holder.id))
        return Queue(since, holder, asks, ahead, self._execution.stale)

    def _asks(self, holder: Run) -> bool:
        rows = [row for row in holder.actions if row.status is ActionStatus.IN_PROGRESS]
        return bool(rows) and all(asks(row.type) for row in rows)

    def _switches(self, stage: Stage, before: str | None) -> Iterator[Switch]:
        state, earlier = self._states.get(stage.name), self._states.get(before or "")
        if earlier is not None and not earlier.outbound.enabled:
            yield Switch(earlier.outbound, before)
        if state is not None and not state.inbound.enabled:
            yield Switch(state.inbound)

    def _known(self, ids: tuple[str, ...]) -> tuple[Rival, ...]:
        return tuple(self._live[each] for each in ids if each in self._live)

    # -------------------------------------------------------------- conditions and actions

    def _conditions(self, stage: Stage) -> Iterator[ConditionFacts]:
        for place in ConditionType:
            check, declared = self._checks.get((stage.name, place)), condition_of(stage, place)
            if check is not None and declared is not None:
                mark = _check_mark(check)
                rules = tuple(self._rule(check, rule) for rule in declared.rules)
                yield ConditionFacts(place, check.result, mark, check, rules)

    def _rule(self, check: ConditionExecution, rule: Rule) -> RuleFacts:
        row = self._rules.get((check.stage, check.condition, rule.name))
        if row is None:
            return RuleFacts(rule, NOT_STARTED, None)
        busy = row.status is ActionStatus.IN_PROGRESS
        return RuleFacts(rule, MARKS[row.status], row, self._took(row, busy=busy))

    def _action(self, stage: str, action: Action, unbegun: Mark) -> ActionFacts:
        row = self._actions.get((stage, action.name))
        if row is None:
            return ActionFacts(stage, action, unbegun)
        busy = row.status is ActionStatus.IN_PROGRESS
        mark = _asking(row) if busy and row.token else MARKS[row.status]
        seconds = self._took(row, busy=busy)
        return ActionFacts(stage, action, mark, row, seconds, self._run.log_file(row))

    def _took(self, row: StageExecution | ActionExecution | RuleExecution, *, busy: bool) -> float:
        return _seconds(row.started, self._present if busy else row.updated)


def _asking(row: ActionExecution) -> Mark:
    if asks(row.type):
        return WAITING
    return FROZEN if row.summary else IN_PROGRESS  # nothing is told before it was looked at


def _check_mark(check: ConditionExecution) -> Mark:
    return OVERRIDDEN if check.status is ConditionStatus.OVERRIDDEN else MARKS[check.status]


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
