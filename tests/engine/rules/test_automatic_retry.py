"""How a stage runs again by itself. Source: codepipeline.md 3.10."""

import pytest

from pipelinekit.model.condition import Result, RetryMode
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.status import ApprovalStatus
from tests.engine.world import World, approval, line, on_failure, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)
ALL = RetryMode.ALL_ACTIONS


def at(pipeline: Pipeline) -> tuple[World, str]:
    """Bring an execution to its second stage."""
    world = World()
    run = world.started(pipeline)
    world.fetched(run)
    return world, run


def retrying(*actions: str, mode: RetryMode | None = None) -> tuple[World, str]:
    """Bring an execution to a stage that is retried by itself."""
    parts = [step(name) for name in actions]
    return at(line(Stage("Test", *parts, on_failure=on_failure(Result.RETRY, mode))))


@pytest.mark.parametrize("mode", [None, RetryMode.FAILED_ACTIONS])
def test_a_stage_retries_its_failed_actions_by_itself(mode: RetryMode | None) -> None:
    """3.10: without a retryMode the failed actions are retried (CHOICE)."""
    world, run = retrying("a", "b", mode=mode)
    world.succeed(run, "a")
    world.fail(run, "b")
    assert (world.status(run), world.under_way(run)) == ("InProgress", {"b"})
    world.succeed(run, "b")
    assert world.status(run) == "Succeeded"


def test_a_stage_retries_all_its_actions_by_itself_where_it_says_so() -> None:
    """3.10: retryMode ALL_ACTIONS runs the whole stage again."""
    world, run = retrying("a", "b", mode=ALL)
    world.succeed(run, "a")
    world.fail(run, "b")
    assert world.under_way(run) == {"a", "b"}


@pytest.mark.parametrize("pipe", [line, queued, parallel])
def test_a_stage_retries_itself_once_and_then_it_has_failed(pipe: type) -> None:
    """3.10, C17: exactly one automatic attempt, whatever the mode; by hand there may be more."""
    world, run = at(pipe(Stage("Test", step("a"), on_failure=on_failure(Result.RETRY))))
    world.fail(run, "a")
    world.fail(run, "a")
    assert world.status(run) == "Failed"
    world.retry(run, "Test")
    world.fail(run, "a")
    assert world.status(run) == "Failed"


def test_the_lock_is_held_while_a_stage_retries_itself() -> None:
    """3.3, 3.10: a waiter cannot slip in between a failure and its automatic retry (CHOICE)."""
    world, run = retrying("a")
    waiter = world.start()
    world.fetched(waiter)
    world.fail(run, "a")
    assert (world.lock("Test").holder, world.lock("Test").waiting) == (run, (waiter,))


def test_a_source_stage_may_retry_itself() -> None:
    """3.10: any stage may retry by itself, the first one too."""
    sources = Stage("Source", *TWO.stages[0].actions, on_failure=on_failure(Result.RETRY))
    world = World()
    run = world.started(Pipeline("shop", (sources, MAKE)))
    world.fail(run, "Fetch")
    assert world.under_way(run) == {"Fetch"}


def test_an_automatic_retry_is_counted_apart_and_keeps_the_execution_id() -> None:
    """3.10, 3.9.7: latestRetryTrigger is AutomatedStageRetry, autoStageRetryAttempt is 1."""
    world, run = retrying("a")
    world.fail(run, "a")
    row = world.stage(run, "Test")
    assert (row.retried, row.auto_retries, row.retries) == ("AutomatedStageRetry", 1, 0)
    assert world.execution(run).attempts == 2


def test_a_stopping_execution_is_not_retried_by_itself() -> None:
    """3.10: the automatic retry does not fire when the execution is being stopped (CHOICE)."""
    world, run = retrying("a")
    world.stop(run)
    world.fail(run, "a")
    assert world.status(run) == "Stopped"


def test_a_rejected_approval_is_asked_again_by_the_automatic_retry() -> None:
    """3.10: a rejected approval is a failed action, and is retried like one (CHOICE)."""
    world, run = at(line(Stage("Gate", approval("ok"), on_failure=on_failure(Result.RETRY))))
    token = world.row(run, "ok").token
    world.answer(run, "ok", ApprovalStatus.REJECTED)
    assert (world.row(run, "ok").status, world.row(run, "ok").attempt) == ("InProgress", 2)
    assert world.row(run, "ok").token != token


def test_a_rollback_is_not_retried_by_itself() -> None:
    """3.10, 3.11: a rollback that fails stays Failed, also where the stage retries (CHOICE)."""
    world, run = retrying("a")
    world.succeed(run, "a")
    back = world.rollback("Test", run)
    world.fail(back, "a")
    assert world.status(back) == "Failed"
