"""How a person runs a stage again. Source: codepipeline.md 3.9."""

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import OutputArtifact, Steps
from pipelinekit.model.condition import ConditionType, Result, RetryMode
from pipelinekit.model.errors import (
    ConcurrentExecutionsLimitExceeded,
    NotLatestExecution,
    StageNotRetryable,
)
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.engine.world import World, gate, line, parallel, queued, step

MAKE = Stage("Build", step("make"))
TWO = line(MAKE)
ALL = RetryMode.ALL_ACTIONS


def failed_beside_success() -> tuple[World, str]:
    world = World()
    steps: Steps = (step("a") + step("b")) >> step("c")
    run = world.started(line(Stage("Test", steps)))
    world.fetched(run)
    world.succeed(run, "a")
    world.fail(run, "b")
    return world, run


def at(pipeline: Pipeline) -> tuple[World, str]:
    """Bring an execution to its second stage."""
    world = World()
    run = world.started(pipeline)
    world.fetched(run)
    return world, run


def test_retry_runs_the_failed_actions_again_in_the_same_execution() -> None:
    """3.9, C3: FAILED_ACTIONS runs what failed again, under the same execution id."""
    world, run = failed_beside_success()
    first = world.row(run, "b").id
    world.retry(run, "Test")
    again = world.row(run, "b")
    assert world.under_way(run) == {"b"}
    assert (again.attempt, again.id == first) == (2, False)
    assert (world.status(run), world.execution(run).attempts) == ("InProgress", 2)
    world.succeed(run, "b")
    assert world.under_way(run) == {"c"}
    world.succeed(run, "c")
    assert world.status(run) == "Succeeded"


def test_actions_that_succeeded_keep_their_results_when_others_are_retried() -> None:
    """3.9: FAILED_ACTIONS leaves the results of successful actions alone."""
    world, run = failed_beside_success()
    before = world.row(run, "a")
    world.retry(run, "Test")
    assert world.row(run, "a") == before


def test_retry_of_all_actions_runs_the_stage_from_its_first_group() -> None:
    """3.9: ALL_ACTIONS runs the whole stage from its first run order."""
    world, run = failed_beside_success()
    world.retry(run, "Test", RetryMode.ALL_ACTIONS)
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a", "b")
    assert world.under_way(run) == {"c"}


def test_a_failed_action_may_be_retried_while_its_siblings_run() -> None:
    """3.9: FAILED_ACTIONS is possible while siblings are still in progress."""
    world = World()
    run = world.started(line(Stage("Test", step("a") + step("b"))))
    world.fetched(run)
    world.fail(run, "a")
    world.retry(run, "Test")
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a", "b")
    assert world.status(run) == "Succeeded"


def test_all_actions_are_not_retried_while_one_is_in_progress() -> None:
    """3.9: ALL_ACTIONS needs a stage in which no action is in progress."""
    world, run = at(line(Stage("Test", step("a") + step("b"))))
    world.fail(run, "a")
    with pytest.raises(StageNotRetryable, match="ALL_ACTIONS"):
        world.retry(run, "Test", ALL)


def test_a_stopped_stage_may_be_retried_and_runs_what_was_abandoned() -> None:
    """3.9, 3.8: after a stop, a retry runs what was abandoned."""
    world = World()
    run = world.started(line(Stage("Test", step("a") + step("b"))))
    world.fetched(run)
    world.succeed(run, "a")
    world.stop(run, abandon=True)
    world.retry(run, "Test")
    assert world.under_way(run) == {"b"}
    assert world.execution(run).stop is None


def test_a_stage_stopped_between_groups_goes_on_with_the_next_group() -> None:
    """3.9, 3.8: after a stop, a retry runs what was not begun."""
    world = World()
    run = world.started(line(Stage("Test", step("a") >> step("b"))))
    world.fetched(run)
    world.stop(run)
    world.succeed(run, "a")
    world.retry(run, "Test")
    assert world.under_way(run) == {"b"}
    world.succeed(run, "b")
    assert world.status(run) == "Succeeded"


def test_a_stage_that_another_execution_entered_since_cannot_be_retried() -> None:
    """3.9.1, C2: a stage that somebody entered since is NotLatest."""
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    world.fail(first, "make")
    second = world.start()
    world.fetched(second)
    with pytest.raises(NotLatestExecution):
        world.retry(first, "Build")


