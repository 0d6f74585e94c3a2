"""Job workers: custom action types, jobs taken, acknowledged and ended, artifacts moved."""

import io
import zipfile
from typing import Any
from uuid import uuid4

import boto3
import pytest

import pipelinekit as pk
from pipelinekit.endpoint.server import Server
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Query
from tests.operations.conftest import action_state, newest, over_http, until
from tests.operations.declarations import Json, pipeline, source, stage

TYPE = {"category": "Build", "provider": "Oven", "version": "1"}
TYPE_ID = {**TYPE, "owner": "Custom"}


def key(name: str, **more: Any) -> Json:
    """Declare a configuration property."""
    return {"name": name, "required": False, "key": False, "secret": False, **more}


KEYS = [
    key(
        "Project", required=True, queryable=True, key=True, description="Which one.", type="String"
    ),
    key("Password", secret=True),
]
COUNTS = {"minimumCount": 0, "maximumCount": 1}


def declared(**more: Any) -> Json:
    """Declare the custom type."""
    return {
        **TYPE,
        "configurationProperties": KEYS,
        "inputArtifactDetails": COUNTS,
        "outputArtifactDetails": COUNTS,
        "settings": {
            "executionUrlTemplate": "https://oven/{Config:Project}/{ExternalExecutionId}"
        },
        **more,
    }


def bake(project: str = "bread") -> Json:
    """Declare an action of the custom type."""
    return {
        "name": "Bake",
        "actionTypeId": TYPE_ID,
        "configuration": {"Project": project, "Password": "s3cret"},
        "inputArtifacts": [{"name": "Code"}],
        "outputArtifacts": [{"name": "Loaf"}],
        "namespace": "oven",
    }


@pytest.fixture
def baking(client: Any) -> str:
    """Create the type and a pipeline whose action waits for a worker; give its execution."""
    client.create_custom_action_type(**declared())
    client.create_pipeline(pipeline=pipeline(stage("Bake", bake())))
    until(lambda: action_state(client, "Bake", "Bake"))
    return str(newest(client)["pipelineExecutionId"])


def polled(client: Any, project: str = "bread") -> list[Any]:
    """Poll for jobs of a project."""
    asked = {"actionTypeId": TYPE_ID, "maxBatchSize": 10, "queryParam": {"Project": project}}
    return list(client.poll_for_jobs(**asked)["jobs"])


def taken(client: Any) -> Any:
    """Poll for a job and acknowledge it."""
    (job,) = polled(client)
    told = client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
    assert told["status"] == "InProgress"
    return job


def test_a_worker_is_told_all_that_it_needs_secrets_in_clear(client: Any, baking: str) -> None:
    (job,) = polled(client)
    data = job["data"]
    assert data["actionConfiguration"]["configuration"] == {
        "Project": "bread",
        "Password": "s3cret",
    }
    assert data["pipelineContext"]["pipelineExecutionId"] == baking
    assert data["pipelineContext"]["pipelineArn"].endswith(":shop")
    (output,) = data["outputArtifacts"]
    assert output["location"]["s3Location"]["bucketName"] == "shop-artifacts"
    assert set(data["artifactCredentials"]) == {"accessKeyId", "secretAccessKey", "sessionToken"}
    shown = client.get_pipeline(name="shop")["pipeline"]["stages"][1]["actions"][0]
    assert shown["configuration"]["Password"] == "****"
    listed = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    assert "s3cret" not in str(listed)


def test_a_job_is_given_to_one_worker_only(client: Any, baking: str) -> None:
    assert baking
    (job,) = polled(client)
    assert polled(client) == []
    with pytest.raises(client.exceptions.InvalidNonceException):
        client.acknowledge_job(jobId=job["id"], nonce="another")
    with pytest.raises(client.exceptions.JobNotFoundException):
        client.acknowledge_job(jobId=str(uuid4()), nonce=job["nonce"])


