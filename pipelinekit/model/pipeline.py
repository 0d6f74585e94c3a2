"""A pipeline as it is declared: stages of actions, variables, triggers, artifact stores."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from msgspec import field
from msgspec.structs import force_setattr, replace

from pipelinekit.model.action import Action, Steps
from pipelinekit.model.condition import Condition, ConditionType, FailureConditions, Rule
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.gate import Gate, Recovery, gate_of, recovery_of
from pipelinekit.model.kinds import refuse_nameless, refuse_others, word
from pipelinekit.model.noun import Noun
from pipelinekit.model.trigger import Trigger

LOCAL_ROLE = "arn:aws:iam::000000000000:role/pipelinekit"
LOCAL_BUCKET = "pipelinekit-artifacts"


class ExecutionMode(StrEnum):
    """What happens when an execution meets another one."""

    SUPERSEDED = "SUPERSEDED"
    QUEUED = "QUEUED"
    PARALLEL = "PARALLEL"


class PipelineType(StrEnum):
    """Which generation of features a pipeline may use, and how it is billed."""

    V1 = "V1"
    V2 = "V2"


class EncryptionKey(Noun):
    """The key that artifacts are encrypted with."""

    id: str
    type: str = "KMS"


class ArtifactStore(Noun):
    """The bucket that artifacts are kept in."""

    location: str
    type: str = "S3"
    encryption_key: EncryptionKey | None = None


class Variable(Noun):
    """A pipeline variable; without a default every start must give it a value.

    `#{variables.name}` refers to it, and so does `str(variable)`.
    """

    name: str
    default: str | None = None
    description: str | None = None

    def __str__(self) -> str:
        return f"#{{variables.{self.name}}}"


class Blocker(Noun):
    """A reserved gate of a stage; CodePipeline never gave it a function."""

    name: str
    type: str = "Schedule"


@dataclass(frozen=True, init=False)
class Stage:
    """A stage: actions that one execution at a time may be in.

    ```python
    pk.Stage("Prod", ok >> live, before_entry=pk.gate(hours, calm), on_failure="ROLLBACK")
    ```

    Args:
        name: Unique in the pipeline, 1 to 100 of letters, digits and `. @ - _`.
        parts: Actions and groups of them. Several parts stand side by side, as if joined by `+`.
        actions: The same as plain actions that bear their own run orders.
        blockers: Reserved.
        before_entry: A condition of entering: a rule, or a `gate` of several.
        on_success: A condition of leaving, likewise.
        on_failure: What to do when the stage has failed: `"ROLLBACK"`, `"RETRY"`, a `retry`, or
            rules, whose failure rolls it back.

    Raises:
        ValidationError: CodePipeline cannot express it.
    """

    name: str
    actions: tuple[Action, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    before_entry: tuple[Condition, ...] = ()
    on_success: tuple[Condition, ...] = ()
    on_failure: FailureConditions | None = None

    def __init__(  # noqa: PLR0913 - a stage of CodePipeline has these members
        self,
        name: str,
        *parts: Action | Steps,
        actions: tuple[Action, ...] = (),
        blockers: tuple[Blocker, ...] = (),
        before_entry: Gate = (),
        on_success: Gate = (),
        on_failure: Recovery = None,
    ) -> None:
        refuse_nameless(self, name)
        object.__setattr__(self, "name", name)
        refuse_others(self, "actions", actions, Action)
        given = actions
        if parts:
            steps = Steps.of(parts[0])
            for part in parts[1:]:
                steps = steps + part
            given = (*steps.actions, *actions)
        object.__setattr__(self, "actions", given)
        object.__setattr__(self, "blockers", blockers)
        entry = gate_of(name, ConditionType.BEFORE_ENTRY, before_entry)
        object.__setattr__(self, "before_entry", entry)
        object.__setattr__(self, "on_success", gate_of(name, ConditionType.ON_SUCCESS, on_success))
        object.__setattr__(self, "on_failure", recovery_of(name, on_failure))

    def with_actions(self, actions: Iterable[Action]) -> "Stage":
        """Give the stage with other actions, and the rest as it is."""
        return dataclasses.replace(self, actions=tuple(actions))

    def action(self, name: str) -> Action | None:
        """Find an action by its name."""
        return next((action for action in self.actions if action.name == name), None)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Give the conditions of its entry, its success and its failure."""
        after = self.on_failure.conditions if self.on_failure else ()
        return (*self.before_entry, *self.on_success, *after)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Give the rules of its conditions."""
        return tuple(rule for condition in self.conditions for rule in condition.rules)

    @cached_property
    def groups(self) -> tuple[tuple[Action, ...], ...]:
        """Give the actions by ascending run order; those of one group start together."""
        orders = sorted({action.run_order for action in self.actions})
        return tuple(
            tuple(action for action in self.actions if action.run_order == order)
            for order in orders
        )


class Pipeline(Noun):
    """A pipeline, ready to be started, written to a file or drawn.

    Args:
        name: 1 to 100 of letters, digits and `. @ - _`.
        stages: 2 to 50 stages; usually added with `>>`.
        mode: What happens when an execution meets another one.
        type: V2, unless only features of V1 are wanted.
        variables: Pipeline variables (V2).
        triggers: What starts it by itself (V2).
        role_arn: The service role; only AWS looks at it.
        artifact_store: The bucket for artifacts; here a folder stands for it.
        artifact_stores: A bucket for each region, when actions span regions.
        version: Which definition of the pipeline this is; set by the store.
    """

    name: str
    stages: tuple[Stage, ...] = ()
    mode: ExecutionMode = ExecutionMode.SUPERSEDED
    type: PipelineType = PipelineType.V2
    variables: tuple[Variable, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    role_arn: str = LOCAL_ROLE
    artifact_store: ArtifactStore | None = ArtifactStore(LOCAL_BUCKET)
    artifact_stores: Mapping[str, ArtifactStore] = field(default_factory=dict)
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no stage, variable or trigger, and take words for modes and types."""
        refuse_nameless(self, self.name)
        refuse_others(self, "stages", self.stages, Stage)
        refuse_others(self, "variables", self.variables, Variable)
        refuse_others(self, "triggers", self.triggers, Trigger)
        force_setattr(self, "mode", word(self, "mode", self.mode, ExecutionMode))
        force_setattr(self, "type", word(self, "type", self.type, PipelineType))

    def __rshift__(self, stage: Stage) -> "Pipeline":
        """Give a copy with one more stage at its end.

        Raises:
            ValidationError: What follows is no stage.
        """
        if not isinstance(stage, Stage):
            raise ValidationError(
                f"pipeline {self.name!r} >> {stage!r} was asked for, and a pipeline consists of "
                f"stages; put actions into one: Stage(name, action)"
            )
        return replace(self, stages=(*self.stages, stage))

    def bucket(self, region: str | None) -> str:
        """Name the bucket of the artifacts that actions of a region write."""
        store = self.store(region)
        return store.location if store else LOCAL_BUCKET

    def store(self, region: str | None) -> ArtifactStore | None:
        """Give what it says of where artifacts of a region lie."""
        own = self.artifact_stores.get(region or "") or self.artifact_store
        return own or next(iter(self.artifact_stores.values()), None)

    def stage(self, name: str) -> Stage | None:
        """Find a stage by its name."""
        return next((stage for stage in self.stages if stage.name == name), None)
