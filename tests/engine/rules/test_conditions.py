"""How conditions of a stage are checked and overridden. Source: codepipeline.md 3.12 and 8."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import OutputArtifact
from pipelinekit.model.condition import (
    Condition,
    ConditionType,
    FailureConditions,
    Result,
    RetryMode,
)
from pipelinekit.model.errors import (
    ConcurrentExecutionsLimitExceeded,
    ConditionNotOverridable,
    NotLatestExecution,
)
from pipelinekit.model.execution import PipelineExecution
from pipelinekit.model.order import Waiting
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.engine.world import World, gate, line, queued, step

ENTRY, SUCCESS, FAILURE = ConditionType
NEXT = Stage("Next", step("next"))


def checked(pipeline: Pipeline | None = None, **members: object) -> tuple[World, str]:
    """Bring an execution to a stage with conditions."""
    world = World()
    run = world.started(pipeline or line(Stage("Live", step("live"), **members), NEXT))
    world.fetched(run)
    return world, run


def succeeding(result: Result) -> tuple[World, str]:
    """Bring an execution to the condition of its stage's success."""
    world, run = checked(on_success=gate("r", result=result))
    world.succeed(run, "live")
    return world, run


# ---------------------------------------- a condition and its rules


def test_the_rules_of_a_condition_are_begun_together_before_the_first_action() -> None:
    """3.12: beforeEntry is evaluated after locking and before the first action, all at once."""
    world, run = checked(before_entry=gate("r", "s", result=Result.FAIL))
    assert (world.under_way(run), "live" in world.begun(run)) == ({"r", "s"}, False)
    assert world.check(run, "Live", ENTRY).status == "InProgress"


def test_a_condition_succeeds_when_all_its_rules_do() -> None:
    """3.12: all succeed, so the condition is Succeeded and the stage goes on."""
    world, run = checked(before_entry=gate("r", "s", result=Result.FAIL))
    world.yes(run, "r")
    assert world.under_way(run) == {"s"}
    world.yes(run, "s")
    assert world.check(run, "Live", ENTRY).status == "Succeeded"
    assert world.under_way(run) == {"live"}


def test_a_condition_fails_when_one_rule_does_and_tells_which() -> None:
    """3.12: a failed rule fails the condition, and its result is engaged."""
    world, run = checked(before_entry=gate("r", "s", result=Result.FAIL))
    world.yes(run, "r")
    world.no(run, "s")
    check = world.check(run, "Live", ENTRY)
    assert (check.status, "s: no" in check.summary) == ("Failed", True)
    assert check.summary == world.execution(run).summary


def test_a_condition_waits_for_all_its_rules_even_when_one_has_failed() -> None:
    """3.12: there is no early end at the first failure (CHOICE)."""
    world, run = checked(before_entry=gate("r", "s", result=Result.FAIL))
    world.no(run, "r")
    assert (world.status(run), world.under_way(run)) == ("InProgress", {"s"})
    world.yes(run, "s")
    assert world.status(run) == "Failed"


def test_a_rule_is_settled_once() -> None:
    """3.12: a rule that has succeeded is not looked at again while another one waits."""
    world, run = checked(before_entry=gate("alarm", "window", result=Result.FAIL))
    world.yes(run, "alarm")
    world.told(run, "window", Waiting("t", seconds=3600))
    assert world.under_way(run) == {"window"}
    assert world.rule(run, "alarm").attempt == 1


