"""How a provider declares itself: one function, whose signature is its configuration.

A provider is a function `(job, **settings) -> Succeeded | Failed | Waiting`. Its parameters become
the action type's configuration keys, its docstring the documentation. Called in a notebook cell
with an action's name, it *writes an action down*; the engine calls it when that action runs.
"""

import inspect
import warnings
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, wraps
from typing import ClassVar, Concatenate, Generic, ParamSpec

from pipelinekit.model.action import Action, ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.actiontype import ActionType, Property
from pipelinekit.model.condition import Rule, RuleTypeId
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.near import nearest
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.forms import Form
from pipelinekit.ports.job import Job
from pipelinekit.ports.keys import Key, read_setting, settings_of, write_setting
from pipelinekit.ports.signature import called, in_short, sees_otherwise, without_job

__all__ = [
    "DECLARED",
    "Declared",
    "Form",
    "Job",
    "Key",
    "Provider",
    "RuleProvider",
    "Traits",
    "action",
    "provider",
    "rule",
    "rule_provider",
]

P = ParamSpec("P")

Check = Callable[[Action, Settings], str | None]


class Traits(Noun, kw_only=True, gc=True):
    """What a provider says of itself besides its signature.

    Attributes:
        category: What its actions are for.
        provider: The name of its action type.
        owner: Who offers the type.
        version: Of the type.
        inputs: The fewest and the most artifacts it reads.
        outputs: The fewest and the most artifacts it writes.
        writes: Whether an action written down in a cell writes an artifact named after it.
        variables: The output variables it writes; None when they are open, empty for none.
        detached: Whether it runs in a process of its own, which outlives the engine.
        repeatable: Whether it may be run again when it is unknown how far it came.
        timeout: How long it may take.
        check: Says why an action cannot run here, with what to configure; None when it can.
        preload: Modules that a detached one needs, which are imported once for all of them; none
            may start a thread.
        ready: Called in the engine's process before a detached one begins; must not raise.
    """

    category: Category
    provider: str
    owner: Owner = Owner.CUSTOM
    version: str = "1"
    inputs: tuple[int, int] = (0, 5)
    outputs: tuple[int, int] = (0, 5)
    writes: bool = False
    variables: frozenset[str] | None = None
    detached: bool = False
    repeatable: bool = False
    timeout: timedelta = timedelta(hours=24)
    check: Check | None = None
    preload: tuple[str, ...] = ()
    ready: Callable[[], None] | None = None

    @staticmethod
    def source(
        provider: str,
        owner: Owner = Owner.CUSTOM,
        *,
        variables: frozenset[str],
        check: Check | None = None,
    ) -> "Traits":
        """Say of a source what all sources have in common.

        A source writes one artifact and changes nothing, so that it may be run again.

        Args:
            provider: The name of its action type.
            owner: Who offers the type.
            variables: The output variables it writes.
            check: Says why an action cannot run here.
        """
        return Traits(
            category=Category.SOURCE,
            provider=provider,
            owner=owner,
            inputs=(0, 0),
            outputs=(1, 1),
            writes=True,
            variables=variables,
            detached=True,
            repeatable=True,
            timeout=timedelta(hours=1),
            check=check,
        )

    @property
    def id(self) -> ActionTypeId:
        """Give the action type's name."""
        return ActionTypeId(self.category, self.owner, self.provider, self.version)


