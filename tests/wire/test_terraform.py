"""Terraform's language: what its expressions come to, and what is refused with its line."""

import pytest

from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects
from pipelinekit.wire.templates.assembly import Assembly, choose
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import Module

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
AS_GO_DOES = '1.2|   ab|c  |007|"q"|ff'
BEYOND = (
    *("/(?=a)b/", "/(a+)+b/", "/a++/", "/[[:alpha:]]/", "/x*/", "/(a/", "/[a--b]/", "/[z-a]/"),
    *("/(a)\\\\1/", f"/{'a*' * 24}b/", f"/{'(a|a)' * 30}b/", f"/{'a?' * 30}b/"),
)
"""Expressions that Python takes otherwise than Go, or that take it too long."""
FILES = {"./spec.yml": "version: 0.2\n", "./t.tpl": "a ${name} $${b}\n"}


def read_all(text: str, **known: str) -> Assembly:
    module = Module([Source("main.tf", text)], Gaps(known), FILES.get)
    return read_module(module, "main.tf")


def read(text: str, **known: str) -> Assembly:
    """Read a text of which every pipeline can be read."""
    found = read_all(text, **known)
    for each in found.pipelines:
        if each.fault is not None:
            raise each.fault
    return found


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
        ('"x${6 / 2}"', "x3"),
        ('"x${1e3}"', "x1000"),
        ('"x${1 / 10000000}"', "x0.0000001"),
        ('"x${-5 % 3}"', "x-2"),
        ('"x${-5.5 % 3}"', "x-2.5"),
        ('format("%.1f|%5s|%-3s|%03d|%q|%x", 1.25, "ab", "c", "7", "q", 255)', AS_GO_DOES),
        ('title("it\'s THE 2nd a_b-c é\u2019s")', "It'S THE 2nd A_b-C É\u2019s"),
        (
            'jsonencode(jsondecode("{\\"b\\": 1.0, \\"a\\": [null, 1.5]}"))',
            '{"a":[null,1.5],"b":1}',
        ),
        ('join("-", [for k, v in { z = 1, a = 2 } : "${k}${v}"])', "a2-z1"),
        ('join("-", toset(["z", "a", "z"]))', "a-z"),
        ('join("-", toset([10, 9, 10]))', "9-10"),
        ('join("-", [for v in toset([true, "b"]) : v])', "b-true"),
        ("jsonencode(toset([true, true]))", "[true]"),
        ("jsonencode(toset([[1], [2], [1]]))", "[[1],[2]]"),
        ('"false" ? "yes" : "no"', "no"),
        ('!"1" ? "yes" : "no"', "no"),
        ('"true" && "1" ? "yes" : "no"', "yes"),
        ('"false" || "0" ? "yes" : "no"', "no"),
        ('join("-", [for v in ["a", "b"] : v if "false"])', ""),
        ('tobool("0") ? "yes" : "no"', "no"),
        ('tonumber("1e1") + 1', "11"),
        ("tonumber(null)", "nothing"),
        ('replace("a_b_c", "/[^a-z]/", "-")', "a-b-c"),
        ('replace("a.b", ".", "/")', "a/b"),
        ('replace("https://x/y.git", "/^https:\\/\\/|\\.git$/", "")', "x/y"),
        ('replace("ab", "/(a)(?P<n>b)?/", "$2-$${n}-$1-$3-$$")', "b-b-a--$"),
        ('replace("a\\n", "/a$/", "b")', "a\n"),
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
        ('format("%3d", var.open)', "open"),
        ('format("%g", 1)', 'format("%g", 1)'),
        ('format("%.1s", "abc")', 'format("%.1s", "abc")'),
        ('format("%[1]s", "a")', 'format("%[1]s", "a")'),
        ('replace(var.open, "/[a-z]/", "-")', "open"),
        ('replace("a${var.open}", "/[a-z]/", "")', 'replace("a${var.open}", "/[a-z]/", "")'),
        *((f'replace("aab", "{each}", "")', f'replace("aab", "{each}", "")') for each in BEYOND),
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
        ("1 % 0", "line 38: found a division by zero"),
        ('1 + "a"', "found 'a' where a number is expected"),
        ("1 + true", "found true where a number is expected"),
        ('"1e999" + 1', "found a number that is too large"),
        ("1e100 * 1e100", "found a number that is too large"),
        ("9" * 200, "found a number that is too large"),
        ('"yes" ? 1 : 2', "found 'yes' where true or false is expected"),
        ("null ? 1 : 2", "found null where true or false is expected"),
        ("!{}", "found a map where true or false is expected"),
        ("-[]", "found a list where a number is expected"),
        ('format("%d", 1.5)', "found 1.5 where a whole number is expected"),
        ('format("%d")', "found null where a number is expected"),
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


def test_a_number_that_is_text_is_kept_where_it_is_zero() -> None:
    found = read(PROJECT.replace("value = 3", "value = 0"))
    assert read_projects(found.projects)["shop"].environment == {"LEVEL": "0"}


def test_an_attribute_twice_is_refused() -> None:
    told = "line 3: found the attribute name a second time; keep one: the first is in line 2"
    with pytest.raises(DocumentError, match=told):
        read('resource "aws_codepipeline" "x" {\n  name = "a"\n  name = "b"\n}\n')


def test_a_pipeline_that_cannot_be_read_stops_no_other_one() -> None:
    good = PIPELINE.replace("VALUE", '"main"')
    bad = good.replace('"aws_codepipeline" "', '"aws_codepipeline" "un')
    odd = bad.replace('"main"', "var.stages[9]")
    misplaced = bad.replace("configuration = {", "configuration {")
    for other in (odd, misplaced):
        found = read_all(HEAD + good + other)
        assert [each.fault is None for each in found.pipelines] == [True, False]
        first, second = found.pipelines
        assert choose([found], first.address, "main.tf")[1] is first
        assert second.name == first.name
        with pytest.raises(DocumentError) as refused:
            choose([found], second.address, "main.tf")
        assert refused.value is second.fault
