"""Writes action types, rule types and webhooks as the API lists them."""

from collections.abc import Mapping

from pipelinekit.model.account import Webhook
from pipelinekit.model.actiontype import ActionType, Property
from pipelinekit.wire.answers import Json, action_type_id, arn, epoch, present, tag_list

MOST_PROPERTIES = 10
HIDDEN = "****"


def action_type(kind: ActionType, urls: Mapping[str, str]) -> Json:
    """Write an action type as ListActionTypes does.

    Args:
        kind: The type.
        urls: Templates of links, by CodePipeline's names for them.
    """
    return {
        "id": action_type_id(kind.id),
        "settings": dict(urls),
        "actionConfigurationProperties": properties(kind.properties),
        "inputArtifactDetails": _details(kind.inputs),
        "outputArtifactDetails": _details(kind.outputs),
    }


def properties(keys: tuple[Property, ...]) -> list[Json]:
    """Write configuration keys; the shape has room for ten."""
    return [
        present(
            name=each.name,
            required=each.required,
            key=each.key,
            secret=each.secret,
            queryable=each.queryable,
            description=each.description,
            type=each.type,
        )
        for each in keys[:MOST_PROPERTIES]
    ]


def webhook_item(webhook: Webhook, url: str, tags: Mapping[str, str]) -> Json:
    """Write a webhook as ListWebhooks does, its secret masked.

    Args:
        webhook: The webhook.
        url: Where deliveries go.
        tags: Its tags.
    """
    return present(
        definition={
            "name": webhook.name,
            "targetPipeline": webhook.target,
            "targetAction": webhook.action,
            "filters": [
                present(jsonPath=each.path, matchEquals=each.equals) for each in webhook.filters
            ],
            "authentication": webhook.authentication.value,
            "authenticationConfiguration": present(
                AllowedIPRange=webhook.allowed, SecretToken=HIDDEN if webhook.secret else None
            ),
        },
        url=url,
        errorCode=webhook.error[0],
        errorMessage=webhook.error[1],
        lastTriggered=epoch(webhook.triggered),
        arn=arn(f"webhook:{webhook.name}"),
        tags=tag_list(tags),
    )


def _details(bounds: tuple[int, int]) -> Json:
    return {"minimumCount": min(bounds[0], 5), "maximumCount": min(bounds[1], 5)}
