"""Holds that a definition is refused by one rule of the validation catalogue, or accepted."""

from typing import Any

from pipelinekit.engine.validate import faults
from pipelinekit.model.condition import Condition, Result, Rule
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.build import build, pipeline

CODES = {
    "S": "InvalidStructureException",
    "G": "InvalidStageDeclarationException",
    "A": "InvalidActionDeclarationException",
}
FETCH, MAKE, RELEASE = (("stages", index, "actions", 0) for index in range(3))
SOURCE, BUILD, DEPLOY = pipeline().stages


def refused(bad: Pipeline, number: str, *path: str | int, also: str = "", **judged_by: Any) -> str:
    """Hold that a rule, and only such others as the example cannot avoid, refuses a pipeline."""
    found = faults(bad, **judged_by)
    assert {fault.rule for fault in found} == {number, *also.split()}, "\n".join(map(str, found))
    (fault,) = (each for each in found if each.rule == number and each.path == path)
    assert fault.code == CODES[number[0]]
    return fault.found


def accepted(good: Pipeline, **judged_by: Any) -> None:
    """Hold that a pipeline has no fault."""
    assert faults(good, **judged_by) == ()


def guarded_by(*rules: Rule) -> Pipeline:
    """Make a pipeline whose build is entered under a condition of these rules."""
    condition = Condition(rules, Result.FAIL)
    return pipeline(SOURCE, Stage("Build", build(), before_entry=(condition,)))
