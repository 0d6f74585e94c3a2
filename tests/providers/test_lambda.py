"""Lambda functions that really run: unmodified handlers, a real boto3, and what they report."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import Action
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Function, Settings
from pipelinekit.providers.aws_lambda import aws_lambda
from tests.conftest import CORPUS
from tests.fakes import FolderJob, order

BEGINNING = """\
import io, json, os, sys, time, zipfile
import boto3
from botocore.exceptions import ClientError

codepipeline = boto3.client("codepipeline")

def s3(job):
    keys = job["data"]["artifactCredentials"]
    session = boto3.Session(
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    )
    return session.client("s3")

def place(artifact):
    found = artifact["location"]["s3Location"]
    return found["bucketName"], found["objectKey"]

"""


@dataclass
class Site:
    """A project with one function, and the source that its actions read."""

    folder: Path

    def invoke(
        self, body: str, action: Action | None = None, *, file: str = "app.py", **about: Any
    ) -> "Invoked":
        code = self.folder / "code"
        code.mkdir(exist_ok=True)
        begun = BEGINNING if file.endswith(".py") else ""
        (code / file).write_text(begun + body, encoding="utf-8")
        function = replace(Function("code", "app.handler", timeout_seconds=20), **about)
        job = self.job(action or aws_lambda("call", "fn"), {"fn": function})
        return Invoked(aws_lambda.carry_out(job), job)

    def job(self, action: Action, functions: Mapping[str, Function]) -> FolderJob:
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "file.txt").write_text("hello", encoding="utf-8")
        folder = self.folder / "jobs" / "1"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        settings = Settings(folder=str(self.folder), functions=functions)
        return FolderJob(order(action), folder, settings, dict.fromkeys(action.inputs, source))


@dataclass
class Invoked:
    """What came of one action."""

    outcome: Outcome
    job: FolderJob

    @property
    def succeeded(self) -> Succeeded:
        assert isinstance(self.outcome, Succeeded), self.outcome
        return self.outcome

    @property
    def failed(self) -> Failed:
        assert isinstance(self.outcome, Failed), self.outcome
        return self.outcome


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


SUCCESS = 'codepipeline.put_job_success_result(jobId=event["CodePipeline.job"]["id"])\n'


@pytest.mark.slow
def test_a_handler_ends_its_job_with_variables_and_details(site: Site) -> None:
    body = """\
def handler(event, context):
    job = event["CodePipeline.job"]
    codepipeline.put_job_success_result(
        jobId=job["id"],
        outputVariables={"answer": "42"},
        executionDetails={"summary": "all good", "externalExecutionId": "run-7"},
    )
    return "ignored"
"""
    found = site.invoke(body).succeeded
    assert found == Succeeded({"answer": "42"}, summary="all good", external_id="run-7")


@pytest.mark.slow
def test_a_handler_fails_its_job_with_its_own_words(site: Site) -> None:
    body = """\
def handler(event, context):
    codepipeline.put_job_failure_result(
        jobId=event["CodePipeline.job"]["id"],
        failureDetails={
            "type": "ConfigurationError", "message": "no url", "externalExecutionId": "x"
        },
    )
"""
    found = site.invoke(body).failed
    assert found == Failed("no url", code="ConfigurationError", external_id="x")


@pytest.mark.slow
def test_a_handler_reads_and_writes_artifacts_with_the_credentials_of_its_job(site: Site) -> None:
    body = """\
def handler(event, context):
    job = event["CodePipeline.job"]
    client = s3(job)
    bucket, key = place(job["data"]["inputArtifacts"][0])
    file = os.environ["TMPDIR"] + "/in.zip"
    client.download_file(bucket, key, file)
    read = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert read == open(file, "rb").read()
    text = zipfile.ZipFile(io.BytesIO(read)).read("file.txt").decode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("said.txt", text + " world")
    bucket, key = place(job["data"]["outputArtifacts"][0])
    client.put_object(Bucket=bucket, Key=key, Body=data.getvalue())
    """
    action = aws_lambda("call", "fn").reads("code").writes("said")
    done = site.invoke(body + SUCCESS, action)
    assert done.outcome == Succeeded()
    assert (done.job.written["said"] / "said.txt").read_text(encoding="utf-8") == "hello world"


@pytest.mark.slow
def test_the_details_of_a_job_tell_the_pipeline(site: Site) -> None:
    body = """\
