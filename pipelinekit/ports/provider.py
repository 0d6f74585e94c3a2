"""How a provider declares itself: one function, whose signature is its configuration.

A provider is a function `(job, **settings) -> Succeeded | Failed | Waiting`. Its parameters become
the action type's configuration keys, its docstring the documentation. Called in a notebook cell
with an action's name, it *writes an action down*; the engine calls it when that action runs.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pipelinekit.model.action import Action, ActionTypeId, Category, OutputArtifact, Owner
from pipelinekit.model.actiontype import ActionType, Property
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Order, Outcome
from pipelinekit.model.settings import Settings

P = ParamSpec("P")

SHOWN = 60
"""How many characters of a value that cannot be read are shown."""

Check = Callable[[Action, Settings], str | None]


class Job(Protocol):
    """What a provider holds in its hands while it works on one attempt of an action."""

    @property
    def order(self) -> Order:
        """What is to be done."""
        ...

    @property
    def settings(self) -> Settings:
        """What the project says about its surroundings."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of this attempt alone."""
        ...

    @property
    def cache(self) -> Path:
        """A folder that all jobs share, for what is worth keeping between them."""
        ...

    def read(self, artifact: str | None = None) -> Path:
        """Unpack an input artifact and give its folder.

        Args:
            artifact: Its name; the first input when None.
        """
        ...

    def write(self, folder: Path, artifact: str | None = None) -> None:
        """Publish the content of a folder as an output artifact.

        Args:
            folder: What to pack.
            artifact: Its name; the first output when None. Nothing is written when the action
                declares no output and no name is given.
        """
        ...

    def say(self, text: str) -> None:
        """Write a line into the action's log."""
        ...

    def start(
        self, pipeline: str, variables: Mapping[str, str], revisions: Mapping[str, str]
    ) -> str:
        """Start another pipeline, once however often this attempt asks; inline providers only.

        Args:
            pipeline: Its name.
            variables: Values of its pipeline variables.
            revisions: Revisions that its source actions are to take, by action name.

        Returns:
            The id of its execution.

        Raises:
            PipelineKitError: It cannot be started; the class says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """What a parameter is called in the configuration, where that does not follow from its name.

    Attributes:
        name: The configuration key.
        secret: Whether it is masked whenever it is shown.
        form: Where the text of the key is not the value itself: how to write it, how to read it.
    """

    name: str
    secret: bool = False
    form: "Form | None" = None


class Form(Protocol):
    """How a value is written as the text of a configuration key, and read from it."""

    def write(self, value: object) -> str:
        """Give the text for a value."""
        ...

    def read(self, text: str) -> object:
        """Give the value for a text, or raise ValueError saying what is expected."""
        ...


@dataclass(frozen=True, slots=True)
class _Setting:
    parameter: str
    key: str
    required: bool
    secret: bool
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
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


class Provider(Generic[P]):
    """A declared provider: call it to write an action down.

    Attributes:
        traits: What it says of itself.
        type: Its action type, as validation and listings see it.
    """

    def __init__(self, function: Callable[Concatenate[Job, P], Outcome], traits: Traits) -> None:
        self._function = function
        self._settings = _settings(function)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
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
            description=(inspect.getdoc(function) or "").partition("\n")[0],
        )

    @property
    def settings(self) -> tuple[str, ...]:
        """Name its settings, as its function takes them."""
        return tuple(each.parameter for each in self._settings)

    def __call__(self, name: str, /, *args: P.args, **kwargs: P.kwargs) -> Action:
        """Write an action down.

        Args:
            name: The action's name in its stage.
            args: The settings, as the provider's function takes them after the job.
            kwargs: The same by name.

        Raises:
            TypeError: A setting is unknown or missing.
        """
        signature = inspect.signature(self._function)
        bound = signature.bind(None, *args, **kwargs)
        given = dict(list(bound.arguments.items())[1:])
        identifier = name.replace(".", "_").replace("@", "_")
        written = (OutputArtifact(f"{identifier}_artifact"),) if self.traits.writes else ()
        return Action(
            name=name,
            type=self.traits.id,
            configuration={
                each.key: each.form.write(given[each.parameter])
                for each in self._settings
                if given.get(each.parameter) is not None
            },
            outputs=written,
            namespace=None if self.traits.variables == frozenset() else identifier,
        )

    def carry_out(self, job: Job) -> Outcome:
        """Do what a job asks.

        Raises:
            ValidationError: A configuration key is missing or its text cannot be read.
        """
        values = self._values(job.order.configuration)
        signature = inspect.signature(self._function)
        bound = signature.bind(job, **values)
        return self._function(*bound.args, **bound.kwargs)

    def _values(self, configuration: Mapping[str, str]) -> dict[str, object]:
        values: dict[str, object] = {}
        for each in self._settings:
            text = configuration.get(each.key)
            if text is not None:
                values[each.parameter] = _read(each, text, self.traits.id)
            elif each.required:
                raise ValidationError(
                    f"an action of type {self.traits.id} was to run, but its configuration "
                    f"lacks {each.key}; add that key"
                )
        return values


def provider(
    traits: Traits,
) -> Callable[[Callable[Concatenate[Job, P], Outcome]], Provider[P]]:
    """Declare the function below as the provider of an action type.

    Args:
        traits: The type's name and what it demands and offers.
    """

    def declare(function: Callable[Concatenate[Job, P], Outcome]) -> Provider[P]:
        declared = Provider(function, traits)
        DECLARED[traits.id] = declared
        return declared

    return declare


def action(
    category: str, name: str, *, repeatable: bool = False
) -> Callable[[Callable[Concatenate[Job, P], Outcome]], Provider[P]]:
    """Declare a function of one's own as a provider: `@action("Test", "Smoke")`.

    Args:
        category: Source, Build, Test, Deploy, Invoke or Approval.
        name: The name of the custom action type, up to 35 letters, digits, `-` and `_`.
        repeatable: Whether it may be run again when the engine died while it ran.

    Raises:
        ValidationError: There is no such category.
    """
    if category not in set(Category):
        raise ValidationError(
            f"an action type of category {category!r} was declared; write one of "
            f"{', '.join(Category)}"
        )
    return provider(Traits(category=Category(category), provider=name, repeatable=repeatable))


DECLARED: dict[ActionTypeId, "Provider[...]"] = {}
"""The providers that have been declared in this process; a later one of a type replaces it."""


class _Text:
    def write(self, value: object) -> str:
        return str(value)

    def read(self, text: str) -> object:
        return text


class _Number:
    def __init__(self, kind: type[int] | type[float]) -> None:
        self._kind = kind

    def write(self, value: object) -> str:
        return str(value)

    def read(self, text: str) -> object:
        try:
            return self._kind(text)
        except ValueError:
            raise ValueError(f"a number is expected, such as {self._kind(1)}") from None


class _Flag:
    def write(self, value: object) -> str:
        return "true" if value else "false"

    def read(self, text: str) -> object:
        if text.lower() not in {"true", "false"}:
            raise ValueError("true or false is expected")
        return text.lower() == "true"


class _Json:
    def write(self, value: object) -> str:
        return json.dumps(value)

    def read(self, text: str) -> object:
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"JSON is expected: {error}") from None


def _read(setting: _Setting, text: str, type_id: ActionTypeId) -> object:
    try:
        return setting.form.read(text)
    except ValueError as error:
        shown = "****" if setting.secret else repr(text[:SHOWN])
        raise ValidationError(
            f"an action of type {type_id} was to run, but its {setting.key} is {shown}; {error}"
        ) from None


def _settings(function: Callable[..., Outcome]) -> tuple[_Setting, ...]:
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return tuple(_setting(parameter, hints.get(parameter.name, str)) for parameter in parameters)


def _setting(parameter: inspect.Parameter, hint: object) -> _Setting:
    key = next((note for note in get_args(hint)[1:] if isinstance(note, Key)), None)
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return _Setting(
        parameter=parameter.name,
        key=key.name if key else "".join(word.title() for word in parameter.name.split("_")),
        required=parameter.default is inspect.Parameter.empty,
        secret=bool(key and key.secret),
        form=(key.form if key else None) or _form(plain),
    )


def _form(hint: object) -> Form:
    if get_origin(hint) in {Union, UnionType}:
        hint = next(each for each in get_args(hint) if each is not NoneType)
    if hint is bool:
        return _Flag()
    if hint is int or hint is float:
        return _Number(int if hint is int else float)
    return _Text() if hint is str else _Json()
