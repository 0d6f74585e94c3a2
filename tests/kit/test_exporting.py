"""What a CodeBuild project is at AWS comes through an import and an export, or is named."""

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape

import pipelinekit as pk
from pipelinekit.kit.exporting import Target, export_notes
from pipelinekit.kit.importing import import_file
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.settings import Compute, Project
from pipelinekit.wire.codebuild_members import FLAGS, OBJECTS, TERRAFORM, WHOLE
from tests.build import pipeline
from tests.kit.test_importing import TEMPLATE, write

PROPERTIES = """Name: shop
      Description: builds the shop
      ServiceRole: arn:aws:iam::111122223333:role/build
      Artifacts: {Type: CODEPIPELINE}
      Environment:
        Type: ARM_CONTAINER
        ComputeType: BUILD_GENERAL1_LARGE
        Image: aws/codebuild/amazonlinux2-aarch64-standard:3.0
        PrivilegedMode: true
        RegistryCredential: {Credential: login, CredentialProvider: SECRETS_MANAGER}
        EnvironmentVariables: [{Name: LEVEL, Value: info, Type: PLAINTEXT}]
      Source:
        Type: CODEPIPELINE
        BuildSpec: ci/build.yml
        GitSubmodulesConfig: {FetchSubmodules: false}
      Cache: {Type: S3, Location: bucket/cache}
      TimeoutInMinutes: 30
      QueuedTimeoutInMinutes: 60
      VpcConfig: {VpcId: vpc-1, Subnets: [subnet-1, subnet-2], SecurityGroupIds: [sg-1]}
      LogsConfig:
        CloudWatchLogs: {Status: ENABLED, GroupName: builds}
        S3Logs: {Status: ENABLED, Location: bucket/logs, EncryptionDisabled: true}
      BuildBatchConfig:
        {ServiceRole: arn:batch, CombineArtifacts: true, Restrictions: {MaximumBuildsAllowed: 3}}
      FileSystemLocations: [{Type: EFS, Identifier: a, Location: 'fs-1:/a', MountPoint: /a}]
      SecondarySources: [{Type: GITHUB, SourceIdentifier: more, Location: 'https://h/a/b.git'}]
      SecondarySourceVersions: [{SourceIdentifier: more, SourceVersion: main}]
      Visibility: PRIVATE
"""
FULL = TEMPLATE.replace(
    "{Name: shop, Source: {Type: CODEPIPELINE, BuildSpec: ci/build.yml}}", f"\n      {PROPERTIES}"
)
ONLY_AT_AWS = "      AutoRetryLimit: 2\n      Tags: [{Key: team, Value: shop}]\n"
GIVEN = {"Branch": "main", "Bucket": "b-1", "Role.Arn": "arn:aws:iam::111122223333:role/shop"}


def brought(folder: Path, text: str) -> pk.Imported:
    return import_file(write(folder, "t.yaml", text), GIVEN)


def notes(found: pk.Imported, to: Target) -> list[str]:
    return list(export_notes(found.pipeline, to, found.projects))


def notes_on(projects: dict[str, Project], to: Target) -> list[str]:
    told = export_notes(pipeline(), to, projects)
    return [note for note in told if note.startswith("project")]


@pytest.mark.parametrize(
    ("to", "name"), [(Target.CLOUDFORMATION, "again.yaml"), (Target.TERRAFORM, "main.tf")]
)
def test_all_that_a_project_is_comes_back(tmp_path: Path, to: Target, name: str) -> None:
    found = brought(tmp_path, FULL)
    assert found.projects["shop"].environment_type == "ARM_CONTAINER"
    text = pk.export(found.pipeline, to, found.projects)
    again = import_file(write(tmp_path, name, text))
    assert again.projects == found.projects
    assert again.pipeline == found.pipeline
    assert notes(found, to) == []


def test_what_terraform_has_no_words_for_is_named(tmp_path: Path) -> None:
    text = FULL.replace("      Visibility: PRIVATE\n", ONLY_AT_AWS)
    found = brought(tmp_path, text)
    assert notes(found, Target.CLOUDFORMATION) == []
    (note,) = notes(found, Target.TERRAFORM)
    assert "autoRetryLimit, tags left out, for which an export to terraform" in note
    written = pk.export(found.pipeline, "terraform", found.projects)
    assert "tags" not in written
    assert "retry" not in written


