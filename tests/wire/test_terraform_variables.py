"""Variables of Terraform: where their values come from, and what their types make of them."""

import pytest

from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire import codepipeline
from pipelinekit.wire.templates.assembly import choose
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import Module
from pipelinekit.wire.templates.terraform_variables import given_values
from tests.wire.test_terraform import FILES, PIPELINE


def test_tfvars_are_values_of_variables() -> None:
    given = given_values(Source("x.tfvars", 'open = "told"\nstages = ["x"]\nflag = true\n'))
    assert given == {"open": "told", "stages": ["x"], "flag": True}
    text = '{"open": "${told}", "stages": ["x"], "flag": null, "n": 1.0}'
    given = given_values(Source("x.tfvars.json", text))
    assert given == {"open": "${told}", "stages": ["x"], "flag": None, "n": 1}
    assert isinstance(given["n"], int)


def declared(variable: str, value: str, given: str | None = None, told: str = "") -> str:
    """Give what an expression comes to where a folder declares the variable v."""
    text = f'variable "v" {{ {variable} }}\n' + PIPELINE.replace("VALUE", value)
    gaps = Gaps({} if given is None else {"v": given})
    told_values = given_values(Source("terraform.tfvars", told))
    module = Module([Source("main.tf", text)], gaps, FILES.get, told_values)
    _, found = choose([read_module(module, "main.tf")], None, "main.tf")
    configuration = codepipeline.read(found.source.data).stages[0].actions[0].configuration
    return configuration.get("BranchName", "nothing")


LISTED = """type = list(object({ name = string, "p" = optional(string, "dflt") }))
default = [{ name = "A" }, { name = "B", p = null }, { name = "C", p = "own" }]"""


@pytest.mark.parametrize(
    ("variable", "given", "told", "value", "found"),
    [
        ("", None, "v = false", 'var.v ? "yes" : "no"', "no"),
        ("", "false", "", 'var.v ? "yes" : "no"', "no"),
        ('default = "false"', None, "", 'var.v ? "yes" : "no"', "no"),
        ('type = string\n default = "true"', None, "v = false", 'var.v ? "yes" : "no"', "no"),
        ("type = bool", "false", "v = true", "var.v", "false"),
        ("type = number", "1e1", "", "var.v + 1", "11"),
        ("type = string", None, "v = 7", 'var.v == "7" ? "text" : "number"', "text"),
        ("", None, "v = 7", "var.v == 7 ? 1 : 0", "1"),
        ('default = "x"', None, "v = null", "var.v", "nothing"),
        ('default = "x"\n nullable = false', None, "v = null", "var.v", "x"),
        ('default = "x"\n nullable = true', None, "v = null", "var.v", "nothing"),
        ('type = "list"', '["b", "a"]', "", 'join("", var.v)', "ba"),
        ("type = set(string)", None, 'v = ["b", "a", "b"]', 'join("", var.v)', "ab"),
        ("type = set(number)", '["10", 9]', "", 'join("-", var.v)', "9-10"),
        ("type = list(string)", None, "v = [true, 1]", "jsonencode(var.v)", '["true","1"]'),
        ("type = map(bool)", '{ a = "true" }', "", "jsonencode(var.v)", '{"a":true}'),
        ("type = map", '{ a = "x" }', "", "var.v.a", "x"),
        ("type = tuple([string, any])", "[1, 1]", "", "jsonencode(var.v)", '["1",1]'),
        ("type = any", '["x"]', "", "var.v[0]", "x"),
        ("type = any", "x", "", "var.v", "x"),
        (
            LISTED,
            *(None, "", 'join(",", var.v[*].p)', "dflt,dflt,own"),
        ),
        (
            "type = object({ name = optional(string) })\n default = {}",
            *(None, "", 'coalesce(var.v.name, "dd")', "dd"),
        ),
        (
            "type = object({ in = optional(object({ n = optional(number, 3) }), {}) })",
            *(None, "v = { more = 1 }", "jsonencode(var.v)", '{"in":{"n":3}}'),
        ),
    ],
)
def test_a_variable_is_converted_to_its_type(
    variable: str, given: str | None, told: str, value: str, found: str
) -> None:
    assert declared(variable, value, given, told) == found


@pytest.mark.parametrize(
    ("variable", "given", "found"),
    [
        ("type = number", "x", "line 1: found 'x' where a number is expected, as variable v"),
        ("type = bool", "yes", "found 'yes' where true or false is expected, as variable v"),
        ("type = string\n default = []", None, "found a list where text is expected"),
        ("type = list(string)", '"x"', "found a value that is no list, as variable v"),
        ("type = map(string)", "[]", "found a value that is no map, as variable v"),
        ("type = object({ a = string })", "{}", "found an object without a, as variable v"),
        ("type = tuple([string])", "[]", "found 0 values for a tuple of 1, as variable v"),
        ("type = text", "x", "found the type text, as variable v"),
        ("type = list(string, string)", "[]", "found the type list, as variable v"),
    ],
)
def test_a_value_that_does_not_go_with_its_type_is_refused(
    variable: str, given: str | None, found: str
) -> None:
    with pytest.raises(DocumentError) as refused:
        declared(variable, "var.v", given)
    assert found in str(refused.value)
