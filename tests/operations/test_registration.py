"""Webhooks registered with GitHub: a site that speaks its API, and pushes that it delivers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.endpoint.callers import Caller
from pipelinekit.endpoint.server import Server
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.settings import GitHub as Place
from tests import github
from tests.operations.conftest import KEY, SECRET, newest, over_http
from tests.operations.declarations import Json, kind, stage, usual
from tests.operations.shapes import watch
from tests.providers.test_sources import Repository


@pytest.fixture
def site() -> Iterator[github.GitHub]:
    with github.serving() as running:
        yield running


@pytest.fixture
def kit(tmp_path: Path, site: github.GitHub) -> Iterator[pk.Kit]:
    """Open a kit whose repository at GitHub is a folder."""
    Repository(tmp_path / "shop")
    settings = pk.Settings(
        folder=str(tmp_path), repositories={"acme/shop": "shop"}, github=Place(api=site.api)
    )
    with pk.Kit(tmp_path / "home", settings=settings, by="ann") as made:
        yield made


@pytest.fixture
def client(kit: pk.Kit) -> Iterator[Any]:
    """Serve the kit, with a webhook for a pipeline whose source is at GitHub."""
    with Server(kit, {KEY: Caller("ben", SECRET)}, "127.0.0.1", 0) as server:
        found = watch(over_http(server.url))
        found.create_pipeline(pipeline=at_github())
        found.put_webhook(webhook=hook())
        yield found


def at_github(token: str = github.TOKEN) -> Json:
    """Declare a pipeline that takes the main branch of `acme/shop`."""
    told = {"Owner": "acme", "Repo": "shop", "Branch": "main", "OAuthToken": token}
    code = {"name": "Code", "actionTypeId": kind("Source", "GitHub", "ThirdParty")}
    source = {**code, "configuration": told, "outputArtifacts": [{"name": "Code"}]}
    declared = usual()
    declared["stages"] = [stage("Source", source), declared["stages"][-1]]
    return declared


def hook(action: str = "Code", words: str = "s3cret") -> Json:
    """Declare a webhook for pushes to the branch that the source takes."""
    return {
        "name": "hook",
        "targetPipeline": "shop",
        "targetAction": action,
        "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
        "authentication": "GITHUB_HMAC",
        "authenticationConfiguration": {"SecretToken": words},
    }


def test_a_push_to_a_registered_repository_starts_the_pipeline(
    client: Any, site: github.GitHub
) -> None:
    """9.7: RegisterWebhookWithThirdParty configures the remote side."""
    assert client.register_webhook_with_third_party(webhookName="hook")
    (there,) = site.hooks.values()
    url = client.list_webhooks()["webhooks"][0]["url"]
    assert (there["name"], there["active"], there["events"]) == ("web", True, ["push"])
    assert there["config"] == {
        "url": url,
        "content_type": "json",
        "insecure_ssl": "0",
        "secret": "s3cret",
    }
    before = newest(client)["pipelineExecutionId"]
    assert site.push("side") == [200]
    assert newest(client)["pipelineExecutionId"] == before
    assert site.push("main") == [200]
    assert newest(client)["trigger"] == {
        "triggerType": "Webhook",
        "triggerDetail": "arn:aws:codepipeline:us-east-1:000000000000:webhook:hook",
    }


@pytest.mark.slow
def test_registering_again_brings_the_secret_up_to_date(client: Any, site: github.GitHub) -> None:
    client.register_webhook_with_third_party(webhookName="hook")
    client.put_webhook(webhook=hook(words="another"))
    assert site.push("main") == [403]
    client.register_webhook_with_third_party(webhookName="hook")
    assert len(site.hooks) == 1
    assert site.push("main") == [200]


@pytest.mark.slow
def test_what_is_deregistered_is_told_nothing_more(client: Any, site: github.GitHub) -> None:
    client.register_webhook_with_third_party(webhookName="hook")
    client.deregister_webhook_with_third_party(webhookName="hook")
    assert site.hooks == {}
    client.deregister_webhook_with_third_party(webhookName="hook")
    assert site.asked[-1].startswith("GET ")


def test_the_token_may_come_from_a_variable(
    kit: pk.Kit, client: Any, site: github.GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = Place(api=site.api, token_variable="SHOP_TOKEN")
    kit.settings = replace(kit.settings, github=named)
    client.update_pipeline(pipeline=at_github("{{resolve:secretsmanager:token}}"))
    inside = watch(kit.client())
    with pytest.raises(inside.exceptions.ValidationException, match="variable SHOP_TOKEN"):
        inside.register_webhook_with_third_party(webhookName="hook")
    monkeypatch.setenv("SHOP_TOKEN", github.TOKEN)
    inside.register_webhook_with_third_party(webhookName="hook")
    assert len(site.hooks) == 1


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("gho_wrong", "401 Bad credentials; look whether the token may administer"),
        ("{{resolve:secretsmanager:token}}", "its OAuthToken, which holds no token"),
    ],
)
def test_a_token_that_github_does_not_take_is_said_and_never_shown(
    client: Any, token: str, told: str
) -> None:
    client.update_pipeline(pipeline=at_github(token))
    refused = client.exceptions.ValidationException
    with pytest.raises(refused, match=told) as error:
        client.register_webhook_with_third_party(webhookName="hook")
    assert "gho_wrong" not in str(error.value)


@pytest.mark.usefixtures("client")
def test_a_site_that_cannot_be_reached_is_an_error_of_the_call(kit: pk.Kit) -> None:
    kit.settings = replace(kit.settings, github=Place(api="http://127.0.0.1:9"))
    inside = watch(kit.client())
    refused = inside.exceptions.ValidationException
    for call in (
        inside.register_webhook_with_third_party,
        inside.deregister_webhook_with_third_party,
    ):
        with pytest.raises(refused, match=r"127.0.0.1:9.* at \[github\] of pipelinekit.toml"):
            call(webhookName="hook")


@pytest.mark.usefixtures("client")
def test_a_server_that_github_cannot_reach_says_what_to_do(kit: pk.Kit) -> None:
    kit.settings = replace(kit.settings, github=Place())
    inside = watch(kit.client())
    refused = inside.exceptions.ValidationException
    with pytest.raises(refused, match="serve with --public-url"):
        inside.register_webhook_with_third_party(webhookName="hook")
    inside.deregister_webhook_with_third_party(webhookName="hook")  # it never was registered


@pytest.mark.slow
def test_only_sources_at_github_are_registered(client: Any, site: github.GitHub) -> None:
    declared = usual()
    client.update_pipeline(pipeline=declared)
    refused = client.exceptions.ValidationException
    with pytest.raises(refused, match="has no source of that name any more"):
        client.register_webhook_with_third_party(webhookName="hook")
    client.put_webhook(webhook=hook("Fetch"))
    with pytest.raises(refused, match="only ThirdParty/GitHub sources are registered"):
        client.register_webhook_with_third_party(webhookName="hook")
    client.deregister_webhook_with_third_party(webhookName="hook")
    assert site.asked == []


def test_the_settings_say_where_github_is(tmp_path: Path) -> None:
    text = '[github]\napi = "https://git.example.org/api/v3"\ntoken_variable = "TOKEN"\n'
    (tmp_path / "pipelinekit.toml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path).github == Place("https://git.example.org/api/v3", "TOKEN")
