"""How approvals of type Review are answered, which CodePipeline does not have."""

import json
from uuid import UUID

import pytest
from msgspec.structs import replace

from pipelinekit.engine.review import read_inputs
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.errors import ApprovalAlreadyCompleted
from pipelinekit.model.event import Defined
from pipelinekit.model.execution import Cause, Revision
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import Pipeline, Stage, Variable
from pipelinekit.model.status import ApprovalStatus, TriggerType
from tests.engine.world import NOON, World, approval, line, step

REJECTED = ApprovalStatus.REJECTED
SIZE = {"size": {"type": "number", "default": 1}, "where": {"type": "choice", "choices": ["eu"]}}


def reviewed(**demands: str) -> Pipeline:
    """Make a pipeline whose second stage is a review, and a deployment that reads its values."""
    kind = ActionTypeId(Category.APPROVAL, Owner.CUSTOM, "Review")
    ok = replace(approval("ok"), type=kind, configuration=demands, namespace="ok")
    reads = {"S": "#{ok.size}", "W": "#{ok.where}"} if "Inputs" in demands else {}
    return line(Stage("Gate", ok >> step("ship", configuration=reads)))


def asked(**demands: str) -> tuple[World, str]:
    """Bring an execution, which Stan started and Ada wrote, to a review of Eddie's pipeline."""
    world = World()
    at = NOON
    world.happen(
        Defined(
            id=str(UUID(int=1)), pipeline="shop", at=at, by="eddie", definition=reviewed(**demands)
        )
    )
    run = world.start(Cause(TriggerType.START_PIPELINE_EXECUTION, "stan"))
    revision = Revision("c0ffee", authors=("Ada", "ada@example.org"))
    world.report(run, "Fetch", Succeeded(revision=revision))
    return world, run


def say(
    world: World,
    run: str,
    by: str,
    status: ApprovalStatus = ApprovalStatus.APPROVED,
    **more: object,
) -> str:
    """Let somebody answer; give why it does not count."""
    world.by = by
    refusal = world.answer(run, "ok", status, **more).refusal
    return str(refusal) if refusal else ""


# ---------------------------------------- who, and how many


def test_a_review_wants_as_many_approvals_as_it_says() -> None:
    """10: Review beyond AWS: N different people have to approve."""
    world, run = asked(RequiredApprovals="2")
    assert not say(world, run, "ben")
    assert world.row(run, "ok").status == "InProgress"
    assert not say(world, run, "cleo")
    assert (world.row(run, "ok").status, world.under_way(run)) == ("Succeeded", {"ship"})


def test_nobody_approves_twice() -> None:
    """10: Review beyond AWS: the same person counts once, whatever the case of the name."""
    world, run = asked(RequiredApprovals="2")
    say(world, run, "ben")
    assert "has approved it already" in say(world, run, "Ben")
    assert world.row(run, "ok").status == "InProgress"


def test_one_rejection_decides() -> None:
    """10: Review beyond AWS: one rejection is enough, whoever approved before."""
    world, run = asked(RequiredApprovals="2")
    say(world, run, "ben")
    assert not say(world, run, "cleo", REJECTED)
    assert (world.row(run, "ok").status, world.status(run)) == ("Failed", "Failed")


@pytest.mark.parametrize("status", list(ApprovalStatus))
def test_only_approvers_answer_a_review_that_names_them(status: ApprovalStatus) -> None:
    """10: Review beyond AWS: neither yes nor no of anybody else counts."""
    world, run = asked(Approvers="ben, cleo")
    assert "none of its approvers, who are ben, cleo" in say(world, run, "mallory", status)
    assert world.row(run, "ok").status == "InProgress"
    assert not say(world, run, "BEN", status)
    assert world.row(run, "ok").status != "InProgress"


@pytest.mark.parametrize("who", ["stan", "Ada", "ADA@example.org", "eddie"])
def test_nobody_approves_what_is_their_own(who: str) -> None:
    """10: Review beyond AWS: neither author, starter nor last editor may approve."""
    world, run = asked(PreventSelfApproval="true")
    assert "must not approve that" in say(world, run, who)
    assert world.row(run, "ok").status == "InProgress"
    assert not say(world, run, "ben")


def test_one_may_reject_what_is_one_s_own() -> None:
    """10: Review beyond AWS: only approving what is one's own is prevented."""
    world, run = asked(PreventSelfApproval="true")
    assert not say(world, run, "ada", REJECTED)
    assert world.status(run) == "Failed"


@pytest.mark.parametrize("status", list(ApprovalStatus))
def test_a_comment_is_demanded_where_the_review_says_so(status: ApprovalStatus) -> None:
    """10: Review beyond AWS: neither approval nor rejection counts without a comment."""
    world, run = asked(CommentRequired="true")
    assert "wants a comment" in say(world, run, "ben", status, summary="  ")
    assert not say(world, run, "ben", status, summary="seen")
    assert world.row(run, "ok").summary == "seen"


def test_of_those_who_answer_at_once_nobody_answers_a_review_that_is_decided() -> None:
    """10: Review beyond AWS: the vote that makes it enough decides; later ones are refused."""
    world, run = asked(RequiredApprovals="2")
    token = world.row(run, "ok").token
    for name in ("ben", "cleo"):
        say(world, run, name, token=token)
    with pytest.raises(ApprovalAlreadyCompleted, match="cleo approved"):
        say(world, run, "dora", REJECTED, token=token)
    assert [vote.by for vote in world.row(run, "ok").votes] == ["ben", "cleo"]


