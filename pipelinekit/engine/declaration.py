"""A pipeline as its validation sees it: with places, and with indexes of what it declares."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from pipelinekit.engine.variables import references
from pipelinekit.model.action import Action, ActionTypeId, Category
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.condition import Condition, Rule
from pipelinekit.model.errors import Path
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Pipeline, Stage

USUAL_REGION = "us-east-1"

BEFORE_ALL_ACTIONS = 0  # run orders begin at 1
AFTER_ALL_ACTIONS = 1000  # and end at 999


class Finding(NamedTuple):
    """What a rule finds: where, what is wrong there, and what to do about it."""

    path: Path
    found: str
    advice: str


class Declaration(Noun, dict=True, gc=True):
    """A pipeline that is to be judged, and what it is judged by.

    Args:
        pipeline: The pipeline.
        types: The action types that there are.
        previous: The definition that it replaces, if there is one.
        given_region: The region it is created in; None when nobody knows.
    """

    pipeline: Pipeline
    types: Mapping[ActionTypeId, ActionType]
    previous: Pipeline | None = None
    given_region: str | None = None

    @cached_property
    def stages(self) -> "tuple[PlacedStage, ...]":
        """Give the stages with their places."""
        return tuple([_stage(self, stage, at) for at, stage in enumerate(self.pipeline.stages)])

    @cached_property
    def actions(self) -> "tuple[PlacedAction, ...]":
        """Give the actions of all stages with their places."""
        return tuple(
            [
                _action(stage, action, at)
                for stage in self.stages
                for at, action in enumerate(stage.stage.actions)
            ]
        )

    @cached_property
    def region(self) -> str:
        """Give the pipeline's region: source actions run there, so what they name is it."""
        named = (each.action.region for each in self.actions if each.is_source)
        return self.given_region or next(filter(None, named), USUAL_REGION)

    @cached_property
    def outputs(self) -> "Mapping[str, tuple[PlacedAction, int]]":
        """Give the first writer of each artifact, with the position among its outputs."""
        written: dict[str, tuple[PlacedAction, int]] = {}
        for each in self.actions:
            for index, output in enumerate(each.action.outputs):
                written.setdefault(output.name, (each, index))
        return written

    @cached_property
    def namespaces(self) -> "Mapping[str, PlacedAction]":
        """Give the first action that declares each namespace."""
        declared: dict[str, PlacedAction] = {}
        for each in self.actions:
            if each.action.namespace is not None:
                declared.setdefault(each.action.namespace, each)
        return declared

    @cached_property
    def variables(self) -> frozenset[str]:
        """Give the names of the pipeline's own variables."""
        return frozenset(variable.name for variable in self.pipeline.variables)

    @property
    def rules(self) -> "Iterator[PlacedRule]":
        """Give the rules of all stages with their places."""
        return chain.from_iterable([stage.rules for stage in self.stages])

    @property
    def references(self) -> "Iterator[Reference]":
        """Give every `#{namespace.key}`, in the order of the declaration."""
        for action in self.actions:
            yield from action.references
        for stage in self.stages:
            yield from stage.references


class PlacedCondition(Noun):
    """A condition, the gate it stands at, and where that is."""

    path: Path
    gate: str
    condition: Condition

    @property
    def rules(self) -> Iterator[tuple[Path, Rule]]:
        """Give its rules with their places."""
        for index, rule in enumerate(self.condition.rules):
            yield (*self.path, "rules", index), rule


class PlacedStage(Noun, gc=True):
    """A stage of a declaration, where it is, and the conditions of all three gates."""

    declaration: Declaration
    stage: Stage
    index: int
    path: Path
    conditions: tuple[PlacedCondition, ...]

    @property
    def rules(self) -> "Iterator[PlacedRule]":
        """Give the rules of its conditions with their places."""
        for condition in self.conditions:
            entry = condition.gate == "beforeEntry"
            order = (self.index, BEFORE_ALL_ACTIONS if entry else AFTER_ALL_ACTIONS)
            for path, rule in condition.rules:
                yield PlacedRule(self.declaration, path, rule, order)

    @property
    def references(self) -> "Iterator[Reference]":
        """Give the references in the rules of its conditions."""
        for placed in self.rules:
            rule = placed.rule
            texts = chain(_configured(rule.configuration), _commands(rule.commands))
            for place, namespace, name in _found(texts):
                path = (*placed.path, *place)
                yield Reference(self.declaration, path, namespace, name, placed.order)


