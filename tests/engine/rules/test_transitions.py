"""How the switches between stages hold executions up. Source: codepipeline.md 3.7."""

from datetime import timedelta

import pytest

from pipelinekit.model.errors import StageNotFound, ValidationError
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.engine.world import World, line, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)


def held(pipeline: object = TWO, count: int = 1) -> tuple[World, list[str]]:
    """Let executions arrive in front of a closed stage."""
    world = World()
    world.define(pipeline)
    world.close("Build", "the shop is closed")
    runs = []
    for _ in range(count):
        runs.append(world.start())
        world.fetched(runs[-1])
    return world, runs


def test_transitions_are_enabled_until_somebody_turns_them() -> None:
    """3.7: every transition is enabled by default."""
    world = World()
    world.define(TWO)
    state = world.lock("Build")
    assert (state.inbound.enabled, state.outbound.enabled) == (True, True)


def test_a_closed_stage_says_who_closed_it_when_and_why() -> None:
    """3.7: a disabled transition tells lastChangedBy, lastChangedAt and disabledReason."""
    world, _ = held()
    switch = world.lock("Build").inbound
    assert (switch.enabled, switch.by, switch.reason) == (False, "ann", "the shop is closed")
    assert switch.at is not None


def test_the_way_out_of_a_stage_can_be_closed_like_the_way_in() -> None:
    """3.7: entry into N+1 needs outbound of N and inbound of N+1 (CHOICE)."""
    world = World()
    world.define(TWO)
    world.close("Source", inbound=False)
    run = world.start()
    world.fetched(run)
    assert world.stage(run, "Source").status == "Succeeded"
    assert world.begun(run) == {"Fetch"}
    world.open("Source", inbound=False)
    assert world.under_way(run) == {"make"}


