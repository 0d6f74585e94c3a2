"""CodePipeline's JSON is read and written back equal, and refused with all faults at once."""

import json
from copy import deepcopy
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from pipelinekit.model.action import Action, Owner
from pipelinekit.model.condition import Condition, FailureConditions, Rule, RuleTypeId
from pipelinekit.model.errors import DefinitionError, Fault
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import (
    ArtifactStore,
    Blocker,
    ExecutionMode,
    Pipeline,
    PipelineType,
    Stage,
)
from pipelinekit.model.trigger import Patterns, PushFilter
from pipelinekit.tools.documents.document import JSON, DocumentError, Form, parse
from pipelinekit.wire import codepipeline
from tests.build import build, full, pipeline, rule, source, trigger

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "codepipeline_json"
FILES = sorted(CORPUS.glob("*.json"))

STORES = {"us-east-1": ArtifactStore("shop-one"), "eu-west-1": ArtifactStore("shop-two")}
EVERY_MEMBER = """
name roleArn artifactStore artifactStores encryptionKey id location version executionMode
pipelineType variables defaultValue description triggers providerType gitConfiguration
sourceActionName push pullRequest events tags branches filePaths includes excludes stages blockers
actions beforeEntry onSuccess onFailure conditions result rules ruleTypeId retryConfiguration
retryMode commands inputArtifacts outputArtifacts files outputVariables environmentVariables value
type runOrder configuration namespace region timeoutInMinutes actionTypeId category owner provider
"""
PIPELINES = {
    "usual": pipeline(),
    "full": full(),
    "V1": pipeline(type=PipelineType.V1),
    "many stores": pipeline(artifact_store=None, artifact_stores=STORES),
    "parallel": pipeline(mode=ExecutionMode.PARALLEL),
    "empty filter": pipeline(triggers=(trigger(push=(PushFilter(tags=Patterns()),)),)),
}


def drawn(kind: type[Noun]) -> st.SearchStrategy[Noun]:
    """Draw a noun, each member of what its type allows, or as it is by default."""
    types = get_type_hints(kind)
    members = {each.name: st.from_type(types[each.name]) for each in fields(kind)}
    made = {
        each.name: st.builds(each.default_factory) | members[each.name]
        for each in fields(kind)
        if each.default_factory is not NODEFAULT
    }
    usual = {
        each.name: st.just(each.default) | members[each.name]
        for each in fields(kind)
        if each.default is not NODEFAULT
    }
    return st.builds(kind, **(members | made | usual))


for each in (Pipeline, Action, Rule):  # of some of their defaults Hypothesis sees only a maker
    st.register_type_strategy(each, drawn)

CONDITIONS = st.from_type(tuple[Condition, ...])
STAGES = st.builds(
    Stage,
    st.text(),
    actions=st.from_type(tuple[Action, ...]),
    blockers=st.from_type(tuple[Blocker, ...]),
    before_entry=CONDITIONS,
    on_success=CONDITIONS,
    on_failure=st.none() | st.from_type(FailureConditions),
)
st.register_type_strategy(Stage, STAGES)  # its short forms refuse what cannot be expressed


def minimal() -> dict[str, JSON]:
    action: dict[str, JSON] = {
        "name": "Fetch",
        "actionTypeId": {
            "category": "Source",
            "owner": "AWS",
            "provider": "S3",
            "version": "1",
        },
    }
    stages: list[JSON] = [{"name": "Source", "actions": [action]}]
    return {"name": "shop", "roleArn": "arn:aws:iam::111122223333:role/shop", "stages": stages}


def action_of(data: dict[str, JSON]) -> dict[str, JSON]:
    found: JSON = data
    for step in ("stages", 0, "actions", 0):
        if isinstance(found, list):
            found = found[int(step)]
        elif isinstance(found, dict):
            found = found[str(step)]
    assert isinstance(found, dict)
    return found


def with_action(**members: JSON) -> dict[str, JSON]:
    data = minimal()
    action_of(data).update(members)
    return data


def refused(data: JSON) -> list[Fault]:
    with pytest.raises(DefinitionError) as error:
        codepipeline.read(data)
    assert {(fault.code, fault.rule) for fault in error.value.faults} == {
        ("ValidationException", "shape")
    }
    return list(error.value.faults)


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_written_is_read_back_equal(name: str) -> None:
    assert codepipeline.read(codepipeline.write(PIPELINES[name])) == PIPELINES[name]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_written_as_text_is_read_back_equal(name: str, form: Form) -> None:
    text = codepipeline.text(PIPELINES[name], form)
    assert codepipeline.parse(text, f"shop.{form.lower()}") == PIPELINES[name]


