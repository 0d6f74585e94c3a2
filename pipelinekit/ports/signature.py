"""What is told of a declared function: how it is called, and whether it is another one."""

import inspect
import re
from collections.abc import Callable, Iterable
from types import FunctionType

from pipelinekit.ports.keys import Setting


def called(settings: Iterable[Setting], gives: type) -> inspect.Signature:
    """Give the signature by which an action or a rule is written down.

    Args:
        settings: The settings, which come after the name.
        gives: What is written down.
    """
    parameters = [each.parameter for each in settings]
    name = "name"
    while name in {each.name for each in parameters}:
        name = f"_{name}"
    first = inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY, annotation=str)
    return inspect.Signature([first, *parameters], return_annotation=gives)


def in_short(signature: inspect.Signature) -> str:
    """Write down the names and defaults of a signature."""
    first, *others = signature.parameters.values()
    empty = inspect.Parameter.empty
    bare = [each.replace(annotation=empty) for each in others]
    named = first.replace(kind=first.POSITIONAL_OR_KEYWORD, annotation=empty)
    return str(inspect.Signature([named, *bare]))


def without_job(function: Callable[..., object]) -> str | None:
    """Give what a function says of itself, without the job, which the engine gives to it."""
    told = inspect.getdoc(function)
    if told is None:
        return None
    job = next(iter(inspect.signature(function).parameters), "")
    entry = rf"^( +){re.escape(job)}( \(.*\))?:.*(\n\1 +.*)*\n?"
    rest = re.sub(entry, "", told, count=1, flags=re.MULTILINE)
    return re.sub(r"\n*^Args:\n*(?=^\S|\Z)", "\n\n", rest, flags=re.MULTILINE).rstrip()


def sees_otherwise(one: Callable[..., object], other: Callable[..., object]) -> bool:
    """Tell whether two functions are the same code that sees other values around it.

    So are those that a factory makes. A cell that runs again makes other code.
    """
    mine, others = inspect.unwrap(one), inspect.unwrap(other)
    if not isinstance(mine, FunctionType) or not isinstance(others, FunctionType):
        return False
    try:
        return mine.__code__ is others.__code__ and _seen(mine) != _seen(others)
    except ValueError:  # of arrays and frames, which compare item by item
        return True


def _seen(function: FunctionType) -> tuple[object, ...]:
    return function.__closure__, function.__defaults__, function.__kwdefaults__
