"""The commands import and export."""

import json
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.importing import import_file
from pipelinekit.model.settings import Project as Builds
from pipelinekit.providers.github import github
from pipelinekit.wire import codepipeline
from tests.build import pipeline
from tests.cli.project import Project
from tests.cli.test_define import call
from tests.kit.test_importing import TEMPLATE


def test_a_template_is_brought_here_and_runs_by_its_file(project: Project) -> None:
    project.write("t.yaml", TEMPLATE)
    done = call("import", "t.yaml", "--parameter", "Branch=main", "--out", "ci")
    assert done.exit_code == 0, done.output
    assert "✓ t.yaml: pipeline shop (2 stages, 2 actions), projects shop" in done.output
    assert "written  ci/pipeline.json" in done.output
    assert "--parameter Role.Arn=VALUE  AWS makes it with AWS::IAM::Role Role" in done.output
    assert "left where they are: 1 AWS::IAM::Role, 1 AWS::S3::Bucket" in done.output
    assert Path("ci/codebuild.yaml").exists()
    again = call("validate", "ci/pipeline.json")
    assert again.exit_code == 0
    assert "○ line 4: roleArn: UNRESOLVED-Role-Arn stands for a value" in again.output
    assert call("import", "t.yaml", "--out", "ci").exit_code == 2
    assert call("import", "t.yaml", "--out", "ci", "--force").exit_code == 0


def test_a_report_alone_writes_nothing(project: Project) -> None:
    project.write("t.yaml", TEMPLATE)
    done = call("import", "t.yaml", "--report")
    assert done.exit_code == 0
    assert "○ action Source/Get  Source/AWS/CodeCommit/1  runs here once configured" in done.output
    assert "runs here, 1 runs here once configured, 0 needs AWS, 0 not supported" in done.output
    told = call("import", "t.yaml", "--report", "--parameter", "Branch=main").output
    assert "\n    [repositories]\n" in told  # the lines to write
    assert [each.name for each in project.folder.iterdir()] == ["t.yaml"]


def test_the_report_is_data_too(project: Project) -> None:
    project.write("t.yaml", TEMPLATE)
    answer = json.loads(call("import", "t.yaml", "--report", "--json").output)
    assert answer["pipeline"] == "shop"
    assert answer["placeholders"][0]["key"] == "Role.Arn"
    assert answer["report"][0]["fidelity"] == "runs here once configured"
    assert answer["left"] == {"AWS::IAM::Role": ["Role"], "AWS::S3::Bucket": ["Bucket"]}
    assert answer["files"] == []


@pytest.mark.parametrize("to", ["cloudformation", "terraform"])
def test_what_is_exported_is_imported_back_equal_with_its_project(
    project: Project, to: str
) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    project.write("pipelinekit.toml", '[codebuild.shop]\nbuildspec = "ci/build.yml"\n')
    done = call("export", "shop.json", "--to", to)
    assert done.exit_code == 0
    suffix = {"cloudformation": "yaml", "terraform": "tf"}[to]
    found = import_file(project.folder / project.write(f"again.{suffix}", done.stdout))
    assert found.pipeline == pipeline()
    assert found.projects["shop"].buildspec == "ci/build.yml"
    assert "is a stand-in: write a role of the account there" in done.stderr


def test_a_project_that_is_not_known_is_named(project: Project) -> None:
    project.write("shop.json", codepipeline.text(pipeline()))
    done = call("export", "shop.json", "--to", "cloudformation")
    assert "project shop is not known here" in done.stderr


def test_a_secret_that_is_exported_is_named(project: Project) -> None:
    source = github("Fetch", "me", "shop", "main", "s3cret").writes("Code")
    line = pk.Pipeline("shop") >> pk.Stage("Source", source) >> pk.Stage("Ask", pk.approval("ok"))
    project.write("shop.json", codepipeline.text(line))
    done = call("export", "shop.json")
    assert '"OAuthToken": "s3cret"' in done.stdout
    assert "action Source/Fetch: its OAuthToken is written as it is, and is secret" in done.stderr
    assert "s3cret" not in done.stderr


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(pk.PipelineKitError, match="choose one of json, yaml, cloudformation"):
        pk.export(pipeline(), "pulumi", {"shop": Builds()})
    assert call("export", "x.json", "--to", "pulumi").exit_code == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", "Resources: [\n"),
        ("t.tf", "x = [\n"),
        ("t.json", '{"pipeline": 1}'),
        ("t.json", "{" * 10_000),
    ],
)
def test_bad_input_ends_with_2_and_no_traceback(project: Project, name: str, text: str) -> None:
    project.write(name, text)
    done = call("import", name)
    assert done.exit_code == 2
    assert f"Error: {name}" in done.output
    assert "Traceback" not in done.output


def test_a_pipeline_with_custom_actions_is_exported_with_a_word_on_them(project: Project) -> None:
    text = TEMPLATE.replace(
        "Build, Owner: AWS, Provider: CodeBuild", "Build, Owner: Custom, Provider: Own-x"
    )
    project.write("t.yaml", text)
    done = call("import", "t.yaml")
    assert "note: action Build/Make: its type Build/Custom/Own-x/1 is not known" in done.output
    assert call("validate", "pipeline.json").exit_code == 2
    exported = call("export", "pipeline.json")
    assert exported.exit_code == 0
    assert "action Build/Make runs here only: AWS CodePipeline does not know" in exported.stderr
    wrong = exported.stdout.replace('"runOrder": 1', '"runOrder": 0')
    project.write("wrong.json", wrong)
    assert call("export", "wrong.json").exit_code == 2
