"""How executions go through stages and meet there. Source: codepipeline.md 3.3, 3.4 and 3.5."""

import pytest

from pipelinekit.model.condition import ConditionType, Result, RetryMode
from pipelinekit.model.errors import (
    ConditionNotOverridable,
    NotStoppable,
    PipelineKitError,
    StageNotRetryable,
)
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.engine.world import World, approval, gate, line, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)
ENTRY = ConditionType.BEFORE_ENTRY


def arrivals(pipeline: Pipeline, count: int) -> tuple[World, list[str]]:
    """Let executions arrive one after the other in front of the second stage."""
    world = World()
    world.define(pipeline)
    runs = []
    for _ in range(count):
        runs.append(world.start())
        world.fetched(runs[-1])
    return world, runs


def three_arrive() -> tuple[World, str, str, str]:
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    third = world.start()
    world.fetched(third)
    return world, first, second, third


# ---------------------------------------- 3.3, the main loop


def test_stages_run_one_after_the_other_and_the_last_one_ends_the_execution() -> None:
    """3.3: a stage is left for the next one, and the last one ends the execution."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    assert world.stage(run, "Source").status == "Succeeded"
    assert world.under_way(run) == {"make"}
    world.succeed(run, "make")
    assert world.status(run) == "Succeeded"
    assert world.lock("Build").holder is None


def test_a_stage_is_left_before_the_next_one_is_entered() -> None:
    """3.3: a stage is unlocked for the next execution before its holder goes on."""
    world = World()
    first = world.started(TWO)
    second = world.start()
    world.fetched(first)
    assert world.lock("Source").holder == second
    assert world.lock("Build").holder == first


def test_an_execution_between_stages_is_in_progress_and_holds_no_lock() -> None:
    """3.3: whoever waits in front of a stage is InProgress and locks nothing."""
    world, (first, second) = arrivals(TWO, 2)
    assert (world.status(second), world.lock("Build").holder) == ("InProgress", first)
    assert world.lock("Source").holder is None


def test_a_stage_is_locked_before_its_entry_is_checked() -> None:
    """3.3, C5: rules that wait keep the stage locked, and later executions wait in front."""
    guarded = Stage("Build", step("make"), before_entry=gate("window", result=Result.FAIL))
    world, (first, second) = arrivals(line(guarded), 2)
    assert (world.lock("Build").holder, world.lock("Build").waiting) == (first, (second,))
    assert world.under_way(first) == {"window"}


def test_in_a_parallel_pipeline_no_state_of_a_stage_is_shared() -> None:
    """3.3: executions of a PARALLEL pipeline lock nothing and leave no trace in the stage."""
    world, _ = arrivals(parallel(MAKE), 2)
    assert (world.lock("Build").holder, world.lock("Build").latest) == (None, None)


# ---------------------------------------- 3.4, SUPERSEDED


def test_a_newer_execution_supersedes_the_one_that_waits() -> None:
    """3.4: one waits in front of a busy stage, and a newer arrival supersedes it."""
    world, first, second, third = three_arrive()
    assert [world.status(run) for run in (first, second, third)] == [
        "InProgress",
        "Superseded",
        "InProgress",
    ]
    assert world.lock("Build").waiting == (third,)


def test_the_newest_enters_when_the_stage_is_left() -> None:
    """3.4: when the stage is left, the newest execution enters it."""
    world, first, _, third = three_arrive()
    world.succeed(first, "make")
    assert world.lock("Build").holder == third
    assert world.under_way(third) == {"make"}


def test_an_execution_inside_a_stage_is_never_superseded_not_even_at_an_approval() -> None:
    """3.4, C1: superseding happens only between stages."""
    world = World()
    first = world.started(line(Stage("Gate", approval("ok"))))
    world.fetched(first)
    for _ in range(3):
        world.fetched(world.start())
    assert world.status(first) == "InProgress"
    world.answer(first, "ok")
    assert world.status(first) == "Succeeded"


def test_a_failed_stage_lets_the_waiter_in_which_overtakes_the_failed_execution() -> None:
    """3.4, C2: a failure unlocks the stage at once, and the failed run is past retrying."""
    world, (first, second) = arrivals(TWO, 2)
    world.fail(first, "make")
    assert (world.lock("Build").holder, world.lock("Build").latest) == (second, second)
    with pytest.raises(PipelineKitError) as refused:
        world.retry(first, "Build")
    assert refused.value.code == "NotLatestPipelineExecutionException"


def test_in_front_of_a_closed_stage_only_the_newest_survives() -> None:
    """3.4, 3.7, C7: executions supersede each other in front of a disabled transition too."""
    world = World()
    world.define(TWO)
    world.close("Build")
    runs = [world.start() for _ in range(1)]
    world.fetched(runs[0])
    runs.append(world.start())
    world.fetched(runs[1])
    assert [world.status(run) for run in runs] == ["Superseded", "InProgress"]
    assert world.lock("Build").waiting == (runs[1],)


def test_starts_that_meet_a_busy_first_stage_supersede_each_other_there() -> None:
    """3.4: executions in front of a busy first stage supersede each other (CHOICE)."""
    world = World()
    first = world.started(TWO)
    second, third = world.start(), world.start()
    assert world.status(second) == "Superseded"
    world.fetched(first)
    assert world.under_way(third) == {"Fetch"}


def test_an_older_execution_that_arrives_later_does_not_supersede_a_newer_one() -> None:
    """3.4: the newest wins, in whatever order they arrive."""
    world = World()
    world.define(line(Stage("Build", step("make")), Stage("Live", step("live"))))
    older = world.start()
    world.fetched(older)
    world.fail(older, "make")
    world.close("Live")
    world.retry(older, "Build")
    newer = world.start()
    world.fetched(newer)
    world.stop(older, abandon=True)
    world.succeed(newer, "make")
    assert world.lock("Live").waiting == (newer,)


def test_superseded_is_final() -> None:
    """3.4: what was superseded is neither retried nor stopped nor overridden."""
    world, _, loser, _ = three_arrive()
    with pytest.raises(NotStoppable):
        world.stop(loser)
    with pytest.raises(StageNotRetryable):
        world.retry(loser, "Build")
    with pytest.raises(ConditionNotOverridable):
        world.override(loser, "Build", ENTRY)
    assert world.status(loser) == "Superseded"


# ---------------------------------------- 3.4, QUEUED


def test_queued_executions_wait_in_the_order_of_their_arrival_and_enter_so() -> None:
    """3.4: in front of a busy stage of a QUEUED pipeline all wait, first in, first out."""
    world, (first, second, third) = arrivals(queued(MAKE), 3)
    assert world.lock("Build").waiting == (second, third)
    world.succeed(first, "make")
    assert world.lock("Build").holder == second
    world.succeed(second, "make")
    world.succeed(third, "make")
    assert [world.status(run) for run in (first, second, third)] == ["Succeeded"] * 3


def test_there_may_be_a_queue_in_front_of_every_stage_also_of_the_first() -> None:
    """3.4: a QUEUED pipeline has a queue for each stage, before the Source stage too."""
    world, (_, second) = arrivals(queued(MAKE), 2)
    third, fourth, fifth = world.start(), world.start(), world.start()
    assert world.lock("Build").waiting == (second,)
    assert (world.lock("Source").holder, world.lock("Source").waiting) == (third, (fourth, fifth))


def test_a_queued_execution_never_overtakes_another_one() -> None:
    """3.4: not even one that skips a stage passes the one before it."""
    skipped = gate("x", result=Result.SKIP, Variable="#{src.Nothing}")
    stages = (Stage("Maybe", step("m"), before_entry=skipped), Stage("Live", step("live")))
    held = line(Stage("Hold", step("hold")), *stages)
    world, (first, second) = arrivals(queued(*held.stages[1:]), 2)
    world.succeed(first, "hold")
    world.succeed(second, "hold")
    assert (world.lock("Live").holder, world.lock("Live").waiting) == (first, (second,))


def test_a_stop_takes_an_execution_out_of_the_queue() -> None:
    """3.4: whoever is stopped in a queue is Stopped, and the others move up."""
    world, (first, second, third) = arrivals(queued(MAKE), 3)
    world.stop(second)
    assert (world.status(second), world.lock("Build").waiting) == ("Stopped", (third,))
    world.succeed(first, "make")
    assert world.lock("Build").holder == third


def test_an_update_takes_all_executions_out_of_the_queue() -> None:
    """3.4: executions in a queue are Cancelled by an update."""
    world, (_, second, third) = arrivals(queued(MAKE), 3)
    world.define(queued(MAKE))
    assert [world.status(run) for run in (second, third)] == ["Cancelled"] * 2
    assert world.lock("Build").waiting == ()


def test_an_approval_blocks_everything_behind_it_until_it_is_answered() -> None:
    """3.4: in a QUEUED pipeline all wait behind a pending approval."""
    world, (first, second, third) = arrivals(queued(Stage("Gate", approval("ok"))), 3)
    assert world.lock("Gate").waiting == (second, third)
    world.answer(first, "ok")
    assert world.under_way(second) == {"ok"}


def test_a_full_queue_of_executions_that_fail_at_once_is_worked_off_at_once() -> None:
    """3.4: 50 in progress are the most, and a failure lets in the next however many follow."""
    stage = Stage("Build", step("make", configuration={"X": "#{src.Nothing}"}))
    world = World()
    world.define(queued(stage))
    world.close("Build")
    runs = []
    for _ in range(50):
        runs.append(world.start())
        world.fetched(runs[-1])
    world.open("Build")
    assert {world.status(run) for run in runs} == {"Failed"}


# ---------------------------------------- 3.4, PARALLEL


def test_parallel_executions_never_wait_and_end_in_any_order() -> None:
    """3.4: executions of a PARALLEL pipeline are independent of each other."""
    world, (first, second) = arrivals(parallel(MAKE), 2)
    assert world.under_way(first) == world.under_way(second) == {"make"}
    world.succeed(second, "make")
    assert (world.status(first), world.status(second)) == ("InProgress", "Succeeded")
    world.succeed(first, "make")
    assert world.status(first) == "Succeeded"


def test_at_most_five_actions_of_a_parallel_execution_run_at_once() -> None:
    """3.4, 3.5, C14: the sixth waits for a place, in the order of the declaration (CHOICE)."""
    six = Stage("Build", *(step(name) for name in "abcdef"))
    world, (run,) = arrivals(parallel(six), 1)
    assert world.under_way(run) == set("abcde")
    world.succeed(run, "c")
    assert world.under_way(run) == set("abdef")
    world.succeed(run, *"abdef")
    assert world.status(run) == "Succeeded"


def test_the_five_places_are_counted_for_each_execution_alone() -> None:
    """3.4: two PARALLEL executions have five places each."""
    six = Stage("Build", *(step(name) for name in "abcdef"))
    world, (first, second) = arrivals(parallel(six), 2)
    assert len(world.under_way(first)) == len(world.under_way(second)) == 5


def test_an_action_that_waits_for_a_place_does_not_start_after_a_failure() -> None:
    """3.5: what has not begun when a sibling fails is left out, and a retry runs it (CHOICE)."""
    six = Stage("Build", *(step(name) for name in "abcdef"))
    world, (run,) = arrivals(parallel(six), 1)
    world.fail(run, "a")
    world.succeed(run, *"bcde")
    assert (world.status(run), "f" in world.begun(run)) == ("Failed", False)
    world.retry(run, "Build")
    assert world.under_way(run) == {"a", "f"}


def test_what_waited_for_a_place_is_retried_although_it_succeeded_once() -> None:
    """3.5, 3.9: after ALL_ACTIONS an action that got no place has not run yet (CHOICE)."""
    six = Stage("Build", *(step(name) for name in "abcdef"))
    world, (run,) = arrivals(parallel(six), 1)
    world.succeed(run, "b")
    world.succeed(run, "f")
    world.fail(run, "a")
    world.succeed(run, *"cde")
    world.retry(run, "Build", RetryMode.ALL_ACTIONS)
    world.fail(run, "a")
    world.succeed(run, *"bcde")
    world.retry(run, "Build")
    assert world.under_way(run) == {"a", "f"}


# ---------------------------------------- 3.5, run order


def test_a_group_runs_side_by_side_and_the_next_one_waits_for_all_of_it() -> None:
    """3.5: equal run orders start together, and the next group waits for all of them."""
    world = World()
    steps = (step("a") + step("b")) >> step("c")
    run = world.started(line(Stage("Test", steps)))
    world.fetched(run)
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a")
    assert "c" not in world.begun(run)
    world.succeed(run, "b")
    assert world.under_way(run) == {"c"}


def test_run_orders_may_have_gaps_and_stand_in_any_order() -> None:
    """3.5: run orders may have gaps, and the order of the list is of no account."""
    world = World()
    stage = Stage("Test", actions=(step("late", run_order=30), step("early", run_order=2)))
    run = world.started(line(stage))
    world.fetched(run)
    assert world.under_way(run) == {"early"}
    world.succeed(run, "early")
    assert world.under_way(run) == {"late"}


def test_a_run_order_that_is_not_given_is_one() -> None:
    """3.5: the default of runOrder is 1."""
    stage = Stage("Test", actions=(step("b", run_order=2), step("a")))
    world, (run,) = arrivals(line(stage), 1)
    assert world.under_way(run) == {"a"}


def test_artifacts_bring_no_order_into_a_stage() -> None:
    """3.5: there is no analysis of what depends on what; only run orders count."""
    world, (run,) = arrivals(line(Stage("Test", step("a", inputs=("Code",)) + step("b"))), 1)
    assert world.under_way(run) == {"a", "b"}


def test_when_an_action_fails_its_siblings_run_to_their_end_and_later_groups_do_not_start() -> (
    None
):
    """3.5, C8: siblings of a failed action run to their end; later groups do not start."""
    world = World()
    run = world.started(line(Stage("Test", (step("a") + step("b")) >> step("c"))))
    world.fetched(run)
    world.fail(run, "a")
    assert world.status(run) == "InProgress"
    world.succeed(run, "b")
    assert world.stage(run, "Test").status == "Failed"
    assert world.status(run) == "Failed"
    assert "c" not in world.begun(run)
