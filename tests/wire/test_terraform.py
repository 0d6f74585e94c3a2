"""Terraform's language: what its expressions come to, and what is refused with its line."""

import json

import pytest

from pipelinekit.tools.documents.document import DocumentError, parse
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.templates.assembly import Assembly
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import Module, given_values
from pipelinekit.wire.templates.terraform_state import read_shown

HEAD = """
variable "name" { default = "shop" }
variable "open" {}
variable "stages" {
  type    = list(string)
  default = ["dev", "prod"]
}
variable "by_name" { default = { a = { x = 1 }, b = { x = 2 } } }
locals {
  prefix = "${var.name}-x"
  one    = local.two
  two    = local.one
}
resource "aws_s3_bucket" "named" { bucket = "${local.prefix}-bucket" }
resource "aws_s3_bucket" "open" {}
resource "aws_s3_bucket" "each" {
  for_each = toset(var.stages)
  bucket   = "bucket-${each.key}"
}
"""
PIPELINE = """
resource "aws_codepipeline" "this" {
  name     = "shop"
  role_arn = "arn:aws:iam::111122223333:role/shop"
  artifact_store {
    type     = "S3"
    location = "artifacts"
  }
  stage {
    name = "Source"
    action {
      name             = "Get"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeCommit"
      version          = 1
      output_artifacts = ["code"]
      configuration = {
        BranchName = VALUE
      }
    }
  }
}
"""
FILES = {"./spec.yml": "version: 0.2\n", "./t.tpl": "a ${name} $${b}\n"}


def read(text: str, **known: str) -> Assembly:
    module = Module([Source("main.tf", text)], Gaps(known), FILES.get)
    return read_module(module, "main.tf")


def resolved(value: str, **known: str) -> str:
    (found,) = read(HEAD + PIPELINE.replace("VALUE", value), **known).pipelines
    configuration = codepipeline.read(found.source.data).stages[0].actions[0].configuration
    return configuration.get("BranchName", "nothing")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ('"a"', "a"),
        ("var.name", "shop"),
        ('"${var.name}-${1 + 2 * 3}"', "shop-7"),
        ("local.prefix", "shop-x"),
        ("null", "nothing"),
        ("true", "true"),
        ("1.5", "1.5"),
        ("-3", "-3"),
        ('var.name == "shop" ? "yes" : "no"', "yes"),
        ('!(1 < 2) || false ? "yes" : "no"', "no"),
        ("var.stages[1]", "prod"),
        ("var.by_name.b.x", "2"),
        ('var.by_name["a"].x', "1"),
        ('join(",", [for s in var.stages : upper(s) if s != "dev"])', "PROD"),
        ('join(",", [for k, v in var.by_name : "${k}=${v.x}"])', "a=1,b=2"),
        ("jsonencode({ for k, v in var.by_name : k => v.x })", '{"a":1,"b":2}'),
        ('join(",", values(var.by_name)[*].x)', "1,2"),
        ('try(var.by_name.c, "none")', "none"),
        ('lookup(var.by_name, "c", "none")', "none"),
        ('can(var.by_name.c) ? "yes" : "no"', "no"),
        ('format("%s-%03d%%", var.name, 7)', "shop-007%"),
        ('merge({ a = "1" }, { a = "2" }).a', "2"),
        ('length(concat(var.stages, ["x"]))', "3"),
        ('element(split("/", "a/b"), 1)', "b"),
        ('replace(lower("A_B"), "_", "-")', "a-b"),
        ('substr("abcdef", 1, -1)', "bcdef"),
        ("min([3, 1]...)", "1"),
        ("aws_s3_bucket.named.bucket", "shop-x-bucket"),
        ("aws_s3_bucket.named.id", "shop-x-bucket"),
        ('aws_s3_bucket.each["dev"].bucket', "bucket-dev"),
        ('"\\u0024{x} $${y} \\"q\\" \\n"', '${x} ${y} "q" \n'),
        ("<<-EOT\n    a ${var.name}\n      b\n    EOT\n", "a shop\n  b\n"),
        ("<<EOT\n  a $${b}\nEOT\n", "  a ${b}\n"),
        ('file("${path.module}/spec.yml")', "version: 0.2\n"),
        ('templatefile("./t.tpl", { name = var.name })', "a shop ${b}\n"),
        ("terraform.workspace", "default"),
    ],
)
def test_an_expression_comes_to_what_terraform_makes_of_it(value: str, found: str) -> None:
    assert resolved(value) == found


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("var.open", "open"),
        ("var.nowhere", "nowhere"),
        ("var.open.name", "open.name"),
        ('"a-${var.open}-b"', "open"),
        ("local.nowhere", "local.nowhere"),
        ("aws_s3_bucket.open.arn", "aws_s3_bucket.open.arn"),
        (
            "data.aws_caller_identity.current.account_id",
            "data.aws_caller_identity.current.account_id",
        ),
        ("module.other.name", "module.other.name"),
        ('var.open == "x" ? "a" : "b"', "open"),
        ("upper(var.open)", "open"),
        ('file("nowhere.yml")', "file(nowhere.yml)"),
        ("timestamp()", "timestamp()"),
        ("jsonencode([var.open])", "open"),
    ],
)
def test_what_is_not_known_is_a_placeholder(value: str, key: str) -> None:
    gaps = Gaps()
    text = HEAD + PIPELINE.replace("VALUE", value)
    (found,) = read_module(Module([Source("main.tf", text)], gaps, FILES.get), "main.tf").pipelines
    text = codepipeline.read(found.source.data).stages[0].actions[0].configuration["BranchName"]
    assert [gap.key for gap in gaps.explain(text)] == [key]


