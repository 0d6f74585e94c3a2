"""Gates at the entry, the success and the failure of a stage (V2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipelinekit.model.action import Action, only_output


class ConditionType(StrEnum):
    """The places of a stage where a condition is checked."""

    BEFORE_ENTRY = "BEFORE_ENTRY"
    ON_SUCCESS = "ON_SUCCESS"
    ON_FAILURE = "ON_FAILURE"


class Result(StrEnum):
    """What a failed condition does to the stage."""

    ROLLBACK = "ROLLBACK"
    FAIL = "FAIL"
    RETRY = "RETRY"
    SKIP = "SKIP"


class RetryMode(StrEnum):
    """Which actions of a stage a retry runs again."""

    FAILED_ACTIONS = "FAILED_ACTIONS"
    ALL_ACTIONS = "ALL_ACTIONS"


@dataclass(frozen=True, slots=True)
class RuleTypeId:
    """The type of a rule; its category is always `Rule`."""

    provider: str
    owner: str | None = "AWS"
    version: str | None = "1"
    category: str = "Rule"


@dataclass(frozen=True, slots=True)
class Rule:
    """One check of a condition."""

    name: str
    type: RuleTypeId
    configuration: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    role_arn: str | None = None
    region: str | None = None
    timeout_minutes: int | None = None

    def reads(self, *sources: Action | str) -> "Rule":
        """Give a copy that reads artifacts besides those it reads already.

        Args:
            sources: Names of artifacts, or actions that write exactly one.

        Raises:
            ValidationError: An action writes no artifact, or several.
        """
        names = tuple(each if isinstance(each, str) else only_output(each) for each in sources)
        return replace(self, inputs=(*self.inputs, *names))

    def within(self, minutes: int) -> "Rule":
        """Give a copy that fails when it takes longer than `minutes` (5 to 86400)."""
        return replace(self, timeout_minutes=minutes)


@dataclass(frozen=True, slots=True)
class Condition:
    """Rules that are checked together; when one fails, `result` is engaged."""

    rules: tuple[Rule, ...]
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class FailureConditions:
    """What happens when the stage has failed: one result, or conditions, not both."""

    result: Result | None = None
    retry_mode: RetryMode | None = None
    conditions: tuple[Condition, ...] = ()
