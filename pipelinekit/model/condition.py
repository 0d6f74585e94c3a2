"""Gates at the entry, the success and the failure of a stage (V2)."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field
from msgspec.structs import force_setattr, replace

from pipelinekit.model.action import Action, artifact
from pipelinekit.model.kinds import refuse_others, word
from pipelinekit.model.noun import Noun


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


class RuleTypeId(Noun):
    """The type of a rule; its category is always `Rule`."""

    provider: str
    owner: str | None = "AWS"
    version: str | None = "1"
    category: str = "Rule"


class Rule(Noun):
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
            ValidationError: One is neither, or an action that writes no artifact, or several.
        """
        return replace(self, inputs=(*self.inputs, *map(artifact, sources)))

    def within(self, minutes: int) -> "Rule":
        """Give a copy that fails when it takes longer than `minutes` (5 to 86400)."""
        return replace(self, timeout_minutes=minutes)


class Condition(Noun):
    """Rules that are checked together; when one fails, `result` is engaged."""

    rules: tuple[Rule, ...]
    result: Result | None = None

    def __post_init__(self) -> None:
        """Refuse what is no rule, and take a word for the result."""
        refuse_others(self, "rules", self.rules, Rule)
        if self.result is not None:
            force_setattr(self, "result", word(self, "result", self.result, Result))


class FailureConditions(Noun):
    """What happens when the stage has failed: one result, or conditions, not both."""

    result: Result | None = None
    retry_mode: RetryMode | None = None
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no condition, and take words for the result and the mode."""
        refuse_others(self, "conditions", self.conditions, Condition)
        if self.result is not None:
            force_setattr(self, "result", word(self, "result", self.result, Result))
        if self.retry_mode is not None:
            mode = word(self, "retry_mode", self.retry_mode, RetryMode)
            force_setattr(self, "retry_mode", mode)