class Declared(Generic[P]):
    """A function that carries out actions or rules of a type.

    Attributes:
        function: What carries them out.
        traits: What it says of itself.
        type: Its type, as validation and listings see it.
    """

    writes_down: ClassVar[type[Action | Rule]]

    def __init__(self, function: Callable[Concatenate[Job, P], Outcome], traits: Traits) -> None:
        self.function = function
        self._settings = settings_of(function)
        self.__name__ = function.__name__
        self.__doc__ = without_job(function)
        self.__signature__ = called(self._settings, self.writes_down)
        self.__module__ = function.__module__
        self.traits = traits
        self.type = ActionType(
            id=traits.id,
            inputs=traits.inputs,
            outputs=traits.outputs,
            properties=tuple(
                Property(each.key, required=each.required, secret=each.secret)
                for each in self._settings
            ),
            variables=traits.variables,
            timeout=traits.timeout,
            description=(self.__doc__ or "").partition("\n")[0],
        )

    def __repr__(self) -> str:
        noun = self.writes_down.__name__.lower()
        return f"<{noun} type {self.traits.id}: {self.__name__}{in_short(self.__signature__)}>"

    @property
    def settings(self) -> tuple[str, ...]:
        """Name its settings, as its function takes them."""
        return tuple(each.name for each in self._settings)

    def carry_out(self, job: Job) -> Outcome:
        """Do what a job asks.

        Raises:
            ValidationError: A configuration key is missing or its text cannot be read.
        """
        values = self._values(job.order.configuration)
        bound = self._signature.bind(job, **values)
        return self.function(*bound.args, **bound.kwargs)

    @cached_property
    def _signature(self) -> inspect.Signature:
        return inspect.signature(self.function)

    def _values(self, configuration: Mapping[str, str]) -> dict[str, object]:
        values: dict[str, object] = {}
        for each in self._settings:
            text = configuration.get(each.key)
            if text is not None:
                values[each.name] = read_setting(each, text, self.traits.id)
            elif each.required:
                raise ValidationError(
                    f"{self.traits.id} was to run, but its configuration lacks {each.key}; add "
                    f"that key"
                )
        return values

    def _configuration(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, str]:
        for name in kwargs:
            if name not in self.settings:  # told before what it was meant for is missed
                raise TypeError(self._unknown(name))
        bound = self._signature.bind(None, *args, **kwargs)
        given = set(bound.arguments)
        bound.apply_defaults()
        texts = {
            each.key: write_setting(each, bound.arguments[each.name], self.traits.id)
            for each in self._settings
            if each.required or each.name in given
        }
        return {key: text for key, text in texts.items() if text is not None}

    def _unknown(self, name: str) -> str:
        near = nearest(name, self.settings)
        hint = f"did you mean {near!r}? " if near else ""
        known = ", ".join(self.settings) or "none"
        return f"{self.traits.provider} has no setting {name!r}; {hint}its settings are {known}"

    def _named(self, name: str) -> str:
        if isinstance(name, str):
            return name
        raise ValidationError(
            f"{self.__name__}({name!r}) was asked for, and what it writes down has a name first; "
            f'write {self.__name__}("name", ...)'
        )


class Provider(Declared[P]):
    """A declared provider of actions: call it to write an action down."""

    writes_down = Action

    def __call__(self, name: str, /, *args: P.args, **kwargs: P.kwargs) -> Action:
        """Write an action down.

        Args:
            name: The action's name in its stage.
            args: The settings, as the provider's function takes them after the job.
            kwargs: The same by name.

        Raises:
            TypeError: A setting is unknown or missing.
            ValidationError: The name is no text, or a setting is not of its parameter's kind.
        """
        identifier = self._named(name).replace(".", "_").replace("@", "_")
        written = (OutputArtifact(f"{identifier}_artifact"),) if self.traits.writes else ()
        return Action(
            name=name,
            type=self.traits.id,
            configuration=self._configuration(*args, **kwargs),
            outputs=written,
            namespace=None if self.traits.variables == frozenset() else identifier,
        )


class RuleProvider(Declared[P]):
    """A declared provider of rules: call it to write a rule of a condition down."""

    writes_down = Rule

    def __call__(self, name: str, /, *args: P.args, **kwargs: P.kwargs) -> Rule:
        """Write a rule down.

        Args:
            name: The rule's name in its condition.
            args: The settings, as the provider's function takes them after the job.
            kwargs: The same by name.

        Raises:
            TypeError: A setting is unknown or missing.
            ValidationError: The name is no text, or a setting is not of its parameter's kind.
        """
        traits = self.traits
        return Rule(
            name=self._named(name),
            type=RuleTypeId(traits.provider, traits.owner, traits.version),
            configuration=self._configuration(*args, **kwargs),
        )


