"""Webhooks of the API. Source: codepipeline.md 9.7, 12.5."""

import ipaddress
import secrets
from collections.abc import Mapping
from typing import cast

from pipelinekit.model.account import ACCOUNT, Authentication, Webhook, WebhookFilter
from pipelinekit.model.action import Category
from pipelinekit.model.errors import (
    InvalidWebhookAuthentication,
    InvalidWebhookFilter,
    ValidationError,
    WebhookNotFound,
)
from pipelinekit.model.event import WebhookDeleted, WebhookPut
from pipelinekit.operations.pages import last_of, next_token
from pipelinekit.operations.reading import (
    Answer,
    Given,
    definition_of,
    record_of,
    tags_given,
    tags_of,
    text,
)
from pipelinekit.ports.control import Control
from pipelinekit.ports.store import Query
from pipelinekit.tools.documents.json_path import JsonPathError, check_path
from pipelinekit.wire.answers import present
from pipelinekit.wire.type_answers import webhook_item

FOLDER = "webhooks"
PAGE = 100
_LIST = "ListWebhooks"


def put(control: Control, given: Given) -> Answer:
    """Create a webhook, or change the one of that name; its URL stays."""
    asked = cast("Given", given["webhook"])
    allowed, secret = _authentication(asked)
    webhook = Webhook(
        name=text(asked, "name"),
        target=text(asked, "targetPipeline"),
        action=text(asked, "targetAction"),
        path=secrets.token_urlsafe(24),
        authentication=Authentication(text(asked, "authentication")),
        filters=_filters(asked),
        allowed=allowed,
        secret=secret,
    )
    _refuse_no_source(control, webhook)
    control.ask(WebhookPut, ACCOUNT, webhook=webhook, tags=tags_given(given))
    return {"webhook": _item(control, webhook_named(control, webhook.name))}


def list_all(control: Control, given: Given) -> Answer:
    """List webhooks by name, their secrets masked."""
    rows = [row for row in control.find(Webhook, Query(pipeline=ACCOUNT)) if not row.deleted]
    rows.sort(key=lambda row: row.name)
    if token := text(given, "NextToken"):
        last = last_of(control, _LIST, given, token)
        rows = [row for row in rows if row.name > last]
    size = cast("int", given.get("MaxResults", PAGE))
    page = rows[:size]
    more = next_token(control, _LIST, given, page[-1].name) if rows[size:] else None
    return present(webhooks=[_item(control, row) for row in page], NextToken=more)


def delete(control: Control, given: Given) -> Answer:
    """Delete a webhook; one that is not there is no fault."""
    control.ask(WebhookDeleted, ACCOUNT, name=text(given, "name"))
    return {}


def url_of(control: Control, webhook: Webhook) -> str:
    """Give where deliveries to a webhook go."""
    return f"{control.url}/{FOLDER}/{webhook.path}"


def webhook_named(control: Control, name: str) -> Webhook:
    """Give a webhook.

    Raises:
        WebhookNotFound: None has that name.
    """
    found = [row for row in control.find(Webhook, Query(id=name)) if not row.deleted]
    if not found:
        raise WebhookNotFound(
            f"webhook {name!r} was asked for, and there is none of that name; list the webhooks"
        )
    return found[0]


def _item(control: Control, webhook: Webhook) -> Answer:
    tags = tags_of(control, f"webhook:{webhook.name}")
    return webhook_item(webhook, url_of(control, webhook), tags)


def _filters(asked: Given) -> tuple[WebhookFilter, ...]:
    filters = cast("list[Mapping[str, str]]", asked["filters"])
    for each in filters:
        try:
            check_path(each["jsonPath"])
        except JsonPathError as error:
            raise InvalidWebhookFilter(
                f"webhook {asked['name']!r} was to filter by {each['jsonPath']!r}, which is no "
                f"JSONPath: {error}; write one such as $.ref"
            ) from error
    return tuple(WebhookFilter(each["jsonPath"], each.get("matchEquals")) for each in filters)


def _authentication(asked: Given) -> tuple[str, str]:
    kind = Authentication(text(asked, "authentication"))
    told = cast("Mapping[str, str]", asked["authenticationConfiguration"])
    wanted = {Authentication.GITHUB_HMAC: ["SecretToken"], Authentication.IP: ["AllowedIPRange"]}
    needed = wanted.get(kind, [])
    if sorted(told) != needed:
        raise InvalidWebhookAuthentication(
            f"webhook {asked['name']!r} was to be authenticated by {kind} with "
            f"{', '.join(sorted(told)) or 'nothing'}; give it {', '.join(needed) or 'nothing'}"
        )
    allowed = told.get("AllowedIPRange", "")
    try:
        ipaddress.ip_network(allowed or "0.0.0.0/0", strict=False)
    except ValueError as error:
        raise InvalidWebhookAuthentication(
            f"webhook {asked['name']!r} was to be called from {allowed!r}, which is no range: "
            f"{error}; write one such as 192.0.2.0/24"
        ) from error
    return allowed, told.get("SecretToken", "")


def _refuse_no_source(control: Control, webhook: Webhook) -> None:
    definition = definition_of(control, record_of(control, webhook.target))
    sources = [
        action.name
        for action in definition.stages[0].actions
        if action.type.category is Category.SOURCE
    ]
    if webhook.action not in sources:
        raise ValidationError(
            f"webhook {webhook.name!r} was to target action {webhook.action!r}, which is no "
            f"source of pipeline {webhook.target!r}; name one of {', '.join(sources)}"
        )
