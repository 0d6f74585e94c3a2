"""What a plan consists of: everything that would happen if a pipeline were started now."""

from collections.abc import Iterator
from enum import StrEnum

from pipelinekit.model.action import Category
from pipelinekit.model.condition import ConditionType, Result
from pipelinekit.model.errors import Fault
from pipelinekit.model.execution import Transition
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import ExecutionMode


class Change(StrEnum):
    """What the definition is to the stored one."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"


class PlannedVariable(Noun):
    """A variable of the pipeline.

    Attributes:
        value: What it would be; None where it has no value.
        given: Whether the start gives it, rather than the definition.
    """

    name: str
    value: str | None
    given: bool


class Later(Noun):
    """A reference whose value is not known before the execution.

    Attributes:
        reference: Such as `build.VERSION`.
        writer: The action that will write it, as `stage/action`; empty where none does.
    """

    reference: str
    writer: str


class Setting(Noun):
    """A key of a configuration, or a command, whose key is `$`.

    Attributes:
        text: The value, with what is known put in; `****` for a secret.
        later: What is not known yet.
    """

    key: str
    text: str
    later: tuple[Later, ...] = ()


class PlannedInput(Noun):
    """An artifact that is read, and the action that writes it; empty where none does."""

    artifact: str
    writer: str


class PlannedAction(Noun):
    """An action that would run.

    Attributes:
        limit_seconds: How long it may take.
        revision: The revision or the object that a source is asked to take; empty for the newest.
        does: What actions of its type do, in a sentence; the kit knows.
        place: Where it would run: `here`, `host`, `sandbox`, a container; the kit knows.
        obstacle: Why it cannot run, with what to configure; empty when it can; the kit knows.
    """

    name: str
    type: str
    category: Category
    run_order: int
    settings: tuple[Setting, ...]
    environment: tuple[Setting, ...]
    commands: tuple[Setting, ...]
    inputs: tuple[PlannedInput, ...]
    outputs: tuple[str, ...]
    namespace: str | None
    limit_seconds: float
    revision: str = ""
    does: str = ""
    place: str = ""
    obstacle: str = ""

    def setting(self, key: str) -> str:
        """Give the value of a key of its configuration; empty where it is not given."""
        return next((each.text for each in self.settings if each.key == key), "")


class PlannedRule(Noun):
    """A rule that would be checked.

    Attributes:
        verdict: What it would say now; empty where that is not known; the kit knows.
        blocks: Whether it would hold the execution up now; None where that is not known.
        obstacle: Why it cannot be checked; empty when it can; the kit knows.
    """

    name: str
    type: str
    settings: tuple[Setting, ...]
    commands: tuple[Setting, ...]
    limit_seconds: float
    verdict: str = ""
    blocks: bool | None = None
    obstacle: str = ""


class PlannedCondition(Noun):
    """A condition of a stage; `result` is engaged when one of its rules fails."""

    place: ConditionType
    result: Result
    rules: tuple[PlannedRule, ...]


class Occupant(Noun):
    """An execution that is under way.

    Attributes:
        stage: Which it is in, or waits in front of.
        asks: The approvals that it waits for, where it waits for nothing else.
    """

    id: str
    number: int
    stage: str
    asks: tuple[str, ...] = ()


class Closed(Noun):
    """A disabled transition; `leaving` is the stage before, where its way out is disabled."""

    transition: Transition
    leaving: str | None = None


class PlannedStage(Noun):
    """A stage that would be entered.

    Attributes:
        groups: Its actions by run order; those of one group run side by side.
        conditions: What would be checked at its entry, its success and its failure.
        on_failure: What follows its failure: `RETRY FAILED_ACTIONS`, `ROLLBACK`; empty: it fails.
        back_to: The execution that a rollback of it would go back to now.
        holder: The execution that is in it now; nobody else may enter.
        waiting: Those that wait in front of it now, in order.
        closed: The disabled transitions on the way into it.
    """

    name: str
    groups: tuple[tuple[PlannedAction, ...], ...]
    conditions: tuple[PlannedCondition, ...] = ()
    on_failure: str = ""
    back_to: Occupant | None = None
    holder: Occupant | None = None
    waiting: tuple[Occupant, ...] = ()
    closed: tuple[Closed, ...] = ()


class Plan(Noun):
    """What would happen if a pipeline were started now; nothing of it has happened.

    Attributes:
        change: What the definition is to the stored one.
        version: Of the definition that the execution would run on.
        number: Of the execution.
        enters: Whether it would enter the first stage at once.
        superseded: Executions that it would supersede at once.
        cancelled: Executions that the change of the definition would cancel.
        faults: What CodePipeline would refuse in the definition.
        obstacles: Why the start would be refused.
        failing: What is known to fail once it has started; the kit knows.
    """

    pipeline: str
    mode: ExecutionMode
    change: Change
    version: int
    number: int
    variables: tuple[PlannedVariable, ...]
    stages: tuple[PlannedStage, ...]
    enters: bool = True
    superseded: tuple[Occupant, ...] = ()
    cancelled: tuple[Occupant, ...] = ()
    faults: tuple[Fault, ...] = ()
    obstacles: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()

    @property
    def startable(self) -> bool:
        """Tell whether a start would be taken."""
        return not self.faults and not self.obstacles

    @property
    def promising(self) -> bool:
        """Tell whether a start would be taken, and nothing is known that would fail then."""
        return self.startable and not self.failing

    @property
    def actions(self) -> Iterator[tuple[PlannedStage, PlannedAction]]:
        """Go through all actions in the order in which they would run, each with its stage."""
        for stage in self.stages:
            for group in stage.groups:
                yield from ((stage, action) for action in group)
