"""What the settings file may say, and how it is told what it may not."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from msgspec import structs

from pipelinekit.kit.settings_file import SettingsError, load_settings
from pipelinekit.model.settings import (
    Aws,
    Compute,
    DeploymentGroup,
    Function,
    Project,
    Settings,
    Where,
)

FULL = """
[repositories]
shop = "../shop.git"
[connections]
"arn:aws:codestar-connections:x" = "https://example.org/{repository}.git"

[codebuild.shop]
buildspec = "ci/buildspec.yml"
timeout_minutes = 5
cache = ["node_modules/**/*"]
environment_type = "LINUX_CONTAINER"
compute = { where = "container", image = "python:3.12", network = false }
[codebuild.shop.environment]
LEVEL = "info"
PORT = 8080
RATIO = 0.10
DEBUG = true
[codebuild.shop.parameters]
TOKEN = "/shop/token"
[codebuild.shop.secrets]
PASSWORD = "database:password"

[codedeploy.shop.production]
targets = ["deploy/a", "deploy/b"]
rollback = false
keep = 2
config = "AllAtOnce"
minimum_healthy = "75%"
environment = { PORT = 8102 }
[codedeploy.shop.coloured]
blue = ["deploy/blue"]
green = ["ssh://me@host/srv/green"]
traffic = "./switch"
traffic_seconds = 20
python = "python3.12"

[compute]
where = "sandbox"
memory_mb = 2048
processes = 100

[s3]
releases = "buckets/releases"
[ecr]
shop = "localhost/shop"

[lambda.smoke]
folder = "functions/smoke"
handler = "app.handler"
runtime = "python3.12"
timeout_seconds = 30
memory_mb = 256
continue_seconds = 0.5
environment = { URL = "http://localhost" }

