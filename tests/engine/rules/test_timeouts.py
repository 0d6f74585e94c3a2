"""How long actions may take. Source: codepipeline.md 3.16."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipelinekit.engine.catalog import RULE_TYPES
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.condition import Result
from pipelinekit.model.event import Expired
from pipelinekit.model.order import Waiting
from pipelinekit.model.pipeline import Stage
from tests.engine.world import World, approval, gate, line, step

TWO = line(Stage("Build", step("make")))


def test_a_time_limit_of_the_action_goes_before_that_of_its_type() -> None:
    """3.16: timeoutInMinutes of the action goes before the limit of its type."""
    world = World()
    run = world.started(line(Stage("Build", step("make", timeout_minutes=5))))
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.deadline - row.started).total_seconds() == 300


def test_a_custom_type_may_have_a_limit_of_its_own() -> None:
    """3.16: a custom type may bring a limit of its own (CHOICE)."""
    world = World()
    run = world.started(TWO, limits={"Test/Custom/Step/1": 600.0})
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.deadline - row.started).total_seconds() == 600


@pytest.mark.parametrize(
    ("category", "provider", "limit"),
    [
        (Category.BUILD, "CodeBuild", timedelta(hours=36)),
        (Category.TEST, "CodeBuild", timedelta(hours=8)),
        (Category.DEPLOY, "CodeDeploy", timedelta(days=5)),
        (Category.APPROVAL, "Manual", timedelta(days=7)),
    ],
)
def test_the_order_of_an_action_bears_the_deadline_of_its_type(
    category: Category, provider: str, limit: timedelta
) -> None:
    """3.16: the limit counts from the start of the action, and goes with its order."""
    world = World()
    kind = ActionTypeId(category, Owner.AWS, provider)
    run = world.started(line(Stage("Work", replace(step("work"), type=kind))))
    world.fetched(run)
    row = world.row(run, "work")
    assert row.deadline == world.orders[row.id].deadline == row.started + limit


def test_signs_of_life_do_not_move_the_deadline_of_an_action() -> None:
    """3.16: the limit is for the whole of an action, however often it is asked again."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    before = world.row(run, "make").deadline
    world.report(run, "make", Waiting("t", seconds=5))
    assert world.row(run, "make").deadline == before


def test_an_approval_that_nobody_answers_fails_its_stage() -> None:
    """3.16, 10: when the time of an approval is over, action and stage have Failed."""
    world = World()
    run = world.started(line(Stage("Gate", replace(approval("ok"), timeout_minutes=5))))
    world.fetched(run)
    world.expire(run, "ok")
    assert (world.row(run, "ok").status, world.stage(run, "Gate").status) == ("Failed", "Failed")


def test_a_rule_whose_time_is_over_fails_its_condition() -> None:
    """3.16, 8: a rule that waits for longer than its limit has failed."""
    world = World()
    guarded = Stage("Build", step("make"), before_entry=gate("window", result=Result.FAIL))
    run = world.started(line(guarded))
    world.fetched(run)
    row = world.rule(run, "window")
    world.happen(
        Expired(
            id=row.id,
            pipeline="shop",
            at=row.deadline,
            by="clock",
            execution=run,
            stage="Build",
            action="window",
            action_execution=row.id,
            condition=row.condition,
        )
    )
    assert "timed out" in world.rule(run, "window").error.message
    assert (world.status(run), world.halted) == ("Failed", [row.id])


def test_a_rule_of_commands_has_55_minutes_and_one_of_codebuild_as_much_as_a_test() -> None:
    """3.16, 8: a Commands rule is limited to 55 minutes, a CodeBuild rule to 8 hours."""
    limits = {name: kind.timeout for name, kind in RULE_TYPES.items()}
    assert limits["Commands"] == timedelta(minutes=55)
    assert limits["CodeBuild"] == timedelta(hours=8)
