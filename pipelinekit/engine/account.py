"""What changes in the account: custom action types, webhooks and tags.

Source: codepipeline.md 9.7, 11.1, 12.5.
"""

from msgspec.structs import replace

from pipelinekit.engine.customtypes import create_type, delete_type
from pipelinekit.engine.draft import Draft
from pipelinekit.engine.tags import give_tags, tag
from pipelinekit.model.account import Webhook
from pipelinekit.model.errors import LimitExceeded, WebhookNotFound
from pipelinekit.model.event import (
    AccountEvent,
    Tagged,
    TypeCreated,
    TypeDeleted,
    WebhookCalled,
    WebhookDeleted,
    WebhookPut,
)

MOST_WEBHOOKS = 300


def account(draft: Draft, event: AccountEvent) -> None:
    """Change what is no pipeline's."""
    match event:
        case TypeCreated():
            create_type(draft, event)
        case TypeDeleted():
            delete_type(draft, event)
        case WebhookPut():
            _put_webhook(draft, event)
        case WebhookDeleted():
            _delete_webhook(draft, event)
        case WebhookCalled():
            _call_webhook(draft, event)
        case Tagged():
            tag(draft, event)


def _put_webhook(draft: Draft, event: WebhookPut) -> None:
    webhook = event.webhook
    before = draft.get(Webhook, webhook.name)
    if before is None or before.deleted:
        there = [each for each in draft.all(Webhook) if not each.deleted]
        if len(there) >= MOST_WEBHOOKS:
            raise LimitExceeded(
                f"webhook {webhook.name!r} was to be created, and there are {len(there)}, which "
                f"is the most; delete one"
            )
    else:  # an update keeps the URL
        webhook = replace(webhook, path=before.path, triggered=before.triggered)
    draft.put(webhook)
    if event.tags:
        give_tags(draft, f"webhook:{webhook.name}", event.tags)
    draft.answer = webhook.name


def _delete_webhook(draft: Draft, event: WebhookDeleted) -> None:
    before = draft.get(Webhook, event.name)
    if before is None or before.deleted:
        return
    draft.put(replace(before, deleted=True, secret=""))
    give_tags(draft, f"webhook:{event.name}", {})


def _call_webhook(draft: Draft, event: WebhookCalled) -> None:
    before = draft.get(Webhook, event.name)
    if before is None or before.deleted:
        raise WebhookNotFound(
            f"something was delivered to webhook {event.name!r}, and it has been deleted; put it "
            f"again"
        )
    triggered = before.triggered if event.error[0] else draft.at
    draft.put(replace(before, error=event.error, triggered=triggered))
