"""The engine's decisions, rule by rule of codepipeline.md."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from pipelinekit.engine.decide import decide, replay
from pipelinekit.model.action import OutputArtifact, Steps
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import (
    ActionNotFound,
    ApprovalAlreadyCompleted,
    DuplicatedStop,
    ExecutionNotFound,
    InvalidApprovalToken,
    InvalidToken,
    NotLatestExecution,
    NotStoppable,
    PipelineNotFound,
    StageNotFound,
    StageNotRetryable,
    StaleReport,
    ValidationError,
)
from pipelinekit.model.event import Answered
from pipelinekit.model.execution import ApprovalStatus, PipelineRecord
from pipelinekit.model.order import Succeeded, Waiting
from pipelinekit.model.pipeline import Stage, Variable
from tests.engine.world import NOON, World, approval, line, step

TWO = line(Stage("Build", step("make")))


# ---------------------------------------- starting, section 3.1


def test_an_execution_starts_in_the_first_stage_with_a_number_and_a_version() -> None:
    world = World()
    run = world.started(TWO)
    row = world.execution(run)
    assert (row.number, row.version, row.stage, row.status) == (1, 1, "Source", "InProgress")
    assert world.under_way(run) == {"Fetch"}


def test_starting_an_unknown_pipeline_is_refused() -> None:
    with pytest.raises(PipelineNotFound, match="shop"):
        World().start()


def test_the_same_token_with_the_same_parameters_gives_the_same_execution() -> None:
    world = World()
    first = world.started(TWO, token="t-1")
    assert world.start(token="t-1") == first
    assert world.state.get(PipelineRecord, ("shop",)).executions == 1


def test_the_same_token_with_other_parameters_is_refused() -> None:
    world = World()
    pipeline = replace(TWO, variables=(Variable("level", "info"),))
    world.started(pipeline, token="t-1")
    with pytest.raises(InvalidToken):
        world.start(token="t-1", variables={"level": "debug"})


def test_a_token_is_forgotten_after_a_day() -> None:
    world = World()
    first = world.started(TWO, token="t-1")
    world.at += timedelta(days=1)
    assert world.start(token="t-1") != first


@pytest.mark.parametrize("token", ["", "a b", "x" * 129, "t_1"])
def test_a_token_of_another_shape_is_refused(token: str) -> None:
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="hyphens"):
        world.start(token=token)


def test_variables_take_defaults_and_overrides_and_are_frozen_in_the_execution() -> None:
    world = World()
    pipeline = replace(TWO, variables=(Variable("a", "1"), Variable("b", "2")))
    run = world.started(pipeline, variables={"b": "3"})
    assert world.execution(run).variables == {"a": "1", "b": "3"}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"c": "1"}, "does not declare"),
        ({}, "without values for a"),
        ({"a": ""}, "empty"),
        ({"a": 3}, "empty"),
    ],
)
def test_wrong_variables_are_refused_and_no_execution_is_made(
    given: dict[str, str], word: str
) -> None:
    world = World()
    world.define(replace(TWO, variables=(Variable("a"),)))
    with pytest.raises(ValidationError, match=word):
        world.start(variables=given)
    assert world.state.get(PipelineRecord, ("shop",)).executions == 0


def test_a_revision_for_something_that_is_no_source_is_refused() -> None:
    world = World()
    world.define(TWO)
    with pytest.raises(ValidationError, match="make"):
        world.start(revisions={"make": "c0ffee"})


def test_a_given_revision_reaches_the_source_action() -> None:
    world = World()
    run = world.started(TWO, revisions={"Fetch": "c0ffee"})
    (order,) = world.orders.values()
    assert (order.execution, order.revision) == (run, "c0ffee")


# ---------------------------------------- stages and run order, section 3.3, 3.5


def test_stages_run_one_after_the_other_and_the_last_one_ends_the_execution() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    assert world.stage(run, "Source").status == "Succeeded"
    assert world.under_way(run) == {"make"}
    world.succeed(run, "make")
    assert world.status(run) == "Succeeded"
    assert world.lock("Build").holder is None


def test_a_group_runs_side_by_side_and_the_next_one_waits_for_all_of_it() -> None:
    world = World()
    steps = (step("a") + step("b")) >> step("c")
    run = world.started(line(Stage("Test", steps)))
    world.fetched(run)
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a")
    assert "c" not in world.begun(run)
    world.succeed(run, "b")
    assert world.under_way(run) == {"c"}


def test_run_orders_may_have_gaps_and_stand_in_any_order() -> None:
    world = World()
    stage = Stage("Test", actions=(step("late", run_order=30), step("early", run_order=2)))
    run = world.started(line(stage))
    world.fetched(run)
    assert world.under_way(run) == {"early"}
    world.succeed(run, "early")
    assert world.under_way(run) == {"late"}


# ---------------------------------------- artifacts and variables, section 5, 6


def test_an_input_artifact_is_the_object_that_its_producer_wrote() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("make", inputs=("Code",)))))
    world.fetched(run)
    (written,) = world.row(run, "Fetch").outputs
    (order,) = world.orders.values()
    assert order.inputs == (written,)
    assert written.object_key.startswith("shop/Code/")
    assert len(written.object_key.rsplit("/", 1)[1]) == 7


def test_object_keys_are_cut_to_20_and_10_characters() -> None:
    world = World()
    run = world.started(replace(TWO, name="a-pipeline-with-a-long-name"))
    (order,) = world.orders.values()
    assert order.execution == run
    assert order.outputs[0].object_key.startswith("a-pipeline-with-a-lo/Code/")


def test_variables_are_put_in_raw_and_in_a_single_pass() -> None:
    world = World()
    text = '#{src.CommitId} of #{codepipeline.PipelineExecutionId} at "#{variables.level}"'
    pipeline = replace(
        line(Stage("Build", step("make", configuration={"Text": text}))),
        variables=(Variable("level", "#{src.CommitId}"),),
    )
    run = world.started(pipeline)
    world.fetched(run, 'a"b')
    assert world.row(run, "make").resolved == {"Text": f'a"b of {run} at "#{{src.CommitId}}"'}


def test_an_unresolved_variable_fails_the_action_before_it_starts() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("make", configuration={"T": "#{src.TagName}"}))))
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.status, row.error.code) == ("Failed", "ConfigurationError")
    assert "src.TagName" in world.execution(run).summary
    assert world.under_way(run) == set()
    assert world.status(run) == "Failed"


def test_a_missing_artifact_fails_the_action_before_it_starts() -> None:
    world = World()
    world.define(line(Stage("Build", step("make", inputs=("Code",)))))
    run = world.start()
    row = world.row(run, "Fetch")
    world.orders[row.id] = replace(world.orders[row.id], outputs=())
    world.fetched(run)
    assert "Code" in world.row(run, "make").error.message
    assert world.status(run) == "Failed"


def test_too_many_bytes_of_output_variables_fail_the_action() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("make", namespace="b"))))
    world.fetched(run)
    world.succeed(run, "make", big="x" * 122_881)
    assert world.row(run, "make").error.code == "OutputVariablesSizeExceeded"


def test_each_output_of_an_action_has_an_object_of_its_own() -> None:
    world = World()
    names = ("build_output_12", "build_output_21", "build_output_30")
    outputs = tuple(OutputArtifact(name) for name in names)
    run = world.started(line(Stage("Build", step("make", outputs=outputs))))
    world.fetched(run)
    (order,) = world.orders.values()
    assert len({each.object_key for each in order.outputs}) == 3


def test_what_an_earlier_attempt_wrote_is_not_taken_for_what_this_one_wrote() -> None:
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


def test_the_revision_of_a_source_is_kept_with_the_execution() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run, "abc123")
    assert world.execution(run).revisions["Fetch"].id == "abc123"


# ---------------------------------------- failure, section 3.6


def test_when_an_action_fails_its_siblings_run_to_their_end_and_later_groups_do_not_start() -> (
    None
):
    world = World()
    run = world.started(line(Stage("Test", (step("a") + step("b")) >> step("c"))))
    world.fetched(run)
    world.fail(run, "a")
    assert world.status(run) == "InProgress"
    world.succeed(run, "b")
    assert world.stage(run, "Test").status == "Failed"
    assert world.status(run) == "Failed"
    assert "c" not in world.begun(run)


def test_a_failed_stage_is_unlocked_and_whoever_waits_enters() -> None:
    world = World()
    first = world.started(line(Stage("Build", step("make"))))
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    assert "make" not in world.begun(second)
    world.fail(first, "make")
    assert world.under_way(second) == {"make"}


def test_a_report_for_an_action_that_has_ended_is_stale() -> None:
    world = World()
    run = world.started(TWO)
    order = next(iter(world.orders.values()))
    world.fetched(run)
    world.orders[order.id] = order
    with pytest.raises(StaleReport):
        world.fetched(run)


def test_an_action_that_takes_too_long_fails_and_its_work_is_ended() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    row = world.row(run, "make")
    world.expire(run, "make")
    assert world.row(run, "make").status == "Failed"
    assert "timed out" in world.row(run, "make").error.message
    assert world.halted == [row.id]


def test_a_time_limit_of_the_action_goes_before_that_of_its_type() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("make", timeout_minutes=5))))
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.deadline - row.started).total_seconds() == 300


def test_a_custom_type_may_have_a_limit_of_its_own() -> None:
    world = World()
    run = world.started(TWO, limits={"Test/Custom/Step/1": 600.0})
    world.fetched(run)
    row = world.row(run, "make")
    assert (row.deadline - row.started).total_seconds() == 600


def test_waiting_work_is_asked_again_with_its_token() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.report(run, "make", Waiting("t-1", seconds=30, percent=40))
    row = world.row(run, "make")
    ask = world.asked[row.id]
    assert (ask.token, (ask.due - world.at).total_seconds()) == ("t-1", 30)
    assert (row.status, row.percent) == ("InProgress", 40)


# ---------------------------------------- superseding, section 3.4


def three_arrive() -> tuple[World, str, str, str]:
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    third = world.start()
    world.fetched(third)
    return world, first, second, third


def test_a_newer_execution_supersedes_the_one_that_waits() -> None:
    world, first, second, third = three_arrive()
    assert [world.status(run) for run in (first, second, third)] == [
        "InProgress",
        "Superseded",
        "InProgress",
    ]
    assert world.lock("Build").waiting == (third,)


def test_the_newest_enters_when_the_stage_is_left() -> None:
    world, first, _, third = three_arrive()
    world.succeed(first, "make")
    assert world.lock("Build").holder == third
    assert world.under_way(third) == {"make"}


def test_an_execution_inside_a_stage_is_never_superseded_not_even_at_an_approval() -> None:
    world = World()
    first = world.started(line(Stage("Gate", approval("ok"))))
    world.fetched(first)
    for _ in range(3):
        world.fetched(world.start())
    assert world.status(first) == "InProgress"
    world.answer(first, "ok")
    assert world.status(first) == "Succeeded"


def test_starts_that_meet_a_busy_first_stage_supersede_each_other_there() -> None:
    world = World()
    first = world.started(TWO)
    second, third = world.start(), world.start()
    assert world.status(second) == "Superseded"
    world.fetched(first)
    assert world.under_way(third) == {"Fetch"}


def test_a_stage_is_left_before_the_next_one_is_entered() -> None:
    world = World()
    first = world.started(TWO)
    second = world.start()
    world.fetched(first)
    assert world.lock("Source").holder == second
    assert world.lock("Build").holder == first


# ---------------------------------------- stop, section 3.8


def test_stop_and_wait_lets_actions_end_and_is_stopped_even_if_all_succeeded() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.stop(run, reason="wrong")
    assert world.status(run) == "Stopping"
    world.succeed(run, "make")
    assert (world.status(run), world.stage(run, "Build").status) == ("Stopped", "Stopped")
    assert world.execution(run).stop.reason == "wrong"


def test_stop_and_wait_starts_nothing_more() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("a") >> step("b"))))
    world.fetched(run)
    world.stop(run)
    world.succeed(run, "a")
    assert "b" not in world.begun(run)


def test_stop_and_abandon_ends_it_at_once_and_halts_its_work() -> None:
    world = World()
    run = world.started(line(Stage("Build", step("a") + step("b"))))
    world.fetched(run)
    world.stop(run, abandon=True)
    assert world.status(run) == "Stopped"
    assert {world.row(run, name).status for name in "ab"} == {"Abandoned"}
    assert len(world.halted) == 2


def test_a_waiting_stop_may_be_followed_by_an_abandoning_one_but_not_by_another() -> None:
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


def test_an_execution_that_waits_between_stages_is_stopped_at_once() -> None:
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    second = world.start()
    world.fetched(second)
    world.stop(second)
    assert world.status(second) == "Stopped"
    world.succeed(first, "make")
    assert "make" not in world.begun(second)


def test_stop_and_wait_waits_for_an_approval() -> None:
    world = World()
    run = world.started(line(Stage("Gate", approval("ok"))))
    world.fetched(run)
    world.stop(run)
    assert world.status(run) == "Stopping"
    world.answer(run, "ok")
    assert world.status(run) == "Stopped"


def test_a_reason_of_more_than_200_characters_is_refused() -> None:
    world = World()
    run = world.started(TWO)
    with pytest.raises(ValidationError, match="200"):
        world.stop(run, reason="x" * 201)
    world.stop(run, reason="x" * 200)


def test_stopping_an_unknown_execution_is_refused() -> None:
    world = World()
    world.started(TWO)
    with pytest.raises(ExecutionNotFound):
        world.stop("00000000-0000-0000-0000-00000000ffff")


# ---------------------------------------- retry, section 3.9


def failed_beside_success() -> tuple[World, str]:
    world = World()
    steps: Steps = (step("a") + step("b")) >> step("c")
    run = world.started(line(Stage("Test", steps)))
    world.fetched(run)
    world.succeed(run, "a")
    world.fail(run, "b")
    return world, run


def test_retry_runs_the_failed_actions_again_in_the_same_execution() -> None:
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


def test_retry_of_all_actions_runs_the_stage_from_its_first_group() -> None:
    world, run = failed_beside_success()
    world.retry(run, "Test", RetryMode.ALL_ACTIONS)
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a", "b")
    assert world.under_way(run) == {"c"}


def test_a_failed_action_may_be_retried_while_its_siblings_run() -> None:
    world = World()
    run = world.started(line(Stage("Test", step("a") + step("b"))))
    world.fetched(run)
    world.fail(run, "a")
    world.retry(run, "Test")
    assert world.under_way(run) == {"a", "b"}
    world.succeed(run, "a", "b")
    assert world.status(run) == "Succeeded"


def test_a_stopped_stage_may_be_retried_and_runs_what_was_abandoned() -> None:
    world = World()
    run = world.started(line(Stage("Test", step("a") + step("b"))))
    world.fetched(run)
    world.succeed(run, "a")
    world.stop(run, abandon=True)
    world.retry(run, "Test")
    assert world.under_way(run) == {"b"}
    assert world.execution(run).stop is None


def test_a_stage_stopped_between_groups_goes_on_with_the_next_group() -> None:
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
    world = World()
    first = world.started(TWO)
    world.fetched(first)
    world.fail(first, "make")
    second = world.start()
    world.fetched(second)
    with pytest.raises(NotLatestExecution):
        world.retry(first, "Build")


def test_nothing_that_succeeded_or_never_began_can_be_retried() -> None:
    world = World()
    run = world.started(TWO)
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Build")
    world.fetched(run)
    world.succeed(run, "make")
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Build")


def test_after_a_change_of_the_definition_nothing_can_be_retried() -> None:
    world = World()
    run = world.started(TWO)
    world.fetched(run)
    world.fail(run, "make")
    world.define(TWO)
    with pytest.raises(StageNotRetryable):
        world.retry(run, "Build")


def test_retry_replaces_the_variables_of_actions_that_run_again() -> None:
    world = World()
    steps = step("make", namespace="b") >> step("use", configuration={"V": "#{b.V}"})
    run = world.started(line(Stage("Build", steps)))
    world.fetched(run)
    world.succeed(run, "make", V="1")
    world.fail(run, "use")
    world.retry(run, "Build", RetryMode.ALL_ACTIONS)
    world.succeed(run, "make", V="2")
    assert world.row(run, "use").resolved == {"V": "2"}


def test_retry_of_the_source_stage_takes_the_revision_that_was_asked_for() -> None:
    world = World()
    run = world.started(TWO, revisions={"Fetch": "c0ffee"})
    world.fail(run, "Fetch")
    world.retry(run, "Source")
    (order,) = world.orders.values()
    assert order.revision == "c0ffee"


# ---------------------------------------- approval, section 10


def at_the_gate() -> tuple[World, str]:
    world = World()
    run = world.started(line(Stage("Gate", approval("ok") >> step("ship"))))
    world.fetched(run)
    return world, run


def test_approving_goes_on_and_keeps_who_said_what() -> None:
    world, run = at_the_gate()
    world.answer(run, "ok", summary="fine")
    row = world.row(run, "ok")
    assert (row.status, row.by, row.summary) == ("Succeeded", "ann", "fine")
    assert world.under_way(run) == {"ship"}
    assert world.halted == [row.id]


def test_rejecting_fails_the_stage_and_a_retry_asks_again_with_another_token() -> None:
    world, run = at_the_gate()
    token = world.row(run, "ok").token
    world.answer(run, "ok", ApprovalStatus.REJECTED, summary="not yet")
    assert world.status(run) == "Failed"
    assert "not yet" in world.row(run, "ok").error.message
    world.retry(run, "Gate")
    assert world.row(run, "ok").token != token


def test_an_approval_is_answered_once() -> None:
    world, run = at_the_gate()
    world.answer(run, "ok")
    with pytest.raises(ApprovalAlreadyCompleted, match="approved"):
        world.answer(run, "ok", ApprovalStatus.REJECTED)


@pytest.mark.parametrize("token", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_wrong_token_is_refused(token: str) -> None:
    world, run = at_the_gate()
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok", token=token)


def test_an_expired_or_abandoned_request_cannot_be_answered() -> None:
    world, run = at_the_gate()
    world.expire(run, "ok")
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok")


def test_an_approval_whose_time_is_over_cannot_be_answered_although_nobody_noticed() -> None:
    world, run = at_the_gate()
    world.at = world.row(run, "ok").deadline
    with pytest.raises(InvalidApprovalToken, match="expired"):
        world.answer(run, "ok")
    assert world.row(run, "ok").status == "InProgress"


def test_a_token_of_an_earlier_attempt_is_refused() -> None:
    world, run = at_the_gate()
    old = world.row(run, "ok").token
    world.answer(run, "ok", ApprovalStatus.REJECTED)
    world.retry(run, "Gate")
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok", token=old)


def test_a_comment_of_more_than_512_characters_is_refused() -> None:
    world, run = at_the_gate()
    with pytest.raises(ValidationError):
        world.answer(run, "ok", summary="x" * 513)
    world.answer(run, "ok", summary="x" * 512)


def test_only_an_approval_can_be_answered() -> None:
    world, run = at_the_gate()
    world.answer(run, "ok")
    with pytest.raises(ActionNotFound):
        world.answer(run, "ship", token="x")


def test_an_answer_for_an_unknown_stage_is_refused() -> None:
    world, run = at_the_gate()
    answered = Answered(
        id=str(UUID(int=99)),
        pipeline="shop",
        at=NOON,
        by="ann",
        execution=run,
        stage="Elsewhere",
        action="ok",
        token="x",
        status=ApprovalStatus.APPROVED,
    )
    with pytest.raises(StageNotFound):
        world.happen(answered)


# ---------------------------------------- change of the definition, section 3.13


def test_a_new_definition_counts_up_and_starts_nothing() -> None:
    world = World()
    world.define(TWO)
    world.define(TWO)
    record = world.state.get(PipelineRecord, ("shop",))
    assert (record.version, record.executions) == (2, 0)


def test_the_same_definition_is_no_new_version_where_that_is_wanted() -> None:
    world = World()
    run = world.started(TWO)
    world.define(TWO, unless_same=True)
    assert world.state.get(PipelineRecord, ("shop",)).version == 1
    assert world.status(run) == "InProgress"
    world.define(line(Stage("Other", step("x"))), unless_same=True)
    assert world.state.get(PipelineRecord, ("shop",)).version == 2


def test_a_new_definition_cancels_what_waits_at_once_and_what_runs_when_its_actions_end() -> None:
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


def test_a_new_definition_drops_a_pending_approval_at_once() -> None:
    world, run = at_the_gate()
    world.define(TWO)
    assert (world.row(run, "ok").status, world.status(run)) == ("Abandoned", "Cancelled")
    assert world.lock("Gate").holder is None


def test_after_a_new_definition_a_new_execution_runs_by_it() -> None:
    world = World()
    world.started(TWO)
    world.define(line(Stage("Ship", step("ship"))))
    run = world.start()
    assert world.execution(run).version == 2


# ---------------------------------------- the whole


def test_replaying_the_journal_gives_the_same_state() -> None:
    world, first, _, third = three_arrive()
    world.fail(first, "make")
    world.succeed(third, "make")
    world.define(line(Stage("Gate", approval("ok"))))
    fourth = world.start()
    world.fetched(fourth)
    world.answer(fourth, "ok", ApprovalStatus.REJECTED)
    world.retry(fourth, "Gate")
    world.stop(fourth, abandon=True)
    again = replay(world.events)
    assert again == world.state


def test_a_refused_event_changes_nothing() -> None:
    world = World()
    run = world.started(TWO)
    before = replay(world.events)
    for error, ask in (
        (StageNotRetryable, lambda: world.retry(run, "Build")),
        (StageNotFound, lambda: world.retry(run, "Nowhere")),
        (ValidationError, lambda: world.start(variables={"x": "y"})),
    ):
        with pytest.raises(error):
            ask()
        assert world.state == before


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