@settings(max_examples=40, deadline=None)
@given(st.from_type(Pipeline))
def test_any_pipeline_at_all_is_read_back_equal(anything: Pipeline) -> None:
    assert codepipeline.read(codepipeline.write(anything)) == anything


AWKWARD = st.text() | st.text("a \n\t#:-|>\"'\x85\u2028\ufeff")


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(AWKWARD, AWKWARD, max_size=3))
def test_any_text_survives_json_and_yaml(configuration: dict[str, str]) -> None:
    shop = pipeline(Stage("Build", build(configuration=configuration)))
    for form in Form:
        text = codepipeline.text(shop, form)
        assert codepipeline.parse(text, f"shop.{form.lower()}") == shop


def test_the_full_example_gives_every_member_that_is_known() -> None:
    full_data = codepipeline.write(full())
    stores = codepipeline.write(PIPELINES["many stores"])
    assert set(EVERY_MEMBER.split()) <= members_of(full_data) | members_of(stores)


def members_of(data: JSON) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*(members_of(value) for value in data.values()))
    if isinstance(data, list):
        return set().union(*(members_of(item) for item in data))
    return set()


def test_defaults_are_filled_in_as_get_pipeline_does() -> None:
    written = codepipeline.write(codepipeline.read(minimal()))
    assert written == {"pipeline": normalised(minimal())}
    assert action_of(normalised(minimal()))["runOrder"] == 1
    assert normalised(minimal())["pipelineType"] == "V1"


def normalised(data: JSON) -> dict[str, JSON]:
    """Fill in what section 2.10 says, without a look at the code under test."""
    assert isinstance(data, dict)
    declaration = deepcopy(data.get("pipeline", data))
    assert isinstance(declaration, dict)
    declaration = {
        "version": 1,
        "executionMode": "SUPERSEDED",
        "pipelineType": "V1",
        **declaration,
    }
    stages = declaration["stages"]
    assert isinstance(stages, list)
    for stage in stages:
        assert isinstance(stage, dict)
        actions = stage["actions"]
        assert isinstance(actions, list)
        defaults: dict[str, JSON] = {
            "runOrder": 1,
            "configuration": {},
            "inputArtifacts": [],
            "outputArtifacts": [],
        }
        stage["actions"] = [defaults | action for action in actions if isinstance(action, dict)]
    return declaration


@pytest.mark.corpus
def test_real_definitions_come_back_normalised() -> None:
    for file in FILES:
        data = parse(file.read_text(encoding="utf-8"), file.name).data
        assert codepipeline.write(codepipeline.read(data)) == {"pipeline": normalised(data)}, file


def test_the_answer_of_get_pipeline_is_read_with_its_metadata() -> None:
    data: JSON = {
        "pipeline": minimal(),
        "metadata": {"created": 1},
        "tags": [],
        "ResponseMetadata": {},
    }
    assert codepipeline.read(data) == codepipeline.read(minimal())


def test_versions_may_be_numbers() -> None:
    data = with_action(
        actionTypeId={"category": "Build", "owner": "Custom", "provider": "Mine", "version": 2}
    )
    action = codepipeline.read(data).stages[0].actions[0]
    assert (action.type.version, action.type.owner) == ("2", Owner.CUSTOM)


def test_absent_owner_and_version_of_a_rule_stay_absent() -> None:
    bare = replace(rule(), type=RuleTypeId("VariableCheck", owner=None, version=None))
    condition = replace(full().stages[2].before_entry[0], rules=(bare,))
    shop = pipeline(Stage("Test", build(), before_entry=(condition,)))
    assert codepipeline.read(codepipeline.write(shop)) == shop


