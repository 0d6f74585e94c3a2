"""Pipelines are brought from files and folders of others, or refused in a sentence."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.kit.ability import obstacle
from pipelinekit.kit.files import read_definition
from pipelinekit.kit.importing import import_file
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.action import Action, ActionTypeId, Category, Owner
from pipelinekit.model.errors import DefinitionError, PipelineKitError, ValidationError
from pipelinekit.model.settings import Project, Settings
from pipelinekit.wire import codepipeline
from tests.build import build, deploy, full, pipeline, source
from tests.wire.test_template_round_trips import BUILDSPEC, in_terraform

TEMPLATE = """
Parameters:
  Branch: {Type: String}
Resources:
  Build:
    Type: AWS::CodeBuild::Project
    Properties: {Name: shop, Source: {Type: CODEPIPELINE, BuildSpec: ci/build.yml}}
  Shop:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: shop
      RoleArn: !GetAtt Role.Arn
      ArtifactStore: {Type: S3, Location: !Ref Bucket}
      Stages:
        - Name: Source
          Actions:
            - Name: Get
              ActionTypeId: {Category: Source, Owner: AWS, Provider: CodeCommit, Version: 1}
              Configuration: {RepositoryName: shop, BranchName: !Ref Branch}
              OutputArtifacts: [{Name: code}]
        - Name: Build
          Actions:
            - Name: Make
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: 1}
              Configuration: {ProjectName: !Ref Build}
              InputArtifacts: [{Name: code}]
  Role: {Type: 'AWS::IAM::Role', Properties: {}}
  Bucket: {Type: 'AWS::S3::Bucket', Properties: {}}
