"""Blocks of Terraform that are made several times: dynamic ones, `for_each` and `count`."""

import pytest

from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire import codepipeline
from tests.wire.test_terraform import PIPELINE, read

DYNAMIC = """
variable "stages" {
  default = [{ name = "Build", jobs = ["unit", "lint"] }]
}
resource "aws_codepipeline" "this" {
  for_each = toset(["blue", "green"])
  name     = "shop-${each.value}"
  role_arn = "arn:aws:iam::111122223333:role/shop"
  tags     = { team = "shop" }
  dynamic "artifact_store" {
    for_each = { us-east-1 = "one", eu-west-1 = "two" }
    iterator = store
    content {
      type     = "S3"
      location = store.value
      region   = store.key
    }
  }
  dynamic "stage" {
    for_each = var.stages
    content {
      name = stage.value.name
      dynamic "action" {
        for_each = stage.value.jobs
        content {
          name      = "${stage.key}-${action.value}"
          category  = "Build"
          owner     = "AWS"
          provider  = "CodeBuild"
          version   = "1"
          run_order = action.key + 1
          configuration = { ProjectName = action.value, PrimarySource = null }
        }
      }
    }
  }
}
"""


def test_dynamic_blocks_and_instances_are_expanded() -> None:
    found = read(DYNAMIC)
    assert [(each.id, each.name) for each in found.pipelines] == [
        ('aws_codepipeline.this["blue"]', "shop-blue"),
        ('aws_codepipeline.this["green"]', "shop-green"),
    ]
    pipeline = codepipeline.read(found.pipelines[0].source.data)
    (stage,) = pipeline.stages
    assert [(each.name, each.run_order) for each in stage.actions] == [
        ("0-unit", 1),
        ("0-lint", 2),
    ]
    assert stage.actions[0].configuration == {"ProjectName": "unit"}
    assert {region: store.location for region, store in pipeline.artifact_stores.items()} == {
        "us-east-1": "one",
        "eu-west-1": "two",
    }
    assert "tags" in found.pipelines[0].notes[0]


def test_one_of_several_stores_without_a_region_is_refused() -> None:
    with pytest.raises(DocumentError, match="found no key region"):
        read(
            DYNAMIC.replace(
                "region   = store.key", 'region = store.key == "us-east-1" ? "x" : null'
            )
        )


def test_a_dynamic_block_over_something_unknown_is_refused() -> None:
    text = DYNAMIC.replace("for_each = var.stages", "for_each = var.others")
    with pytest.raises(DocumentError) as refused:
        read(text)
    assert "line 20: found dynamic stage over others" in str(refused.value)
    assert "give --parameter 'others=VALUE'" in str(refused.value)


def test_a_project_that_depends_on_something_unknown_is_told_of() -> None:
    text = 'resource "aws_codebuild_project" "x" {\n  for_each = var.all\n  name = "x"\n}\n'
    found = read(text)
    assert "aws_codebuild_project.x is not brought along" in found.notes[0]


@pytest.mark.parametrize(
    "variable",
    [
        'default = { prod = "p", dev = "d" }',
        'type = set(string)\n default = ["prod", "dev"]',
        'type = map(any)\n default = { prod = "p", dev = "d" }',
    ],
)
def test_maps_and_sets_are_gone_through_by_their_keys(variable: str) -> None:
    text = DYNAMIC.replace('default = [{ name = "Build", jobs = ["unit", "lint"] }]', variable)
    text = text.replace("stage.value.name", "stage.key").replace("stage.value.jobs", '["unit"]')
    pipeline = codepipeline.read(read(text).pipelines[0].source.data)
    assert [each.name for each in pipeline.stages] == ["dev", "prod"]


@pytest.mark.parametrize(
    ("count", "given", "found"),
    [
        ("var.f ? 1 : 0", "true", 1),
        ("var.f ? 1 : 0", "false", 0),
        ("var.f", "2", 2),
        ("4 / 2", "", 2),
    ],
)
def test_a_resource_is_made_as_often_as_it_is_counted(count: str, given: str, found: int) -> None:
    text = 'variable "f" {}\n' + PIPELINE.replace("  name ", f"  count = {count}\n  name ", 1)
    assert len(read(text.replace("VALUE", '"x"'), f=given).pipelines) == found


@pytest.mark.parametrize("count", ["true", "1.5", "-1", '"x"', "null"])
def test_what_counts_nothing_is_refused(count: str) -> None:
    text = PIPELINE.replace("  name ", f"  count = {count}\n  name ", 1).replace("VALUE", '"x"')
    with pytest.raises(DocumentError, match="line 3: found"):
        read(text)