def test_a_job_ends_well_with_output_variables_and_a_link(client: Any, baking: str) -> None:
    job = taken(client)
    details = client.get_job_details(jobId=job["id"])["jobDetails"]
    assert details["data"] == job["data"]
    client.put_job_success_result(
        jobId=job["id"],
        executionDetails={
            "externalExecutionId": "e-7",
            "summary": "baked",
            "percentComplete": 100,
        },
        outputVariables={"Weight": "750"},
    )
    until(lambda: newest(client)["status"] == "Succeeded")
    state = action_state(client, "Bake", "Bake")
    assert (state["status"], state["summary"]) == ("Succeeded", "baked")
    assert state["externalExecutionUrl"] == "https://oven/bread/e-7"
    listed = client.list_action_executions(pipelineName="shop")["actionExecutionDetails"]
    made = listed[0]["output"]
    assert made["outputVariables"] == {"Weight": "750"}
    assert made["executionResult"]["externalExecutionUrl"] == "https://oven/bread/e-7"
    assert newest(client)["pipelineExecutionId"] == baking
    with pytest.raises(client.exceptions.InvalidJobStateException):
        client.put_job_success_result(jobId=job["id"], outputVariables={"again": "1"})


def test_nothing_is_left_open_when_a_job_has_ended(client: Any, kit: pk.Kit, baking: str) -> None:
    assert baking
    job = taken(client)
    client.put_job_success_result(jobId=job["id"])
    until(lambda: newest(client)["status"] == "Succeeded")
    until(lambda: kit.worker is not None and kit.worker.idle)
    assert kit.find(Order, Query()) == []


def test_a_job_ends_badly_with_its_kind_of_failure(client: Any, baking: str) -> None:
    assert baking
    job = taken(client)
    told = {"type": "ConfigurationError", "message": "no oven", "externalExecutionId": "e-1"}
    client.put_job_failure_result(jobId=job["id"], failureDetails=told)
    until(lambda: newest(client)["status"] == "Failed")
    error = action_state(client, "Bake", "Bake")["errorDetails"]
    assert error == {"code": "ConfigurationError", "message": "no oven"}


def test_a_job_that_was_not_acknowledged_cannot_be_ended(client: Any, baking: str) -> None:
    assert baking
    (job,) = polled(client)
    with pytest.raises(client.exceptions.InvalidJobStateException):
        client.put_job_success_result(jobId=job["id"])


def test_a_job_whose_action_was_abandoned_is_over(client: Any, baking: str) -> None:
    job = taken(client)
    client.stop_pipeline_execution(
        pipelineName="shop", pipelineExecutionId=baking, abandon=True, reason="x"
    )
    until(lambda: newest(client)["status"] == "Stopped")
    with pytest.raises(client.exceptions.InvalidJobStateException):
        client.put_job_success_result(jobId=job["id"])
    with pytest.raises(client.exceptions.JobNotFoundException):
        until(lambda: not client.get_job_details(jobId=job["id"]))