def test_a_rule_that_cannot_start_has_failed() -> None:
    """3.12, 5.3.5: a rule with a variable that has no value fails its condition (CHOICE)."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL, Variable="#{src.Tag}"))
    assert world.rule(run, "r").error.code == "ConfigurationError"
    assert (world.status(run), world.under_way(run)) == ("Failed", set())


def test_the_variables_of_a_rule_are_put_in_right_before_it_starts() -> None:
    """5.2, 5.3.2: references are allowed in the configuration of rules."""
    world, run = checked(before_entry=gate("r", Variable="#{src.CommitId}", Value="c0ffee"))
    assert world.rule(run, "r").resolved == {"Variable": "c0ffee", "Value": "c0ffee"}


# ---------------------------------------- what a failed condition does


@pytest.mark.parametrize("place", ["before_entry", "on_success"])
def test_a_condition_that_names_no_result_fails_its_stage(place: str) -> None:
    """3.12: FAIL is engaged where a condition names nothing else (CHOICE)."""
    world, run = checked(**{place: gate("r")})
    if place == "on_success":
        world.succeed(run, "live")
    world.no(run, "r")
    assert (world.stage(run, "Live").status, world.status(run)) == ("Failed", "Failed")


def test_a_failed_entry_condition_fails_the_stage_and_unlocks_it() -> None:
    """3.12, 3.3: beforeEntry with FAIL fails stage and execution, and the next one enters."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    waiting = world.start()
    world.fetched(waiting)
    world.no(run, "r")
    assert (world.stage(run, "Live").status, world.status(run)) == ("Failed", "Failed")
    assert world.lock("Live").holder == waiting


def test_a_failed_entry_condition_skips_the_stage_where_it_says_so() -> None:
    """3.12: with SKIP the stage is Skipped, its actions do not run, the next stage does."""
    world, run = checked(before_entry=gate("r", result=Result.SKIP))
    world.no(run, "r")
    assert (world.stage(run, "Live").status, world.lock("Live").holder) == ("Skipped", None)
    assert world.under_way(run) == {"next"}
    assert "live" not in world.begun(run)


def test_an_execution_whose_last_stage_is_skipped_has_succeeded() -> None:
    """3.12, 4: skipping the last stage ends the execution as Succeeded (CHOICE)."""
    last = Stage("Live", step("live"), before_entry=gate("r", result=Result.SKIP))
    world, run = checked(line(last))
    world.no(run, "r")
    assert world.status(run) == "Succeeded"


def test_what_needs_the_variables_of_a_skipped_stage_fails() -> None:
    """3.12, C6: a skipped stage leaves nothing; who needs it fails to be configured (CHOICE)."""
    skipped = Stage("Maybe", step("m", namespace="m"), before_entry=gate("r", result=Result.SKIP))
    world, run = checked(line(skipped, Stage("Use", step("use", configuration={"V": "#{m.V}"}))))
    world.no(run, "r")
    assert world.row(run, "use").error.code == "ConfigurationError"
    assert world.status(run) == "Failed"


def test_what_needs_a_stage_that_is_skipped_when_it_is_retried_fails() -> None:
    """3.12, C6: what a skipped stage wrote in an earlier attempt does not exist (CHOICE)."""
    make = step("make", outputs=(OutputArtifact("Bin"),), namespace="m")
    steps = (make, step("test", run_order=2))
    skipped = Stage("Maybe", *steps, before_entry=gate("r", result=Result.SKIP))
    read = step("read", inputs=("Bin",))
    use = step("use", configuration={"V": "#{m.V}"})
    world, run = checked(line(skipped, Stage("Use", read, use)))
    world.yes(run, "r")
    world.succeed(run, "make", V="1")
    world.fail(run, "test")
    world.retry(run, "Maybe", RetryMode.ALL_ACTIONS)
    world.no(run, "r")
    assert {world.row(run, each).error.code for each in ("read", "use")} == {"ConfigurationError"}
    assert world.status(run) == "Failed"


def test_the_condition_of_success_is_checked_while_the_stage_is_still_locked() -> None:
    """3.12: onSuccess is evaluated when all actions have succeeded, before unlocking."""
    world, run = succeeding(Result.FAIL)
    assert (world.stage(run, "Live").status, world.lock("Live").holder) == ("InProgress", run)
    world.yes(run, "r")
    assert world.stage(run, "Live").status == "Succeeded"
    assert world.under_way(run) == {"next"}


