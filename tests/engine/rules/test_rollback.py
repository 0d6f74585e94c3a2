"""How a stage is rolled back. Source: codepipeline.md 3.11."""

import pytest
from msgspec.structs import replace

from pipelinekit.model.condition import ConditionType, Result
from pipelinekit.model.errors import (
    ExecutionNotFound,
    ExecutionOutdated,
    PipelineNotFound,
    StageNotFound,
    UnableToRollback,
)
from pipelinekit.model.execution import ActionExecution, PipelineExecution
from pipelinekit.model.pipeline import Pipeline, PipelineType, Stage, Variable
from tests.engine.world import World, gate, line, on_failure, parallel, step

MAKE = Stage("Build", step("make", namespace="b"))
LIVE = Stage("Live", step("live", configuration={"V": "#{b.V}"}, inputs=("Code",)))
AFTER = Stage("After", step("after"))
SHOP = line(MAKE, LIVE, AFTER)
GONE = "00000000-0000-0000-0000-00000000ffff"


def released(world: World, version: str = "1") -> str:
    """Let an execution succeed in all stages."""
    run = deploying(world, version)
    world.succeed(run, "live", "after")
    return run


def deploying(world: World, version: str) -> str:
    """Bring an execution into the stage that is rolled back."""
    run = world.start()
    world.fetched(run, f"commit-{version}")
    world.succeed(run, "make", V=version)
    return run


def twice(pipeline: Pipeline = SHOP) -> tuple[World, str, str]:
    """Release two versions."""
    world = World()
    world.define(pipeline)
    return world, released(world, "1"), released(world, "2")


def self_healing(**members: object) -> Pipeline:
    """Make a pipeline whose deployment goes back by itself."""
    live = step("live", configuration={"V": "#{b.V}"})
    return line(MAKE, Stage("Live", live, **members), AFTER)


def the_rollback(world: World) -> PipelineExecution:
    """Find the only execution that is a rollback."""
    (row,) = (r for r in world.state.all(PipelineExecution) if r.type == "ROLLBACK")
    return row


# ---------------------------------------- by hand


def test_a_rollback_is_a_new_execution_with_a_target() -> None:
    """3.11, C3: a rollback makes a new execution of type ROLLBACK with its target."""
    world, first, second = twice()
    run = world.rollback("Live", first)
    row = world.execution(run)
    assert (row.type, row.target, run in {first, second}) == ("ROLLBACK", first, False)
    assert (row.cause.type, row.cause.detail) == ("ManualRollback", "ann")


def test_a_rollback_starts_directly_in_its_stage_and_runs_the_actions_again() -> None:
    """3.11: nothing is undone, the stage's actions run again."""
    world, first, _ = twice()
    run = world.rollback("Live", first)
    assert (world.execution(run).stage, world.under_way(run)) == ("Live", {"live"})
    assert world.begun(run) == {"live"}


def test_a_rollback_has_the_revisions_variables_and_artifacts_of_its_target() -> None:
    """3.11, 5.3.6: what the target execution had in the stage is what the rollback gets."""
    world, first, _ = twice(replace(SHOP, variables=(Variable("level", "info"),)))
    run = world.rollback("Live", first)
    row, target = world.execution(run), world.execution(first)
    assert (row.revisions, row.variables) == (target.revisions, target.variables)
    assert world.row(run, "live").resolved == {"V": "1"}
    assert world.row(run, "live").inputs == world.row(first, "Fetch").outputs


def test_a_rollback_ends_with_its_stage() -> None:
    """3.11: it runs that stage only, and then it has succeeded (CHOICE)."""
    world, first, _ = twice()
    run = world.rollback("Live", first)
    world.succeed(run, "live")
    assert (world.status(run), world.begun(run)) == ("Succeeded", {"live"})
    assert (world.lock("Live").holder, world.lock("After").waiting) == (None, ())


def test_a_target_must_have_succeeded_in_the_stage() -> None:
    """3.11: (a) an execution that failed in the stage is no target."""
    world, *_ = twice()
    failed = deploying(world, "3")
    world.fail(failed, "live")
    with pytest.raises(UnableToRollback, match="Failed"):
        world.rollback("Live", failed)
    never = world.start()
    world.fail(never, "Fetch")
    with pytest.raises(UnableToRollback, match="never entered"):
        world.rollback("Live", never)


def test_a_target_that_failed_later_is_good_for_the_stage_that_it_passed() -> None:
    """3.11: only the success in the stage counts, not that of the execution."""
    world, *_ = twice()
    run = deploying(world, "3")
    world.succeed(run, "live")
    world.fail(run, "after")
    again = world.rollback("Live", run)
    assert world.row(again, "live").resolved == {"V": "3"}


def test_a_target_of_an_earlier_version_of_the_definition_is_outdated() -> None:
    """3.11, 3.13: (b) any update makes older executions ineligible."""
    world, first, _ = twice()
    world.define(SHOP)
    with pytest.raises(ExecutionOutdated, match="version 1"):
        world.rollback("Live", first)