def test_the_tags_of_terraform_come_through(tmp_path: Path) -> None:
    found = brought(tmp_path, FULL)
    text = pk.export(found.pipeline, "terraform", found.projects)
    assert "privileged_mode = true" in text
    tagged = text.replace("  build_timeout", '  tags = { "my-team" = "shop" }\n  build_timeout')
    again = import_file(write(tmp_path, "main.tf", tagged))
    written = pk.export(again.pipeline, "cloudformation", again.projects)
    assert "- Key: my-team\n        Value: shop" in written


def test_what_the_settings_leave_open_is_assumed_and_named(tmp_path: Path) -> None:
    projects = {"shop": Project(compute=Compute(image="python:3.12"), cache=("a",))}
    cache, note = notes_on(projects, Target.TERRAFORM)
    assert "its cache is left out" in cache
    assert "environment.type, environment.computeType, serviceRole assumed" in note
    text = pk.export(pipeline(), "cloudformation", projects)
    assert "Image: python:3.12" in text
    again = import_file(write(tmp_path, "t.yaml", text))
    assert notes_on(dict(again.projects), Target.CLOUDFORMATION) == []


def test_what_is_imported_goes_through_the_settings_of_a_folder(tmp_path: Path) -> None:
    found = brought(tmp_path, FULL)
    found.save(tmp_path / "ci")
    assert load_settings(tmp_path / "ci").projects == found.projects
    write(tmp_path, "ci/pipelinekit.toml", '[codebuild.shop]\nenvironment_type = "LINUX_EC2"\n')
    project = load_settings(tmp_path / "ci").projects["shop"]
    assert project.environment_type == "LINUX_EC2"
    assert project.rest == found.projects["shop"].rest


def test_a_placeholder_in_a_project_is_named(tmp_path: Path) -> None:
    text = FULL.replace("arn:aws:iam::111122223333:role/build", "!GetAtt Build2.Arn")
    text += "  Build2: {Type: 'AWS::IAM::Role'}\n"
    (note,) = notes(brought(tmp_path, text), Target.CLOUDFORMATION)
    assert note == "placeholders are still there: UNRESOLVED-Build2-Arn"


def test_what_an_account_prints_is_written_without_what_aws_adds(tmp_path: Path) -> None:
    printed = {
        "name": "shop",
        "arn": "arn:aws:codebuild:us-east-1:111122223333:project/shop",
        "created": "2024-01-31T10:00:00+01:00",
        "environment": {"type": "LINUX_CONTAINER", "image": "x", "computeType": "y"},
        "serviceRole": "arn:role",
        "badge": {"badgeEnabled": True, "badgeRequestUrl": "https://h"},
        "webhook": {"url": "https://h"},
        "projectVisibility": "PRIVATE",
        "vpcConfig": {},
    }
    write(tmp_path, "codebuild.json", json.dumps({"projects": [printed]}))
    projects = load_settings(tmp_path).projects
    text = pk.export(pipeline(), "cloudformation", projects)
    assert "BadgeEnabled: true" in text
    assert "Visibility: PRIVATE" in text
    assert not any(word in text for word in ("Created", "https://h", "VpcConfig", "project/shop"))
    (note,) = notes_on(dict(projects), Target.CLOUDFORMATION)
    assert "project shop: webhook left out, for which an export to cloudformation" in note


def test_the_kinds_of_the_members_are_those_of_the_service() -> None:
    model = botocore.session.get_session().get_service_model("codebuild")
    kinds: dict[str, set[str]] = {}
    walk(model.shape_for("Project"), kinds)
    members = {name for names in kinds.values() for name in names}
    assert kinds["boolean"] - {"excludeMatchedPattern", "manualCreation"} <= FLAGS
    assert kinds["integer"] <= WHOLE
    assert members >= OBJECTS - {"cloudwatchLogs"}
    assert TERRAFORM.known is not None
    assert members >= TERRAFORM.known


def walk(shape: Shape, kinds: dict[str, set[str]]) -> None:
    if isinstance(shape, ListShape):
        walk(shape.member, kinds)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            kinds.setdefault(member.type_name, set()).add(name)
            walk(member, kinds)