def test_an_execution_that_is_past_the_gate_is_not_affected() -> None:
    """3.7: disabling a transition holds nobody who has entered."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.close("Build")
    world.succeed(run, "make")
    assert world.status(run) == "Succeeded"


@pytest.mark.parametrize("reason", ["", "x" * 301, "a/b", "line\nbreak", "café"])
def test_a_stage_is_not_closed_for_a_reason_of_another_shape(reason: str) -> None:
    """3.7: a reason has 1 to 300 letters, digits, spaces and ! @ ( ) . * ? -."""
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="300"):
        world.close("Build", reason)
    world.close("Build", "Freeze (until 2026-01-07) @ann. Why? *!")


def test_closing_a_closed_stage_replaces_the_reason() -> None:
    """3.7: a second disable replaces the reason (CHOICE)."""
    world, _ = held()
    world.close("Build", "still closed")
    assert world.lock("Build").inbound.reason == "still closed"


def test_a_queue_piles_up_in_front_of_a_closed_stage() -> None:
    """3.7: while disabled, all executions of a QUEUED pipeline wait."""
    world, runs = held(queued(MAKE), 3)
    assert world.lock("Build").waiting == tuple(runs)


def test_opening_a_stage_lets_in_whoever_waits_who_then_runs_to_the_end() -> None:
    """3.7: on enable the inbound execution enters right away and goes on."""
    world, (run,) = held()
    world.open("Build")
    world.succeed(run, "make")
    assert world.status(run) == "Succeeded"


@pytest.mark.parametrize(("days", "entered"), [(30, True), (31, False)])
def test_after_more_than_30_days_opening_a_stage_lets_nobody_in(
    days: int, *, entered: bool
) -> None:
    """3.7, C7: a transition that was disabled for more than 30 days does not resume a waiter."""
    world, (run,) = held()
    world.at = world.lock("Build").inbound.at + timedelta(days=days, seconds=-1)
    world.open("Build")
    assert ("make" in world.begun(run)) is entered


def test_closing_a_closed_stage_again_gives_no_more_time_to_who_waits() -> None:
    """3.7: a second disable replaces the reason, and the 30 days are those of the first."""
    world, (run,) = held()
    world.at += timedelta(days=20)
    world.close("Build", "still closed")
    assert world.lock("Build").inbound.at == world.at
    world.at += timedelta(days=20)
    world.open("Build")
    assert world.begun(run) == {"Fetch"}


def stale(pipeline: Pipeline) -> tuple[World, str]:
    """Open a stage after it was closed for too long for who waits."""
    world, (run,) = held(pipeline)
    world.at += timedelta(days=40)
    world.open("Build")
    return world, run


def test_who_waited_too_long_stays_out_when_the_stage_is_closed_and_opened_again() -> None:
    """3.7, C7: after 30 days only a new change or a manual start goes on."""
    world, run = stale(TWO)
    world.close("Build")
    world.open("Build")
    assert (world.begun(run), world.status(run)) == ({"Fetch"}, "InProgress")
    assert "start a new one" in world.execution(run).summary


def test_who_waited_too_long_is_not_let_in_by_the_end_of_another_one() -> None:
    """3.7, C7: neither by a rollback nor by an execution that comes later in the queue."""
    world = World()
    good = world.started(queued(MAKE))
    world.fetched(good)
    world.succeed(good, "make")
    world.close("Build")
    run = world.start()
    world.fetched(run)
    world.at += timedelta(days=40)
    world.open("Build")
    world.succeed(world.rollback("Build", good), "make")
    later = world.start()
    world.fetched(later)
    world.succeed(later, "make")
    assert (world.status(later), world.begun(run)) == ("Succeeded", {"Fetch"})


def test_who_waited_too_long_can_be_stopped() -> None:
    """3.7, 3.8: a waiting execution goes Stopped at once."""
    world, run = stale(queued(MAKE))
    world.stop(run)
    assert (world.status(run), world.lock("Build").waiting) == ("Stopped", ())


def test_who_waited_too_long_for_the_way_out_of_the_stage_before_stays_out() -> None:
    """3.7: the 30 days are those of either switch (CHOICE)."""
    world = World()
    world.define(TWO)
    world.close("Source", inbound=False)
    run = world.start()
    world.fetched(run)
    world.at += timedelta(days=40)
    world.open("Source", inbound=False)
    world.close("Build")
    world.open("Build")
    assert world.begun(run) == {"Fetch"}


def test_a_new_execution_goes_where_a_stale_one_was_left() -> None:
    """3.7: after 30 days a new change or a manual start is needed."""
    world, (old,) = held()
    world.at += timedelta(days=40)
    world.open("Build")
    new = world.start()
    world.fetched(new)
    assert (world.status(old), world.under_way(new)) == ("Superseded", {"make"})


def test_a_waiter_that_is_stopped_does_not_enter_when_the_stage_is_opened() -> None:
    """3.7: the inbound execution may be stopped, and then it stays out."""
    world, (run,) = held()
    world.stop(run)
    world.open("Build")
    assert (world.status(run), world.begun(run)) == ("Stopped", {"Fetch"})


def test_a_closed_stage_holds_every_execution_of_a_parallel_pipeline() -> None:
    """3.7: in PARALLEL mode a disabled transition holds each execution (CHOICE)."""
    world, runs = held(parallel(MAKE), 2)
    assert world.lock("Build").waiting == tuple(runs)
    world.open("Build")
    assert [world.under_way(run) for run in runs] == [{"make"}, {"make"}]


def test_a_switch_survives_an_update_that_keeps_the_stage() -> None:
    """3.7, 3.13: transitions stay as they are as long as the name of the stage remains."""
    world, _ = held()
    world.define(line(MAKE, Stage("Live", step("live"))))
    assert not world.lock("Build").inbound.enabled


def test_a_switch_goes_with_its_stage() -> None:
    """3.7: a stage that was removed and comes back is open."""
    world, _ = held()
    world.define(line(Stage("Live", step("live"))))
    world.define(TWO)
    assert world.lock("Build").inbound.enabled


def test_nobody_waits_for_the_switch_of_a_stage_that_is_gone() -> None:
    """3.7, 3.13: a PARALLEL execution that waited for a removed stage goes on (CHOICE)."""
    world, (run,) = held(parallel(MAKE))
    world.define(parallel(Stage("Live", step("live"))))
    assert world.under_way(run) == {"make"}


def test_the_transition_of_an_unknown_stage_cannot_be_turned() -> None:
    """3.7: a transition belongs to a stage of the current definition."""
    world, _ = held()
    with pytest.raises(StageNotFound, match="Nowhere"):
        world.open("Nowhere")
