"""The traps of codepipeline.md, appendix C, that no rule of another file tells."""

from pipelinekit.engine.catalog import time_limit
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.condition import Result, RetryMode
from pipelinekit.model.execution import Cause
from pipelinekit.model.order import Waiting
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import TriggerType
from tests.engine.world import World, gate, line, on_failure, step


def test_no_state_of_waiting_makes_an_execution_inside_a_stage_unsafe() -> None:
    """C1: not at a slow action, at a condition, or between a failure and its retry either."""
    world = World()
    stage = Stage(
        "Live",
        step("live"),
        before_entry=gate("r", result=Result.FAIL),
        on_success=gate("s", result=Result.FAIL),
        on_failure=on_failure(Result.RETRY, RetryMode.FAILED_ACTIONS),
    )
    first = world.started(line(stage))
    world.fetched(first)
    for go_on in (
        lambda: world.yes(first, "r"),
        lambda: world.report(first, "live", Waiting("t", seconds=60)),
        lambda: world.fail(first, "live"),
        lambda: world.succeed(first, "live"),
    ):
        world.fetched(world.start())
        assert (world.status(first), world.lock("Live").holder) == ("InProgress", first)
        go_on()
    world.yes(first, "s")
    assert world.status(first) == "Succeeded"


def test_a_lambda_function_has_a_day_in_all() -> None:
    """C16, 3.16: a Lambda action has 24 hours overall, however it reports."""
    invoke = ActionTypeId(Category.INVOKE, Owner.AWS, "Lambda")
    assert time_limit(invoke).total_seconds() == 24 * 3600


def test_put_action_revision_starts_the_execution() -> None:
    """C18: a start by PutActionRevision is one like others, on the revision it names."""
    world = World()
    world.define(line(Stage("Build", step("make"))))
    world.start(Cause(TriggerType.PUT_ACTION_REVISION), revisions={"Fetch": "r-7"})
    (order,) = world.orders.values()
    assert order.revision == "r-7"
