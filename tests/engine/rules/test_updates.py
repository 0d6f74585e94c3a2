"""What an update and a deletion do to what is under way. Source: codepipeline.md 3.13, 3.14."""

import pytest
from msgspec.structs import replace

from pipelinekit.model.errors import PipelineNotFound
from pipelinekit.model.execution import PipelineExecution, PipelineRecord
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from pipelinekit.model.state import State
from tests.engine.world import World, approval, line, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)


def at_the_gate() -> tuple[World, str]:
    world = World()
    run = world.started(line(Stage("Gate", approval("ok") >> step("ship"))))
    world.fetched(run)
    return world, run


def one_inside_one_waiting(pipeline: Pipeline) -> tuple[World, str, str]:
    """Bring an execution into a stage, and another one in front of it."""
    world = World()
    first = world.started(pipeline)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    return world, first, second


# ---------------------------------------- 3.13


def test_a_new_definition_counts_up_and_starts_nothing() -> None:
    """3.13, C4: an update is a new version and starts no execution."""
    world = World()
    world.define(TWO)
    world.define(TWO)
    record = world.state.get(PipelineRecord, ("shop",))
    assert (record.version, record.executions) == (2, 0)


def test_the_same_definition_is_no_new_version_where_that_is_wanted() -> None:
    """3.13: the same definition is a new version too, unless told otherwise (CHOICE)."""
    world = World()
    run = world.started(TWO)
    world.define(TWO, unless_same=True)
    assert world.state.get(PipelineRecord, ("shop",)).version == 1
    assert world.status(run) == "InProgress"
    world.define(line(Stage("Other", step("x"))), unless_same=True)
    assert world.state.get(PipelineRecord, ("shop",)).version == 2


def test_a_new_definition_cancels_what_waits_at_once_and_what_runs_when_its_actions_end() -> None:
    """3.13, C4: actions in progress end, then the run is Cancelled; what waits is so at once."""
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    world.define(TWO)
    assert world.status(second) == "Cancelled"
    assert world.status(first) == "InProgress"
    world.succeed(first, "make")
    assert (world.status(first), world.stage(first, "Build").status) == ("Cancelled", "Cancelled")


@pytest.mark.parametrize("before", [ExecutionMode.SUPERSEDED, ExecutionMode.QUEUED])
@pytest.mark.parametrize("after", list(ExecutionMode))
def test_an_update_cancels_executions_whatever_the_new_mode_is(
    before: ExecutionMode, after: ExecutionMode
) -> None:
    """3.13: from SUPERSEDED or QUEUED to any mode, executions are Cancelled."""
    world, first, second = one_inside_one_waiting(replace(TWO, mode=before))
    world.define(replace(TWO, mode=after))
    world.succeed(first, "make")
    assert (world.status(first), world.status(second)) == ("Cancelled", "Cancelled")


def test_an_action_that_fails_after_an_update_does_not_fail_the_execution() -> None:
    """3.13: the execution is Cancelled however its actions in progress end."""
    world, first, _ = one_inside_one_waiting(TWO)
    world.define(TWO)
    world.fail(first, "make")
    assert (world.row(first, "make").status, world.status(first)) == ("Failed", "Cancelled")


