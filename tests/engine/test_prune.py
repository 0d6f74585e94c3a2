"""Executions are forgotten, but none that somebody needs."""

from pipelinekit.engine.decide import replay
from pipelinekit.model.execution import ActionExecution, PipelineExecution
from pipelinekit.model.pipeline import Stage
from tests.engine.world import World, approval, line, step

SHIP = line(Stage("Ship", step("ship")))


def shipped(world: World) -> str:
    """Let an execution succeed."""
    run = world.start()
    world.fetched(run)
    world.succeed(run, "ship")
    return run


def test_what_somebody_needs_is_not_forgotten() -> None:
    world = World()
    world.define(SHIP)
    first, second = shipped(world), shipped(world)
    third = world.start()
    assert world.prune(first, second, third, "nobody") == "2"
    assert {row.id for row in world.state.all(PipelineExecution)} == {second, third}
    assert {row.execution for row in world.state.all(ActionExecution)} == {second, third}


def test_the_target_of_a_rollback_stays_while_it_is_the_last_of_a_stage() -> None:
    world = World()
    world.define(SHIP)
    first, second, _ = (shipped(world) for _ in range(3))
    back = world.rollback("Ship", first)
    assert world.prune(first) == "0"
    world.succeed(back, "ship")
    assert world.prune(first, second) == "1"
    assert world.state.get(PipelineExecution, (first,)) is not None


def test_who_waits_in_front_of_a_stage_is_not_forgotten() -> None:
    world = World()
    world.define(line(Stage("Gate", approval("ok"))))
    runs = [world.start() for _ in range(2)]
    world.fetched(runs[0])
    world.fetched(runs[1])
    assert world.prune(*runs) == "0"


def test_the_journal_replays_to_the_shortened_state() -> None:
    world = World()
    world.define(SHIP)
    runs = [shipped(world) for _ in range(3)]
    world.prune(*runs)
    assert replay(world.events) == world.state
