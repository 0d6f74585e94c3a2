"""Tags, rule types and webhooks through the API."""

import hashlib
import hmac
import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from pipelinekit.endpoint.server import Server
from tests.operations.conftest import newest, over_http
from tests.operations.declarations import Json, kind, usual

ARN = "arn:aws:codepipeline:us-east-1:000000000000:"
SECRET = "webhook secret"


def pairs(tags: list[Json]) -> dict[str, str]:
    """Give tags as a dict."""
    return {each["key"]: each["value"] for each in tags}


def tag(name: str, value: str = "") -> Json:
    """Write a tag down."""
    return {"key": name, "value": value}


def hook(**more: Any) -> Json:
    """Declare a webhook."""
    return {
        "name": "hook",
        "targetPipeline": "shop",
        "targetAction": "Fetch",
        "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Text}"}],
        "authentication": "GITHUB_HMAC",
        "authenticationConfiguration": {"SecretToken": SECRET},
        **more,
    }


def test_a_pipeline_is_tagged_and_untagged(client: Any, shop: str) -> None:
    arn = f"{ARN}{shop}"
    client.tag_resource(resourceArn=arn, tags=[tag("b", "2"), tag("a", "1"), tag("c")])
    client.tag_resource(resourceArn=arn, tags=[tag("a", "9")])
    client.untag_resource(resourceArn=arn, tagKeys=["c", "never"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [tag("a", "9"), tag("b", "2")]
    pager = client.get_paginator("list_tags_for_resource")
    pages = list(pager.paginate(resourceArn=arn, PaginationConfig={"PageSize": 1}))
    assert [pairs(page["tags"]) for page in pages] == [{"a": "9"}, {"b": "2"}]
    client.delete_pipeline(name=shop)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_tags_for_resource(resourceArn=arn)


@pytest.mark.parametrize(("name", "value"), [("a#b", ""), ("   ", ""), ("ok ", ""), ("ok", "x;y")])
def test_a_tag_of_other_characters_is_refused(
    client: Any, shop: str, name: str, value: str
) -> None:
    """2.8: letters, digits, space and + - = . _ : / @."""
    legal = tag("Kosten-Stelle: größe/1@x", "a b_c=d+e.f")
    client.tag_resource(resourceArn=f"{ARN}{shop}", tags=[legal])
    with pytest.raises(client.exceptions.InvalidTagsException, match="letters, digits, spaces"):
        client.tag_resource(resourceArn=f"{ARN}{shop}", tags=[tag(name, value)])
    assert client.list_tags_for_resource(resourceArn=f"{ARN}{shop}")["tags"] == [legal]


@pytest.mark.parametrize("ending", ["shop/Live", "secret:x", "a:b:c"])
def test_what_has_no_tags_has_no_arn_for_them(client: Any, shop: str, ending: str) -> None:
    assert shop
    with pytest.raises(client.exceptions.InvalidArnException):
        client.list_tags_for_resource(resourceArn=f"{ARN}{ending}")


def test_tags_are_refused_when_they_are_reserved_double_or_too_many(
    client: Any, shop: str
) -> None:
    arn = f"{ARN}{shop}"
    with pytest.raises(client.exceptions.InvalidTagsException):
        client.tag_resource(resourceArn=arn, tags=[tag("aws:mine")])
    with pytest.raises(client.exceptions.InvalidTagsException):
        client.tag_resource(resourceArn=arn, tags=[tag("a"), tag("a")])
    client.tag_resource(resourceArn=arn, tags=[tag(str(n)) for n in range(50)])
    with pytest.raises(client.exceptions.TooManyTagsException):
        client.tag_resource(resourceArn=arn, tags=[tag("one more")])


def test_the_rule_types_are_those_of_conditions(client: Any) -> None:
    listed = client.list_rule_types()["ruleTypes"]
    names = {each["id"]["provider"] for each in listed}
    assert {"CloudWatchAlarm", "DeploymentWindow", "VariableCheck"} <= names


def test_action_types_of_aws_are_listed(client: Any) -> None:
    listed = client.list_action_types(actionOwnerFilter="AWS", regionFilter="us-east-1")
    ids = [each["id"] for each in listed["actionTypes"]]
    assert kind("Build", "CodeBuild", "AWS") in ids
    assert {each["owner"] for each in ids} == {"AWS"}
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        client.list_action_types(nextToken="x")


@pytest.mark.slow
def test_a_webhook_is_put_listed_changed_and_deleted(client: Any, shop: str) -> None:
    assert shop
    made = client.put_webhook(webhook=hook(), tags=[tag("a", "b")])["webhook"]
    assert made["definition"]["authenticationConfiguration"] == {"SecretToken": "****"}
    assert made["arn"] == f"{ARN}webhook:hook"
    assert made["tags"] == [tag("a", "b")]
    changed = client.put_webhook(webhook=hook(filters=[{"jsonPath": "$.x"}]))["webhook"]
    assert changed["url"] == made["url"]
    client.put_webhook(webhook=hook(name="another"))
    pager = client.get_paginator("list_webhooks")
    pages = list(pager.paginate(PaginationConfig={"PageSize": 1}))
    names = [each["definition"]["name"] for page in pages for each in page["webhooks"]]
    assert names == ["another", "hook"]
    assert client.list_tags_for_resource(resourceArn=made["arn"])["tags"] == [tag("a", "b")]
    client.delete_webhook(name="hook")
    client.delete_webhook(name="hook")
    again = client.put_webhook(webhook=hook(filters=[]))["webhook"]
    assert again["url"] != made["url"]
    assert again["tags"] == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"filters": [{"jsonPath": "$["}]}, "InvalidWebhookFilterPatternException"),
        (
            {"filters": [{"jsonPath": "$[?@.a==1e400]"}]},
            "InvalidWebhookFilterPatternException",
        ),
        ({"authentication": "IP"}, "InvalidWebhookAuthenticationParametersException"),
        ({"authentication": "UNAUTHENTICATED"}, "InvalidWebhookAuthenticationParametersExcept"),
        ({"authenticationConfiguration": {}}, "InvalidWebhookAuthenticationParametersException"),
        (
            {"authentication": "IP", "authenticationConfiguration": {"AllowedIPRange": "x"}},
            "InvalidWebhookAuthenticationParametersException",
        ),
        ({"targetPipeline": "nobody"}, "PipelineNotFoundException"),
        ({"targetAction": "Look"}, "ValidationException"),
    ],
)
def test_a_webhook_with_a_fault_is_refused(
    client: Any, shop: str, changes: Json, error: str
) -> None:
    assert shop
    with pytest.raises(client.exceptions.ClientError, match=error):
        client.put_webhook(webhook=hook(**changes))


