"""Decisions as a whole; rule by rule they are tested in `rules`."""

from pipelinekit.engine.decide import decide, replay
from pipelinekit.model.execution import ApprovalStatus
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import Stage
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
