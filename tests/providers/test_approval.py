"""An approval asks, and then it waits for somebody."""

from pathlib import Path

from pipelinekit.model.action import Action
from pipelinekit.model.order import Waiting
from pipelinekit.providers.approval import approval
from tests.fakes import FolderJob, order


def _asked(action: Action, folder: Path) -> FolderJob:
    return FolderJob(order(action), folder)


def test_an_approval_waits_for_an_answer_and_not_for_a_time(tmp_path: Path) -> None:
    job = _asked(approval("ship-it"), tmp_path)
    outcome = approval.carry_out(job)
    assert outcome == Waiting(token=job.order.id, seconds=None, summary="Waiting for approval")
    assert job.said == []


def test_what_the_reviewer_should_know_is_in_the_log(tmp_path: Path) -> None:
    job = _asked(approval("ship-it", "Version 3\nis ready", "https://example.org/"), tmp_path)
    approval.carry_out(job)
    assert job.said == ["Version 3", "is ready", "To review: https://example.org/"]


def test_a_note_cannot_steer_the_terminal_that_shows_the_log(tmp_path: Path) -> None:
    job = _asked(approval("ship-it", "all good\x1b[2K\x07"), tmp_path)
    approval.carry_out(job)
    assert job.said == ["all good [2K "]


def test_a_topic_of_aws_does_not_block_and_is_named_as_silent(tmp_path: Path) -> None:
    topic = "arn:aws:sns:eu-west-1:111122223333:reviews"
    job = _asked(approval("ship-it", topic=topic), tmp_path)
    assert isinstance(approval.carry_out(job), Waiting)
    assert job.said == [f"Nothing is sent to {topic}: there is no SNS here"]


def test_an_approval_is_written_down_with_the_keys_of_aws() -> None:
    action = approval("ship-it", note="Look", link="https://example.org/", topic="arn:x")
    assert action.configuration == {
        "CustomData": "Look",
        "ExternalEntityLink": "https://example.org/",
        "NotificationArn": "arn:x",
    }
    assert (str(action.type), action.outputs, action.namespace) == (
        "Approval/AWS/Manual/1",
        (),
        None,
    )
