"""Pipelines whose actions are Lambda functions and notebooks, in processes of their own."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.settings import Function, Settings
from pipelinekit.providers.aws_lambda import aws_lambda
from pipelinekit.providers.notebook import notebook

WAIT = 60.0

HANDLER = """\
import io, os, zipfile
import boto3

codepipeline = boto3.client("codepipeline")


def handler(event, context):
    job = event["CodePipeline.job"]
    print("asked for", job["data"]["actionConfiguration"]["configuration"]["UserParameters"])
    keys = job["data"]["artifactCredentials"]
    s3 = boto3.client(
        "s3",
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=keys["sessionToken"],
    )
    source = job["data"]["inputArtifacts"][0]["location"]["s3Location"]
    target = job["data"]["outputArtifacts"][0]["location"]["s3Location"]
    packed = s3.get_object(Bucket=source["bucketName"], Key=source["objectKey"])["Body"].read()
    text = zipfile.ZipFile(io.BytesIO(packed)).read("file.txt").decode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("file.txt", text.upper())
    s3.put_object(Bucket=target["bucketName"], Key=target["objectKey"], Body=made.getvalue())
    variables = {"length": str(len(text))}
    codepipeline.put_job_success_result(jobId=job["id"], outputVariables=variables)
"""

HANGING = """\
import os, time

def handler(event, context):
    print("pid", os.getpid(), flush=True)
    time.sleep(600)
"""

CELLS: tuple[tuple[str, list[str]], ...] = (
    ("length, wanted = 0, ''", ["parameters"]),
    ("found = open('file.txt').read()\nprint('found', found, length)\nassert found == wanted", []),
)


@pk.action("Source", "InvocationFetch")
def fetch(job: pk.Job) -> pk.Outcome:
    """Write a file with a text into the artifact."""
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text("hello", encoding="utf-8")
    job.write(folder)
    return pk.Succeeded()


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    (tmp_path / "app.py").write_text(HANDLER, encoding="utf-8")
    (tmp_path / "hang.py").write_text(HANGING, encoding="utf-8")
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": tags},
            "outputs": [],
            "source": source,
        }
        for source, tags in CELLS
    ]
    data = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (tmp_path / "look.ipynb").write_text(json.dumps(data), encoding="utf-8")
    functions = {"shout": Function(".", "app.handler"), "hang": Function(".", "hang.handler")}
    settings = Settings(folder=str(tmp_path), functions=functions)
    with pk.Kit(tmp_path / "home", settings=settings, by="ann") as made:
        yield made


@pytest.mark.slow
def test_artifacts_and_variables_go_through_a_function_and_a_notebook(kit: pk.Kit) -> None:
    shout = aws_lambda("shout", "shout", "loud").reads("code").writes("shouted")
    values = {"length": shout["length"], "wanted": "HELLO"}
    look = notebook("look", "look.ipynb", parameters=values).reads("shouted").writes("report")
    pipeline = (
        pk.Pipeline("shop")
        >> pk.Stage("Source", fetch("src").writes("code"))
        >> pk.Stage("Go", shout >> look)
    )
    run = kit.start(pipeline).wait(timeout=WAIT)
    assert run.status == "Succeeded", run.logs()
    assert run.actions[1].variables == {"length": "5"}
    assert "asked for loud" in run.logs("shout")
    assert "REPORT RequestId" in run.logs("shout")
    assert "found HELLO 5" in run.logs("look")
    assert "WARNING" not in run.logs("look")


@pytest.mark.slow
def test_a_function_ends_when_its_execution_is_stopped(kit: pk.Kit) -> None:
    pipeline = (
        pk.Pipeline("shop")
        >> pk.Stage("Source", fetch("src").writes("code"))
        >> pk.Stage("Go", aws_lambda("hang", "hang"))
    )
    run = kit.start(pipeline)
    deadline = time.monotonic() + WAIT
    while "pid" not in run.logs("hang") and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(run.logs("hang").partition("pid ")[2].split()[0])
    os.kill(pid, 0)
    run.stop(abandon=True)
    assert run.wait(timeout=WAIT).status == "Stopped"
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
