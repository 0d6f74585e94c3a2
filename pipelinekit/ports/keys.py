"""How the parameters of a function become configuration keys, and their texts values."""

import inspect
import json
from collections.abc import Callable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Literal, Protocol, Union, get_args, get_origin, get_type_hints

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun

SHOWN = 60
"""How many characters of a value that cannot be read are shown."""


class Key(Noun, gc=True):
    """What a parameter is called in the configuration, where that does not follow from its name.

    Attributes:
        name: The configuration key.
        secret: Whether it is masked whenever it is shown.
        form: Where the text of the key is not the value itself: how to write it, how to read it.
        required: Whether CodePipeline demands the key, so that a default is written down too.
    """

    name: str
    secret: bool = False
    form: "Form | None" = None
    required: bool = False


class Form(Protocol):
    """How a value is written as the text of a configuration key, and read from it."""

    def write(self, value: object) -> str:
        """Give the text for a value."""
        ...

    def read(self, text: str) -> object:
        """Give the value for a text, or raise ValueError saying what is expected."""
        ...


class Names:
    """Writes names as one text, with commas between them."""

    def write(self, value: object) -> str:
        """Give the text for a name or several."""
        if not isinstance(value, Sequence):
            raise TypeError(f"{value!r} was given; give a list of names")
        return value if isinstance(value, str) else ", ".join(map(str, value))

    def read(self, text: str) -> list[str]:
        """Give the names of a text."""
        return [name.strip() for name in text.split(",") if name.strip()]


class Setting(Noun, gc=True):
    """A parameter of a provider's function, and the configuration key that gives its value."""

    parameter: str
    key: str
    required: bool
    secret: bool
    form: Form


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


def read_setting(setting: Setting, text: str, type_id: ActionTypeId) -> object:
    """Give the value that the text of a key stands for.

    Raises:
        ValidationError: The text cannot be read.
    """
    try:
        return setting.form.read(text)
    except ValueError as error:
        shown = "****" if setting.secret else repr(text[:SHOWN])
        raise ValidationError(
            f"an action of type {type_id} was to run, but its {setting.key} is {shown}; {error}"
        ) from None


def settings_of(function: Callable[..., object]) -> tuple[Setting, ...]:
    """List the settings that a function takes after its job."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return tuple(_setting(parameter, hints.get(parameter.name, str)) for parameter in parameters)


def _setting(parameter: inspect.Parameter, hint: object) -> Setting:
    key = next((note for note in get_args(hint)[1:] if isinstance(note, Key)), None)
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return Setting(
        parameter=parameter.name,
        key=key.name if key else "".join(word.title() for word in parameter.name.split("_")),
        required=parameter.default is inspect.Parameter.empty or bool(key and key.required),
        secret=bool(key and key.secret),
        form=(key.form if key else None) or _form(plain),
    )


def _form(hint: object) -> Form:
    if get_origin(hint) in {Union, UnionType}:
        hint = next(each for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is Literal:
        return _Text()
    if hint is bool:
        return _Flag()
    if hint is int or hint is float:
        return _Number(int if hint is int else float)
    return _Text() if hint is str else _Json()