def _stage(declaration: Declaration, stage: Stage, index: int) -> PlacedStage:
    path = ("stages", index)
    gates = (
        ("beforeEntry", stage.before_entry),
        ("onSuccess", stage.on_success),
        ("onFailure", stage.on_failure.conditions if stage.on_failure else ()),
    )
    conditions = [
        PlacedCondition((*path, gate, "conditions", at), gate, condition)
        for gate, conditions in gates
        for at, condition in enumerate(conditions)
    ]
    return PlacedStage(declaration, stage, index, path, tuple(conditions))


class PlacedRule(Noun):
    """A rule of a condition and where it stands; `order` compares with that of an action."""

    declaration: Declaration
    path: Path
    rule: Rule
    order: tuple[int, int]

    @property
    def title(self) -> str:
        """Give what it is called in a finding."""
        return f'rule "{self.rule.name}"'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Give the artifacts that it reads."""
        return self.rule.inputs

    @property
    def commands(self) -> tuple[str, ...]:
        """Give its shell lines."""
        return self.rule.commands


class PlacedAction(Noun, gc=True):
    """An action of a declaration and where it stands.

    Attributes:
        order: What it comes before another action by: it precedes all of greater order.
        is_source: Whether it is a source action.
        type: What its type demands, if there is such a type.
    """

    declaration: Declaration
    stage: PlacedStage
    action: Action
    path: Path
    order: tuple[int, int]
    is_source: bool
    type: ActionType | None

    @property
    def title(self) -> str:
        """Give what it is called in a finding."""
        return f'action "{self.action.name}"'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Give the artifacts that it reads."""
        return self.action.inputs

    @property
    def commands(self) -> tuple[str, ...]:
        """Give its shell lines."""
        return self.action.commands

    @property
    def configuration(self) -> Mapping[str, str]:
        """Give its configuration without values that are no text; those are misshapen."""
        return dict(_texts(self.action.configuration))

    @property
    def references(self) -> "Iterator[Reference]":
        """Give the references in its configuration, its commands and its environment."""
        action = self.action
        environment = (
            (("environmentVariables", index, "value"), variable.value)
            for index, variable in enumerate(action.environment)
        )
        texts = chain(_configured(action.configuration), _commands(action.commands), environment)
        for place, namespace, key in _found(texts):
            path = (*self.path, *place)
            yield Reference(
                self.declaration, path, namespace, key, self.order, in_source=self.is_source
            )


def _action(stage: PlacedStage, action: Action, index: int) -> PlacedAction:
    return PlacedAction(
        stage.declaration,
        stage,
        action,
        (*stage.path, "actions", index),
        (stage.index, action.run_order),
        action.type.category is Category.SOURCE,
        stage.declaration.types.get(action.type),
    )


class Reference(Noun):
    """A `#{namespace.key}` and where it stands; `order` compares with that of its producer."""

    declaration: Declaration
    path: Path
    namespace: str
    key: str
    order: tuple[int, int]
    in_source: bool = False

    def __str__(self) -> str:
        return f"#{{{self.namespace}.{self.key}}}"


def _found(texts: Iterable[tuple[Path, str]]) -> Iterator[tuple[Path, str, str]]:
    return ((place, *each) for place, text in texts for each in references(text))


def _configured(configuration: Mapping[str, object]) -> Iterator[tuple[Path, str]]:
    return ((("configuration", key), text) for key, text in _texts(configuration))


def _commands(commands: Iterable[object]) -> Iterator[tuple[Path, str]]:
    texts = enumerate(commands)
    return ((("commands", index), each) for index, each in texts if isinstance(each, str))


def _texts(configuration: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    return ((key, value) for key, value in configuration.items() if isinstance(value, str))