"""


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def refused(path: Path, **given: str) -> str:
    with pytest.raises(PipelineKitError) as error:
        import_file(path, given)
    return str(error.value)


def test_a_template_comes_with_its_project_and_its_placeholders(tmp_path: Path) -> None:
    found = pk.import_file(write(tmp_path, "t.yaml", TEMPLATE))
    rest = {"source": {"type": "CODEPIPELINE"}}
    assert found.projects == {"shop": Project(buildspec="ci/build.yml", rest=rest)}
    assert [(each.place, each.key, each.line) for each in found.placeholders] == [
        ("roleArn", "Role.Arn", 12),
        ("artifactStore.location", "Bucket", 13),
        ("stages[0].actions[0].configuration.BranchName", "Branch", 19),
    ]
    assert found.left == {"AWS::IAM::Role": ("Role",), "AWS::S3::Bucket": ("Bucket",)}
    told = import_file(tmp_path / "t.yaml", {"Branch": "main", "Bucket": "b-1", "Role.Arn": ROLE})
    assert told.placeholders == ()
    assert told.pipeline.role_arn == ROLE


ROLE = "arn:aws:iam::111122223333:role/shop"


def test_what_is_saved_is_read_here_and_names_its_placeholders(tmp_path: Path) -> None:
    found = import_file(write(tmp_path, "t.yaml", TEMPLATE))
    out = tmp_path / "out"
    assert [each.name for each in found.save(out)] == ["pipeline.json", "codebuild.yaml"]
    written = read_definition(out / "pipeline.json")
    assert written.checked() == found.pipeline
    assert [each.text for each in written.placeholders] == [
        "UNRESOLVED-Role-Arn",
        "UNRESOLVED-Bucket",
        "UNRESOLVED-Branch",
    ]
    assert load_settings(out).projects == found.projects
    with pytest.raises(ValidationError, match=r"pipeline.json, codebuild.yaml .* already"):
        found.save(out)
    found.save(out, force=True)


def test_an_action_with_a_placeholder_does_not_run(tmp_path: Path) -> None:
    found = import_file(write(tmp_path, "t.yaml", TEMPLATE))
    get, make = (stage.actions[0] for stage in found.pipeline.stages)
    assert "its BranchName holds UNRESOLVED-Branch" in str(obstacle(get, Settings()))
    assert "UNRESOLVED" not in str(obstacle(make, Settings()))


def test_the_report_tells_of_every_action_and_rule() -> None:
    ecs = ActionTypeId(Category.DEPLOY, Owner.AWS, "ECS")
    own = ActionTypeId(Category.DEPLOY, Owner.CUSTOM, "Mine")
    shop = pipeline(
        full().stages[0],
        full().stages[2],
        pk.Stage("Live", actions=(deploy(name="Group"), Action("Ecs", ecs), Action("Own", own))),
    )
    told = {each.place: each for each in pk.fidelity(shop)}
    assert told["rule Test/OnMain"].fidelity is pk.Fidelity.HERE
    assert told["action Live/Group"].fidelity is pk.Fidelity.ONCE_CONFIGURED
    assert told["action Live/Ecs"].fidelity is pk.Fidelity.NEEDS_AWS
    assert "aws ecs update-service" in told["action Live/Ecs"].why
    assert told["action Live/Own"].fidelity is pk.Fidelity.NOT_SUPPORTED
    assert "nothing here carries out Deploy/Custom/Mine/1" in told["action Live/Own"].why


def test_a_custom_action_type_is_no_reason_to_refuse(tmp_path: Path) -> None:
    own = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Elsewhere")
    shop = pipeline(
        pk.Stage("Source", source()), pk.Stage("Build", replace(build(), type=own, outputs=()))
    )
    file = write(tmp_path, "p.json", codepipeline.text(shop))
    assert import_file(file).pipeline == shop


def test_a_masked_secret_becomes_a_placeholder(tmp_path: Path) -> None:
    github = ActionTypeId(Category.SOURCE, Owner.THIRD_PARTY, "GitHub")
    keys = {"Owner": "me", "Repo": "shop", "Branch": "main", "OAuthToken": "****"}
    get = replace(source(), type=github, configuration=keys, namespace=None)
    shop = pipeline(pk.Stage("Source", get), *pipeline().stages[1:])
    file = write(tmp_path, "p.json", codepipeline.text(shop))
    found = import_file(file)
    (left,) = found.placeholders
    assert (left.key, left.why) == ("Source.Fetch.OAuthToken", "CodePipeline masks it")
    told = import_file(file, {left.key: "token"})
    assert told.placeholders == ()
    assert told.pipeline.stages[0].actions[0].configuration["OAuthToken"] == "token"


def test_a_dynamic_reference_is_kept_and_named(tmp_path: Path) -> None:
    reference = "{{resolve:secretsmanager:shop:SecretString:token}}"
    text = TEMPLATE.replace("!Ref Branch", f"'{reference}'")
    found = import_file(write(tmp_path, "t.yaml", text))
    configuration = found.pipeline.stages[0].actions[0].configuration
    assert configuration["BranchName"] == reference
    assert found.placeholders[-1].key == reference


# ------------------------------------------------------------------ kinds of files and folders


def test_a_folder_of_terraform_is_read_with_its_values(tmp_path: Path) -> None:
    text = pk.export(pipeline(), "terraform").replace('"main"', "var.branch")
    write(tmp_path, "main.tf", text)
    write(tmp_path, "variables.tf", 'variable "branch" {}\n')
    write(tmp_path, "terraform.tfvars", 'branch = "main"\n')
    assert import_file(tmp_path).pipeline == pipeline()
    alone = import_file(tmp_path / "main.tf")
    assert [each.key for each in alone.placeholders] == ["branch"]


def test_each_file_of_values_counts_also_for_a_folder_with_one_file(tmp_path: Path) -> None:
    text = pk.export(pipeline(), "terraform").replace('"main"', "var.branch")
    write(tmp_path, "main.tf", text + 'variable "branch" {}\n')
    for name, value in (
        ("terraform.tfvars", 'branch = "{}"\n'),
        ("terraform.tfvars.json", '{{"branch": "{}"}}'),
        ("a.auto.tfvars.json", '{{"branch": "{}"}}'),
        ("b.auto.tfvars", 'branch = "{}"\n'),
    ):
        write(tmp_path, name, value.format(name))
        found = import_file(tmp_path)
        assert found.pipeline.stages[0].actions[0].configuration["BranchName"] == name
        assert found.placeholders == ()
    told = import_file(tmp_path, {"branch": "told"})
    assert told.pipeline.stages[0].actions[0].configuration["BranchName"] == "told"
    write(tmp_path, "c.auto.tfvars.json", "{")
    assert "c.auto.tfvars.json, line 1" in refused(tmp_path)


PROJECT = """
resource "aws_codebuild_project" "x" {
  name = "x"
  source {
    type      = "GITHUB"
    buildspec = file("FILE")
  }
}
"""


def test_files_that_terraform_names_are_those_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    secret = write(tmp_path, "secret.yml", "secret")
    write(tmp_path, "repository/spec.yml", BUILDSPEC)
    text = pk.export(pipeline(), "terraform")
    for name, key in (("../spec.yml", None), ("../../secret.yml", "x"), (str(secret), "x")):
        project = PROJECT.replace("FILE", name)
        file = write(tmp_path, "repository/infra/main.tf", text + project)
        found = import_file(file)
        assert (found.projects["x"].buildspec == BUILDSPEC) is (key is None)
        assert "secret\n" not in str(found.projects)
        assert bool(found.placeholders) is (key is not None)


def assembly(folder: Path) -> Path:
    shared = 'Resources: {Bucket: {Type: "AWS::S3::Bucket", Properties: {BucketName: kept}}}'
    shared += '\nOutputs: {B: {Value: {Ref: Bucket}, Export: {Name: "Shared:Bucket"}}}'
    main = TEMPLATE.replace("!Ref Bucket", "!ImportValue 'Shared:Bucket'")
    stacks = {
        "Shared": {"templateFile": "Shared.template.yaml"},
        "Main": {"templateFile": "Main.template.yaml", "parameters": {"Branch": "main"}},
    }
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-west-1",
            "properties": properties,
        }
        for name, properties in stacks.items()
    }
    inner = {"Stage": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "inner"}}}
    write(folder, "inner/Shared.template.yaml", shared)
    write(folder, "inner/Main.template.yaml", main)
    write(folder, "inner/manifest.json", json.dumps({"artifacts": artifacts}))
    write(folder, "manifest.json", json.dumps({"version": "36", "artifacts": inner}))
    return folder


def test_an_assembly_of_the_cdk_is_read_across_its_stacks(tmp_path: Path) -> None:
    found = import_file(assembly(tmp_path / "cdk.out"))
    assert found.pipeline.artifact_store is not None
    assert found.pipeline.artifact_store.location == "kept"
    assert found.pipeline.stages[0].actions[0].configuration["BranchName"] == "main"
    assert [each.key for each in found.placeholders] == ["Role.Arn"]


def test_one_of_several_pipelines_is_named(tmp_path: Path) -> None:
    two = TEMPLATE + TEMPLATE[TEMPLATE.index("  Shop:") : TEMPLATE.index("  Role:")].replace(
        "Shop:", "Other:"
    ).replace("Name: shop\n", "Name: other\n")
    file = write(tmp_path, "t.yaml", two)
    assert "found 2 pipelines: shop (Shop), other (Other)" in refused(file)
    assert import_file(file, pipeline="Other").pipeline.name == "other"
    assert import_file(file, pipeline="shop").pipeline.name == "shop"
    with pytest.raises(ValidationError, match="name one of them with --pipeline"):
        import_file(file, pipeline="third")


PROVIDER = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""
KEPT = {
    "queuedTimeoutInMinutes": 30,
    "vpcConfig": {"vpcId": "vpc-1", "subnets": ["s-1"], "securityGroupIds": ["g-1"]},
    "cache": {"type": "S3", "location": "bucket/cache"},
    "secondarySourceVersions": [{"sourceIdentifier": "more", "sourceVersion": "main"}],
}
MIRRORS = [
    *(Path(os.environ[name]) for name in ("TF_PLUGINS",) if name in os.environ),
    Path.home() / ".terraform.d" / "plugins",
    *Path("/opt").glob("*plugins*"),
]
"""Where providers may lie on a machine."""


@pytest.mark.slow
def test_terraform_itself_plans_what_is_exported_and_its_plan_comes_back_equal(
    tmp_path: Path,
) -> None:
    aws = Path("registry.terraform.io", "hashicorp", "aws")
    plugins = next((each for each in MIRRORS if (each / aws).exists()), None)
    if plugins is None or shutil.which("terraform") is None:
        pytest.skip("Terraform and its AWS provider are not on this machine")
    shop = replace(in_terraform(full()), version=1)
    source_stage, _, *others = shop.stages
    shop = replace(shop, stages=(source_stage, pk.Stage("Build", build()), *others))
    odd = Project(
        buildspec=BUILDSPEC,
        timeout_minutes=7,
        environment_type="ARM_CONTAINER",
        rest=KEPT,
        environment={"A": '$${x} ${y} %{ "q" \\n'},
    )
    projects = {"shop": odd}
    write(tmp_path, "provider.tf", PROVIDER)
    written = write(tmp_path, "main.tf", pk.export(shop, "terraform", projects))
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1"}

    def terraform(*arguments: str) -> str:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    terraform("init", "-input=false", f"-plugin-dir={plugins}")
    assert terraform("fmt", "-diff", "-check", "main.tf") == ""
    terraform("plan", "-input=false", "-out=made")
    shown = write(tmp_path, "plan.json", terraform("show", "-json", "made"))
    assert import_file(shown).pipeline == shop
    planned, asked = (import_file(each).projects["shop"] for each in (shown, written))
    assert replace(planned, rest={}) == replace(asked, rest={})  # a plan tells defaults, too
    assert planned.rest.items() >= {key: asked.rest[key] for key in KEPT}.items()


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("t.yaml", "Resources:\n  A: [1\n", "line 3: found YAML that cannot be read"),
        ("t.yaml", "Resources: 7\n", "line 1: found the number 7 at Resources"),
        ("t.yaml", "Resources: {A: {Properties: {}}}\n", "line 1: found no key Type"),
        ("t.yaml", "Resources: {}\n", "found no pipeline"),
        ("t.yaml", "", "found no pipeline"),
        ("t.json", "[]", "found no pipeline"),
        ("t.json", '{"stages": 1}', "name: it is missing"),
        ("t.json", "{" * 100000, "line 1: found more than 64 levels of nesting"),
        ("t.yaml", "[" * 100000, "line 1: found"),
        ("t.tf", "[" * 100000, "line 1: found"),
        ("t.tf", 'resource "aws_codepipeline" "x" {\n', "line 2: found something that is not"),
        ("t.tf", "", "found no pipeline"),
        ("t.py", "", "found a definition in Python"),
        ("t.json", '{"lineage": "x", "resources": []}', "found Terraform's state file"),
        ("t.yaml", "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(
            f"{chr(n + 1)}: &{chr(n + 1)} [*{chr(n)}, *{chr(n)}, *{chr(n)}, *{chr(n)}]\n"
            for n in range(98, 120)
        ), "found more than 100 aliases"),
        ("t.yaml", "a: 1\n---\nb: 1\n", "line 2: found a second document"),
        ("t.yaml", "Resources:\n  P:\n    Type: AWS::CodePipeline::Pipeline\n    Properties: x\n",
         "line 4: found the text"),
        ("manifest.json", "{}", "found no pipeline"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str, found: str
) -> None:
    told = refused(write(tmp_path, name, text))
    assert found in told
    assert str(tmp_path / name) in told


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "no file that can be opened" in refused(tmp_path / "nowhere.yaml")
    assert "a folder without manifest.json or .tf files" in refused(tmp_path)
    (tmp_path / "t.yaml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refused(tmp_path / "t.yaml")


def test_terraform_without_its_parser_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hcl2.api", None)
    told = refused(write(tmp_path, "t.tf", pk.export(pipeline(), "terraform")))
    assert "pip install 'pipelinekit[terraform]'" in told


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    stack = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "../t.yaml"}}
    write(tmp_path, "t.yaml", TEMPLATE)
    write(tmp_path, "out/manifest.json", json.dumps({"artifacts": {"A": stack}}))
    assert "name something in the folder of the assembly" in refused(tmp_path / "out")


def test_a_parameter_that_nothing_asks_for_is_refused(tmp_path: Path) -> None:
    told = refused(write(tmp_path, "t.yaml", TEMPLATE), Brnach="main")
    assert "a value was given for Brnach, and nothing" in told


def test_the_faults_of_an_imported_pipeline_bear_its_lines(tmp_path: Path) -> None:
    text = TEMPLATE.replace("InputArtifacts: [{Name: code}]", "InputArtifacts: [{Name: kode}]")
    with pytest.raises(DefinitionError) as error:
        import_file(write(tmp_path, "t.yaml", text))
    assert error.value.faults[0].line == 26
