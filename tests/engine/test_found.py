"""What random schedules have found, each as short as it can be told."""

from pipelinekit.model.condition import ConditionType, Result, RetryMode
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.order import Failed
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus
from tests.engine.world import World, gate, line, on_failure, parallel, step

SEVEN = [step(f"a{number}") for number in range(7)]


def test_an_attempt_that_is_followed_by_another_at_once_is_kept_with_its_end() -> None:
    world = World()
    run = world.started(line(Stage("B", step("b"), on_failure=on_failure(Result.RETRY))))
    world.fetched(run)
    decision = world.report(run, "b", Failed("no"))
    attempts = [row for row in decision.rows if isinstance(row, ActionExecution)]
    assert [(row.attempt, row.status) for row in attempts] == [
        (1, ActionStatus.FAILED),
        (2, ActionStatus.IN_PROGRESS),
    ]


def test_actions_that_waited_for_a_place_do_not_start_while_the_entry_is_checked_again() -> None:
    world = World()
    run = world.started(parallel(Stage("B", *SEVEN, before_entry=gate("r"))))
    world.fetched(run)
    world.yes(run, "r")
    world.fail(run, "a0")
    world.succeed(run, "a1", "a2", "a3", "a4")
    world.retry(run, "B", RetryMode.ALL_ACTIONS)
    assert world.under_way(run) == {"r"}
    assert world.check(run, "B", ConditionType.BEFORE_ENTRY).attempt == 2
    world.yes(run, "r")
    assert world.under_way(run) == {"a0", "a1", "a2", "a3", "a4"}


def test_the_switch_behind_what_is_now_the_last_stage_lets_in_who_waits_for_an_old_one() -> None:
    world = World()
    run = world.started(parallel(Stage("B", step("b")), Stage("C", step("c"))))
    world.close("B", inbound=False)
    world.fetched(run)
    world.succeed(run, "b")
    world.define(parallel(Stage("B", step("b"))))
    assert world.under_way(run) == set()
    world.open("B", inbound=False)
    assert world.under_way(run) == {"c"}
