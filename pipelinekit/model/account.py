"""What belongs to the account: custom action types, webhooks, and the tags of its resources."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import field

from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType, Property
from pipelinekit.model.noun import Noun

ACCOUNT = ":account"
"""Stands where rows and events of a pipeline bear its name; no pipeline can be called so."""

JOB_WORKER_TIMEOUT = timedelta(hours=24)


class Authentication(StrEnum):
    """How a webhook knows that a delivery is meant."""

    GITHUB_HMAC = "GITHUB_HMAC"
    IP = "IP"
    UNAUTHENTICATED = "UNAUTHENTICATED"


class CustomType(Noun):
    """An action type whose actions are carried out by job workers.

    Attributes:
        pipeline: Always `ACCOUNT`.
        inputs: The fewest and the most artifacts it reads.
        outputs: The fewest and the most artifacts it writes.
        urls: Templates of links, by CodePipeline's names for them.
        at: When it was created, UTC.
        deleted: Whether it was; its version is not free for another definition.
    """

    id: ActionTypeId
    at: datetime
    inputs: tuple[int, int] = (0, 5)
    outputs: tuple[int, int] = (0, 5)
    properties: tuple[Property, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    pipeline: str = ACCOUNT

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (str(self.id),)

    @property
    def type(self) -> ActionType:
        """Give it as validation and listings see an action type."""
        return ActionType(
            id=self.id,
            inputs=self.inputs,
            outputs=self.outputs,
            properties=self.properties,
            variables=None,
            timeout=JOB_WORKER_TIMEOUT,
        )


class WebhookFilter(Noun):
    """What a delivery has to hold.

    Attributes:
        path: A JSONPath into its body.
        equals: The value there, with `{Key}` for values of the target action's configuration; the
            path has merely to exist when None.
    """

    path: str
    equals: str | None = None


class Webhook(Noun):
    """A URL whose deliveries start a pipeline.

    Attributes:
        target: The pipeline that is started.
        action: Its source action, whose configuration filters refer to.
        path: The part of its URL that nobody can guess.
        allowed: The addresses that may deliver, as CIDR (IP).
        secret: What deliveries are signed with (GITHUB_HMAC).
        triggered: When it last started the pipeline, UTC.
        error: The code and the message of why the last delivery was refused.
        pipeline: Always `ACCOUNT`.
    """

    name: str
    target: str
    action: str
    path: str
    authentication: Authentication
    filters: tuple[WebhookFilter, ...] = ()
    allowed: str = ""
    secret: str = ""
    triggered: datetime | None = None
    error: tuple[str, str] = ("", "")
    deleted: bool = False
    pipeline: str = ACCOUNT

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.name,)


class Tags(Noun):
    """The tags of a resource.

    Attributes:
        pipeline: The pipeline whose they are, or `ACCOUNT`.
        resource: What its ARN ends in.
    """

    pipeline: str
    resource: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """Give what the row is found by."""
        return (self.resource,)