def _declare(declared: Declared[...]) -> None:
    type_id, name = declared.traits.id, declared.__name__
    before = DECLARED.get(type_id)
    if before is not None and sees_otherwise(declared.function, before.function):
        warnings.warn(
            f"{type_id} was declared before by this same function {name}, which saw other values "
            f"then; its actions are all run by the function that was declared last. Give each a "
            f"type name of its own, or make a setting of what differs",
            stacklevel=3,
        )
    DECLARED[type_id] = declared


def provider(
    traits: Traits,
) -> Callable[[Callable[Concatenate[Job, P], Outcome]], Provider[P]]:
    """Declare the function below as the provider of an action type.

    Args:
        traits: The type's name and what it demands and offers.
    """

    def declare(function: Callable[Concatenate[Job, P], Outcome]) -> Provider[P]:
        declared = Provider(function, traits)
        _declare(declared)
        return declared

    return declare


def rule_provider(
    traits: Traits,
) -> Callable[[Callable[Concatenate[Job, P], Outcome]], RuleProvider[P]]:
    """Declare the function below as the provider of a rule type.

    Args:
        traits: The type's name, of category Rule, and what it demands.
    """

    def declare(function: Callable[Concatenate[Job, P], Outcome]) -> RuleProvider[P]:
        declared = RuleProvider(function, traits)
        _declare(declared)
        return declared

    return declare


def rule(
    name: str,
) -> Callable[[Callable[Concatenate[Job, P], bool | Outcome]], RuleProvider[P]]:
    """Declare a predicate of one's own as a rule: `@rule("QuietHours")`.

    It answers True or False, or an outcome. CodePipeline does not know it: a definition that uses
    it runs here only.

    Args:
        name: The name of the custom rule type, up to 35 letters, digits, `-` and `_`.
    """

    def declare(predicate: Callable[Concatenate[Job, P], bool | Outcome]) -> RuleProvider[P]:
        @wraps(predicate)
        def check(job: Job, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
            answer = predicate(job, *args, **kwargs)
            if answer is True:
                return Succeeded()
            if answer is False:
                return Failed(f"{name} answered False")
            return answer

        return rule_provider(Traits(category=Category.RULE, provider=name, repeatable=True))(check)

    return declare


def action(
    category: str, name: str, *, repeatable: bool = False
) -> Callable[[Callable[Concatenate[Job, P], Outcome]], Provider[P]]:
    """Declare a function of one's own as a provider: `@action("Test", "Smoke")`.

    Its parameters after the job are the settings of its actions. They are kept as texts, so the
    annotation of each says what becomes of its text: `str`, `int`, `float`, `bool`, `Path`,
    `Literal`, an enum, a date, or lists and mappings of such. Without one it is of its default's
    kind, or a text.

    A function that is declared later for the same type replaces the one before, as when a cell
    runs again, and then runs what was written down with either.

    Args:
        category: Source, Build, Test, Deploy, Invoke or Approval.
        name: The name of the custom action type, up to 35 letters, digits, `-` and `_`.
        repeatable: Whether it may be run again when the engine died while it ran.

    Raises:
        ValidationError: There is no such category.
    """
    allowed = [each for each in Category if each is not Category.RULE]
    if category not in allowed:
        raise ValidationError(
            f"an action type of category {category!r} was declared; write one of "
            f"{', '.join(allowed)}"
        )
    return provider(Traits(category=Category(category), provider=name, repeatable=repeatable))


DECLARED: dict[ActionTypeId, Declared[...]] = {}
"""What has been declared in this process; a later one of a type replaces it."""
