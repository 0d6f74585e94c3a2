"""What there is to see of a pipeline or a run, read once for all ways of showing it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pipelinekit.engine.review import FREEZE
from pipelinekit.model.action import Action
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.condition import ConditionType, Result, Rule
from pipelinekit.model.execution import (
    ActionExecution,
    PipelineExecution,
    StageExecution,
    Transition,
)
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, StageStatus
from pipelinekit.wire.words import FAILED, FROZEN, IN_PROGRESS, WAITING, Mark

BUSY = frozenset({StageStatus.IN_PROGRESS, StageStatus.STOPPING})


class Rival(Noun):
    """Another execution of the same pipeline."""

    id: str
    number: int


class Queue(Noun):
    """That an execution waits in front of a stage, and whom it waits for.

    Attributes:
        holder: The execution that is in the stage; None when nobody is.
        asks: Whether the holder waits for an approval, and for nothing else.
        ahead: The executions that wait too and go first.
        stale: Whether it waited too long and will not enter.
    """

    since: datetime
    holder: Rival | None = None
    asks: bool = False
    ahead: tuple[Rival, ...] = ()
    stale: bool = False


class Switch(Noun):
    """A disabled transition on the way into a stage.

    Attributes:
        leaving: The stage before it, where its way out is disabled; None for the way in.
    """

    transition: Transition
    leaving: str | None = None


class RuleFacts(Noun):
    """A rule of a condition, and its latest attempt where there is one."""

    rule: Rule
    mark: Mark
    attempt: RuleExecution | None
    seconds: float | None = None


class ConditionFacts(Noun):
    """A condition of a stage that was checked.

    Attributes:
        result: What its failure does.
    """

    place: ConditionType
    result: Result
    mark: Mark
    check: ConditionExecution
    rules: tuple[RuleFacts, ...]


class ActionFacts(Noun):
    """An action, and its latest attempt where a run is shown.

    Attributes:
        stage: The stage's name.
        mark: How it stands; None when no run is shown.
        seconds: How long it took, or has taken until now.
        log: The file of its log; it may not be there yet.
    """

    stage: str
    action: Action
    mark: Mark | None = None
    attempt: ActionExecution | None = None
    seconds: float | None = None
    log: Path | None = None

    @property
    def name(self) -> str:
        """Give the action's name."""
        return self.action.name

    @property
    def status(self) -> ActionStatus | None:
        """Give where it stands; None where it has not begun."""
        return self.attempt.status if self.attempt else None

    @property
    def waits(self) -> bool:
        """Tell whether it waits for somebody's answer."""
        return self.mark is WAITING


class StageFacts(Noun):
    """A stage with its actions by run order; see `ActionFacts`.

    Attributes:
        entered: What became of it; None where the execution has not entered it.
        conditions: Those of its conditions that were checked.
        queue: That the execution waits in front of it.
        switches: The disabled transitions on the way into it.
        behind: Other executions that wait in front of it, in order.
    """

    stage: Stage
    groups: tuple[tuple[ActionFacts, ...], ...]
    mark: Mark | None = None
    seconds: float | None = None
    entered: StageExecution | None = None
    conditions: tuple[ConditionFacts, ...] = ()
    queue: Queue | None = None
    switches: tuple[Switch, ...] = ()
    behind: tuple[Rival, ...] = ()

    @property
    def name(self) -> str:
        """Give the stage's name."""
        return self.stage.name

    @property
    def actions(self) -> Iterator[ActionFacts]:
        """Go through its actions as they are declared."""
        found = {each.name: each for group in self.groups for each in group}
        return (found[action.name] for action in self.stage.actions)

    @property
    def waits_for_people(self) -> bool:
        """Tell whether the queue in front of it moves only when somebody answers or enables."""
        if self.queue is None:
            return False
        return self.queue.asks if self.queue.holder else bool(self.switches)


class RunFacts(Noun):
    """A run as it stood at one moment.

    Attributes:
        mark: How it stands.
        seconds: How long it took, or has taken until now.
        engine: Whether some engine is at work.
        stages: Those of its definition; only the one that is rolled back for a rollback.
        target: The execution that a rollback goes back to.
        overdue: Whether it waits for people, and an engine has to deal with something first, as
            its time is over.
    """

    execution: PipelineExecution
    mark: Mark
    seconds: float
    stages: tuple[StageFacts, ...]
    engine: bool = False
    target: Rival | None = None
    overdue: bool = False

    @property
    def actions(self) -> Iterator[ActionFacts]:
        """Go through the actions of all stages."""
        return (action for stage in self.stages for action in stage.actions)

    @property
    def asked(self) -> list[ActionExecution]:
        """List the approvals that wait for an answer."""
        return [each.attempt for each in self.actions if each.waits and each.attempt]

    @property
    def frozen(self) -> list[RuleFacts | ActionFacts]:
        """List the freezes whose end it waits for."""
        rules = (
            rule
            for stage in self.stages
            for condition in stage.conditions
            for rule in condition.rules
            if rule.rule.type.provider == FREEZE and rule.mark is IN_PROGRESS
            if rule.attempt and rule.attempt.summary  # else it was not looked at yet
        )
        return [*rules, *(each for each in self.actions if each.mark is FROZEN)]

    @property
    def notable(self) -> Iterator[ActionFacts]:
        """Go through the actions that wait for somebody, have failed, or are under way."""
        notable = {WAITING, FROZEN, FAILED, IN_PROGRESS}
        return (each for each in self.actions if each.mark in notable)

    @property
    def waits_for_people(self) -> bool:
        """Tell whether nothing goes on, here or in front of it, until somebody acts."""
        if self.overdue:
            return False
        if any(stage.queue for stage in self.stages):
            return any(stage.waits_for_people for stage in self.stages)
        working = [each for each in self.actions if each.status is ActionStatus.IN_PROGRESS]
        still = all(each.mark in {WAITING, FROZEN} for each in working)
        return still and bool(working or self.frozen)


def planned(stage: Stage) -> StageFacts:
    """Take a stage as it is declared."""
    return StageFacts(
        stage,
        tuple(
            tuple(ActionFacts(stage.name, action) for action in group) for group in stage.groups
        ),
    )