def handler(event, context):
    found = codepipeline.get_job_details(jobId=event["CodePipeline.job"]["id"])["jobDetails"]
    context = found["data"]["pipelineContext"]
    codepipeline.put_job_success_result(jobId=found["id"], outputVariables={
        "pipeline": context["pipelineName"], "stage": context["stage"]["name"],
        "execution": context["pipelineExecutionId"],
        "action": context["action"]["actionExecutionId"],
        "type": found["data"]["actionTypeId"]["provider"],
    })
"""
    done = site.invoke(body)
    assert done.succeeded.variables == {
        "pipeline": "shop",
        "stage": "Stage",
        "execution": done.job.order.execution,
        "action": done.job.order.id,
        "type": "Lambda",
    }


@pytest.mark.slow
def test_a_function_is_invoked_again_with_its_continuation_token(site: Site) -> None:
    body = """\
def handler(event, context):
    job = event["CodePipeline.job"]
    token = job["data"].get("continuationToken")
    if token is None:
        codepipeline.put_job_success_result(jobId=job["id"], continuationToken=job["id"])
    else:
        same = str(token == job["id"])
        codepipeline.put_job_success_result(jobId=job["id"], outputVariables={"same": same})
"""
    began = time.monotonic()
    done = site.invoke(body, continue_seconds=0.5)
    assert done.succeeded.variables == {"same": "False"}
    assert time.monotonic() - began >= 0.5
    assert sum(line.startswith("START") for line in done.job.said) == 2


IN_PROGRESS = """\
def handler(event, context):
    job = event["CodePipeline.job"]
    told = [
        {"externalExecutionId": "d-1", "percentComplete": 40, "summary": "two of\\nfive"},
        {"percentComplete": 80},
        {"summary": "nearly there"},
    ]
    number = int(job["data"].get("continuationToken", 0))
    if number < len(told):
        codepipeline.put_job_success_result(
            jobId=job["id"], continuationToken=str(number + 1), executionDetails=told[number]
        )
    else:
        codepipeline.put_job_LAST
"""
LAST = {"externalExecutionId": "d-2", "summary": "done"}
NO = {"type": "JobFailed", "message": "no"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ("success_result(jobId=job['id'])", ("d-1", "nearly there")),
        (f"success_result(jobId=job['id'], executionDetails={LAST})", ("d-2", "done")),
        (f"failure_result(jobId=job['id'], failureDetails={NO})", ("d-1", "nearly there")),
        ("success_result", ("d-1", "nearly there")),
    ],
)
def test_what_a_function_says_of_its_work_is_its_progress_and_holds_to_the_end(
    site: Site, last: str, kept: tuple[str, str]
) -> None:
    done = site.invoke(IN_PROGRESS.replace("LAST", last), continue_seconds=0)
    assert done.job.told == [(40, "two of five"), (80, "two of five"), (80, "nearly there")]
    assert isinstance(done.outcome, Succeeded | Failed)
    assert (done.outcome.external_id, done.outcome.summary) == kept
    assert any("given, d-1, 40 %, two of five; invoked again" in line for line in done.job.said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def handler(event, context):\n    raise ValueError('bad day')\n", "ValueError: bad day"),
        ("def handler(event, context):\n    os._exit(3)\n", "exit status 3"),
        ("def handler(event, context):\n    return 1\n", "fn returned, and"),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere'"),
        ("def other(event, context): pass\n", "has no attribute 'handler'"),
    ],
)
def test_a_handler_that_can_no_longer_answer_has_failed_at_once(
    site: Site, body: str, words: str
) -> None:
    failed = site.invoke(body).failed
    assert words in failed.message
    assert "put_job_failure_result" in failed.message
    assert failed.code == FailureType.JOB_FAILED


@pytest.mark.slow
def test_what_was_answered_counts_whatever_the_handler_does_then(site: Site) -> None:
    body = "def handler(event, context):\n    " + SUCCESS + "    raise ValueError('afterwards')\n"
    done = site.invoke(body)
    assert done.outcome == Succeeded()
    assert any("ValueError: afterwards" in line for line in done.job.said)


@pytest.mark.slow
def test_the_time_of_a_function_ends_it(site: Site) -> None:
    failed = site.invoke("def handler(e, c):\n    time.sleep(60)\n", timeout_seconds=2).failed
    assert "Task timed out after 2.00 seconds" in failed.message


@pytest.mark.slow
def test_an_output_that_is_no_zip_is_a_failure_and_one_that_is_missing_is_told(site: Site) -> None:
    body = """\
