"""Pipelines drawn at random, small enough that a short schedule gets through them."""

from functools import cache
from random import Random

from msgspec.structs import replace

from pipelinekit.model.action import Action, ActionTypeId, Category, OutputArtifact, Owner, Steps
from pipelinekit.model.condition import (
    Condition,
    FailureConditions,
    Result,
    RetryMode,
    Rule,
    RuleTypeId,
)
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage, Variable
from tests.engine.world import approval, fetch, step

POOL = 360
"""How many pipelines there are; each mode has a third of them."""

MODES = tuple(ExecutionMode)
CROWD = 7
"""More actions than a PARALLEL execution runs side by side."""


@cache
def plan(number: int) -> Pipeline:
    """Draw a pipeline; the same for the same number."""
    return _Pen(number).pipeline()


class _Pen:
    def __init__(self, number: int) -> None:
        self._random = Random(number)
        self._mode = MODES[number % len(MODES)]
        self._parallel = self._mode is ExecutionMode.PARALLEL
        self._written: list[str] = []
        self._spoken: list[str] = []

    def pipeline(self) -> Pipeline:
        stages = [self._source()]
        stages += [self._stage(name) for name in "BCD"[: self._often(2, 5, 2)]]
        variables = (Variable("v", "1"), Variable("w")) if self._likely(0.3) else ()
        return Pipeline(
            "shop", tuple(stages), self._mode, variables=variables or (Variable("v", "1"),)
        )

    def _likely(self, chance: float) -> bool:
        return self._random.random() < chance

    def _often(self, *weights: int) -> int:
        """Give 1, 2, 3 ... as often as the weights say."""
        return self._random.choices(range(1, len(weights) + 1), weights)[0]

    def _source(self) -> Stage:
        sources = [fetch()]
        if self._likely(0.2):
            more = replace(fetch("More"), outputs=(OutputArtifact("Extra"),), namespace="more")
            sources.append(more)
        failure = FailureConditions(Result.RETRY) if self._likely(0.2) else None
        self._written = [output.name for each in sources for output in each.outputs]
        self._spoken = [each.namespace or "" for each in sources]
        return Stage("Source", *sources, on_failure=failure)

    def _stage(self, name: str) -> Stage:
        entry = self._condition(Result.FAIL, Result.SKIP) if self._likely(0.3) else ()
        steps = self._steps(name)
        results = (Result.FAIL, Result.ROLLBACK)[: 1 if self._parallel else 2]
        success = self._condition(*results) if self._likely(0.25) else ()
        return Stage(
            name,
            actions=steps.actions,
            before_entry=entry,
            on_success=success,
            on_failure=self._failure(),
        )

    def _steps(self, stage: str) -> Steps:
        crowded = self._parallel and self._likely(0.4)
        sizes = [CROWD] if crowded else [self._often(6, 3, 1) for _ in range(self._often(6, 3, 1))]
        groups = []
        for place, size in enumerate(sizes):
            group = tuple(self._action(f"{stage}{place}{number}") for number in range(size))
            groups.append(group)
            self._written += [output.name for action in group for output in action.outputs]
            self._spoken += [action.namespace for action in group if action.namespace]
        return Steps(tuple(groups))

    def _action(self, name: str) -> Action:
        if self._likely(0.12):
            return approval(name)
        if self._likely(0.12):
            return self._review(name)
        return step(
            name,
            configuration={"C": self._text()} if self._likely(0.5) else {},
            inputs=(self._random.choice(self._written),) if self._likely(0.3) else (),
            outputs=(OutputArtifact(f"out-{name}"),) if self._likely(0.4) else (),
            namespace=f"n-{name}" if self._likely(0.4) else None,
        )

    def _review(self, name: str) -> Action:
        kind = ActionTypeId(Category.APPROVAL, Owner.CUSTOM, "Review")
        wanted = {"RequiredApprovals": str(self._often(1, 2))}
        if self._likely(0.5):
            wanted["PreventSelfApproval"] = "true"
        if self._likely(0.5):
            wanted["Approvers"] = "Ann, bob, cid"
        return Action(name, kind, wanted)

    def _text(self) -> str:
        known = ["variables.v", "codepipeline.PipelineExecutionId"]
        known += [f"{namespace}.V" for namespace in self._spoken]
        chosen = self._random.choices(known, k=self._often(3, 1))
        return " ".join(f"<#{{{each}}}>" for each in chosen)

    def _condition(self, *results: Result) -> tuple[Condition, ...]:
        rules = tuple(self._rule(f"r{number}") for number in range(self._often(3, 1)))
        return (Condition(rules, self._random.choice(results)),)

    def _rule(self, name: str) -> Rule:
        variable = self._text() if self._likely(0.5) else "1"
        wanted = {"Variable": variable, "Value": "1", "Operator": "EQ"}
        return Rule(name, RuleTypeId("VariableCheck"), wanted)

    def _failure(self) -> FailureConditions | None:
        ways = (
            None,
            FailureConditions(Result.RETRY, RetryMode.FAILED_ACTIONS),
            FailureConditions(Result.RETRY, RetryMode.ALL_ACTIONS),
            FailureConditions(Result.ROLLBACK),
            FailureConditions(conditions=self._condition(Result.ROLLBACK)),
        )
        weights = (5, 1, 1, 0, 0) if self._parallel else (5, 1, 1, 2, 1)
        return self._random.choices(ways, weights)[0]
