"""How the parameters of a function become configuration keys, and their texts values."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Variable
from pipelinekit.ports.forms import Form, form_of

SHOWN = 60
"""How many characters of a value that cannot be read or written are shown."""

REFERENCE = "#{"
EMPTY = inspect.Parameter.empty


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
    form: Form | None = None
    required: bool = False


class Setting(Noun, gc=True):
    """A parameter of a provider's function, and the configuration key that gives its value.

    Attributes:
        parameter: The parameter, annotated as one calls it.
        key: What the configuration calls it.
        required: Whether the configuration must have the key.
        secret: Whether its value is masked whenever it is shown.
        form: How its value is written and read.
    """

    parameter: inspect.Parameter
    key: str
    required: bool
    secret: bool
    form: Form

    @property
    def name(self) -> str:
        """Give the parameter's name."""
        return self.parameter.name


def read_setting(setting: Setting, text: str, type_id: ActionTypeId) -> object:
    """Give the value that the text of a key stands for.

    Raises:
        ValidationError: The text cannot be read.
    """
    try:
        return setting.form.read(text)
    except ValueError as error:
        raise ValidationError(
            f"an action of type {type_id} was to run, but its {setting.key} is "
            f"{_shown(setting, text)}; {error}"
        ) from None


def write_setting(setting: Setting, value: object, type_id: ActionTypeId) -> str | None:
    """Give the text of a key for a value; None where the key is to be left out.

    A text that refers to variables is written as it is, for what it stands for is known only when
    the action runs.

    Raises:
        ValidationError: The value is not of the parameter's kind.
    """
    given = str(value) if isinstance(value, Variable) else value
    if isinstance(given, str) and REFERENCE in given:
        return str.__str__(given)
    if given is None and setting.parameter.default is None:
        return None
    try:
        return _text(setting.form, given)
    except (TypeError, ValueError) as error:
        raise ValidationError(
            f"{setting.name} of {type_id} was to be {_shown(setting, given)}; {error}"
        ) from None


def settings_of(function: Callable[..., object]) -> tuple[Setting, ...]:
    """List the settings that a function takes after its job.

    Raises:
        ValidationError: A parameter can be no setting, for no text would tell its value.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    settings = []
    for each in parameters:
        try:
            settings.append(_setting(each, hints.get(each.name, EMPTY)))
        except TypeError as error:
            raise ValidationError(
                f"parameter {each.name} of {function.__name__} was to be a setting, whose value "
                f"comes from a text: {error}; annotate it with str, and make of the text what is "
                f"needed"
            ) from None
    return tuple(settings)


def _text(form: Form, value: object) -> str:
    if value is None:
        raise TypeError("no text stands for None; leave it out or give a value")
    text = form.write(value)
    form.read(text)  # what could not be read when the action runs is refused while it is written
    return text


def _shown(setting: Setting, value: object) -> str:
    told = repr(value)
    short = told if len(told) <= SHOWN else f"{told[:SHOWN]}..."
    return "****" if setting.secret else short


def _setting(parameter: inspect.Parameter, hint: object) -> Setting:
    if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
        raise TypeError("it has to have a name of its own, by which it is given")
    key = next((note for note in get_args(hint)[1:] if isinstance(note, Key)), None)
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    kind = _kind(parameter.default) if hint is EMPTY else plain
    return Setting(
        parameter=parameter.replace(annotation=plain),
        key=key.name if key else "".join(word.title() for word in parameter.name.split("_")),
        required=parameter.default is EMPTY or bool(key and key.required),
        secret=bool(key and key.secret),
        form=(key.form if key else None) or form_of(kind),
    )


def _kind(default: object) -> object:
    if default is EMPTY or default is None:
        return str
    return Path if isinstance(default, Path) else type(default)
