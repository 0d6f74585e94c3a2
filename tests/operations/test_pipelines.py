"""Pipelines made, changed, read, deleted and listed through the API."""

from datetime import UTC, datetime
from typing import Any

import pytest

import pipelinekit as pk
from tests.operations.conftest import newest
from tests.operations.declarations import kind, pipeline, source, stage, test, usual

NOTHING = [{"name": "Nothing"}]


def test_a_pipeline_that_is_created_is_given_back_with_its_defaults_and_tags(client: Any) -> None:
    made = client.create_pipeline(pipeline=usual(), tags=[{"key": "team", "value": "shop"}])
    assert made["tags"] == [{"key": "team", "value": "shop"}]
    assert made["pipeline"]["version"] == 1
    assert made["pipeline"]["executionMode"] == "SUPERSEDED"
    action = made["pipeline"]["stages"][2]["actions"][0]
    assert action["runOrder"] == 1
    assert action["configuration"] == {}
    assert action["inputArtifacts"] == action["outputArtifacts"] == []


def test_creating_a_pipeline_starts_it(client: Any) -> None:
    """3.1: CreatePipeline starts one execution."""
    client.create_pipeline(pipeline=usual())
    assert newest(client)["trigger"]["triggerType"] == "CreatePipeline"


def test_a_pipeline_that_cannot_run_here_is_created_and_not_started(client: Any) -> None:
    elsewhere = {
        "name": "Push",
        "actionTypeId": kind("Deploy", "ECS", "AWS"),
        "configuration": {"ClusterName": "c", "ServiceName": "s"},
        "inputArtifacts": [{"name": "Code"}],
    }
    client.create_pipeline(pipeline=pipeline(stage("Live", elsewhere)))
    listed = client.list_pipeline_executions(pipelineName="shop")
    assert listed["pipelineExecutionSummaries"] == []
    with pytest.raises(client.exceptions.ValidationException, match="aws ecs update-service"):
        client.start_pipeline_execution(name="shop")


def test_a_name_is_taken_once(client: Any, shop: str) -> None:
    assert shop
    with pytest.raises(client.exceptions.PipelineNameInUseException):
        client.create_pipeline(pipeline=usual(executionMode="QUEUED"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"stages": [stage("Source", source())]}, "InvalidStructureException"),
        (
            {"stages": [stage("Source", source()), stage("Source", test())]},
            "InvalidStageDeclarationException",
        ),
        (
            {"stages": [stage("Source", source()), stage("T", test(inputArtifacts=NOTHING))]},
            "InvalidActionDeclarationException",
        ),
        (
            {"stages": [stage("Source", source(actionTypeId=kind("Source", "Nobody")))]},
            None,
        ),
    ],
)
def test_a_definition_with_faults_is_refused_with_the_code_of_the_gravest(
    client: Any, changes: dict[str, Any], error: str | None
) -> None:
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.create_pipeline(pipeline={**usual(), **changes})
    code = caught.value.response["Error"]["Code"]
    assert code.startswith(("Invalid", "Validation"))
    assert error in {None, code}


def test_an_update_makes_a_new_version_and_the_old_one_stays_readable(
    client: Any, shop: str
) -> None:
    changed = client.update_pipeline(pipeline=usual(executionMode="QUEUED", version=77))
    assert changed["pipeline"]["version"] == 2
    assert client.get_pipeline(name=shop)["pipeline"]["executionMode"] == "QUEUED"
    old = client.get_pipeline(name=shop, version=1)["pipeline"]
    assert (old["version"], old["executionMode"]) == (1, "SUPERSEDED")
    with pytest.raises(client.exceptions.PipelineVersionNotFoundException):
        client.get_pipeline(name=shop, version=3)


def test_an_update_starts_nothing_and_cancels_what_runs(client: Any, shop: str) -> None:
    client.update_pipeline(pipeline=usual(variables=[{"name": "level", "defaultValue": "1"}]))
    summaries = client.list_pipeline_executions(pipelineName=shop)["pipelineExecutionSummaries"]
    assert [each["status"] for each in summaries] == ["Cancelled"]