[secrets]
file = "secrets.toml"
[aws]
profile = "dev"
region = "eu-west-1"
endpoint = "http://localhost:4566"
"""
EXPORT = {
    "projects": [
        {
            "name": "shop",
            "source": {"type": "CODEPIPELINE", "buildspec": "aws/buildspec.yml"},
            "environment": {
                "image": "python:3.11",
                "environmentVariables": [
                    {"name": "LEVEL", "value": "debug", "type": "PLAINTEXT"},
                    {"name": "STAGE", "value": "test", "type": "PLAINTEXT"},
                    {"name": "PASSWORD", "value": "/shop/password", "type": "PARAMETER_STORE"},
                    {"name": "TOKEN", "value": "/shop/token", "type": "PARAMETER_STORE"},
                ],
            },
            "timeoutInMinutes": 60,
        },
        {"name": "other", "source": {"buildspec": "other.yml"}},
    ]
}


def written(folder: Path, text: str, name: str = "pipelinekit.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_settings_file_says_where_things_are(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, FULL)) == Settings(
        folder=str(tmp_path),
        repositories={"shop": "../shop.git"},
        connections={"arn:aws:codestar-connections:x": "https://example.org/{repository}.git"},
        projects={
            "shop": Project(
                buildspec="ci/buildspec.yml",
                environment={"LEVEL": "info", "PORT": "8080", "RATIO": "0.10", "DEBUG": "true"},
                timeout_minutes=5,
                parameters={"TOKEN": "/shop/token"},
                secrets={"PASSWORD": "database:password"},
                compute=Compute(Where.CONTAINER, "python:3.12", network=False),
                cache=("node_modules/**/*",),
                environment_type="LINUX_CONTAINER",
            )
        },
        groups={
            "shop/production": DeploymentGroup(
                targets=("deploy/a", "deploy/b"),
                environment={"PORT": "8102"},
                rollback=False,
                keep=2,
                config="AllAtOnce",
                minimum_healthy="75%",
            ),
            "shop/coloured": DeploymentGroup(
                blue=("deploy/blue",),
                green=("ssh://me@host/srv/green",),
                traffic="./switch",
                traffic_seconds=20,
                python="python3.12",
            ),
        },
        buckets={"releases": "buckets/releases"},
        functions={
            "smoke": Function(
                folder="functions/smoke",
                handler="app.handler",
                runtime="python3.12",
                timeout_seconds=30,
                memory_mb=256,
                environment={"URL": "http://localhost"},
                continue_seconds=0.5,
            )
        },
        images={"shop": "localhost/shop"},
        compute=Compute(Where.SANDBOX, memory_mb=2048, processes=100),
        secrets="secrets.toml",
        aws=Aws("dev", "eu-west-1", "http://localhost:4566"),
    )


def test_pyproject_may_hold_them_too(tmp_path: Path) -> None:
    text = '[tool.pipelinekit.repositories]\nshop = "../shop.git"\n'
    written(tmp_path, text, "pyproject.toml")
    assert load_settings(tmp_path).repositories == {"shop": "../shop.git"}


@pytest.mark.parametrize("text", ["[project]\nname = 'x'\n", "[tool.other]\nx = 1\n"])
def test_without_a_table_there_are_defaults(tmp_path: Path, text: str) -> None:
    assert load_settings(tmp_path) == Settings(folder=str(tmp_path))
    written(tmp_path, text, "pyproject.toml")
    assert load_settings(tmp_path) == Settings(folder=str(tmp_path))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[repositories\n", "no valid TOML.*line 1"),
        ("[repository]\n", "repository, which has no meaning; write repositories"),
        ("[wonders]\n", "wonders, which has no meaning; known here: aws, codebuild"),
        ("codebuild = 3\n", r"the number 3 at codebuild; a table such as \[codebuild\]"),
        ("[codebuild]\nshop = 3\n", r"the number 3 at codebuild.shop; .*\[codebuild.shop\]"),
        ("[codebuild.shop]\nbuildspec = 3\n", "3 at codebuild.shop.buildspec; text is expected"),
        ("[codebuild.shop]\ntimeout_minutes = 0\n", "timeout_minutes; a whole number, 1 or more"),
        ("[codebuild.shop]\ntimeout_minutes = 1.5\n", "1.5 at .*; a whole number"),
        ("[codebuild.shop]\ntimeout = 5\n", "codebuild.shop.timeout, .*; write timeout_minutes"),
        ("[codebuild.shop]\nenvironment = 3\n", "3 at codebuild.shop.environment; a table"),
        ("[codebuild.shop]\nenvironment = {A = [1]}\n", "a list of 1 at .*environment.A"),
        ("[codebuild.shop]\nenvironment = {A = 2026-11-26}\n", "a date at .*A; put it in quotes"),
        ("[codebuild.shop]\nparameters = {A = 3}\n", "3 at codebuild.shop.parameters.A; text"),
        ("[codebuild.shop]\nsecrets.A = 'x'\nenvironment.A = 1\n", "A more than once at"),
        ("[codebuild.shop]\ncache = 'x'\n", "a list is expected"),
        ("[codebuild.shop]\nrest = {}\n", "rest, which has no meaning; known here: buildspec"),
        ("[codebuild.shop]\ncompute = 'host'\n", "a table such as"),
        ("[codebuild.shop]\ncompute.were = 'host'\n", "compute.were, .*; write where"),
        ("[compute]\nwhere = 'cloud'\n", "one of host, sandbox, container is expected"),
        ("[compute]\nnetwork = 'no'\n", "true or false"),
        ("[compute]\nmemory_mb = true\n", "a whole number"),
        ("[codedeploy.shop]\nlive = 3\n", r"\[codedeploy.shop.live\]"),
        ("[codedeploy.shop.live]\ntargets = 'x'\n", "a list is expected"),
        (
            "[codedeploy.shop.live]\ntargets = ['x', 3]\n",
            r"3 at codedeploy.shop.live.targets\[1\]",
        ),
        ("[codedeploy.shop.live]\nkeep = 0\n", "1 or more"),
        ("[codedeploy.shop.live]\nrollback = 'no'\n", "true or false"),
        ("[repositories]\nshop = 3\n", "the number 3 at repositories.shop; text is expected"),
        ("[lambda.f]\nfolder = 'x'\n", "no key handler; add it at lambda.f"),
        ("[lambda.f]\nfolder='x'\nhandler='y'\ncontinue_seconds=inf\n", "a number of seconds"),
        ("[lambda.f]\nfolder='x'\nhandler='y'\ncontinue_seconds=-1\n", "a number of seconds"),
        ("[secrets]\n", "no key file; add it at secrets"),
        ("[secrets]\nfiles = 'x'\n", "secrets.files, .*; write file"),
        ("[aws]\n", "write a region, a profile or an endpoint"),
    ],
)
def test_a_fault_is_refused_with_its_place_and_what_to_write(
    tmp_path: Path, text: str, word: str
) -> None:
    with pytest.raises(SettingsError, match=word) as refusal:
        load_settings(written(tmp_path, text))
    assert "pipelinekit.toml" in str(refusal.value)


def test_the_examples_that_init_writes_are_right_and_show_every_table(tmp_path: Path) -> None:
    template = files("pipelinekit.cli").joinpath("templates", "pipelinekit.toml.txt")
    text = template.read_text(encoding="utf-8").replace("NAME", "shop")
    settings = load_settings(written(tmp_path, re.sub(r"(?m)^#(?! )", "", text)))
    plain = Settings(folder=str(tmp_path))
    same = [
        each.name
        for each in structs.fields(Settings)
        if getattr(settings, each.name) == getattr(plain, each.name)
    ]
    assert same == ["folder"]


# ------------------------------------------------------------------ projects of an account


@pytest.mark.parametrize("name", ["codebuild.json", "codebuild.yml", "codebuild.yaml"])
def test_projects_come_from_an_account_too_and_the_own_table_prevails(
    tmp_path: Path, name: str
) -> None:
    written(tmp_path, json.dumps(EXPORT), name)
    written(
        tmp_path,
        """
[codebuild.shop]
timeout_minutes = 5
compute = { memory_mb = 512 }
environment = { LEVEL = "info", TOKEN = "local" }
secrets = { PASSWORD = "database:password" }
[codebuild.mine]
buildspec = "mine.yml"
""",
    )
    assert load_settings(tmp_path).projects == {
        "shop": Project(
            buildspec="aws/buildspec.yml",
            environment={"STAGE": "test", "LEVEL": "info", "TOKEN": "local"},
            timeout_minutes=5,
            secrets={"PASSWORD": "database:password"},
            compute=Compute(image="python:3.11", memory_mb=512),
            rest={"source": {"type": "CODEPIPELINE"}},
        ),
        "other": Project(buildspec="other.yml"),
        "mine": Project(buildspec="mine.yml"),
    }


def test_a_file_of_that_name_with_something_else_in_it_is_told_apart(tmp_path: Path) -> None:
    written(tmp_path, "Resources: {}\n", "codebuild.yaml")
    assert load_settings(tmp_path).projects == {}
    written(tmp_path, "")
    with pytest.raises(SettingsError, match=r"codebuild.yaml.* no key projects.* another name"):
        load_settings(tmp_path)


def test_projects_in_two_files_are_refused(tmp_path: Path) -> None:
    for name in ("pipelinekit.toml", "codebuild.json", "codebuild.yml"):
        written(tmp_path, '{"projects": []}' if name != "pipelinekit.toml" else "", name)
    with pytest.raises(SettingsError, match=r"codebuild.yml and codebuild.json: .*keep one"):
        load_settings(tmp_path)