def test_a_rollback_is_no_target() -> None:
    """3.11: (c) an execution that is a rollback itself cannot be gone back to."""
    world, first, _ = twice()
    back = world.rollback("Live", first)
    world.succeed(back, "live")
    with pytest.raises(UnableToRollback, match="rollback itself"):
        world.rollback("Live", back)


def test_an_execution_that_skipped_the_stage_is_no_target() -> None:
    """3.11, 3.12: (d) a stage that was Skipped cannot be gone back to."""
    world = World()
    world.define(self_healing(before_entry=gate("r", result=Result.SKIP)))
    run = deploying(world, "1")
    world.no(run, "r")
    with pytest.raises(UnableToRollback, match="Skipped"):
        world.rollback("Live", run)


def test_the_first_stage_cannot_be_rolled_back() -> None:
    """3.11: the Source stage is never rolled back."""
    world, first, _ = twice()
    with pytest.raises(UnableToRollback, match="first"):
        world.rollback("Source", first)


def test_a_parallel_pipeline_cannot_be_rolled_back() -> None:
    """3.11, 3.4, C14: rollback is not available in PARALLEL mode."""
    world, first, _ = twice(parallel(MAKE, LIVE, AFTER))
    with pytest.raises(UnableToRollback, match="PARALLEL"):
        world.rollback("Live", first)
    world, first, _ = twice()
    world.define(parallel(MAKE, LIVE, AFTER))
    with pytest.raises(UnableToRollback, match="PARALLEL"):
        world.rollback("Live", first)


def test_a_pipeline_of_type_v1_cannot_be_rolled_back() -> None:
    """2.9: rollback of a stage is a feature of V2."""
    world, first, _ = twice(replace(SHOP, type=PipelineType.V1))
    with pytest.raises(UnableToRollback, match="V1"):
        world.rollback("Live", first)


def test_a_stage_with_an_execution_in_it_cannot_be_rolled_back() -> None:
    """3.11: a running stage cannot be rolled back."""
    world, first, _ = twice()
    third = deploying(world, "3")
    with pytest.raises(UnableToRollback, match=third):
        world.rollback("Live", first)


def test_unknown_names_and_ids_of_a_rollback_are_not_found() -> None:
    """3.11: PipelineNotFound, StageNotFound, PipelineExecutionNotFound."""
    world, first, _ = twice()
    with pytest.raises(StageNotFound):
        world.rollback("Nowhere", first)
    with pytest.raises(ExecutionNotFound):
        world.rollback("Live", GONE)
    world.delete()
    with pytest.raises(PipelineNotFound):
        world.rollback("Live", first)


def test_a_rollback_is_not_held_up_by_a_closed_transition() -> None:
    """3.11: a disabled inbound transition does not block a rollback (CHOICE)."""
    world, first, _ = twice()
    world.close("Live")
    assert world.under_way(world.rollback("Live", first)) == {"live"}


def test_a_rollback_goes_past_those_who_wait_and_they_enter_after_it() -> None:
    """3.11, 3.3: a rollback locks the stage like any execution, and a waiter follows it."""
    world, first, _ = twice()
    world.close("Live")
    waiting = deploying(world, "3")
    back = world.rollback("Live", first)
    world.open("Live")
    assert (world.lock("Live").holder, world.lock("Live").waiting) == (back, (waiting,))
    world.succeed(back, "live")
    assert world.under_way(waiting) == {"live"}


def test_the_next_execution_may_deploy_the_newer_revision_again() -> None:
    """3.11: a stage that was rolled back is ordinary for later executions."""
    world, first, _ = twice()
    world.succeed(world.rollback("Live", first), "live")
    third = released(world, "3")
    assert world.status(third) == "Succeeded"


# ---------------------------------------- by itself


