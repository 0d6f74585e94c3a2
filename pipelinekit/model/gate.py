"""How the conditions of a stage are written down in a cell: `gate`, `retry` and short forms.

The short forms refuse on the spot what CodePipeline cannot express; what was read from a file is
checked as a whole instead. Source: codepipeline.md 2.7 and 8.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec.structs import replace

from pipelinekit.model.condition import (
    Condition,
    ConditionType,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
)
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import shown

Gate: TypeAlias = Rule | Condition | Sequence[Condition]
"""A condition of a stage: a single rule, a `gate` of several, or as CodePipeline lists them."""

Recovery: TypeAlias = (
    Literal["ROLLBACK", "RETRY"] | Result | FailureConditions | Rule | Condition | None
)
"""What follows a stage's failure: a result, a `retry`, or rules whose failure rolls it back."""

RESULTS: Mapping[ConditionType, tuple[Result, ...]] = {
    ConditionType.BEFORE_ENTRY: (Result.FAIL, Result.SKIP),
    ConditionType.ON_SUCCESS: (Result.FAIL, Result.ROLLBACK),
    ConditionType.ON_FAILURE: (Result.ROLLBACK,),
}
"""The results that a condition may have; the first is the one that need not be written."""

MAX_RULES = 5
SKIPPING = ("LambdaInvoke", "VariableCheck")


def gate(
    *rules: Rule, result: Literal["FAIL", "SKIP", "ROLLBACK"] | Result | None = None
) -> Condition:
    """Join rules to a condition of a stage; the result is engaged when any of them fails.

    ```python
    pk.Stage("Prod", live, before_entry=pk.gate(hours, calm), on_success=pk.gate(calm))
    ```

    Args:
        rules: 1 to 5 rules, each with a name of its own.
        result: FAIL or SKIP at the entry, FAIL or ROLLBACK on success, ROLLBACK on failure; the
            first of these when None.

    Raises:
        ValidationError: CodePipeline has no such condition.
    """
    _refuse_odd_rules(rules)
    if result is None:
        return Condition(rules)
    known = _word(result, "gate(result=...)")
    if known is Result.RETRY:
        raise ValidationError(
            'gate(result="RETRY") was asked for, and no condition retries a stage; write '
            'on_failure="RETRY" at the stage, without rules'
        )
    if known is Result.SKIP:
        _refuse_unable_to_skip(rules)
    return Condition(rules, known)


def retry(*, all_actions: bool = False) -> FailureConditions:
    """Have a stage that failed retried once by itself: `on_failure=pk.retry()`.

    Args:
        all_actions: Whether the whole stage is run again, and not only what failed of it.
    """
    mode = RetryMode.ALL_ACTIONS if all_actions else RetryMode.FAILED_ACTIONS
    return FailureConditions(Result.RETRY, mode)


def gate_of(stage: str, place: ConditionType, given: Gate) -> tuple[Condition, ...]:
    """Give what a stage declares for its entry or its success.

    Args:
        stage: The stage's name.
        place: Where the condition stands.
        given: What was written down.

    Raises:
        ValidationError: The place has no such condition.
    """
    if given == ():
        return ()
    match given:
        case Rule() | Condition():
            return (_condition(stage, place, given),)
        case Sequence() if all(isinstance(each, Condition) for each in given):
            return tuple(given)
        case _:
            raise ValidationError(
                f"stage {stage!r} was to have {shown(given)} as its {place.lower()}, and a "
                f"condition consists of rules; write gate(...) of rules there"
            )


def recovery_of(stage: str, given: Recovery) -> FailureConditions | None:
    """Give what a stage declares for its failure.

    Args:
        stage: The stage's name.
        given: What was written down.

    Raises:
        ValidationError: CodePipeline cannot do that.
    """
    if given is None or isinstance(given, FailureConditions):
        return given
    if isinstance(given, Rule | Condition):
        condition = _condition(stage, ConditionType.ON_FAILURE, given)
        return FailureConditions(conditions=(condition,))
    result = _word(given, f"on_failure of stage {stage!r}")
    if result is Result.RETRY:
        return retry()
    if result is Result.ROLLBACK:
        return FailureConditions(result)
    raise ValidationError(
        f"stage {stage!r} was to have on_failure={result}, and a stage that failed can only be "
        f"rolled back or retried; write ROLLBACK or RETRY, or leave it out to let it fail"
    )


def _condition(stage: str, place: ConditionType, given: Rule | Condition) -> Condition:
    condition = gate(given) if isinstance(given, Rule) else given
    allowed = RESULTS[place]
    if condition.result is None:
        return replace(condition, result=allowed[0])
    if condition.result in allowed:
        return condition
    raise ValidationError(
        f"stage {stage!r} was to have the result {condition.result} at {place.lower()}, where "
        f"CodePipeline offers {' and '.join(allowed)}; write {' or '.join(allowed)}"
    )


def _word(given: str, where: str) -> Result:
    words = ", ".join(Result)
    if given in set(Result):
        return Result(given)
    raise ValidationError(f"{where} was {given!r}, which is no result; write one of {words}")


def _refuse_odd_rules(rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        if not isinstance(rule, Rule):
            raise ValidationError(
                f"a gate of {shown(rule)} was asked for, which is no rule; write rules down by "
                f"their names, such as variable_check(name, ...) or commands_check(name, ...)"
            )
    if not 1 <= len(rules) <= MAX_RULES:
        raise ValidationError(
            f"a gate of {len(rules)} rules was asked for; write 1 to {MAX_RULES} rules"
        )
    names = [rule.name for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValidationError(
            f"a gate was to have several rules called {', '.join(twice)}; rename all but one"
        )


def _refuse_unable_to_skip(rules: Iterable[Rule]) -> None:
    for rule in rules:
        if rule.type.owner == "AWS" and rule.type.provider not in SKIPPING:
            raise ValidationError(
                f'gate(result="SKIP") was asked for with rule {rule.name}, and a '
                f"{rule.type.provider} cannot skip a stage; use {' or '.join(SKIPPING)}, or the "
                f"result FAIL"
            )
