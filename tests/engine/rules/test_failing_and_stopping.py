"""How executions fail, and how they are stopped. Source: codepipeline.md 3.6 and 3.8."""

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import Steps
from pipelinekit.model.errors import (
    DuplicatedStop,
    ExecutionNotFound,
    NotStoppable,
    StageNotRetryable,
    StaleReport,
    ValidationError,
)
from pipelinekit.model.order import Failed, FailureType, Succeeded, Waiting
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ApprovalStatus
from tests.engine.world import World, approval, line, step

TWO = line(Stage("Build", step("make")))


def building() -> tuple[World, str]:
    """Bring an execution to its build."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    return world, run


# ---------------------------------------- 3.6


@pytest.mark.parametrize(
    "code",
    [
        FailureType.JOB_FAILED,
        FailureType.CONFIGURATION_ERROR,
        FailureType.PERMISSION_ERROR,
        FailureType.REVISION_OUT_OF_SYNC,
        FailureType.REVISION_UNAVAILABLE,
        FailureType.SYSTEM_UNAVAILABLE,
        "BuildFailed",
    ],
)
def test_an_action_fails_with_a_code_and_a_message(code: str) -> None:
    """3.6: errorDetails are a usual code, or the provider's own, and a message."""
    world, run = building()
    world.report(run, "make", Failed("it broke", code=code))
    error = world.row(run, "make").error
    assert (error.code, error.message) == (code, "it broke")
    assert "it broke" in world.execution(run).summary


def test_an_action_that_takes_too_long_fails_and_its_work_is_ended() -> None:
    """3.6, 3.16: a time limit that is over fails the action."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    row = world.row(run, "make")
    world.expire(run, "make")
    assert world.row(run, "make").status == "Failed"
    assert "timed out" in world.row(run, "make").error.message
    assert world.halted == [row.id]


def test_an_unresolved_variable_fails_the_action_before_it_starts() -> None:
    """3.6, 5.3.5: a variable without a value fails the action (CHOICE)."""
    world = World()
    run = world.started(line(Stage("Build", step("make", configuration={"T": "#{src.TagName}"}))))
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.status, row.error.code) == ("Failed", "ConfigurationError")
    assert "src.TagName" in world.execution(run).summary
    assert world.under_way(run) == set()
    assert world.status(run) == "Failed"


def test_a_missing_artifact_fails_the_action_before_it_starts() -> None:
    """3.6: an artifact that nobody wrote fails the action."""
    world = World()
    world.define(line(Stage("Build", step("make", inputs=("Code",)))))
    run = world.start()
    row = world.row(run, "Fetch")
    world.orders[row.id] = replace(world.orders[row.id], outputs=())
    world.fetched(run)
    assert "Code" in world.row(run, "make").error.message
    assert world.status(run) == "Failed"


def test_a_failed_stage_is_unlocked_and_whoever_waits_enters() -> None:
    """3.6, C2: a failed stage is unlocked at once, and whoever waits enters."""
    world = World()
    first = world.started(line(Stage("Build", step("make"))))
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    assert "make" not in world.begun(second)
    world.fail(first, "make")
    assert world.under_way(second) == {"make"}


def test_nothing_downstream_runs_after_a_failure() -> None:
    """3.6: a failed stage fails the execution, and later stages do not run."""
    world = World()
    run = world.started(line(Stage("Build", step("make")), Stage("Live", step("live"))))
    world.fetched(run)
    world.fail(run, "make")
    assert (world.status(run), world.begun(run)) == ("Failed", {"Fetch", "make"})


def test_a_later_execution_may_succeed_where_an_earlier_one_stays_failed() -> None:
    """3.6: the success of a later execution changes nothing of an earlier failure."""
    world, first = building()
    world.fail(first, "make")
    second = world.start()
    world.fetched(second)
    world.succeed(second, "make")
    assert (world.status(first), world.status(second)) == ("Failed", "Succeeded")


def test_a_report_for_an_action_that_has_ended_is_stale() -> None:
    """3.6: what has ended cannot end again, whatever its work still reports."""
    world = World()
    run = world.started(TWO)
    order = next(iter(world.orders.values()))
    world.fetched(run)
    world.orders[order.id] = order
    with pytest.raises(StaleReport):
        world.fetched(run)


def test_waiting_work_is_asked_again_with_its_token() -> None:
    """3.16, C15: a continuation token ends the asking, not the action: it is asked again."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.report(run, "make", Waiting("t-1", seconds=30, percent=40))
    row = world.row(run, "make")
    ask = world.asked[row.id]
    assert (ask.token, (ask.due - world.at).total_seconds()) == ("t-1", 30)
    assert (row.status, row.percent) == ("InProgress", 40)