def handler(event, context):
    job = event["CodePipeline.job"]
    bucket, key = place(job["data"]["outputArtifacts"][0])
    s3(job).put_object(Bucket=bucket, Key=key, Body=b"no zip")
    """
    action = aws_lambda("call", "fn").writes("one")
    assert (
        "artifact one, which cannot be used" in site.invoke(body + SUCCESS, action).failed.message
    )
    missing = site.invoke("def handler(event, context):\n    " + SUCCESS, action)
    assert missing.outcome == Succeeded()
    assert "artifact one was not uploaded; who reads it will fail" in missing.job.said
    assert missing.job.written == {}


@pytest.mark.slow
def test_a_function_does_not_see_the_credentials_of_the_user(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = site.folder / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text(
        "[prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = verysecret\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecret")
    monkeypatch.setenv("AWS_PROFILE", "prod")
    monkeypatch.setenv("GITHUB_TOKEN", "verysecret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:verysecret@example.org/")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # which must not be asked
    body = """\
def handler(event, context):
    seen = "verysecret" in str(dict(os.environ))
    profiles = str(boto3.Session().available_profiles)
    codepipeline.put_job_success_result(
        jobId=event["CodePipeline.job"]["id"],
        outputVariables={"seen": str(seen), "profiles": profiles, "own": os.environ["OWN"]},
    )
"""
    found = site.invoke(body, environment={"OWN": "given"}).succeeded
    assert found.variables == {"seen": "False", "profiles": "[]", "own": "given"}


@pytest.mark.slow
def test_a_function_with_an_account_of_its_own_still_ends_its_job(site: Site) -> None:
    own = {"AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "own"}
    seen = "    assert 'AWS_SESSION_TOKEN' not in os.environ\n"
    body = "def handler(event, context):\n" + seen + "    " + SUCCESS
    assert site.invoke(body, environment=own).outcome == Succeeded()


NODE = """\
const crypto = require("node:crypto");
const hash = (text) => crypto.createHash("sha256").update(text).digest("hex");
const mac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();

async function call(operation, given) {
  const env = process.env, url = new URL(env.AWS_ENDPOINT_URL_CODEPIPELINE);
  const at = new Date().toISOString().replace(/[-:]|\\.\\d+/g, ""), day = at.slice(0, 8);
  const body = JSON.stringify(given), target = "CodePipeline_20150709." + operation;
  const headers = {"host": url.host, "x-amz-date": at, "x-amz-target": target};
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map((pair) => pair.join(":") + "\\n").join("");
  const request = ["POST", "/", "", lines, names, hash(body)].join("\\n");
  const scope = [day, env.AWS_REGION, "codepipeline", "aws4_request"];
  const text = ["AWS4-HMAC-SHA256", at, scope.join("/"), hash(request)].join("\\n");
  const key = scope.reduce(mac, "AWS4" + env.AWS_SECRET_ACCESS_KEY);
  headers.authorization = "AWS4-HMAC-SHA256 Credential=" + env.AWS_ACCESS_KEY_ID + "/"
    + scope.join("/") + ", SignedHeaders=" + names
    + ", Signature=" + mac(key, text).toString("hex");
  const answer = await fetch(url, {method: "POST", headers, body});
  if (!answer.ok) throw new Error(await answer.text());
}

