"""Rule/AWS/VariableCheck: compares a variable with a value."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, rule_provider
from pipelinekit.tools.patterns import matches
from pipelinekit.wire.words import shortened

SHOWN = 200
OPERATORS = {"EQ": "equals", "NE": "differs from", "CONTAINS": "contains", "MATCHES": "matches"}


def _check(action: Action, _: Settings) -> str | None:
    operator = action.configuration.get("Operator", "")
    if operator not in OPERATORS and "#{" not in operator:
        return f"Operator is {operator!r}; write one of {', '.join(OPERATORS)}"
    return None


@rule_provider(
    Traits(
        category=Category.RULE,
        provider="VariableCheck",
        owner=Owner.AWS,
        repeatable=True,
        timeout=timedelta(hours=1),
        check=_check,
    )
)
def variable_check(
    job: Job,
    variable: str,
    value: str,
    operator: Annotated[
        Literal["EQ", "NE", "CONTAINS", "MATCHES"], Key("Operator", required=True)
    ] = "EQ",
) -> Outcome:
    """Succeed when the comparison of a variable with a value is true, as text and by case.

    Args:
        job: What is to be done.
        variable: The variable, such as `#{build.VERSION}`; it has its value by now.
        value: What it is compared with.
        operator: EQ (equals), NE (differs), CONTAINS (a part of it) or MATCHES (a regular
            expression for the whole of it; CHOICE: Python's flavour).

    Source: codepipeline.md 8.
    """
    try:
        holds = {
            "EQ": lambda: variable == value,
            "NE": lambda: variable != value,
            "CONTAINS": lambda: value in variable,
            "MATCHES": lambda: matches(value, variable),
        }[operator]()
    except re.error as error:
        message = f"Value was {value!r}, which is no regular expression: {error}; correct it"
        return Failed(message, FailureType.CONFIGURATION_ERROR)
    except TimeoutError as late:
        message = f"Value was {value!r}, and {late}; write a pattern without nested repetitions"
        return Failed(message, FailureType.CONFIGURATION_ERROR)
    left, right = (repr(shortened(text, SHOWN)) for text in (variable, value))
    told = f"{left} {OPERATORS[operator]} {right}"
    job.say(f"{told}: {holds}")
    refused = Failed(f"it was to be true that {told}, and it is not")
    return Succeeded(summary=told) if holds else refused
