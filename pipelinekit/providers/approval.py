"""Approval/AWS/Manual: somebody says yes or no."""

from datetime import timedelta
from typing import Annotated

from pipelinekit.model.action import Category, Owner
from pipelinekit.model.order import Outcome, Waiting
from pipelinekit.ports.provider import Job, Key, Traits, provider


@provider(
    Traits(
        category=Category.APPROVAL,
        owner=Owner.AWS,
        provider="Manual",
        inputs=(0, 0),
        outputs=(0, 0),
        variables=frozenset(),
        repeatable=True,
        timeout=timedelta(days=7),
    )
)
def approval(
    job: Job,
    note: Annotated[str | None, Key("CustomData")] = None,
    link: Annotated[str | None, Key("ExternalEntityLink")] = None,
    topic: Annotated[str | None, Key("NotificationArn")] = None,
) -> Outcome:
    """Wait until somebody approves or rejects.

    Args:
        job: What is to be done.
        note: What the reviewer should know.
        link: A URL of what is to be reviewed.
        topic: The SNS topic that AWS would tell; here nobody is told through it.

    Source: codepipeline.md 7.23, 10.
    """
    for line in (note or "").splitlines():
        job.say(_shown(line))
    if link:
        job.say(f"To review: {_shown(link)}")
    if topic:
        job.say(f"Nothing is sent to {_shown(topic)}: there is no SNS here")
    return Waiting(token=job.order.id, summary="Waiting for approval")


def _shown(line: str) -> str:
    return "".join(character if character.isprintable() else " " for character in line)