exports.handler = async (event, context) => {
  const jobId = event["CodePipeline.job"].id;
  await call("PutJobSuccessResult", {jobId, outputVariables: {name: context.functionName}});
};
"""


@pytest.mark.slow
def test_a_handler_in_node_ends_its_job(site: Site) -> None:
    done = site.invoke(NODE, file="app.js", runtime="nodejs20.x")
    assert done.succeeded.variables == {"name": "fn"}
    assert any(line.startswith("nodejs20.x asked; Node v") for line in done.job.said)


def keys(value: object, place: str = "") -> set[str]:
    """List the paths of all members of a JSON value."""
    if isinstance(value, list):
        return set().union(*(keys(each, f"{place}[]") for each in value))
    if not isinstance(value, dict):
        return {place}
    return set().union({place}, *(keys(each, f"{place}/{name}") for name, each in value.items()))


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.parametrize("file", sorted((CORPUS / "lambda_job_events").glob("*.json")), ids=str)
def test_the_event_has_the_members_that_aws_gives_it(site: Site, file: Path) -> None:
    body = """\
def handler(event, context):
    json.dump(event, open(os.environ["TMPDIR"] + "/event", "w"))
    job = event["CodePipeline.job"]
    token = job["data"].get("continuationToken")
    codepipeline.put_job_success_result(
        jobId=job["id"], **({} if token else {"continuationToken": "more"})
    )
"""
    action = aws_lambda("call", "fn", parameters={"url": "x"}).reads("code")
    done = site.invoke(body, action, continue_seconds=0)
    assert done.outcome == Succeeded()
    told = [done.job.folder / f"invocation-{number}" / "tmp" / "event" for number in (1, 2)]
    first, second = (json.loads(each.read_text(encoding="utf-8")) for each in told)
    assert "continuationToken" not in first["CodePipeline.job"]["data"]
    assert first["CodePipeline.job"]["id"] != second["CodePipeline.job"]["id"]
    configuration = first["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"]
    assert configuration == {"FunctionName": "fn", "UserParameters": '{"url": "x"}'}
    theirs = keys(json.loads(file.read_text(encoding="utf-8")))
    ours = keys(second)
    assert {key for key in theirs - ours if "encryptionKey" not in key} <= {
        "/CodePipeline.job/data/inputArtifacts"  # an empty list there
    }
    if "/CodePipeline.job/data/inputArtifacts[]" in theirs:
        assert ours - theirs == {"/CodePipeline.job/data/artifactCredentials/expirationTime"}


def refusal(action: Action, settings: Settings) -> str | None:
    check = aws_lambda.traits.check
    assert check is not None
    return check(action, settings)


def test_a_function_that_is_not_configured_is_refused_with_the_lines_to_add(site: Site) -> None:
    told = refusal(aws_lambda("call", "resize images"), Settings())
    assert told is not None
    lines = '[lambda."resize images"]\nfolder = "functions/resize images"\nhandler = "app.handler"'
    assert told.endswith(lines)
    failed = aws_lambda.carry_out(site.job(aws_lambda("call", "fn"), {}))
    assert isinstance(failed, Failed)
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "[lambda.fn]" in failed.message
    assert refusal(aws_lambda("call", "#{variables.function}"), Settings()) is None


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (Function("missing", "app.handler"), "which is no folder; set `folder` in [lambda.fn]"),
        (Function(".", "handler"), "write `module.function`"),
        (Function(".", "app.handler", "java21"), "Python and Node are run here"),
    ],
)
def test_a_function_that_cannot_run_here_is_refused(
    tmp_path: Path, function: Function, words: str
) -> None:
    settings = Settings(folder=str(tmp_path), functions={"fn": function})
    told = refusal(aws_lambda("call", "fn"), settings)
    assert told is not None
    assert words in told


def test_an_invocation_is_written_down_with_the_keys_of_aws() -> None:
    action = aws_lambda("call", "fn", "text")
    assert action.configuration == {"FunctionName": "fn", "UserParameters": "text"}
    assert str(action.type) == "Invoke/AWS/Lambda/1"
    assert action["answer"] == "#{call.answer}"
