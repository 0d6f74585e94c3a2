"""How approvals are answered. Source: codepipeline.md 10."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from pipelinekit.model.errors import (
    ActionNotFound,
    ApprovalAlreadyCompleted,
    InvalidApprovalToken,
    StageNotFound,
    ValidationError,
)
from pipelinekit.model.event import Answered
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ApprovalStatus
from tests.engine.world import NOON, World, approval, line, step

TWO = line(Stage("Build", step("make")))
REJECTED = ApprovalStatus.REJECTED


def at_the_gate() -> tuple[World, str]:
    world = World()
    run = world.started(line(Stage("Gate", approval("ok") >> step("ship"))))
    world.fetched(run)
    return world, run


def test_an_approval_has_seven_days_or_the_time_it_says() -> None:
    """10, 3.16: the default is 7 days, and timeoutInMinutes overrides it."""
    world = World()
    both = approval("ok") + replace(approval("quick"), timeout_minutes=5)
    run = world.started(line(Stage("Gate", both)))
    world.fetched(run)
    limits = [world.row(run, name).deadline - world.at for name in ("ok", "quick")]
    assert limits == [timedelta(days=7), timedelta(minutes=5)]


def test_every_request_has_a_token_of_its_own() -> None:
    """10: the token is a UUID for each approval request."""
    world = World()
    run = world.started(line(Stage("Gate", approval("a") + approval("b"))))
    world.fetched(run)
    tokens = {world.row(run, name).token for name in "ab"}
    assert len({UUID(token) for token in tokens}) == 2


def test_approving_goes_on_and_keeps_who_said_what() -> None:
    """10: Approved ends the action as Succeeded, with the comment and who it was."""
    world, run = at_the_gate()
    world.answer(run, "ok", summary="fine")
    row = world.row(run, "ok")
    assert (row.status, row.by, row.summary) == ("Succeeded", "ann", "fine")
    assert world.under_way(run) == {"ship"}
    assert world.halted == [row.id]


def test_the_asker_is_told_when_the_answer_was_taken() -> None:
    """10: PutApprovalResult answers approvedAt."""
    world, run = at_the_gate()
    decision = world.answer(run, "ok")
    assert decision.answer == world.row(run, "ok").updated.isoformat()


def test_rejecting_fails_the_stage_and_a_retry_asks_again_with_another_token() -> None:
    """10: Rejected fails action, stage and execution, and a retry asks again."""
    world, run = at_the_gate()
    token = world.row(run, "ok").token
    world.answer(run, "ok", ApprovalStatus.REJECTED, summary="not yet")
    assert world.status(run) == "Failed"
    assert "not yet" in world.row(run, "ok").error.message
    world.retry(run, "Gate")
    assert world.row(run, "ok").token != token


def test_a_comment_of_more_than_512_characters_is_refused() -> None:
    """10: a comment has at most 512 characters."""
    world, run = at_the_gate()
    with pytest.raises(ValidationError):
        world.answer(run, "ok", summary="x" * 513)
    world.answer(run, "ok", summary="x" * 512)


def test_only_an_approval_can_be_answered() -> None:
    """10: an action that is no approval is an ActionNotFoundException (CHOICE)."""
    world, run = at_the_gate()
    world.answer(run, "ok")
    with pytest.raises(ActionNotFound):
        world.answer(run, "ship", token="x")


def test_an_answer_for_an_unknown_stage_is_refused() -> None:
    """10: an unknown stage is a StageNotFoundException."""
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


@pytest.mark.parametrize("token", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_wrong_token_is_refused(token: str) -> None:
    """10: an unknown token is an InvalidApprovalTokenException."""
    world, run = at_the_gate()
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok", token=token)


def test_an_expired_or_abandoned_request_cannot_be_answered() -> None:
    """10: a request whose time is over cannot be answered any more."""
    world, run = at_the_gate()
    world.expire(run, "ok")
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok")


def test_an_approval_whose_time_is_over_cannot_be_answered_although_nobody_noticed() -> None:
    """10: the deadline holds even before the clock has ended the request."""
    world, run = at_the_gate()
    world.at = world.row(run, "ok").deadline - timedelta(seconds=1)  # a second passes
    with pytest.raises(InvalidApprovalToken, match="expired"):
        world.answer(run, "ok")
    assert world.row(run, "ok").status == "InProgress"


def test_a_token_of_an_earlier_attempt_is_refused() -> None:
    """10: a retry replaces the token."""
    world, run = at_the_gate()
    old = world.row(run, "ok").token
    world.answer(run, "ok", ApprovalStatus.REJECTED)
    world.retry(run, "Gate")
    with pytest.raises(InvalidApprovalToken):
        world.answer(run, "ok", token=old)


def test_an_approval_is_answered_once() -> None:
    """10: a second answer is an ApprovalAlreadyCompletedException."""
    world, run = at_the_gate()
    world.answer(run, "ok")
    with pytest.raises(ApprovalAlreadyCompleted, match="approved"):
        world.answer(run, "ok", ApprovalStatus.REJECTED)


def test_of_two_who_answer_at_once_the_first_decides() -> None:
    """10: two answers to one request make one decision, and the other is told who decided."""
    world, run = at_the_gate()
    token = world.row(run, "ok").token
    world.by = "ben"
    world.answer(run, "ok", token=token)
    world.by = "cleo"
    with pytest.raises(ApprovalAlreadyCompleted, match="ben approved"):
        world.answer(run, "ok", REJECTED, token=token)
    assert (world.row(run, "ok").status, world.row(run, "ok").by) == ("Succeeded", "ben")
    assert len(world.row(run, "ok").votes) == 1


def test_a_pending_approval_keeps_its_stage_locked() -> None:
    """10: while pending the stage is locked, and newer executions wait in front."""
    world, run = at_the_gate()
    newer = world.start()
    world.fetched(newer)
    assert (world.lock("Gate").holder, world.lock("Gate").waiting) == (run, (newer,))


@pytest.mark.parametrize("how", ["reject", "abandon"])
def test_a_rejected_or_abandoned_approval_frees_its_stage(how: str) -> None:
    """10: a rejection, or a stop that abandons, frees the stage."""
    world, run = at_the_gate()
    newer = world.start()
    world.fetched(newer)
    if how == "reject":
        world.answer(run, "ok", REJECTED)
    else:
        world.stop(run, abandon=True)
    assert world.under_way(newer) == {"ok"}


def test_approvals_of_one_run_order_are_independent_and_all_are_needed() -> None:
    """10: approvals side by side are separate requests."""
    world = World()
    run = world.started(line(Stage("Gate", (approval("a") + approval("b")) >> step("ship"))))
    world.fetched(run)
    world.answer(run, "a")
    assert world.under_way(run) == {"b"}
    world.answer(run, "b")
    assert world.under_way(run) == {"ship"}


def test_siblings_of_a_rejected_approval_run_to_their_end() -> None:
    """10, 3.5: a rejection waits for what runs beside it."""
    world = World()
    run = world.started(line(Stage("Gate", approval("ok") + step("scan"))))
    world.fetched(run)
    world.answer(run, "ok", REJECTED)
    assert (world.status(run), world.under_way(run)) == ("InProgress", {"scan"})
    world.succeed(run, "scan")
    assert world.status(run) == "Failed"


def test_anybody_may_answer_a_manual_approval_also_their_own() -> None:
    """10: the approval action knows no roles and no quorum."""
    world, run = at_the_gate()
    world.by = "a stranger"
    world.answer(run, "ok")
    assert world.row(run, "ok").status == "Succeeded"