def test_a_continuation_token_ends_the_job_and_begins_another(
    client: Any, baking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C15: another job follows some time, usually 30 seconds, after a continuation token."""
    monkeypatch.setattr("pipelinekit.operations.jobs.CONTINUE_SECONDS", 0.3)
    assert baking
    job = taken(client)
    details = {"percentComplete": 40, "summary": "rising", "externalExecutionId": "e-2"}
    with pytest.raises(client.exceptions.ValidationException, match="continuationToken"):
        client.put_job_success_result(
            jobId=job["id"], continuationToken="t", outputVariables={"a": "b"}
        )
    client.put_job_success_result(
        jobId=job["id"], continuationToken="half", executionDetails=details
    )
    state = action_state(client, "Bake", "Bake")
    assert (state["status"], state["percentComplete"]) == ("InProgress", 40)
    second = until(lambda: polled(client))[0]
    assert second["id"] != job["id"]
    assert second["data"]["continuationToken"] == "half"
    client.acknowledge_job(jobId=second["id"], nonce=second["nonce"])
    client.put_job_success_result(jobId=second["id"])
    until(lambda: newest(client)["status"] == "Succeeded")


def test_output_variables_have_a_limit(client: Any, baking: str) -> None:
    """5.3.9: keys of output variables are of letters, digits and @ - _; all have a limit."""
    assert baking
    job = taken(client)
    with pytest.raises(client.exceptions.OutputVariablesSizeExceededException):
        client.put_job_success_result(jobId=job["id"], outputVariables={"a": "x" * 122_880})
    with pytest.raises(client.exceptions.ValidationException):
        client.put_job_success_result(jobId=job["id"], outputVariables={"a b": "c"})


def test_jobs_are_polled_for_by_the_queryable_property(client: Any, baking: str) -> None:
    assert baking
    assert not polled(client, "cake")
    for wrong in ({}, {"Password": "s3cret"}):
        with pytest.raises(client.exceptions.ValidationException, match="Project"):
            client.poll_for_jobs(actionTypeId=TYPE_ID, queryParam=wrong)
    assert len(polled(client, "bread")) == 1


def test_only_custom_types_that_are_there_have_jobs(client: Any) -> None:
    with pytest.raises(client.exceptions.ActionTypeNotFoundException):
        client.poll_for_jobs(actionTypeId=TYPE_ID)
    with pytest.raises(client.exceptions.ValidationException, match="owner is Custom"):
        client.poll_for_jobs(actionTypeId={**TYPE_ID, "owner": "AWS"})
    client.create_custom_action_type(**declared())
    client.delete_custom_action_type(**TYPE)
    with pytest.raises(client.exceptions.ActionTypeNotFoundException):
        client.poll_for_jobs(actionTypeId=TYPE_ID)


def test_a_custom_source_tells_the_revision_that_it_fetched(client: Any) -> None:
    kind = {"category": "Source", "provider": "Vault", "version": "1"}
    outputs = {"minimumCount": 1, "maximumCount": 1}
    inputs = {"minimumCount": 0, "maximumCount": 0}
    client.create_custom_action_type(
        **kind, inputArtifactDetails=inputs, outputArtifactDetails=outputs
    )
    own = source(actionTypeId={**kind, "owner": "Custom"})
    made = pipeline(stage("Bake", {"name": "Ok", "actionTypeId": TYPE_APPROVAL}))
    made["stages"][0]["actions"] = [own]
    client.create_pipeline(pipeline=made)
    asked = {"actionTypeId": {**kind, "owner": "Custom"}}
    job = until(lambda: client.poll_for_jobs(**asked)["jobs"])[0]
    client.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
    revision = {"revision": "v9", "changeIdentifier": "c9", "created": 1_700_000_000}
    client.put_job_success_result(
        jobId=job["id"], currentRevision={**revision, "revisionSummary": "nine"}
    )
    until(lambda: newest(client)["sourceRevisions"])
    assert newest(client)["sourceRevisions"][0]["revisionId"] == "v9"
    state = client.get_pipeline_state(name="shop")["stageStates"][0]["actionStates"][0]
    assert state["currentRevision"]["revisionChangeId"] == "c9"


TYPE_APPROVAL = {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"inputArtifactDetails": {"minimumCount": 2, "maximumCount": 1}}, "minimumCount of 2"),
        ({"configurationProperties": [key("A", queryable=True)]}, "make it required"),
        (
            {
                "configurationProperties": [
                    key("A", queryable=True, required=True),
                    key("B", queryable=True, required=True),
                ]
            },
            "all queryable",
        ),
        ({"settings": {"entityUrlTemplate": "https://oven/{Config:Password}"}}, "refers to"),
        ({"category": "Compute"}, "Compute"),
        ({"configurationProperties": [key("A"), key("A")]}, "called A"),
    ],
)
def test_a_custom_type_with_faults_is_refused(
    client: Any, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(client.exceptions.ValidationException, match=fault):
        client.create_custom_action_type(**{**declared(), **changes})


def test_a_custom_type_is_listed_and_made_once(client: Any) -> None:
    tags = [{"key": "team", "value": "ovens"}]
    made = client.create_custom_action_type(**declared(), tags=tags)
    assert made["tags"] == tags
    assert made["actionType"]["id"] == TYPE_ID
    listed = client.list_action_types(actionOwnerFilter="Custom")["actionTypes"]
    assert made["actionType"] in listed
    assert {each["id"]["owner"] for each in listed} == {"Custom"}
    with pytest.raises(client.exceptions.ValidationException, match="is there already"):
        client.create_custom_action_type(**declared(tags=[]))
    client.delete_custom_action_type(**TYPE)
    other = declared(outputArtifactDetails={"minimumCount": 1, "maximumCount": 1})
    with pytest.raises(client.exceptions.ValidationException, match="another definition"):
        client.create_custom_action_type(**other)
    again = client.create_custom_action_type(**declared(tags=[{"key": "a", "value": "b"}]))
    assert again["actionType"] == made["actionType"]


def test_a_pipeline_cannot_use_a_type_that_is_not_there(client: Any) -> None:
    with pytest.raises(
        client.exceptions.InvalidActionDeclarationException, match="create the cus"
    ):
        client.create_pipeline(pipeline=pipeline(stage("Bake", bake())))


def test_partners_have_no_jobs_here(client: Any) -> None:
    with pytest.raises(client.exceptions.ActionTypeNotFoundException):
        client.poll_for_third_party_jobs(actionTypeId={**TYPE_ID, "owner": "ThirdParty"})
    with pytest.raises(client.exceptions.ActionTypeNotFoundException):
        client.get_action_type(**TYPE, owner="ThirdParty")
    job = {"jobId": "x", "clientToken": "t"}
    failure = {"type": "JobFailed", "message": "no"}
    calls = (
        (client.acknowledge_third_party_job, {"nonce": "n"}),
        (client.get_third_party_job_details, {}),
        (client.put_third_party_job_success_result, {}),
        (client.put_third_party_job_failure_result, {"failureDetails": failure}),
    )
    for call, more in calls:
        with pytest.raises(client.exceptions.JobNotFoundException):
            call(**job, **more)


@pytest.fixture
def worker(server: Server, baking_over_http: Any) -> Any:
    """Take a job over HTTP; give the client, the job, and S3 as the job's credentials see it."""
    client = baking_over_http
    job = taken(client)
    return client, job, bucket_client(server.url, job)


@pytest.fixture
def baking_over_http(server: Server) -> Any:
    """Have an action wait for a worker, over HTTP."""
    client = over_http(server.url)
    client.create_custom_action_type(**declared())
    client.create_pipeline(pipeline=pipeline(stage("Bake", bake())))
    until(lambda: action_state(client, "Bake", "Bake"))
    return client


def bucket_client(url: str, job: Any) -> Any:
    """Make boto3's client of S3 with the credentials of a job."""
    given = job["data"]["artifactCredentials"]
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=given["accessKeyId"],
        aws_secret_access_key=given["secretAccessKey"],
        aws_session_token=given["sessionToken"],
    )