@pytest.mark.parametrize("updated_first", [True, False])
def test_an_execution_that_is_cancelled_says_so_although_it_was_stopped_too(
    *, updated_first: bool
) -> None:
    """3.13, 3.8: what an update cancels is Cancelled, whoever stops it meanwhile (CHOICE)."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    if updated_first:
        world.define(TWO)
    world.stop(run)
    if not updated_first:
        world.define(TWO)
    world.succeed(run, "make")
    assert (world.status(run), world.execution(run).stop.by) == ("Cancelled", "ann")
    told = "Cancelled because the pipeline's definition changed"
    assert world.execution(run).summary == told


def test_after_an_update_no_later_group_and_no_later_stage_starts() -> None:
    """3.13: a cancelled execution does not go on."""
    world = World()
    pipeline = line(Stage("Build", step("a") >> step("b")), Stage("Live", step("live")))
    run = world.started(pipeline)
    world.fetched(run)
    world.define(pipeline)
    world.succeed(run, "a")
    assert world.begun(run) == {"Fetch", "a"}


@pytest.mark.parametrize("after", list(ExecutionMode))
def test_parallel_executions_go_on_by_the_definition_they_started_with(
    after: ExecutionMode,
) -> None:
    """3.13, 3.4, C4: from PARALLEL to any mode, executions continue to their end."""
    world, first, second = one_inside_one_waiting(parallel(MAKE))
    world.define(replace(line(Stage("Other", step("other"))), mode=after))
    world.succeed(first, "make")
    world.succeed(second, "make")
    assert (world.status(first), world.status(second)) == ("Succeeded", "Succeeded")


def test_parallel_executions_stand_in_nobody_s_way_after_a_change_of_mode() -> None:
    """3.13: what goes on from PARALLEL neither locks a stage nor is superseded."""
    world, first, _ = one_inside_one_waiting(parallel(MAKE))
    world.define(queued(MAKE))
    new = world.start()
    world.fetched(new)
    assert world.under_way(new) == world.under_way(first) == {"make"}


def test_a_new_definition_drops_a_pending_approval_at_once() -> None:
    """3.13, 10: an update drops a pending approval at once (CHOICE)."""
    world, run = at_the_gate()
    world.define(TWO)
    assert (world.row(run, "ok").status, world.status(run)) == ("Abandoned", "Cancelled")
    assert world.lock("Gate").holder is None


def test_an_approval_of_a_parallel_execution_is_answered_by_its_own_definition() -> None:
    """3.13, 10: a pending approval of a PARALLEL execution survives an update that removes it."""
    world = World()
    run = world.started(parallel(Stage("Gate", approval("ok"))))
    world.fetched(run)
    world.define(parallel(MAKE))
    world.answer(run, "ok")
    assert world.status(run) == "Succeeded"


def test_after_a_new_definition_a_new_execution_runs_by_it() -> None:
    """3.13: an execution that starts after the update runs by the new version."""
    world = World()
    world.started(TWO)
    world.define(line(Stage("Ship", step("ship"))))
    run = world.start()
    assert world.execution(run).version == 2


def test_any_update_counts_as_a_change_of_the_structure() -> None:
    """3.13: even an update that changes nothing cancels what is under way (CHOICE)."""
    world, first, second = one_inside_one_waiting(TWO)
    world.define(TWO)
    world.succeed(first, "make")
    assert {world.status(first), world.status(second)} == {"Cancelled"}


def test_an_update_leaves_what_has_ended_as_it_is() -> None:
    """3.13: history and the state of the stages are preserved."""
    world, first, second = one_inside_one_waiting(TWO)
    world.fail(first, "make")
    world.succeed(second, "make")
    before = world.lock("Build")
    world.define(line(MAKE, Stage("Live", step("live"))))
    assert (world.status(first), world.status(second)) == ("Failed", "Succeeded")
    assert world.lock("Build") == before


def test_a_parallel_execution_that_waited_enters_beside_whoever_is_in_the_stage() -> None:
    """3.13, 3.7: what goes on from PARALLEL is held by a transition, not by a lock."""
    world = World()
    old = world.started(parallel(MAKE))
    world.define(queued(MAKE))
    new = world.start()
    world.fetched(new)
    world.close("Build")
    world.fetched(old)
    assert world.lock("Build").waiting == (old,)
    world.open("Build")
    assert world.lock("Build").holder == new
    assert world.under_way(new) == world.under_way(old) == {"make"}


# ---------------------------------------- 3.14


def test_a_deletion_drops_definitions_state_and_history_at_once() -> None:
    """3.14: nothing of a deleted pipeline remains."""
    world, *_ = one_inside_one_waiting(TWO)
    world.delete()
    assert world.state == State()


def test_deleting_what_is_not_there_is_no_fault() -> None:
    """3.14: DeletePipeline succeeds for absent names."""
    world = World()
    world.delete()
    world.define(TWO)
    world.delete()
    world.delete()


def test_what_runs_for_a_deleted_pipeline_is_ended() -> None:
    """3.14: here no work goes on whose end nobody would see (CHOICE)."""
    world, first, _ = one_inside_one_waiting(TWO)
    attempt = world.row(first, "make").id
    world.delete()
    assert (world.halted, world.orders) == ([attempt], {})


def test_the_name_of_a_deleted_pipeline_is_free_at_once() -> None:
    """3.14: a deleted name can be reused, and begins anew with version 1."""
    world, first, _ = one_inside_one_waiting(TWO)
    world.delete()
    with pytest.raises(PipelineNotFound):
        world.start()
    run = world.started(TWO)
    record = world.state.get(PipelineRecord, ("shop",))
    assert (record.version, record.executions) == (1, 1)
    assert [row.id for row in world.state.all(PipelineExecution)] == [run] != [first]