def test_a_failed_condition_of_success_fails_the_stage() -> None:
    """3.12: onSuccess with FAIL fails stage and execution, although all actions succeeded."""
    world, run = succeeding(Result.FAIL)
    world.no(run, "r")
    assert (world.stage(run, "Live").status, world.status(run)) == ("Failed", "Failed")


def healed(answer: str) -> World:
    """Let a stage with a condition of failure fail after an earlier success."""
    conditions = FailureConditions(conditions=gate("r", result=Result.ROLLBACK))
    world, good = checked(on_failure=conditions)
    world.succeed(good, "live")
    bad = world.start()
    world.fetched(bad)
    world.fail(bad, "live")
    assert world.under_way(bad) == {"r"}
    getattr(world, answer)(bad, "r")
    assert (world.stage(bad, "Live").status, world.status(bad)) == ("Failed", "Failed")
    return world


def test_a_failed_condition_of_failure_leaves_word_of_the_failure() -> None:
    """3.12: the summary tells why the stage failed, then what its condition said (CHOICE)."""
    world = healed("no")
    failed = max(
        (row for row in world.state.all(PipelineExecution) if row.status == "Failed"),
        key=lambda row: row.number,
    )
    reasons = failed.summary.split("; ")
    assert reasons[0] == "Action live failed: no"
    assert reasons[1].startswith("The ON_FAILURE condition of stage Live failed: r: ")


def test_a_failed_condition_of_failure_rolls_the_stage_back() -> None:
    """3.12, 3.11: onFailure is checked after a failure; a rule that fails rolls back (CHOICE)."""
    rows = healed("no").state.all(PipelineExecution)
    assert [row.cause.type for row in rows if row.type == "ROLLBACK"] == ["AutomatedRollback"]


def test_a_condition_of_failure_that_succeeds_engages_nothing() -> None:
    """3.12: results engage when a rule fails, in all three places (CHOICE)."""
    rows = healed("yes").state.all(PipelineExecution)
    assert all(row.type == "STANDARD" for row in rows)


def test_the_condition_of_success_is_not_checked_where_an_action_failed() -> None:
    """3.12: onSuccess belongs to a stage whose actions have all succeeded."""
    world, run = checked(on_success=gate("r", result=Result.FAIL))
    world.fail(run, "live")
    assert (world.status(run), world.under_way(run)) == ("Failed", set())


# ---------------------------------------- override