def test_an_unknown_pipeline_cannot_be_updated(client: Any) -> None:
    with pytest.raises(client.exceptions.PipelineNotFoundException, match="does not have a pipel"):
        client.update_pipeline(pipeline=usual())


def test_a_pipeline_that_is_not_there_is_deleted_without_a_fault(client: Any, shop: str) -> None:
    client.delete_pipeline(name=shop)
    client.delete_pipeline(name=shop)
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.get_pipeline(name=shop)
    with pytest.raises(client.exceptions.PipelineNotFoundException):
        client.list_pipeline_executions(pipelineName=shop)


def test_the_metadata_tell_the_arn_and_the_times(client: Any, shop: str) -> None:
    metadata = client.get_pipeline(name=shop)["metadata"]
    assert metadata["pipelineArn"] == "arn:aws:codepipeline:us-east-1:000000000000:shop"
    age = datetime.now(UTC) - metadata["created"]
    assert 0 <= age.total_seconds() < 60


def test_pipelines_are_listed_by_name_page_by_page(client: Any) -> None:
    for name in ("b", "c", "a", "d", "e"):
        client.create_pipeline(pipeline=usual(name=name))
    pages = list(client.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 2}))
    names = [[each["name"] for each in page["pipelines"]] for page in pages]
    assert names == [["a", "b"], ["c", "d"], ["e"]]


def test_a_token_that_was_not_given_out_is_refused(client: Any, shop: str) -> None:
    assert shop
    for name in ("a", "b"):
        client.create_pipeline(pipeline=usual(name=name))
    token = client.list_pipelines(maxResults=1)["nextToken"]
    for forged in (token[:-1], token + "A", "x", "é", token.swapcase()):
        with pytest.raises(client.exceptions.InvalidNextTokenException):
            client.list_pipelines(maxResults=1, nextToken=forged)
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        client.list_pipeline_executions(pipelineName="shop", nextToken=token)


def test_a_token_is_of_no_use_once_what_it_follows_is_gone(client: Any, shop: str) -> None:
    client.start_pipeline_execution(name=shop)
    asked = {"pipelineName": shop, "maxResults": 1}
    token = client.list_pipeline_executions(**asked)["nextToken"]
    client.delete_pipeline(name=shop)
    client.create_pipeline(pipeline=usual())
    with pytest.raises(client.exceptions.InvalidNextTokenException, match="has been removed"):
        client.list_pipeline_executions(**asked, nextToken=token)


def test_faults_come_in_the_order_of_codepipeline(client: Any, shop: str) -> None:
    """2.12: the name in use before the structure, tags last."""
    bare = pipeline(name=shop)  # a single stage
    with pytest.raises(client.exceptions.PipelineNameInUseException):
        client.create_pipeline(pipeline=bare)
    twice = [{"key": "a", "value": "1"}] * 2
    with pytest.raises(client.exceptions.InvalidStructureException):
        client.create_pipeline(pipeline={**bare, "name": "other"}, tags=twice)


def test_secrets_are_masked_on_read_and_kept_when_the_mask_comes_back(
    client: Any, kit: pk.Kit
) -> None:
    github = {
        "name": "Fetch",
        "actionTypeId": kind("Source", "GitHub", "ThirdParty"),
        "configuration": {"Owner": "me", "Repo": "shop", "Branch": "main", "OAuthToken": "s3cret"},
        "outputArtifacts": [{"name": "Code"}],
    }
    declared = usual()
    declared["stages"][0]["actions"] = [github]
    made = client.create_pipeline(pipeline=declared)["pipeline"]
    assert made["stages"][0]["actions"][0]["configuration"]["OAuthToken"] == "****"
    made["stages"][0]["actions"][0]["configuration"]["Branch"] = "dev"
    again = client.update_pipeline(pipeline=made)["pipeline"]
    assert "s3cret" not in str(again)
    assert "s3cret" not in str(client.get_pipeline(name="shop"))
    kept = kit.definition("shop").stages[0].actions[0].configuration
    assert (kept["OAuthToken"], kept["Branch"]) == ("s3cret", "dev")
    made["stages"][0]["actions"][0]["name"] = "Renamed"
    with pytest.raises(client.exceptions.InvalidActionDeclarationException, match="masked"):
        client.update_pipeline(pipeline=made)