# ---------------------------------------- 3.8


def test_stop_and_wait_lets_actions_end_and_is_stopped_even_if_all_succeeded() -> None:
    """3.8, C20: a stop that waits ends as Stopped even if everything succeeded."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.stop(run, reason="wrong")
    assert world.status(run) == "Stopping"
    world.succeed(run, "make")
    assert (world.status(run), world.stage(run, "Build").status) == ("Stopped", "Stopped")
    assert world.execution(run).stop.reason == "wrong"


def test_stop_and_wait_starts_nothing_more() -> None:
    """3.8: a stop that waits starts no later group."""
    world = World()
    run = world.started(line(Stage("Build", step("a") >> step("b"))))
    world.fetched(run)
    world.stop(run)
    world.succeed(run, "a")
    assert "b" not in world.begun(run)


def test_an_action_that_fails_while_its_execution_stops_stays_failed() -> None:
    """3.8: actions of a stopping execution end as Succeeded or Failed, the stage as Stopped."""
    world, run = building()
    world.stop(run, reason="wrong")
    world.fail(run, "make")
    assert world.row(run, "make").status == "Failed"
    assert world.execution(run).summary == "Stopped by ann: wrong"
    assert (world.status(run), world.stage(run, "Build").status) == ("Stopped", "Stopped")


def test_stop_and_abandon_ends_it_at_once_and_halts_its_work() -> None:
    """3.8: an abandoning stop ends at once; here the work is ended too (CHOICE)."""
    world = World()
    run = world.started(line(Stage("Build", step("a") + step("b"))))
    world.fetched(run)
    world.stop(run, abandon=True)
    assert world.status(run) == "Stopped"
    assert {world.row(run, name).status for name in "ab"} == {"Abandoned"}
    assert len(world.halted) == 2


def test_a_waiting_stop_may_be_followed_by_an_abandoning_one_but_not_by_another() -> None:
    """3.8, C20: the same stop twice is refused; abandoning after waiting is not."""
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.stop(run)
    with pytest.raises(DuplicatedStop):
        world.stop(run)
    world.stop(run, abandon=True)
    assert world.status(run) == "Stopped"
    with pytest.raises(NotStoppable):
        world.stop(run, abandon=True)


def test_an_execution_that_has_ended_cannot_be_stopped() -> None:
    """3.8: what is not in progress is not stoppable."""
    world, run = building()
    world.succeed(run, "make")
    with pytest.raises(NotStoppable, match="Succeeded"):
        world.stop(run)


def test_a_stopped_stage_is_unlocked_and_whoever_waits_enters() -> None:
    """3.8: the stage gets Stopped and unlocks; a waiter enters at once."""
    world, first = building()
    second = world.start()
    world.fetched(second)
    world.stop(first, abandon=True)
    assert world.under_way(second) == {"make"}


def test_a_closed_transition_keeps_the_waiter_out_of_the_stage_that_is_stopped() -> None:
    """3.8: who does not want a waiter to enter after a stop disables the transition first."""
    world, first = building()
    second = world.start()
    world.fetched(second)
    world.close("Build")
    world.stop(first, abandon=True)
    assert (world.lock("Build").holder, world.lock("Build").waiting) == (None, (second,))


def test_an_execution_that_waits_between_stages_is_stopped_at_once() -> None:
    """3.8: whoever waits between stages is Stopped at once."""
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    world.stop(second)
    assert world.status(second) == "Stopped"
    world.succeed(first, "make")
    assert "make" not in world.begun(second)


def test_an_execution_stopped_between_stages_cannot_be_retried() -> None:
    """3.8, 3.7: it has no actions that failed, so there is nothing to retry."""
    world, first = building()
    second = world.start()
    world.fetched(second)
    world.stop(second)
    with pytest.raises(StageNotRetryable):
        world.retry(second, "Build")
    assert world.status(first) == "InProgress"


def test_stop_and_wait_waits_for_an_approval() -> None:
    """3.8, 10: a stop that waits is Stopping until the approval is answered (CHOICE)."""
    world = World()
    run = world.started(line(Stage("Gate", approval("ok"))))
    world.fetched(run)
    world.stop(run)
    assert world.status(run) == "Stopping"
    world.answer(run, "ok")
    assert world.status(run) == "Stopped"


def test_an_abandoned_approval_is_dead() -> None:
    """3.8, 10: abandoning a pending approval makes it Abandoned, and its token dies."""
    world = World()
    run = world.started(line(Stage("Gate", approval("ok"))))
    world.fetched(run)
    world.stop(run, abandon=True)
    assert world.row(run, "ok").status == "Abandoned"
    with pytest.raises(Exception, match="Abandoned") as refused:
        world.answer(run, "ok", ApprovalStatus.APPROVED)
    assert refused.value.code == "InvalidApprovalTokenException"


def test_the_last_action_of_the_last_stage_does_not_save_a_stopping_execution() -> None:
    """3.8: the result is Stopped even if the last action of the last stage succeeds."""
    world = World()
    steps: Steps = step("a") >> step("b")
    run = world.started(line(Stage("Live", steps)))
    world.fetched(run)
    world.succeed(run, "a")
    world.stop(run)
    world.succeed(run, "b")
    assert world.status(run) == "Stopped"


def test_the_reason_of_a_stop_and_who_asked_for_it_are_kept() -> None:
    """3.8: the reason is shown in the history as stopTrigger.reason."""
    world, run = building()
    world.stop(run, abandon=True, reason="wrong version")
    asked = world.execution(run).stop
    assert (asked.by, asked.reason, asked.abandon) == ("ann", "wrong version", True)


def test_the_reason_stays_when_a_stop_that_waits_becomes_an_abandoning_one() -> None:
    """3.8: it is why the execution is stopped, in whichever way."""
    world, run = building()
    world.stop(run, reason="wrong version")
    world.stop(run, abandon=True)
    assert world.execution(run).stop.reason == "wrong version"
    assert world.execution(run).summary == "Stopped by ann: wrong version"


def test_a_reason_of_more_than_200_characters_is_refused() -> None:
    """3.8: a reason has at most 200 characters."""
    world = World()
    run = world.started(TWO)
    with pytest.raises(ValidationError, match="200"):
        world.stop(run, reason="x" * 201)
    world.stop(run, reason="x" * 200)


def test_stopping_an_unknown_execution_is_refused() -> None:
    """3.8: only an execution of the pipeline can be stopped."""
    world = World()
    world.started(TWO)
    with pytest.raises(ExecutionNotFound):
        world.stop("00000000-0000-0000-0000-00000000ffff")


def test_what_an_abandoned_action_still_reports_is_dropped() -> None:
    """3.8: nobody watches an abandoned action; what it says afterwards changes nothing."""
    world, run = building()
    order = world.orders[world.row(run, "make").id]
    world.stop(run, abandon=True)
    world.orders[order.id] = order
    with pytest.raises(StaleReport):
        world.report(run, "make", Succeeded())
    assert world.row(run, "make").status == "Abandoned"