def test_only_the_stage_in_which_the_execution_failed_can_be_retried() -> None:
    """3.9.1: the stage must be the one in which this execution failed or stopped."""
    world, run = at(TWO)
    world.fail(run, "make")
    with pytest.raises(StageNotRetryable, match="Succeeded"):
        world.retry(run, "Source")


def test_nothing_that_succeeded_or_never_began_can_be_retried() -> None:
    """3.9.2: a stage in which nothing failed is not retryable."""
    world = World()
    run = world.started(TWO)
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Build")
    world.fetched(run)
    world.succeed(run, "make")
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Build")


@pytest.mark.parametrize("pipeline", [TWO, queued(MAKE), parallel(MAKE)], ids=str)
def test_after_a_change_of_the_definition_nothing_can_be_retried(pipeline: Pipeline) -> None:
    """3.9.2, 3.13: any update makes failed stages non-retryable, in every mode (CHOICE)."""
    world, run = at(pipeline)
    world.fail(run, "make")
    world.define(pipeline)
    with pytest.raises(StageNotRetryable, match="changed"):
        world.retry(run, "Build")


def test_a_stage_that_is_being_retried_cannot_be_retried_again() -> None:
    """3.9.2: one retry at a time."""
    world, run = failed_beside_success()
    world.retry(run, "Test")
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Test")


def test_a_skipped_stage_cannot_be_retried() -> None:
    """3.9.2, 3.12: a stage whose status is Skipped is not retryable."""
    skipping = Stage("Maybe", step("m"), before_entry=gate("r", result=Result.SKIP))
    world, run = at(line(skipping, MAKE))
    world.no(run, "r")
    world.fail(run, "make")
    with pytest.raises(StageNotRetryable, match="Skipped"):
        world.retry(run, "Maybe")


@pytest.mark.parametrize("pipeline", [queued(MAKE), parallel(MAKE)], ids=str)
def test_a_retry_beyond_fifty_executions_in_progress_is_refused(pipeline: Pipeline) -> None:
    """3.9.3: with 50 in progress in QUEUED or PARALLEL mode a retry is refused."""
    world, run = at(pipeline)
    world.fail(run, "make")
    for _ in range(50):
        world.start()
    with pytest.raises(ConcurrentExecutionsLimitExceeded):
        world.retry(run, "Build")


def test_a_retried_execution_is_resumed_and_locks_its_stage_again() -> None:
    """3.9.4: the execution is InProgress again, its stage locked, and others wait behind it."""
    world, run = failed_beside_success()
    world.retry(run, "Test")
    second = world.start()
    world.fetched(second)
    assert (world.status(run), world.lock("Test").holder) == ("InProgress", run)
    assert world.lock("Test").waiting == (second,)


def test_the_journal_says_that_a_retried_execution_and_its_stage_are_resumed() -> None:
    """3.9.4, 4: a retry is told as RESUMED, of the execution and of the stage."""
    world, run = failed_beside_success()
    moves = world.retry(run, "Test").moves
    assert [(move.stage, move.status) for move in moves if move.resumed] == [
        ("", "InProgress"),
        ("Test", "InProgress"),
    ]


def test_a_retry_has_the_same_variables_revisions_and_artifacts() -> None:
    """3.9.5: a retry changes no variable, no revision and no artifact from upstream."""
    make = step("make", inputs=("Code",), configuration={"V": "#{src.CommitId}"})
    world, run = at(line(Stage("Build", make)))
    before, order = world.row(run, "make"), world.orders[world.row(run, "make").id]
    world.fail(run, "make")
    world.retry(run, "Build")
    after = world.row(run, "make")
    assert (after.resolved, after.inputs) == (before.resolved, before.inputs)
    assert world.orders[after.id].inputs == order.inputs


def test_retry_replaces_the_variables_of_actions_that_run_again() -> None:
    """3.9.5, 5.3.6: variables of actions that run again are replaced."""
    world = World()
    steps = step("make", namespace="b") >> step("use", configuration={"V": "#{b.V}"})
    run = world.started(line(Stage("Build", steps)))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    world.fail(run, "use")
    world.retry(run, "Build", RetryMode.ALL_ACTIONS)
    world.succeed(run, "make", V="2")
    assert world.row(run, "use").resolved == {"V": "2"}