@pytest.mark.parametrize("answered", [False, True])
def test_an_entry_condition_is_overridden_while_it_is_checked_and_after_it_failed(
    *, answered: bool
) -> None:
    """3.12: after the override of beforeEntry with FAIL the stage proceeds to its actions."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    if answered:
        world.no(run, "r")
    world.override(run, "Live", ENTRY)
    assert world.check(run, "Live", ENTRY).status == "Overridden"
    assert (world.status(run), world.under_way(run)) == ("InProgress", {"live"})
    assert (world.lock("Live").holder, world.execution(run).summary) == (run, "")


def test_an_override_beyond_fifty_executions_in_progress_is_refused() -> None:
    """3.12, 3.1.4: with 50 in progress in QUEUED mode a failed execution is not resumed."""
    guarded = Stage("Live", step("live"), before_entry=gate("r", result=Result.FAIL))
    world, run = checked(queued(guarded))
    world.no(run, "r")
    for _ in range(50):
        world.start()
    with pytest.raises(ConcurrentExecutionsLimitExceeded):
        world.override(run, "Live", ENTRY)


def test_the_rules_of_an_overridden_condition_are_abandoned() -> None:
    """3.12: unfinished rules become Abandoned, finished ones stay as they are."""
    world, run = checked(before_entry=gate("r", "s", result=Result.FAIL))
    world.yes(run, "r")
    waiting = world.rule(run, "s").id
    world.override(run, "Live", ENTRY)
    assert [world.rule(run, name).status for name in "rs"] == ["Succeeded", "Abandoned"]
    assert world.halted == [waiting]


def test_an_entry_condition_that_skips_cannot_be_overridden() -> None:
    """3.12, C6: SKIP is not overridable."""
    world, run = checked(before_entry=gate("r", result=Result.SKIP))
    with pytest.raises(ConditionNotOverridable, match="FAIL"):
        world.override(run, "Live", ENTRY)


def test_a_condition_of_failure_cannot_be_overridden() -> None:
    """3.12: the API knows only BEFORE_ENTRY and ON_SUCCESS (CHOICE)."""
    conditions = FailureConditions(conditions=gate("r", result=Result.ROLLBACK))
    world, run = checked(on_failure=conditions)
    world.fail(run, "live")
    with pytest.raises(ConditionNotOverridable):
        world.override(run, "Live", FAILURE)


@pytest.mark.parametrize("result", [Result.FAIL, Result.ROLLBACK])
@pytest.mark.parametrize("answered", [False, True])
def test_an_execution_proceeds_when_its_condition_of_success_is_overridden(
    result: Result, *, answered: bool
) -> None:
    """3.12, 4: an override of onSuccess resumes the execution in the next stage (CHOICE)."""
    world, run = succeeding(result)
    if answered:
        world.no(run, "r")
        assert world.status(run) == "Failed"
    world.override(run, "Live", SUCCESS)
    assert (world.stage(run, "Live").status, world.status(run)) == ("Succeeded", "InProgress")
    assert world.under_way(run) == {"next"}


def test_a_condition_is_overridden_only_for_the_latest_execution_in_the_stage() -> None:
    """3.12: after another execution has entered, it is NotLatestPipelineExecution."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    world.no(run, "r")
    world.fetched(world.start())
    with pytest.raises(NotLatestExecution):
        world.override(run, "Live", ENTRY)


def test_a_condition_that_was_never_checked_or_succeeded_cannot_be_overridden() -> None:
    """3.12: only a condition that is being checked, or has failed, is overridable."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    with pytest.raises(ConditionNotOverridable, match="never checked"):
        world.override(run, "Live", SUCCESS)
    world.yes(run, "r")
    with pytest.raises(ConditionNotOverridable, match="Succeeded"):
        world.override(run, "Live", ENTRY)


def test_an_override_after_an_update_is_refused() -> None:
    """3.12, 3.13: what ran on an earlier definition does not go on by an override (CHOICE)."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    world.no(run, "r")
    world.define(line(NEXT, Stage("Live", step("live"))))
    with pytest.raises(ConditionNotOverridable, match="changed"):
        world.override(run, "Live", ENTRY)


# ---------------------------------------- stop, update and time


@pytest.mark.parametrize("abandon", [False, True])
def test_a_check_is_broken_off_by_a_stop(*, abandon: bool) -> None:
    """3.12, 3.8, 4: rules and condition are Abandoned by a stop, and not waited for (CHOICE)."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    world.stop(run, abandon=abandon)
    assert (world.rule(run, "r").status, world.check(run, "Live", ENTRY).status) == (
        "Abandoned",
        "Abandoned",
    )
    assert (world.status(run), world.orders) == ("Stopped", {})


def test_a_check_is_cancelled_by_an_update() -> None:
    """3.12, 3.13, 4: a condition is Cancelled when the pipeline is updated (CHOICE)."""
    world, run = checked(before_entry=gate("r", result=Result.FAIL))
    world.define(line(NEXT))
    assert (world.check(run, "Live", ENTRY).status, world.status(run)) == ("Cancelled",) * 2


def test_a_rule_that_takes_too_long_fails() -> None:
    """3.16, 8: timeoutInMinutes of a rule, or a day (CHOICE), is its limit."""
    rule = gate("r", result=Result.FAIL)[0].rules[0]
    rules = (replace(rule, timeout_minutes=5), replace(rule, name="s"))
    world, run = checked(before_entry=(Condition(rules),))
    limits = [world.rule(run, name).deadline - world.rule(run, name).started for name in "rs"]
    assert limits == [timedelta(minutes=5), timedelta(days=1)]
