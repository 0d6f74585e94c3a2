"""Secrets by reference, from where they are kept to a cell of a release, and nowhere else."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keyring
import pytest

import pipelinekit as pk
from tests.account import REGION, client
from tests.cli.project import Project
from tests.flows.test_secrets import forms, kept
from tests.keyring_file import FILE, FileKeyring
from tests.tools.notebooks.books import cell, write

pytestmark = pytest.mark.slow

VALUE = "hunter2/'quoted' & é and \"more\""
DIGEST = hashlib.sha256(VALUE.encode()).hexdigest()
SEEN = f"""\
import base64, hashlib, json, sys, urllib.parse
assert hashlib.sha256(token.encode()).hexdigest() == {DIGEST!r}, "it is another value"
print("seen")"""
SHOWN = """\
print(token, repr(token), json.dumps(token), urllib.parse.quote(token))
print(token.encode().hex(), base64.b64encode(b"user:" + token.encode()).decode())
print(token, file=sys.stderr)
for letter in token:
    sys.stdout.write(letter)
    sys.stdout.flush()
import pipelinekit as pk
pk.output("leak", str.__str__(token))
token"""


@pytest.fixture
def project(tmp_path: Path, account: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Give a project beside a keyring and an account, both of which have the value."""
    ring = tmp_path / "keyring.json"
    monkeypatch.setenv(FILE, str(ring))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{FileKeyring.__module__}.FileKeyring")
    FileKeyring().set_password("shop/database", "me", VALUE)
    ssm, manager = client("ssm", account), client("secretsmanager", account)
    ssm.put_parameter(Name="/shop/token", Value=VALUE, Type="SecureString", Overwrite=True)
    names = {each["Name"] for each in manager.list_secrets()["SecretList"]}
    if "shop/database" not in names:
        text = json.dumps({"password": VALUE})
        manager.create_secret(Name="shop/database", SecretString=text)
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, by="ann")
    place = json.dumps({"region": REGION, "endpoint": account})
    made.write("environments.yaml", f"dev: {{account: {place}}}\nlive: {{account: {place}}}\n")
    yield made
    made.clean_up()


def leaks(files: Mapping[str, bytes]) -> list[str]:
    found = list(forms(VALUE))
    return [name for name, data in files.items() if any(form in data for form in found)]


def answers(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give what the API tells of the release, and what the history has of it."""
    with pk.Kit(folder / ".pipelinekit", work=False) as kit:
        (run,) = kit.runs()
        names = {"pipelineName": run.pipeline}
        one: dict[str, Any] = {**names, "pipelineExecutionId": run.id}
        api = kit.client()
        told = {
            "GetPipeline": api.get_pipeline(name=run.pipeline),
            "GetPipelineState": api.get_pipeline_state(name=run.pipeline),
            "GetPipelineExecution": api.get_pipeline_execution(**one),
            "ListActionExecutions": api.list_action_executions(**names),
            "ListPipelineExecutions": api.list_pipeline_executions(**names),
        }
        for name, answer in told.items():
            yield name, json.dumps(answer, default=str).encode()
            yield f"{name} as it is", str(answer).encode()
        past = kit.history(run.pipeline)
        yield "history", past.actions.to_csv().encode() + past.executions.to_csv().encode()
        yield "logs", run.logs().encode()
        assert "***" in [row.variables.get("leak") for row in run.actions]


@pytest.mark.parametrize(
    "reference",
    ["keyring:shop/database/me", "ssm:/shop/token", "secretsmanager:shop/database:password"],
)
@pytest.mark.parametrize("last", ["", "raise ValueError(token)"])
def test_a_cell_sees_the_value_and_nothing_that_is_kept_does(
    project: Project, reference: str, last: str
) -> None:
    write(project.folder / "report.ipynb", cell("token = ''", "parameters"), SEEN, SHOWN, last)
    done = project.call("release", "report.ipynb", "-p", f"token=secret:{reference}")
    assert done.returncode == (1 if last else 0), done.stdout + done.stderr
    told = project.call("report", "release-report", "--out", "told")
    assert told.returncode == 0, told.stderr
    files = dict(kept(project.folder))
    if not last:
        files |= answers(project.folder)
    for word in ("pipelinekit.db", ".html", "/log", "executed/report.ipynb", "runs/report-dev"):
        assert any(word in name for name in files), word
    log = next(data for name, data in files.items() if name.endswith("/log") and b"seen" in data)
    assert log.count(b"***") >= 7
    assert reference.encode() in files["environments.yaml"] + b"".join(
        data for name, data in files.items() if name.endswith("executed/report.ipynb")
    )
    files["what was printed"] = (done.stdout + done.stderr).encode()
    assert leaks({**files, "a leak": f"x{VALUE}y".encode()}) == ["a leak"]


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("keyring:shop/database/you", "the keyring has no password of you for shop/database"),
        ("ssm:/shop/none", "/shop/none was asked of AWS"),
        ("secretsmanager:shop/database:user", "no such key; take one of password"),
    ],
)
def test_a_value_that_is_not_there_stops_the_release_before_any_cell(
    project: Project, reference: str, words: str
) -> None:
    write(project.folder / "report.ipynb", cell("token = ''", "parameters"), "print('begun')")
    done = project.call("release", "report.ipynb", "-p", f"token=secret:{reference}")
    assert done.returncode == 1
    assert words in done.stdout
    assert "live  ○ Not started" in done.stdout
    assert "begun" not in project.call("logs", "release-report").stdout


def test_an_environment_asks_its_own_account(project: Project, account: str) -> None:
    client("ssm", account).put_parameter(
        Name="/shop/token", Value="the value of the right account", Type="String", Overwrite=True
    )
    project.write("pipelinekit.toml", '[aws]\nregion = "eu-west-9"\nendpoint = "http://[::1]:9"\n')
    write(
        project.folder / "report.ipynb",
        cell("token = ''", "parameters"),
        "assert len(token) == len('the value of the right account')",
    )
    done = project.call("release", "report.ipynb", "-p", "token=secret:ssm:/shop/token")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_library_knows_the_backend_that_its_own_variable_names(project: Project) -> None:
    del project
    assert keyring.core.load_env().__class__ is FileKeyring