# ---------------------------------------- what is recorded


def test_every_try_is_recorded_also_one_that_does_not_count() -> None:
    """10: Review beyond AWS: votes and refused tries are kept in their order, with the reason."""
    world, run = asked(Approvers="ben, cleo", RequiredApprovals="2")
    say(world, run, "mallory", summary="let me")
    say(world, run, "ben")
    say(world, run, "ben")
    say(world, run, "cleo", summary="fine")
    votes = world.row(run, "ok").votes
    assert [(vote.by, bool(vote.refused)) for vote in votes] == [
        ("mallory", True),
        ("ben", False),
        ("ben", True),
        ("cleo", False),
    ]
    assert (votes[0].summary, votes[-1].summary) == ("let me", "fine")


def test_a_try_that_does_not_count_is_refused_and_changes_nothing_else() -> None:
    """10: Review beyond AWS: a refused try is a row of votes and no command."""
    world, run = asked(Approvers="ben")
    before = world.row(run, "ok")
    world.by = "mallory"
    decision = world.answer(run, "ok")
    (row,) = decision.rows
    assert (decision.commands, decision.moves) == ((), ())
    assert replace(row, votes=(), updated=before.updated) == before
    assert decision.refusal.code == "ValidationException"


def test_the_votes_of_an_earlier_attempt_do_not_count_for_the_next_one() -> None:
    """10: Review beyond AWS: a retry asks everybody again."""
    world, run = asked(RequiredApprovals="2")
    say(world, run, "ben")
    say(world, run, "cleo", REJECTED)
    world.retry(run, "Gate")
    assert world.row(run, "ok").votes == ()
    assert not say(world, run, "ben")
    assert world.row(run, "ok").status == "InProgress"


def test_a_review_expires_like_every_approval() -> None:
    """10, 3.16: Review beyond AWS: votes do not save a review whose time is over."""
    world, run = asked(RequiredApprovals="2")
    say(world, run, "ben")
    world.expire(run, "ok")
    assert (world.row(run, "ok").status, len(world.row(run, "ok").votes)) == ("Failed", 1)


# ---------------------------------------- what is filled in


def test_what_is_filled_in_is_read_by_later_actions() -> None:
    """10, 5.1: Review beyond AWS: inputs are output variables, with their defaults."""
    world, run = asked(Inputs=json.dumps(SIZE))
    assert not say(world, run, "ben", inputs={"where": "eu"})
    assert world.row(run, "ship").resolved == {"S": "1", "W": "eu"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"size": "many", "where": "eu"}, "no number"),
        ({"where": "us"}, "none of eu"),
        ({}, "a value of where"),
        ({"where": "eu", "colour": "red"}, "asks for no value colour"),
    ],
)
def test_what_is_filled_in_has_its_type(given: dict[str, str], why: str) -> None:
    """10: Review beyond AWS: values that do not fit are refused with the reason."""
    world, run = asked(Inputs=json.dumps(SIZE))
    assert why in say(world, run, "ben", inputs=given)
    assert world.row(run, "ok").status == "InProgress"


def test_values_that_nobody_asked_for_are_to_be_left_out() -> None:
    """10: Review beyond AWS: where nothing is asked for, nothing is filled in."""
    world, run = asked()
    assert "asks for no values, and size was given; leave it out" in say(
        world, run, "ben", inputs={"size": "3"}
    )


def test_who_rejects_fills_nothing_in() -> None:
    """10: Review beyond AWS: a rejection needs no inputs."""
    world, run = asked(Inputs=json.dumps(SIZE))
    assert not say(world, run, "ben", REJECTED)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "JSON object"),
        ('{"a": 1}', "a: an object"),
        ('{"a": {"type": "date"}}', "a: type"),
        ('{"a": {"type": ["string"]}}', "a: type"),
        ('{"a": {"typ": "string"}}', "a: type"),
        ('{"a": {"type": "choice", "choices": 3}}', "a list of choices"),
        ('{"a": {"pattern": "("}}', "no regular expression"),
        ('{"a": {"type": "number", "default": "x"}}', "default 'x' is no number"),
        ("{", "Expecting"),
    ],
)
def test_inputs_that_have_no_meaning_are_refused(text: str, why: str) -> None:
    """10: Review beyond AWS: descriptions of inputs are checked when they are written."""
    with pytest.raises(ValueError, match=why):
        read_inputs(text)


def test_a_boolean_is_written_as_json_writes_it() -> None:
    """10: Review beyond AWS: the default true is the text true, as an approver would write it."""
    assert read_inputs('{"dry": {"type": "boolean", "default": true}}')["dry"].default == "true"


@pytest.mark.parametrize("key", ["RequiredApprovals", "Inputs"])
def test_demands_that_variables_made_unreadable_let_nobody_answer(key: str) -> None:
    """10: Review beyond AWS: an answer is refused, not guessed, where a demand is unreadable."""
    world = World()
    pipeline = replace(reviewed(**{key: "#{variables.n}"}), variables=(Variable("n", "two"),))
    run = world.started(pipeline)
    world.fetched(run)
    assert f"its {key}" in say(world, run, "ben")
    assert world.row(run, "ok").status == "InProgress"
