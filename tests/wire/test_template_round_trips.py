"""What is exported to a template is imported back equal, whatever the pipeline holds."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelinekit.model.pipeline import Pipeline, Stage, Variable
from pipelinekit.model.settings import Compute, Project
from pipelinekit.tools.documents.document import parse
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_project import read_projects, write_project
from pipelinekit.wire.templates.assembly import Assembly
from pipelinekit.wire.templates.cloudformation import read_cloudformation
from pipelinekit.wire.templates.cloudformation_writer import write_cloudformation
from pipelinekit.wire.templates.gaps import Gaps
from pipelinekit.wire.templates.hcl import Source
from pipelinekit.wire.templates.template import SHORT_FORMS
from pipelinekit.wire.templates.terraform import read_module
from pipelinekit.wire.templates.terraform_module import Module
from pipelinekit.wire.templates.terraform_writer import NotInTerraform, write_terraform
from tests.build import ROLE, build, commands, full, pipeline
from tests.wire.test_codepipeline import PIPELINES

BUILDSPEC = """version: 0.2
phases:
  build:
    commands:
      - echo "it's $HOME"

      - make
"""
PROJECTS = {
    "plain": Project(),
    "path": Project(buildspec="ci/build.yml", timeout_minutes=9),
    "inline": Project(
        buildspec=BUILDSPEC,
        environment={"A": '${x} $${y} %{z "q" \\n', "B": ""},
        parameters={"C": "/shop/c"},
        secrets={"D": "shop:d"},
        compute=Compute(image="python:3.12"),
    ),
    "odd": Project(buildspec="a\n \tb\n${c}\nEOT\n"),
}
AWKWARD = st.text("a0 \n\t$%{}\"'\\#:-|>\x00\x7f\u2028é", max_size=12)


def from_cloudformation(text: str) -> Assembly:
    return read_cloudformation(parse(text, "t.yaml", forms=SHORT_FORMS), Gaps())


def from_terraform(text: str) -> Assembly:
    return read_module(Module([Source("main.tf", text)], Gaps()), "main.tf")


def pipeline_of(assembly: Assembly) -> Pipeline:
    (found,) = assembly.pipelines
    return codepipeline.read(found.source.data)


def in_terraform(shop: Pipeline) -> Pipeline:
    """Take out of a pipeline what Terraform's provider has no words for."""
    stages = tuple(
        dataclasses.replace(
            stage,
            blockers=(),
            actions=tuple(each for each in stage.actions if not each.commands),
        )
        for stage in shop.stages
    )
    return replace(shop, stages=tuple(each for each in stages if each.actions))


@pytest.mark.parametrize("name", PIPELINES)
def test_cloudformation_comes_back_equal(name: str) -> None:
    shop = replace(PIPELINES[name], version=1)
    assert pipeline_of(from_cloudformation(write_cloudformation(shop))) == shop


@pytest.mark.parametrize("name", PIPELINES)
def test_terraform_comes_back_equal(name: str) -> None:
    shop = replace(in_terraform(PIPELINES[name]), version=1)
    assert pipeline_of(from_terraform(write_terraform(shop))) == shop


def test_an_empty_description_comes_back_from_terraform() -> None:
    shop = replace(pipeline(), variables=(Variable(name="Level", default="a", description=""),))
    assert pipeline_of(from_terraform(write_terraform(shop))) == shop


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(AWKWARD.filter(bool), AWKWARD.filter(bool), min_size=2, max_size=3))
def test_any_text_survives_both(configuration: dict[str, str]) -> None:
    shop = pipeline(Stage("Build", build(configuration=configuration)))
    assert pipeline_of(from_cloudformation(write_cloudformation(shop))) == shop
    assert pipeline_of(from_terraform(write_terraform(shop))) == shop


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30).map(lambda text: f"version: 0.2\n{text}\n"))
def test_any_script_survives_both(script: str) -> None:
    written = write_project("shop", Project(buildspec=script), ROLE)
    for found in (
        from_cloudformation(write_cloudformation(pipeline(), [written])),
        from_terraform(write_terraform(pipeline(), [written])),
    ):
        assert read_projects(found.projects)["shop"].buildspec == script


@pytest.mark.parametrize("name", PROJECTS)
def test_projects_come_back_as_they_are_written(name: str) -> None:
    written = write_project(name, PROJECTS[name], ROLE)
    expected = read_projects(parse(f'{{"projects": [{dumped(written)}]}}', "p.json"))
    assert expected[name].buildspec == PROJECTS[name].buildspec
    assert expected[name].environment == PROJECTS[name].environment
    for found in (
        from_cloudformation(write_cloudformation(pipeline(), [written])),
        from_terraform(write_terraform(pipeline(), [written])),
    ):
        assert read_projects(found.projects) == expected


def dumped(data: object) -> str:
    import json

    return json.dumps(data)


def test_names_that_become_alike_stay_apart() -> None:
    projects = [write_project(name, Project(), ROLE) for name in ("a-b", "a.b", "9")]
    for found in (
        from_cloudformation(write_cloudformation(pipeline(), projects)),
        from_terraform(write_terraform(pipeline(), projects)),
    ):
        assert set(read_projects(found.projects)) == {"a-b", "a.b", "9"}


@pytest.mark.parametrize(
    ("shop", "words"),
    [
        (pipeline(Stage("Test", commands())), "action Test/Check .* commands"),
        (full(), "stage Test .* blockers"),
    ],
)
def test_what_terraform_has_no_words_for_is_refused(shop: Pipeline, words: str) -> None:
    with pytest.raises(NotInTerraform, match=words):
        write_terraform(shop)
