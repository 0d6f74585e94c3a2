"""The rule types of CodePipeline's conditions as data."""

from datetime import timedelta

from pipelinekit.engine.actiontypes import CODEBUILD_KEYS, keys
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.actiontype import Property
from pipelinekit.model.condition import Rule
from pipelinekit.model.noun import Noun


class RuleType(Noun):
    """A rule type, as ListRuleTypes describes it.

    Attributes:
        provider: Its name; category, owner and version are the same for all.
        properties: Its configuration keys.
        skip: Whether it may stand in a condition whose result is SKIP.
        timeout: How long it may take (CHOICE where the reference leaves it open: a day).
        description: One sentence on when it succeeds.
    """

    provider: str
    properties: tuple[Property, ...] = ()
    skip: bool = False
    timeout: timedelta = timedelta(days=1)
    description: str = ""


RULES: tuple[RuleType, ...] = (
    RuleType(
        "CloudWatchAlarm",
        keys("AlarmName* AlarmStates WaitTime"),
        description="Succeeds when the alarm is in none of the states to react to.",
    ),
    RuleType(
        "CodeBuild",
        keys(CODEBUILD_KEYS),
        timeout=timedelta(hours=8),
        description="Succeeds when the build succeeds.",
    ),
    RuleType(
        "Commands",
        timeout=timedelta(minutes=55),
        description="Succeeds when every command of the rule exits with 0.",
    ),
    RuleType(
        "DeploymentWindow",
        keys("Cron* TimeZone"),
        description="Succeeds as soon as the window is open.",
    ),
    RuleType(
        "LambdaInvoke",
        keys("FunctionName* UserParameters"),
        skip=True,
        description="Succeeds when the function reports success.",
    ),
    RuleType(
        "VariableCheck",
        keys("Variable* Value* Operator*"),
        skip=True,
        description="Succeeds when the comparison of the variable with the value is true.",
    ),
)


def rule_type(rule: Rule) -> ActionTypeId:
    """Give the type of a rule as providers declare it."""
    owner = Owner(rule.type.owner or Owner.AWS)
    return ActionTypeId(Category.RULE, owner, rule.type.provider, rule.type.version or "1")