def test_values_are_given_as_terraform_writes_them() -> None:
    assert resolved("var.open", open="told") == "told"
    assert resolved("var.stages[0]", stages='["x", "y"]') == "x"
    assert resolved("var.nowhere.a", nowhere='{ a = "b" }') == "b"
    assert resolved("aws_s3_bucket.open.arn", **{"aws_s3_bucket.open.arn": "told"}) == "told"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("var.stages[9]", "line 38: found no 9 in a value"),
        ("local.one", "a circle: local.one -> local.two -> local.one"),
        ('"a${var.stages}"', "a template with a value that is no text"),
        ("1 / 0", "line 38: found a division by zero"),
        ('1 + "a"', "found 'a' where a number is expected"),
        ("try(var.stages[9])", "line 38: found a call of try"),
        ("split(1)", "line 38: found a call of split with values that do not fit"),
        ("file()", "line 38: found a call of file without a path"),
        ("join()", "line 38: found a call of join with values that do not fit"),
        ("[for x in 3 : x]", "a loop over something that is no list"),
        ("", "line 38: found something that is not Terraform's language"),
        ("[" * 90 + "]" * 90, "line 38: found more than 64 levels of nesting"),
    ],
)
def test_what_terraform_would_refuse_is_refused_with_its_line(value: str, found: str) -> None:
    with pytest.raises(DocumentError) as refused:
        resolved(value)
    assert found in str(refused.value)


def test_values_that_grow_without_end_are_stopped() -> None:
    twice = "\n".join(f'  v{n} = "${{local.v{n - 1}}}${{local.v{n - 1}}}"' for n in range(1, 12))
    text = f'locals {{\n  v0 = "{"x" * 1000}"\n{twice}\n}}\n'
    with pytest.raises(DocumentError, match="more than 1048576 characters"):
        read(text + PIPELINE.replace("VALUE", "local.v11"))
    chain = "\n".join(f"  v{n} = local.v{n - 1}" for n in range(1, 400))
    with pytest.raises(DocumentError, match="expressions that are too large"):
        read(f'locals {{\n  v0 = "x"\n{chain}\n}}\n' + PIPELINE.replace("VALUE", "local.v399"))


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


