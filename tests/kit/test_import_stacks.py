"""The stacks of a cdk.out are told apart, and only what a pipeline needs comes with it."""

import json
from pathlib import Path

import pytest

from pipelinekit.kit.importing import import_file
from pipelinekit.model.errors import PipelineKitError
from tests.kit.test_importing import TEMPLATE, write

BRANCHED = TEMPLATE.replace("!Ref Branch", "main")
UNNAMED = BRANCHED.replace("Name: shop, Source", "Source").replace("      Name: shop\n", "")
EVERYWHERE = "aws://111122223333/eu-west-1"


def assembly(folder: Path, environment: str = EVERYWHERE, **templates: str) -> Path:
    artifacts = {}
    for name, text in templates.items():
        write(folder, f"{name}.template.yaml", text)
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": f"{name}.template.yaml"},
        }
    write(folder, "manifest.json", json.dumps({"artifacts": artifacts}))
    return folder


def refused(folder: Path, pipeline: str | None = None) -> str:
    with pytest.raises(PipelineKitError) as error:
        import_file(folder, pipeline=pipeline)
    return str(error.value)


def test_a_stack_brings_its_own_projects_under_names_of_its_own(tmp_path: Path) -> None:
    named = BRANCHED.replace("Name: shop, Source", "Source")
    stacks = {each: named.replace("Name: shop", f"Name: {each}") for each in ("dev", "prod")}
    found = import_file(assembly(tmp_path, **stacks), pipeline="dev")
    assert list(found.projects) == ["dev-Build"]
    configuration = found.pipeline.stages[1].actions[0].configuration
    assert configuration == {"ProjectName": "dev-Build"}
    assert found.left == {"AWS::IAM::Role": ("Role",), "AWS::S3::Bucket": ("Bucket",)}


def test_pipelines_without_names_are_told_apart_by_their_stacks(tmp_path: Path) -> None:
    folder = assembly(tmp_path, dev=UNNAMED, prod=UNNAMED)
    assert "2 pipelines: dev-Shop (dev/Shop), prod-Shop (prod/Shop); name one" in refused(folder)
    assert "2 pipelines" in refused(folder, "Shop")
    for name in ("prod", "prod/Shop", "prod-Shop"):
        assert import_file(folder, pipeline=name).pipeline.name == "prod-Shop"


def test_two_stacks_of_one_name_have_that_of_the_manifest(tmp_path: Path) -> None:
    folder = assembly(tmp_path, dev=UNNAMED, prod=UNNAMED)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for each in manifest["artifacts"].values():
        each["properties"]["stackName"] = "shop"
    write(folder, "manifest.json", json.dumps(manifest))
    assert import_file(folder, pipeline="dev").pipeline.name == "dev-Shop"


def test_a_project_of_another_stack_comes_along_where_the_pipeline_names_it(
    tmp_path: Path,
) -> None:
    build, rest = UNNAMED.index("  Build:"), UNNAMED.index("  Shop:")
    main = UNNAMED[:build] + UNNAMED[rest:].replace("!Ref Build", "!ImportValue builds")
    other = UNNAMED[build:rest].replace("Build:", "Other:", 1)
    shared = f"Resources:\n{UNNAMED[build:rest]}{other}Outputs:\n  B: {{Value: !Ref Build, "
    shared += "Export: {Name: builds}}\n"
    found = import_file(assembly(tmp_path, shared=shared, main=main))
    assert list(found.projects) == ["shared-Build"]


ELSEWHERE = """
Parameters: {Open: {Type: String}}
Conditions:
  Unknown: !Equals [!Ref Open, x]
  Never: !Equals [a, b]
Resources:
  Bucket: {Type: 'AWS::S3::Bucket'}
Outputs:
  A: {Value: !Transform {Name: x}, Export: {Name: a}}
  B: {Value: x, Condition: Unknown, Export: {Name: b}}
  C: {Value: x, Condition: Never, Export: {Name: c}}
  D: {Value: known, Export: {Name: d}}
"""


@pytest.mark.parametrize(
    ("name", "bucket"),
    [("a", "UNRESOLVED-a"), ("b", "UNRESOLVED-b"), ("c", "UNRESOLVED-c"), ("d", "known")],
)
def test_outputs_that_nobody_can_tell_stop_nothing(tmp_path: Path, name: str, bucket: str) -> None:
    main = BRANCHED.replace("!Ref Bucket", f"!ImportValue {name}")
    found = import_file(assembly(tmp_path, other=ELSEWHERE, main=main))
    assert found.pipeline.artifact_store is not None
    assert found.pipeline.artifact_store.location == bucket


def test_a_value_that_another_environment_exports_is_not_taken(tmp_path: Path) -> None:
    main = BRANCHED.replace("!Ref Bucket", "!ImportValue d")
    folder = assembly(tmp_path, other=ELSEWHERE, main=main)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["artifacts"]["other"]["environment"] = "aws://444455556666/eu-west-1"
    write(folder, "manifest.json", json.dumps(manifest))
    assert "d" in [each.key for each in import_file(folder).placeholders]