def test_what_github_cannot_reach_is_not_registered_there(client: Any, shop: str) -> None:
    assert shop
    url = client.put_webhook(webhook=hook())["webhook"]["url"]
    with pytest.raises(client.exceptions.ValidationException, match=url):
        client.register_webhook_with_third_party(webhookName="hook")
    client.deregister_webhook_with_third_party(webhookName="hook")
    for call in (
        client.register_webhook_with_third_party,
        client.deregister_webhook_with_third_party,
    ):
        with pytest.raises(client.exceptions.WebhookNotFoundException):
            call(webhookName="nobody")


@pytest.fixture
def hooked(server: Server) -> Any:
    """Create a pipeline, over HTTP, that nothing has started for a webhook yet."""
    client = over_http(server.url)
    declared = usual()
    declared["stages"][0]["actions"][0]["configuration"] = {"Text": "main"}
    client.create_pipeline(pipeline=declared)
    return client


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Json]:
    """Deliver something."""
    request = Request(url, body, headers or {}, method="POST")  # noqa: S310 - http, as it was made
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Sign a delivery as GitHub does."""
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={made}"}


PUSH = json.dumps({"ref": "refs/heads/main"}).encode()


def test_a_signed_push_starts_the_pipeline_once(hooked: Any) -> None:
    """3.1: webhooks start executions."""
    url = hooked.put_webhook(webhook=hook())["webhook"]["url"]
    status, told = post(url, PUSH, signed(PUSH))
    assert status == 200
    started = newest(hooked)
    assert started["pipelineExecutionId"] == told["pipelineExecutionId"]
    assert started["trigger"] == {"triggerType": "Webhook", "triggerDetail": f"{ARN}webhook:hook"}
    assert post(url, PUSH, signed(PUSH))[1] == told  # a replay
    assert hooked.list_webhooks()["webhooks"][0]["lastTriggered"]
    old = hmac.new(SECRET.encode(), PUSH + b" ", hashlib.sha1).hexdigest()
    status, more = post(url, PUSH + b" ", {"X-Hub-Signature": f"sha1={old}"})
    assert (status, more == told) == (200, False)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (PUSH, {}, 403, "AuthenticationFailed"),
        (PUSH, signed(PUSH, "other"), 403, "AuthenticationFailed"),
        (PUSH, {"X-Hub-Signature-256": "sha256=é"}, 403, "AuthenticationFailed"),
        (b"{", signed(b"{"), 400, "InvalidPayload"),
        (b"[" * 100_000, signed(b"[" * 100_000), 400, "InvalidPayload"),
        (b"{}", signed(b"{}"), 200, "FilterMismatch"),
        (b'{"ref": "dev"}', signed(b'{"ref": "dev"}'), 200, "FilterMismatch"),
    ],
)
def test_a_delivery_that_does_not_fit_starts_nothing_and_says_why(
    hooked: Any, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    url = hooked.put_webhook(webhook=hook())["webhook"]["url"]
    before = newest(hooked)["pipelineExecutionId"]
    found, told = post(url, body, {k: v.encode().decode("latin-1") for k, v in headers.items()})
    assert found == status
    assert told["ignored"]
    assert newest(hooked)["pipelineExecutionId"] == before
    assert hooked.list_webhooks()["webhooks"][0]["errorCode"] == code


def test_deliveries_are_taken_from_a_range_or_from_anybody(hooked: Any) -> None:
    ranged = {"authentication": "IP", "filters": []}
    there = {"AllowedIPRange": "127.0.0.0/8"}
    url = hooked.put_webhook(webhook=hook(**ranged, authenticationConfiguration=there))
    assert post(url["webhook"]["url"], b"{}")[1]["pipelineExecutionId"]
    there = {"AllowedIPRange": "192.0.2.0/24"}
    url = hooked.put_webhook(webhook=hook(**ranged, authenticationConfiguration=there))
    assert post(url["webhook"]["url"], b"{}")[0] == 403
    anybody = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    url = hooked.put_webhook(webhook=hook(**anybody, filters=[{"jsonPath": "$.ref"}]))
    assert post(url["webhook"]["url"], b'{"ref": 1}')[1]["pipelineExecutionId"]


def test_a_path_that_is_no_webhook_is_not_found(server: Server) -> None:
    assert post(f"{server.url}/webhooks/nothing", b"{}")[0] == 404