def test_what_an_earlier_attempt_wrote_is_not_taken_for_what_this_one_wrote() -> None:
    """3.9.5: nothing that an earlier attempt wrote is taken for the new one's."""
    world = World()
    make = step("make", namespace="b", outputs=(OutputArtifact("Dist"),))
    use = step("use", configuration={"V": "#{b.V}"}, inputs=("Dist",))
    run = world.started(line(Stage("Build", make >> use)))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    world.fail(run, "use")
    world.retry(run, "Build", RetryMode.ALL_ACTIONS)
    order = world.orders[world.row(run, "make").id]
    world.orders[order.id] = replace(order, outputs=())
    world.succeed(run, "make")
    assert "b.V" in world.row(run, "use").error.message
    world.retry(run, "Build", RetryMode.ALL_ACTIONS)
    order = world.orders[world.row(run, "make").id]
    world.orders[order.id] = replace(order, outputs=())
    world.succeed(run, "make", V="3")
    assert "Dist" in world.row(run, "use").error.message


def test_every_attempt_is_an_action_execution_of_its_own() -> None:
    """3.9.6, C3: each attempt has its own id and a higher number."""
    world, run = failed_beside_success()
    world.retry(run, "Test")
    world.fail(run, "b")
    second = world.row(run, "b")
    world.retry(run, "Test")
    third = world.row(run, "b")
    assert (second.attempt, third.attempt, second.id == third.id) == (2, 3, False)


def test_manual_attempts_are_counted_and_have_no_limit() -> None:
    """3.9.7: manualStageRetryAttempt counts the retries by hand."""
    world, run = at(TWO)
    for count in range(1, 8):
        world.fail(run, "make")
        world.retry(run, "Build")
        row = world.stage(run, "Build")
        assert (row.retries, row.auto_retries, row.retried) == (count, 0, "ManualStageRetry")


def test_each_retry_counts_up_the_attempts_of_the_execution() -> None:
    """3.9.8: pipeline-execution-attempt increases with every retry."""
    world, run = at(TWO)
    for attempts in (1, 2, 3):
        assert world.execution(run).attempts == attempts
        world.fail(run, "make")
        world.retry(run, "Build")


@pytest.mark.parametrize(("mode", "rules"), [(RetryMode.FAILED_ACTIONS, set()), (ALL, {"r"})])
def test_the_entry_is_checked_again_only_when_all_actions_are_retried(
    mode: RetryMode, rules: set[str]
) -> None:
    """3.9.9: FAILED_ACTIONS does not look at the entry condition, ALL_ACTIONS does (CHOICE)."""
    guarded = Stage("Build", step("make"), before_entry=gate("r", result=Result.FAIL))
    world, run = at(line(guarded))
    world.yes(run, "r")
    world.fail(run, "make")
    world.retry(run, "Build", mode)
    assert world.under_way(run) == (rules or {"make"})


def test_a_stage_that_its_entry_condition_failed_is_checked_again_by_a_retry() -> None:
    """3.9.9, 3.12: a retry of a stage that failed at its entry evaluates the entry (CHOICE)."""
    guarded = Stage("Build", step("make"), before_entry=gate("r", result=Result.FAIL))
    world, run = at(line(guarded))
    world.no(run, "r")
    world.retry(run, "Build")
    assert world.under_way(run) == {"r"}
    assert world.rule(run, "r").attempt == 2


def test_the_condition_of_success_is_checked_again_after_a_retry() -> None:
    """3.9.9: onSuccess and onFailure are evaluated again when the retry has ended."""
    watched = Stage("Build", step("make"), on_success=gate("r", result=Result.FAIL))
    world, run = at(line(watched))
    world.succeed(run, "make")
    world.no(run, "r")
    world.retry(run, "Build", ALL)
    world.succeed(run, "make")
    assert world.under_way(run) == {"r"}
    assert world.check(run, "Build", ConditionType.ON_SUCCESS).attempt == 2


def test_retry_of_the_source_stage_takes_the_revision_that_was_asked_for() -> None:
    """3.9.10: a source is retried on the revision it was bound to."""
    world = World()
    run = world.started(TWO, revisions={"Fetch": "c0ffee"})
    world.fail(run, "Fetch")
    world.retry(run, "Source")
    (order,) = world.orders.values()
    assert order.revision == "c0ffee"


def test_a_source_that_was_bound_to_no_revision_takes_the_newest_when_it_is_retried() -> None:
    """3.9.10: a retry of an unbound source leaves the revision to it (CHOICE)."""
    world = World()
    run = world.started(TWO)
    world.fail(run, "Fetch")
    world.retry(run, "Source")
    (order,) = world.orders.values()
    assert order.revision is None
