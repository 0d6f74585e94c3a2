"""Tells everything that is wrong with the definition of a pipeline.

Source: codepipeline.md, section 2.12. What only an account knows is left out: whether a role can
be assumed (S12), whether a name is in use, quotas of the account, tags.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeVar

from pipelinekit.engine.action_rules import ACTION_RULES
from pipelinekit.engine.catalog import TYPES
from pipelinekit.engine.declaration import Declaration, Finding
from pipelinekit.engine.precedence import PRECEDENCE_RULES
from pipelinekit.engine.reference_rules import ARTIFACT_RULES, REFERENCE_RULES, RULE_RULES
from pipelinekit.engine.shape import misshapen
from pipelinekit.engine.stage_rules import STAGE_RULES
from pipelinekit.engine.structure_rules import REGION_RULES, STRUCTURE_RULES
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.errors import Fault
from pipelinekit.model.pipeline import Pipeline

SHAPE = "ValidationException"
STRUCTURE = "InvalidStructureException"
STAGE = "InvalidStageDeclarationException"
ACTION = "InvalidActionDeclarationException"

S = TypeVar("S")


def faults(
    pipeline: Pipeline,
    types: Mapping[ActionTypeId, ActionType] = TYPES,
    previous: Pipeline | None = None,
    pipeline_region: str | None = None,
    *,
    shaped: bool = False,
) -> tuple[Fault, ...]:
    """Give all faults of a pipeline, in the order in which CodePipeline looks for them.

    Args:
        pipeline: The definition to judge.
        types: The action types that there are; custom ones have to be added to `TYPES`.
        previous: The definition that it replaces: masked secrets are taken from there.
        pipeline_region: The region of the pipeline; left out, the one that its source actions
            name, since these cannot run elsewhere, or us-east-1.
        shaped: Whether it is known that all members lie within their bounds, since AWS's own
            model has let them in.
    """
    declaration = Declaration(pipeline, types, previous, pipeline_region)
    return tuple(
        chain(
            () if shaped else _misshapen(pipeline),
            _judge(SHAPE, REGION_RULES, (declaration,)),
            _judge(STRUCTURE, STRUCTURE_RULES, (declaration,)),
            _judge(STAGE, STAGE_RULES, declaration.stages),
            _judge(ACTION, ACTION_RULES, declaration.actions),
            _judge(ACTION, ARTIFACT_RULES, declaration.actions),
            _judge(ACTION, RULE_RULES, declaration.rules),
            _judge(ACTION, PRECEDENCE_RULES, declaration.actions),
            _judge(ACTION, REFERENCE_RULES, declaration.references),
        )
    )


def _misshapen(pipeline: Pipeline) -> Iterator[Fault]:
    return (Fault(SHAPE, *finding, "shape") for finding in misshapen(pipeline))


def _judge(
    code: str,
    rules: tuple[tuple[str, Callable[[S], Iterator[Finding]]], ...],
    subjects: Iterable[S],
) -> Iterator[Fault]:
    for subject in subjects:
        for rule, find in rules:
            for finding in find(subject):
                yield Fault(code, *finding, rule)
