"""Clients nobody here wrote, each of which uses every operation: boto3, the AWS CLI, others."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import boto3
import pytest

import pipelinekit as pk
from pipelinekit.operations.table import OPERATIONS
from tests.operations.clients import NODE_PACKAGES, TERRAFORM, terraform_plugins
from tests.operations.declarations import approval, kind, pipeline, stage
from tests.operations.requests import operations
from tests.operations.served import serving
from tests.operations.session import Session, counted, declared
from tests.operations.shapes import watch

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "notebooks" / "guides" / "api.md"
REFUSALS = {"ActionTypeNotFoundException": 3, "JobNotFoundException": 4, "ValidationException": 1}
SECONDS = 900
ANYWHERE = "0.0.0.0"  # noqa: S104 - it is to be refused

pytestmark = pytest.mark.slow


def test_the_table_holds_every_operation_of_the_model() -> None:
    assert sorted(OPERATIONS) == sorted(operations())
    assert len(OPERATIONS) == 44


def test_a_boto3_script_uses_every_operation_in_this_process(kit: pk.Kit) -> None:
    client = watch(kit.client())
    calls, session = counted(client), Session(client)
    session.run()
    assert set(calls) == set(OPERATIONS)
    assert {name: session.refusals.count(name) for name in REFUSALS} == REFUSALS


def test_a_boto3_script_uses_every_operation_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        client = watch(boto3.session.Session().client("codepipeline"))
        calls, session = counted(client), Session(client)
        session.run()
    assert set(calls) == set(OPERATIONS)
    assert {name: session.refusals.count(name) for name in REFUSALS} == REFUSALS


def test_what_a_server_says_in_passing_bears_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = {"S3Bucket": "nowhere", "S3ObjectKey": "shop.zip"}
    made = pipeline(stage("Live", approval()))
    made["stages"][0]["actions"][0] |= {
        "actionTypeId": kind("Source", "S3", "AWS"),
        "configuration": bucket,
    }
    with serving(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        boto3.session.Session().client("codepipeline").create_pipeline(pipeline=made)
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    when, _, said = log.partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", when), log
    assert said.startswith("WARNING pipeline shop was created and not started"), log


def test_the_lines_that_serve_prints_are_all_that_boto3_needs(tmp_path: Path) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipelinekit", "serve", "--port", "0"]
    script = "import boto3; print(boto3.client('codepipeline').list_pipelines()['pipelines'])"
    with subprocess.Popen(
        command, cwd=tmp_path, env=bare, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            lines = takewhile(lambda line: "Ctrl+C" not in line, server.stdout)
            said = " ".join(line.removeprefix("  export ") for line in lines if "export" in line)
            given = dict(each.split("=", 1) for each in shlex.split(said))
            asked = [sys.executable, "-c", script]
            told = subprocess.run(
                asked, env=bare | given, capture_output=True, text=True, check=False
            )
        finally:
            server.terminate()
    assert (told.stdout, told.stderr) == ("[]\n", "")


def test_the_script_of_the_guide_uses_every_operation_by_the_aws_cli(tmp_path: Path) -> None:
    script = "".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL))
    used = set(re.findall(r"\b(?:codepipeline|no) ([a-z]+(?:-[a-z]+)+)", script))
    assert used == {_dashed(name) for name in OPERATIONS}
    programs = Path(sys.executable).parent
    work = tmp_path / "work"
    work.mkdir()
    with serving(tmp_path) as environment:
        path = f"{programs}:{environment['PATH']}"
        told = subprocess.run(
            ["bash", "-c", script],
            cwd=work,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert told.returncode == 0, told.stdout[-2_000:] + told.stderr[-2_000:]


@pytest.mark.sdk_js
def test_the_sdk_for_javascript_uses_every_operation(tmp_path: Path) -> None:
    script = Path(__file__).parent / "node" / "session.mjs"
    command = ["node", script, NODE_PACKAGES, json.dumps(declared())]
    with serving(tmp_path) as environment:
        told = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert told.returncode == 0, told.stderr[-2_000:]
    found = json.loads(told.stdout)
    assert set(found["called"]) == set(OPERATIONS)
    assert {name: found["refused"].count(name) for name in REFUSALS} == REFUSALS


@pytest.mark.terraform
def test_terraform_makes_a_pipeline_finds_it_unchanged_and_destroys_it(tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(Path(__file__).parent / "terraform", work)
    with serving(tmp_path) as environment:
        told = {
            **environment,
            "TF_CLI_CONFIG_FILE": "/dev/null",
            "CHECKPOINT_DISABLE": "1",
            "TF_VAR_endpoint": environment["AWS_ENDPOINT_URL_CODEPIPELINE"],
        }

        def terraform(*words: str) -> int:
            command = [TERRAFORM, *words, "-input=false", "-no-color"]
            ran = subprocess.run(
                command, cwd=work, env=told, capture_output=True, timeout=SECONDS, check=False
            )
            assert ran.returncode in {0, 2}, ran.stdout[-2_000:] + ran.stderr[-2_000:]
            return ran.returncode

        terraform("init", f"-plugin-dir={terraform_plugins()}")
        terraform("apply", "-auto-approve")
        assert terraform("plan", "-detailed-exitcode") == 0, "something is to be changed"
        terraform("destroy", "-auto-approve")


def _dashed(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_a_server_off_this_machine_does_not_start_without_credentials(tmp_path: Path) -> None:
    told = _serve(tmp_path, "--host", ANYWHERE)
    assert (told.returncode, "--credentials" in told.stderr) == (2, True)
    told = _serve(tmp_path, "--host", ANYWHERE, "--no-auth")
    assert (told.returncode, "leave out --no-auth" in told.stderr) == (2, True)
    assert not (tmp_path / ".pipelinekit" / "credentials").exists()


def test_a_server_that_asks_nobody_says_so_and_answers(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-auth") as environment:
        url = environment["AWS_ENDPOINT_URL_CODEPIPELINE"]
        assert pk.connect(url, "any", "thing").list_pipelines()["pipelines"] == []


def _serve(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelinekit", "serve", "--port", "0", *options]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=own, capture_output=True, text=True, timeout=120, check=False
    )
