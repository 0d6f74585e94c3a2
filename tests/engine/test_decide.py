"""Decisions as a whole; rule by rule they are tested in `rules`."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from pipelinekit.engine.decide import decide, replay
from pipelinekit.model.errors import StaleReport
from pipelinekit.model.event import AnswerRefused
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ApprovalStatus
from tests.engine.world import World, approval, line, step

TWO = line(Stage("Build", step("make")))


def test_replaying_the_journal_gives_the_same_state() -> None:
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    world.fail(first, "make")
    world.succeed(second, "make")
    world.define(line(Stage("Gate", approval("ok"))))
    fourth = world.start()
    world.fetched(fourth)
    world.answer(fourth, "ok", ApprovalStatus.REJECTED)
    world.retry(fourth, "Gate")
    world.stop(fourth, abandon=True)
    again = replay(world.events)
    assert again == world.state


def test_decide_does_not_change_the_state_it_is_given() -> None:
    world = World()
    world.started(TWO)
    event = world.events.pop()
    world.state = replay(world.events)
    decision = decide(world.state, event)
    assert decision.rows
    assert world.state == replay(world.events)


def test_a_pipeline_of_nothing_but_instant_failures_ends() -> None:
    world = World()
    run = world.started(line(Stage("A", step("a", configuration={"X": "#{no.thing}"}))))
    world.report(run, "Fetch", Succeeded())
    assert world.status(run) == "Failed"


def refused(world: World, run: str, attempt: str) -> AnswerRefused:
    """Say that an engine's answer to the attempt of `make` did not count."""
    return AnswerRefused(
        id=str(UUID(int=len(world.events) + 1)),
        pipeline=world.pipeline,
        at=world.at,
        by="engine-1",
        execution=run,
        stage="Build",
        action="make",
        action_execution=attempt,
        fence=2,
        reason="it is held by engine-2",
    )


def test_an_answer_that_did_not_count_is_kept_and_changes_nothing_else() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    before = world.row(run, "make")
    for _ in range(2):
        decision = world.happen(refused(world, run, before.id))
        assert (decision.kept, decision.moves, decision.commands) == (True, (), ())
    assert world.row(run, "make") == replace(before, refused=2)
    assert replay(world.events) == world.state


def test_an_answer_to_an_attempt_that_another_has_followed_is_kept_in_the_journal_alone() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    decision = world.happen(refused(world, run, "an attempt before"))
    assert (decision.kept, decision.rows) == (True, ())


def test_it_is_kept_how_far_an_action_is_until_it_ends() -> None:
    world = World()
    run = world.started(line(Stage("Test", step("look"))))
    world.fetched(run)
    world.progress(run, "look", 40)
    row = world.row(run, "look")
    assert (row.percent, row.summary, row.status) == (40, "at 40", "InProgress")
    assert replay(world.events).get(ActionExecution, row.key) == row
    world.succeed(run, "look")
    assert (world.row(run, "look").percent, world.row(run, "look").summary) == (None, "")


def test_what_is_told_of_an_attempt_that_is_over_is_dropped() -> None:
    world = World()
    run = world.started(line(Stage("Test", step("look"), step("other"))))
    world.fetched(run)
    with pytest.raises(StaleReport, match="that is not under way; drop it"):
        world.progress(run, "look", 40, "another")
    world.succeed(run, "look")
    with pytest.raises(StaleReport):
        world.progress(run, "look", 40)
