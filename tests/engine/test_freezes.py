"""How a freeze, which CodePipeline does not know, is overridden."""

import pytest

from pipelinekit.model.condition import Condition, ConditionType, Result, Rule, RuleTypeId
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.pipeline import Stage
from tests.engine.world import World, gate, line, step

ENTRY = ConditionType.BEFORE_ENTRY
FROZEN = (Condition((Rule("quiet", RuleTypeId("Freeze", "Custom")),), Result.FAIL),)


def held_up(condition: tuple[Condition, ...] = FROZEN) -> tuple[World, str]:
    """Bring an execution to the entry of a stage."""
    world = World()
    run = world.started(line(Stage("Live", step("live"), before_entry=condition)))
    world.fetched(run)
    return world, run


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_freeze_is_not_overridden_without_a_reason(reason: str) -> None:
    world, run = held_up()
    with pytest.raises(ValidationError, match="the freeze quiet; say why it must not wait"):
        world.override(run, "Live", ENTRY, reason)
    assert world.under_way(run) == {"quiet"}


def test_the_reason_is_kept_with_who_gave_it() -> None:
    world, run = held_up()
    world.override(run, "Live", ENTRY, "a hotfix\nfor the shop")
    check = world.check(run, "Live", ENTRY)
    assert check.status == "Overridden"
    assert check.summary == "Overridden by ann: a hotfix for the shop"
    assert world.under_way(run) == {"live"}


def test_a_reason_of_more_than_512_characters_is_refused() -> None:
    world, run = held_up()
    with pytest.raises(ValidationError, match="513 characters, and 512 is the most"):
        world.override(run, "Live", ENTRY, "x" * 513)


def test_another_condition_is_overridden_without_a_reason_as_with_codepipeline() -> None:
    world, run = held_up(gate("r", result=Result.FAIL))
    world.override(run, "Live", ENTRY)
    assert world.check(run, "Live", ENTRY).summary == "Overridden by ann"