def test_a_failed_stage_goes_back_to_the_last_execution_that_succeeded_in_it() -> None:
    """3.11: onFailure ROLLBACK goes back to the most recent execution that fits."""
    world, _, second = twice(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    failing = deploying(world, "3")
    world.fail(failing, "live")
    back = the_rollback(world)
    assert (back.target, back.cause.type, back.cause.detail) == (
        second,
        "AutomatedRollback",
        failing,
    )
    assert world.row(back.id, "live").resolved == {"V": "2"}


def test_the_execution_that_failed_names_its_rollback() -> None:
    """3.11: whoever reads why an execution failed reads its rollback too (CHOICE)."""
    world, *_ = twice(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    failing = deploying(world, "3")
    world.fail(failing, "live")
    back = the_rollback(world)
    told = world.execution(failing).summary
    assert told.startswith("Action live failed: ")
    assert told.endswith(f"; execution #{back.number} ({back.id}) rolls stage Live back")


def test_the_execution_that_failed_stays_failed_after_the_rollback() -> None:
    """3.11: the failed execution is Failed, whatever comes of the rollback."""
    world, *_ = twice(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    failing = deploying(world, "3")
    world.fail(failing, "live")
    back = the_rollback(world)
    world.succeed(back.id, "live")
    assert (world.status(failing), world.status(back.id)) == ("Failed", "Succeeded")


def test_without_an_earlier_success_nothing_is_rolled_back() -> None:
    """3.11: if no target fits, nothing happens but the failure stays."""
    world = World()
    world.define(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    run = deploying(world, "1")
    world.fail(run, "live")
    assert world.status(run) == "Failed"
    assert [row.id for row in world.state.all(PipelineExecution)] == [run]


def test_after_an_update_one_success_is_needed_before_a_stage_goes_back_by_itself() -> None:
    """3.11, 3.13: the automatic rollback looks at the current version only."""
    pipeline = self_healing(on_failure=on_failure(Result.ROLLBACK))
    world, *_ = twice(pipeline)
    world.define(pipeline)
    run = deploying(world, "3")
    world.fail(run, "live")
    assert all(row.type == "STANDARD" for row in world.state.all(PipelineExecution))


def test_the_first_stage_does_not_go_back_by_itself() -> None:
    """3.11: a Source stage that fails is not rolled back, although it says so."""
    source = Stage("Source", *SHOP.stages[0].actions, on_failure=on_failure(Result.ROLLBACK))
    world = World()
    world.define(replace(SHOP, stages=(source, *SHOP.stages[1:])))
    released(world)
    world.fail(world.start(), "Fetch")
    assert all(row.type == "STANDARD" for row in world.state.all(PipelineExecution))


def test_a_rollback_that_fails_is_failed_and_rolls_nothing_back() -> None:
    """3.11: a failing rollback triggers no further rollback (CHOICE)."""
    world, *_ = twice(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    failing = deploying(world, "3")
    world.fail(failing, "live")
    back = the_rollback(world)
    world.fail(back.id, "live")
    assert the_rollback(world).status == "Failed"
    assert world.lock("Live").holder is None


def test_nobody_slips_in_between_a_failure_and_its_rollback() -> None:
    """3.3, 3.11: whoever waits enters after the automatic rollback (CHOICE)."""
    world, *_ = twice(self_healing(on_failure=on_failure(Result.ROLLBACK)))
    failing = deploying(world, "3")
    waiting = deploying(world, "4")
    world.fail(failing, "live")
    back = the_rollback(world)
    assert world.lock("Live").holder == back.id
    world.succeed(back.id, "live")
    assert world.under_way(waiting) == {"live"}


def test_the_entry_condition_is_not_checked_for_a_rollback() -> None:
    """3.11, 3.12: a rollback starts with the actions of the stage (CHOICE)."""
    world = World()
    world.define(self_healing(before_entry=gate("r", result=Result.FAIL)))
    run = deploying(world, "1")
    world.yes(run, "r")
    world.succeed(run, "live", "after")
    back = world.rollback("Live", run)
    assert world.under_way(back) == {"live"}


def test_a_failed_condition_of_success_rolls_back_too() -> None:
    """3.11, 3.12: onSuccess with ROLLBACK goes back; the execution has Failed (CHOICE)."""
    world = World()
    world.define(self_healing(on_success=gate("r", result=Result.ROLLBACK)))
    good = deploying(world, "1")
    world.succeed(good, "live")
    world.yes(good, "r")
    bad = deploying(world, "2")
    world.succeed(bad, "live")
    world.no(bad, "r")
    assert (world.status(bad), world.stage(bad, "Live").status) == ("Failed", "Succeeded")
    assert the_rollback(world).target == good
    assert world.check(bad, "Live", ConditionType.ON_SUCCESS).status == "Failed"


def test_a_rollback_whose_condition_of_success_fails_rolls_nothing_back() -> None:
    """3.11, 3.12: the condition of success is checked for a rollback, and ends it (CHOICE)."""
    world = World()
    world.define(self_healing(on_success=gate("r", result=Result.ROLLBACK)))
    good = deploying(world, "1")
    world.succeed(good, "live")
    world.yes(good, "r")
    world.succeed(good, "after")
    back = world.rollback("Live", good)
    world.succeed(back, "live")
    world.no(back, "r")
    assert (world.status(back), the_rollback(world).id) == ("Failed", back)


def test_an_execution_whose_condition_of_success_failed_is_no_target() -> None:
    """3.11, 3.12: it did not succeed in the stage, although its actions did (CHOICE)."""
    world = World()
    world.define(self_healing(on_success=gate("r", result=Result.ROLLBACK)))
    bad = deploying(world, "1")
    world.succeed(bad, "live")
    world.no(bad, "r")
    with pytest.raises(UnableToRollback, match="condition of success"):
        world.rollback("Live", bad)


def test_a_failed_rollback_can_be_retried() -> None:
    """3.9, 3.11: a rollback is an execution like others when it has failed."""
    world, first, _ = twice()
    back = world.rollback("Live", first)
    world.fail(back, "live")
    world.retry(back, "Live")
    world.succeed(back, "live")
    assert world.status(back) == "Succeeded"
    assert len([r for r in world.state.all(ActionExecution) if r.execution == back]) == 1