@pytest.mark.parametrize(
    ("data", "path", "found", "advice"),
    [
        (with_action(runOrder="2"), ("runOrder",), '"2" is not a whole number', "write 2 without"),
        (with_action(runOrder=True), ("runOrder",), "true is not", "digits"),
        (with_action(runOrder=1.5), ("runOrder",), "1.5 is not", "digits"),
        (with_action(namespace=None), ("namespace",), "null is not text", "quotes"),
        (with_action(name=7), ("name",), "7 is not text", 'put it in quotes: "7"'),
        (
            with_action(configuration={"Extract": True}),
            ("configuration", "Extract"),
            "true is not text",
            'put it in quotes: "true"',
        ),
        (with_action(configuration=["x"]), ("configuration",), "a list is not", "members"),
        (with_action(commands="make"), ("commands",), '"make" is not a list', "brackets"),
        (with_action(commands=[]), ("commands",), "empty", "remove it"),
        (with_action(commands=[{}]), ("commands", 0), "an object is not text", "text"),
        (with_action(actionTypeId="S3"), ("actionTypeId",), '"S3" is not an object', "members"),
        (with_action(inputArtifacts=["A"]), ("inputArtifacts", 0), "not an object", "members"),
        (with_action(inputArtifacts=[{}]), ("inputArtifacts", 0, "name"), "missing", "add it"),
        (with_action(runorder=1), ("runorder",), "no member runorder", "write runOrder"),
        (with_action(zzz=1), ("zzz",), "no member zzz", "remove it"),
    ],
)
def test_a_faulty_member_of_an_action_is_told(
    data: JSON, path: tuple[str | int, ...], found: str, advice: str
) -> None:
    (fault,) = refused(data)
    assert fault.path == ("stages", 0, "actions", 0, *path)
    assert found in fault.found
    assert advice in fault.advice


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("pipelineType", "V1 or V2"),
        ("executionMode", "SUPERSEDED or QUEUED or PARALLEL"),
    ],
)
def test_an_unknown_word_is_told_with_the_known_ones(member: str, words: str) -> None:
    (fault,) = refused({**minimal(), member: "V3"})
    assert (fault.path, fault.advice) == ((member,), f"write {words}")
    assert '"V3"' in fault.found


def test_all_faults_are_told_at_once_in_their_order() -> None:
    data = with_action(runOrder="1", extra=1, configuration={"A": 1, "B": False})
    del data["roleArn"]
    here = ("stages", 0, "actions", 0)
    assert [fault.path for fault in refused({**data, "version": "x"})] == [
        ("roleArn",),
        (*here, "configuration", "A"),
        (*here, "configuration", "B"),
        (*here, "runOrder"),
        (*here, "extra"),
        ("version",),
    ]


@pytest.mark.parametrize("data", [None, [], "shop", 3])
def test_what_is_no_object_is_no_pipeline(data: JSON) -> None:
    (fault,) = refused(data)
    assert (fault.path, fault.place) == ((), "pipeline")


def test_an_empty_object_lacks_all_that_is_required() -> None:
    assert [fault.path for fault in refused({})] == [("name",), ("roleArn",), ("stages",)]


def test_a_member_beside_the_pipeline_is_refused() -> None:
    (fault,) = refused({"pipeline": minimal(), "triggers": []})
    assert fault.path == ("triggers",)


def test_a_fault_in_a_text_bears_its_line() -> None:
    text = codepipeline.text(pipeline(), Form.YAML).replace("runOrder: 1", "runOrder: one", 1)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "runOrder: one" in row)
    with pytest.raises(DefinitionError) as error:
        codepipeline.parse(text, "pipeline.yaml")
    assert [fault.line for fault in error.value.faults] == [line]
    assert f"pipeline.yaml, line {line}: stages[0].actions[0].runOrder: " in str(error.value)


def test_a_bare_declaration_in_a_text_has_lines_too() -> None:
    text = json.dumps({**minimal(), "version": "x"}, indent=1)
    with pytest.raises(DefinitionError) as error:
        codepipeline.parse(text, "pipeline.json")
    assert [fault.line for fault in error.value.faults] == [len(text.splitlines()) - 1]


def test_faults_without_a_document_bear_no_line() -> None:
    assert all(fault.line is None for fault in refused({}))


def test_a_text_that_is_no_json_is_refused_by_its_reader() -> None:
    with pytest.raises(DocumentError):
        codepipeline.parse("{", "pipeline.json")


def test_the_source_keeps_its_own_members() -> None:
    read = codepipeline.read(codepipeline.write(pipeline()))
    assert read.stages[0].actions[0] == source()


def test_a_member_beside_the_pipeline_bears_a_line() -> None:
    text = "pipeline:\n  name: 1\ntrigger: []\n"
    with pytest.raises(DefinitionError) as error:
        codepipeline.parse(text, "pipeline.yaml")
    lines = {fault.path: fault.line for fault in error.value.faults}
    assert lines == {("name",): 2, ("roleArn",): 2, ("stages",): 2, ("trigger",): 3}


def test_a_script_is_written_line_by_line() -> None:
    script = "version: 0.2\nphases:\n  build: {}\n"
    shop = pipeline(Stage("Build", build(configuration={"BuildspecOverride": script})))
    assert "BuildspecOverride: |\n" in codepipeline.text(shop, Form.YAML)
