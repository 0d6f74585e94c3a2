"""Revisions that are chosen, or put by the workers of sources."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.operations.conftest import newest, until
from tests.operations.declarations import Json, approval, kind, pipeline, stage
from tests.operations.test_jobs import declared

SHELF = {"category": "Source", "provider": "Shelf", "version": "1"}
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NONE, ONE = ({"minimumCount": count, "maximumCount": count} for count in (0, 1))
PUT = {"pipelineName": "shop", "stageName": "Source", "actionName": "Fetch"}


def from_(provider: str, owner: str = "AWS", **configuration: str) -> Json:
    """Declare a pipeline with a source."""
    made = pipeline(stage("Live", approval()))
    made["stages"][0]["actions"] = [
        {
            "name": "Fetch",
            "actionTypeId": kind("Source", provider, owner),
            "configuration": configuration,
            "outputArtifacts": [{"name": "Code"}],
        }
    ]
    return made


def shelf(client: Any) -> None:
    """Create a pipeline whose source a worker fetches."""
    counts = {"inputArtifactDetails": NONE, "outputArtifactDetails": ONE}
    client.create_custom_action_type(**declared(**SHELF, **counts, settings={}))
    client.create_pipeline(pipeline=from_("Shelf", "Custom", Project="books"))


def put(client: Any, revision: str) -> Any:
    """Put a revision."""
    told = {"revisionId": revision, "revisionChangeId": f"change of {revision}", "created": NOW}
    return client.put_action_revision(**PUT, actionRevision=told)


def fetched(client: Any, **told: Any) -> None:
    """Let a worker end the job of the newest execution."""
    asked = {"actionTypeId": {**SHELF, "owner": "Custom"}, "queryParam": {"Project": "books"}}
    (job,) = until(lambda: client.poll_for_jobs(**asked)["jobs"])
    client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
    client.put_job_success_result(jobId=job["id"], **told)


def artifact_revisions(client: Any, execution: str) -> Any:
    """Read what an execution was started with."""
    found = client.get_pipeline_execution(pipelineName="shop", pipelineExecutionId=execution)
    return found["pipelineExecution"]["artifactRevisions"]


def test_what_is_told_of_a_put_revision_is_kept(client: Any) -> None:
    """3.2, 12.3: revisionChangeId and created."""
    shelf(client)
    fetched(client)
    execution = put(client, "z1")["pipelineExecutionId"]
    (before,) = artifact_revisions(client, execution)
    fetched(client)
    until(lambda: newest(client)["status"] == "InProgress")
    assert artifact_revisions(client, execution) == [before]
    assert (before["revisionId"], before["created"]) == ("z1", NOW)
    assert before["revisionChangeIdentifier"] == "change of z1"


def test_a_revision_that_was_put_is_known_by_whatever_name_its_worker_gives(client: Any) -> None:
    """11.4: a known revision starts nothing."""
    shelf(client)
    fetched(client)
    first = put(client, "z1")
    fetched(client, currentRevision={"revision": "z1-real", "changeIdentifier": "c"})
    for name in ("z1", "z1-real"):
        again = put(client, name)
        assert again["newRevision"] is False
        assert again["pipelineExecutionId"] == first["pipelineExecutionId"]
    assert newest(client)["pipelineExecutionId"] == first["pipelineExecutionId"]


@pytest.mark.parametrize(
    ("provider", "configuration", "chosen"),
    [
        ("CodeCommit", {"RepositoryName": "shop", "BranchName": "main"}, ["IMAGE_DIGEST"]),
        ("CodeCommit", {"RepositoryName": "shop", "BranchName": "main"}, ["S3_OBJECT_VERSION_ID"]),
        ("CodeCommit", {"RepositoryName": "shop", "BranchName": "main"}, ["COMMIT_ID"] * 2),
        ("S3", {"S3Bucket": "shop", "S3ObjectKey": "a.zip"}, ["COMMIT_ID"]),
        ("ECR", {"RepositoryName": "shop"}, ["COMMIT_ID"]),
    ],
)
def test_a_source_takes_its_own_kind_of_revision_only(
    client: Any, provider: str, configuration: dict[str, str], chosen: list[str]
) -> None:
    """3.1: another is refused, and two for one source are."""
    client.create_pipeline(pipeline=from_(provider, **configuration))
    asked = [
        {"actionName": "Fetch", "revisionType": each, "revisionValue": f"{number:040x}"}
        for number, each in enumerate(chosen)
    ]
    with pytest.raises(client.exceptions.ValidationException, match="Fetch"):
        client.start_pipeline_execution(name="shop", sourceRevisions=asked)
