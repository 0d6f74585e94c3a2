"""Secrets of configurations are shown to workers only, whatever becomes of their types."""

from typing import Any

import pytest

import pipelinekit as pk
from pipelinekit.endpoint.server import Server
from pipelinekit.engine.secrets import MASK, masked, unmasked
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from tests.operations.conftest import over_http
from tests.operations.declarations import Json, kind, pipeline, source, stage, usual
from tests.operations.test_account import PUSH, hook, post
from tests.operations.test_jobs import TYPE, bake, declared

GITHUB = {
    "name": "Fetch",
    "actionTypeId": kind("Source", "GitHub", "ThirdParty"),
    "configuration": {"Owner": "me", "Repo": "shop", "Branch": "main", "OAuthToken": "s3cret"},
    "outputArtifacts": [{"name": "Code"}],
}


def from_github(**changes: str) -> Json:
    """Declare a pipeline whose source has a token."""
    action = {**GITHUB, "configuration": {**GITHUB["configuration"], **changes}}
    made = usual()
    made["stages"][0]["actions"] = [action]
    return made


def test_a_type_that_was_deleted_still_says_what_is_secret(client: Any) -> None:
    """2.10, 11.1: pipelines that use a deleted type keep their definition."""
    client.create_custom_action_type(**declared())
    client.create_pipeline(pipeline=pipeline(stage("Bake", bake())))
    client.delete_custom_action_type(**TYPE)
    (action,) = client.get_pipeline(name="shop")["pipeline"]["stages"][1]["actions"]
    assert action["configuration"] == {"Project": "bread", "Password": "****"}
    listed = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    assert "s3cret" not in str(listed)


def test_of_a_type_that_nobody_knows_all_is_secret() -> None:
    """2.10: such as of a function that this process has not loaded."""
    kind_id = ActionTypeId(Category.TEST, Owner.CUSTOM, "Unheard")
    given = {"Token": "s3cret", "Name": "x"}
    before = pk.Pipeline("shop") >> pk.Stage("Test", Action("Look", kind_id, configuration=given))
    shown = masked(before, {})
    assert shown.stages[0].actions[0].configuration == dict.fromkeys(given, MASK)
    assert unmasked(shown, before, {}) == before


def test_a_mask_with_no_secret_behind_it_is_refused(client: Any) -> None:
    """A18: a secret is the mask, and none is stored that it could stand for."""
    client.create_custom_action_type(**declared())
    bare = bake()
    del bare["configuration"]["Password"]
    client.create_pipeline(pipeline=pipeline(stage("Bake", bare)))
    bare["configuration"]["Password"] = "****"
    with pytest.raises(client.exceptions.InvalidActionDeclarationException, match="masked"):
        client.update_pipeline(pipeline=pipeline(stage("Bake", bare)))


def test_whoever_delivers_is_told_no_secret(server: Server) -> None:
    """9.7: a filter may compare with a value of the configuration."""
    client = over_http(server.url)
    client.create_pipeline(pipeline=from_github())
    wanted = [{"jsonPath": "$.ref", "matchEquals": "{OAuthToken}"}]
    open_to_all = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    url = client.put_webhook(webhook=hook(filters=wanted, **open_to_all))["webhook"]["url"]
    assert post(url, PUSH) == (200, {"ignored": "at $.ref there is not {OAuthToken}"})
    assert "s3cret" not in str(client.list_webhooks())


def test_a_filter_puts_each_value_in_once(server: Server) -> None:
    client = over_http(server.url)
    text = "{Token}"
    fetch = source(configuration={"Text": text, "Token": "other"})
    made = usual()
    made["stages"][0]["actions"] = [fetch]
    client.create_pipeline(pipeline=made)
    wanted = [{"jsonPath": "$.ref", "matchEquals": "{Text}"}]
    open_to_all = {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    url = client.put_webhook(webhook=hook(filters=wanted, **open_to_all))["webhook"]["url"]
    assert "ignored" in post(url, b'{"ref": "other"}')[1]
    assert "pipelineExecutionId" in post(url, b'{"ref": "{Token}"}')[1]
