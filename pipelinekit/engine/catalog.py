"""Looks up what CodePipeline knows about an action type or a rule type.

Source: codepipeline.md, sections 7 (action types), 8 (rule types), 5.4 (output variables) and
3.16 (time limits).
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from pipelinekit.engine.actiontypes import ACTION_TYPES
from pipelinekit.engine.ruletypes import RULES, RuleType
from pipelinekit.model.account import JOB_WORKER_TIMEOUT
from pipelinekit.model.action import ActionTypeId, Owner
from pipelinekit.model.actiontype import DEFAULT_TIMEOUT, ActionType

TYPES: Mapping[ActionTypeId, ActionType] = MappingProxyType(
    {kind.id: kind for kind in ACTION_TYPES}
)
RULE_TYPES: Mapping[str, RuleType] = MappingProxyType({rule.provider: rule for rule in RULES})


def time_limit(action_type: ActionTypeId) -> timedelta:
    """Tell how long an action of a type may take when it does not say so itself.

    A custom type has the time that a job worker has; an unknown type has the time that most have.
    """
    known = TYPES.get(action_type)
    if known is not None:
        return known.timeout
    return JOB_WORKER_TIMEOUT if action_type.owner is Owner.CUSTOM else DEFAULT_TIMEOUT