PROJECT = """
resource "aws_codebuild_project" "shop" {
  name          = "shop"
  build_timeout = 20
  service_role  = aws_iam_role.builder.arn
  artifacts { type = "CODEPIPELINE" }
  environment {
    compute_type = "BUILD_GENERAL1_SMALL"
    image        = "python:3.12"
    type         = "LINUX_CONTAINER"
    environment_variable {
      name  = "LEVEL"
      value = 3
    }
    environment_variable {
      name  = "KEY"
      value = "/shop/key"
      type  = "PARAMETER_STORE"
    }
  }
  source {
    type      = "CODEPIPELINE"
    buildspec = file("./spec.yml")
  }
}
resource "aws_codepipeline_webhook" "hook" {
  name            = "hook"
  authentication  = "GITHUB_HMAC"
  target_action   = "Get"
  target_pipeline = "shop"
  authentication_configuration { secret_token = "abc" }
  filter {
    json_path    = "$.ref"
    match_equals = "refs/heads/{Branch}"
  }
}
resource "aws_iam_role" "builder" { name = "builder" }
module "network" { source = "./network" }
"""


def test_projects_and_webhooks_come_along() -> None:
    found = read(PROJECT)
    project = read_projects(found.projects)["shop"]
    assert (project.buildspec, project.timeout_minutes) == ("version: 0.2\n", 20)
    assert (project.environment, project.parameters) == ({"LEVEL": "3"}, {"KEY": "/shop/key"})
    assert tuple(each.data for each in found.webhooks) == (
        {
            "name": "hook",
            "authentication": "GITHUB_HMAC",
            "targetAction": "Get",
            "targetPipeline": "shop",
            "authenticationConfiguration": {"SecretToken": "abc"},
            "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/heads/{Branch}"}],
        },
    )
    assert found.left == {"aws_iam_role": ("builder",), "module": ("network",)}


def test_tfvars_are_values_of_variables() -> None:
    given = given_values(Source("x.tfvars", 'open = "told"\nstages = ["x"]\nflag = true\n'))
    assert given == {"open": "told", "stages": '["x"]', "flag": "true"}


def test_an_attribute_twice_is_refused() -> None:
    with pytest.raises(DocumentError, match="line 3: found the attribute name a second time"):
        read('resource "aws_codepipeline" "x" {\n  name = "a"\n  name = "b"\n}\n')


def shown(**more: object) -> str:
    action = {
        "name": "Get", "category": "Source", "owner": "AWS", "provider": "CodeCommit",
        "version": "1", "configuration": {"BranchName": "main"}, "run_order": 1,
        "output_artifacts": ["code"], "input_artifacts": [], "namespace": "", "region": "",
    }  # fmt: skip
    values = {"name": "shop", "stage": [{"name": "Source", "action": [action]}], "tags": None}
    resource = {
        "address": "module.x.aws_codepipeline.this",
        "mode": "managed",
        "type": "aws_codepipeline",
        "name": "this",
        "values": values,
    }
    root = {"root_module": {"child_modules": [{"resources": [resource]}]}}
    return json.dumps({"terraform_version": "1.11.4", "values": root, **more})


def test_what_terraform_shows_is_read_with_the_resources_of_modules() -> None:
    unknown = {"role_arn": True, "arn": True, "stage": [{"action": [{"region": True}]}]}
    change = {"address": "module.x.aws_codepipeline.this", "change": {"after_unknown": unknown}}
    gaps = Gaps()
    found = read_shown(parse(shown(resource_changes=[change]), "plan.json"), gaps)
    pipeline = codepipeline.read(found.pipelines[0].source.data)
    assert pipeline.role_arn.startswith("arn:aws:iam::000000000000:role/UNRESOLVED-")
    (gap,) = gaps.explain(pipeline.role_arn)
    assert gap.key == "module.x.aws_codepipeline.this.role_arn"
    assert pipeline.stages[0].actions[0].region is None


def test_a_state_file_itself_is_refused() -> None:
    with pytest.raises(DocumentError, match="give what `terraform show -json` prints"):
        read_shown(parse('{"lineage": "x", "resources": []}', "x.json"), Gaps())
