"""Sources that only name a commit, and the builds that clone it with its whole history."""

import json
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.builds.misuse import misuse, references
from pipelinekit.builds.reference import FILE, read_reference
from pipelinekit.builds.repository import address_of
from pipelinekit.model.action import Action
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.pipeline import Pipeline, Stage
from pipelinekit.model.settings import Settings
from pipelinekit.providers.codebuild import codebuild
from pipelinekit.providers.codecommit import codecommit
from pipelinekit.providers.commands import commands, commands_action
from pipelinekit.providers.connection import connection
from tests.builds.sites import phases
from tests.fakes import FolderJob, order
from tests.tools.git_repositories import commit_file, git, new_shop

ARN = "arn:aws:codestar-connections:eu-west-1:111122223333:connection/x"
FORM = "CODEBUILD_CLONE_REF"
PRINTS = "git log --format=%s > log; git rev-parse HEAD > head; git remote get-url origin > origin"

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = new_shop(tmp_path / "shop")
    git(folder, "tag", "v1")
    git(folder, "checkout", "--quiet", "-b", "side")
    commit_file(folder, "aside", "", "aside")
    git(folder, "checkout", "--quiet", "main")
    spec = phases(build=[PRINTS, "git branch -r > branches; git tag > tags; cat app.py > app"])
    commit_file(folder, "buildspec.yml", spec, "second")
    return folder


def fetched(action: Action, folder: Path, settings: Settings) -> Path:
    job = FolderJob(order(action), folder / "source-job", settings)
    job.folder.mkdir()
    provider = codecommit if action.type == codecommit.type.id else connection
    answer = provider.carry_out(job)
    assert isinstance(answer, Succeeded), answer
    (artifact,) = job.written.values()
    return artifact


def built(artifact: Path, folder: Path, settings: Settings) -> tuple[Outcome, FolderJob]:
    action = codebuild("build", project="shop").reads("app")
    job = FolderJob(order(action), folder / "build-job", settings, inputs={"app": artifact})
    job.folder.mkdir()
    return codebuild.carry_out(job), job


def test_a_build_gets_the_repository_with_its_history(shop: Path, tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path), repositories={"shop": "shop"})
    action = codecommit("app", "shop", "main", output_artifact_format=FORM)
    artifact = fetched(action, tmp_path, settings)
    head = git(shop, "rev-parse", "HEAD")
    assert json.loads((artifact / FILE).read_text(encoding="utf-8")) == {
        "url": str(shop),
        "commit": head,
        "branch": "main",
        "repository": "shop",
        "connection": "",
    }
    later = commit_file(shop, "app.py", "print(2)\n", "third")
    answer, job = built(artifact, tmp_path, settings)
    assert isinstance(answer, Succeeded), answer
    clone = job.folder / "clones/app"

    def text(name: str) -> str:
        return (clone / name).read_text(encoding="utf-8").strip()

    assert text("log").split() == ["second", "first"]
    assert (text("head"), text("origin"), text("app")) == (head, str(shop), "print(1)")
    assert text("branches").split() == ["origin/main", "origin/side"]
    assert text("tags") == "v1"
    assert later not in text("log")


def test_a_connection_gives_references_too(shop: Path, tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path), connections={ARN: "{repository}"})
    action = connection("app", ARN, "shop", "side", output_artifact_format=FORM)
    artifact = fetched(action, tmp_path, settings)
    reference = read_reference(artifact)
    assert reference
    assert (reference.connection, reference.branch) == (ARN, "side")
    assert reference.commit == git(shop, "rev-parse", "side")


def test_no_password_stands_in_the_artifact(tmp_path: Path) -> None:
    settings = Settings(
        repositories={"shop": "https://me:pass-word@git.example.org/shop.git"},
        connections={ARN: "https://me:pass-word@git.example.org/{repository}.git"},
    )
    for name, arn in (("shop", ""), ("acme/store", ARN)):
        clean = f"https://git.example.org/{name}.git"
        text = {"url": clean, "commit": "0" * 40, "branch": "main"}
        text |= {"repository": name, "connection": arn}
        (tmp_path / FILE).write_text(json.dumps(text), encoding="utf-8")
        reference = read_reference(tmp_path)
        assert reference
        assert address_of(reference, settings) == clean.replace("//", "//me:pass-word@")
        assert address_of(reference, Settings()) == clean


def test_the_clone_keeps_nothing_but_the_address(shop: Path, tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path), repositories={"shop": f"file://{shop}"})
    action = codecommit("app", "shop", "main", output_artifact_format=FORM)
    _, job = built(fetched(action, tmp_path, settings), tmp_path, settings)
    config = job.folder / "clones/app/.git/config"
    listed = subprocess.run(
        ["git", "config", "--file", config, "--list"], capture_output=True, text=True, check=True
    ).stdout
    assert {line.partition("=")[0].partition(".")[0] for line in listed.splitlines()} == {
        "core",
        "remote",
    }


def test_a_commit_that_is_gone_is_said(shop: Path, tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path), repositories={"shop": "shop"})
    action = codecommit("app", "shop", "main", output_artifact_format=FORM)
    artifact = fetched(action, tmp_path, settings)
    git(shop, "checkout", "--quiet", "side")
    git(shop, "branch", "-D", "main")
    git(shop, "reflog", "expire", "--expire=now", "--all")
    git(shop, "gc", "--quiet", "--prune=now")
    answer, _ = built(artifact, tmp_path, settings)
    assert isinstance(answer, Failed)
    assert answer.code == FailureType.REVISION_UNAVAILABLE
    assert "input app is a reference to a commit" in answer.message
    assert "a branch or tag leads to the commit" in answer.message


def test_only_codebuild_reads_references(shop: Path, tmp_path: Path) -> None:
    settings = Settings(folder=str(tmp_path), repositories={"shop": str(shop)})
    source = codecommit("app", "shop", "main", output_artifact_format=FORM)
    check = commands("check", "touch never").reads(source)
    build = codebuild("build", project="shop").reads(source)
    pipeline = Pipeline("shop", (Stage("Source", source), Stage("Build", check, build)))
    referring = references(pipeline)
    why = misuse(check, "shop", referring)
    assert why
    assert "set OutputArtifactFormat of app to CODE_ZIP" in why
    assert misuse(build, "shop", referring) is None

    artifact = fetched(source, tmp_path, settings)
    wanted = order(check)
    job = FolderJob(wanted, tmp_path / "job", settings, inputs={wanted.inputs[0].name: artifact})
    job.folder.mkdir()
    answer = commands_action.carry_out(job)
    assert isinstance(answer, Failed)
    assert answer.code == FailureType.CONFIGURATION_ERROR
    assert "only CodeBuild actions can read" in answer.message


def test_files_beside_it_make_it_a_source_like_any_other(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{}", encoding="utf-8")
    assert read_reference(tmp_path) is None
    (tmp_path / "more").touch()
    assert read_reference(tmp_path) is None


def test_other_formats_are_refused() -> None:
    settings = Settings(repositories={"shop": "shop"})
    action = codecommit("app", "shop", "main", output_artifact_format="TAR")
    assert codecommit.traits.check
    assert "CODE_ZIP, CODEBUILD_CLONE_REF" in str(codecommit.traits.check(action, settings))
    fine = replace(action, configuration={**action.configuration, "OutputArtifactFormat": FORM})
    assert codecommit.traits.check(fine, settings) is None