def at(artifact: Any) -> dict[str, str]:
    """Say where an artifact lies, as S3 takes it."""
    place = artifact["location"]["s3Location"]
    return {"Bucket": place["bucketName"], "Key": place["objectKey"]}


def test_a_worker_reads_its_inputs_and_writes_its_outputs_with_boto3(
    worker: Any, kit: pk.Kit
) -> None:
    client, job, s3 = worker
    (given,), (wanted,) = job["data"]["inputArtifacts"], job["data"]["outputArtifacts"]
    packed = s3.get_object(**at(given))["Body"].read()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.read("file.txt") == b"hello"
    loaf = io.BytesIO()
    with zipfile.ZipFile(loaf, "w") as archive:
        archive.writestr("loaf.txt", "crust")
    s3.put_object(**at(wanted), Body=loaf.getvalue())
    client.put_job_success_result(jobId=job["id"])
    until(lambda: newest(client)["status"] == "Succeeded")
    (row,) = [r for r in kit.find(ActionExecution, Query(pipeline="shop")) if r.action == "Bake"]
    assert kit.object_file(row.outputs[0]).read_bytes() == loaf.getvalue()
    with pytest.raises(s3.exceptions.ClientError, match="InvalidAccessKeyId"):
        until(lambda: not s3.get_object(**at(given)))


def test_the_credentials_of_a_job_open_nothing_else(worker: Any, server: Server) -> None:
    _, job, s3 = worker
    (given,) = job["data"]["inputArtifacts"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.put_object(**at(given), Body=b"mine")
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.get_object(Bucket="shop-artifacts", Key="other")
    job["data"]["artifactCredentials"]["sessionToken"] = "stolen"
    with pytest.raises(s3.exceptions.ClientError, match="InvalidAccessKeyId"):
        bucket_client(server.url, job).get_object(**at(given))
    job["data"]["artifactCredentials"]["secretAccessKey"] = "guessed"
    with pytest.raises(s3.exceptions.ClientError, match="SignatureDoesNotMatch"):
        bucket_client(server.url, job).get_object(**at(given))


def test_an_upload_that_is_no_zip_fails_the_action(worker: Any) -> None:
    client, job, s3 = worker
    s3.put_object(**at(job["data"]["outputArtifacts"][0]), Body=b"no zip")
    client.put_job_success_result(jobId=job["id"])
    until(lambda: newest(client)["status"] == "Failed")
    assert "cannot be used" in action_state(client, "Bake", "Bake")["errorDetails"]["message"]
