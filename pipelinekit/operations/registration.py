"""Webhooks made known to GitHub, and taken back. Source: codepipeline.md 9.7."""

import ipaddress
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from pipelinekit.model.account import Webhook
from pipelinekit.model.action import Action
from pipelinekit.model.errors import ValidationError
from pipelinekit.operations.reading import Answer, Given, definition_of, record_of, text
from pipelinekit.operations.webhooks import url_of, webhook_named
from pipelinekit.ports.control import Control
from pipelinekit.tools.github_hooks import GitHubError, Repository
from pipelinekit.wire.templates.gaps import placeholders

PROVIDER = "GitHub"


def register(control: Control, given: Given) -> Answer:
    """Have GitHub tell a webhook of pushes to the repository of its target action.

    It is the target's `Owner` and `Repo`, by its `OAuthToken` or the token that `[github]` of
    pipelinekit.toml names; again, the webhook at GitHub is brought up to date.
    """
    webhook = webhook_named(control, text(given, "webhookName"))
    url = url_of(control, webhook)
    if not _reaches(control, url):
        raise ValidationError(
            f"webhook {webhook.name!r} was to be registered with GitHub, and {url} can be reached "
            f"from this machine only; serve with --public-url, or add the URL that GitHub reaches "
            f"to the repository's webhooks, with content type application/json and its secret"
        )
    repository = _repository(control, webhook)
    try:
        repository.add_hook(url, webhook.secret)
    except GitHubError as error:
        raise _refused(webhook, "registered with", error) from None
    return {}


def deregister(control: Control, given: Given) -> Answer:
    """Have GitHub tell a webhook nothing any more; one that it does not know is no fault."""
    webhook = webhook_named(control, text(given, "webhookName"))
    url = url_of(control, webhook)
    if not _reaches(control, url) or _target(control, webhook).type.provider != PROVIDER:
        return {}  # it never was registered
    try:
        _repository(control, webhook).remove_hook(url)
    except GitHubError as error:
        raise _refused(webhook, "taken back from", error) from None
    return {}


def _reaches(control: Control, url: str) -> bool:
    return not _is_local(url) or _is_local(control.settings.github.api)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _target(control: Control, webhook: Webhook) -> Action:
    definition = definition_of(control, record_of(control, webhook.target))
    found = definition.stages[0].action(webhook.action)
    if found is None:
        raise ValidationError(
            f"webhook {webhook.name!r} targets action {webhook.action!r}, and pipeline "
            f"{webhook.target!r} has no source of that name any more; put the webhook anew"
        )
    return found


def _repository(control: Control, webhook: Webhook) -> Repository:
    action = _target(control, webhook)
    if action.type.provider != PROVIDER:
        raise ValidationError(
            f"webhook {webhook.name!r} was to be registered with GitHub, and its target "
            f"{action.name!r} is an action of {action.type}; only ThirdParty/GitHub sources are "
            f"registered: tell others of {url_of(control, webhook)} by hand"
        )
    settings, told = control.settings.github, action.configuration
    token = _token(webhook, told, settings.token_variable)
    return Repository(settings.api, told["Owner"], told["Repo"], token)


def _token(webhook: Webhook, told: Mapping[str, str], variable: str | None) -> str:
    found = os.environ.get(variable, "") if variable else told.get("OAuthToken", "")
    if found and not placeholders(found):
        return found
    where = f"the environment variable {variable}, which" if variable else "its OAuthToken, which"
    raise ValidationError(
        f"webhook {webhook.name!r} was to be registered with GitHub by {where} holds no token; "
        f"give it one that may administer the repository's webhooks, or name another variable in "
        f'pipelinekit.toml: [github] token_variable = "GITHUB_TOKEN"'
    )


def _refused(webhook: Webhook, done: str, error: GitHubError) -> ValidationError:
    return ValidationError(
        f"webhook {webhook.name!r} was to be {done} GitHub: {error}; look whether the token may "
        f"administer the webhooks of that repository, and at [github] of pipelinekit.toml"
    )
