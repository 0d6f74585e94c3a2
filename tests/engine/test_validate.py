"""Validation as a whole: its order, its speed, and that each rule of the catalogue has a test."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.engine.validate import faults
from pipelinekit.model.action import OutputArtifact
from pipelinekit.model.errors import DefinitionError
from pipelinekit.model.pipeline import ExecutionMode, PipelineType, Stage
from pipelinekit.tools.documents.document import JSON
from pipelinekit.wire import codepipeline
from tests.build import (
    build,
    deploy,
    full,
    pipeline,
    source,
)
from tests.refusal import (
    MAKE,
    SOURCE,
    accepted,
)

CORPUS = Path(__file__).parents[2] / ".." / "shared" / "corpus" / "codepipeline_json"
ROLE, BUCKET = "shape roleArn", "shape artifactStore.location"
PROVIDER = "stages[1].actions[0].actionTypeId.provider"
MASKED = "A18 stages[0].actions[0].configuration.OAuthToken"
# What is truly wrong with real definitions, most of which are templates with gaps to fill.
REAL_FAULTS = {
    "ArBaghel": ["A3 stages[2].actions[0].actionTypeId.provider"],
    "AshishSharma0704": [ROLE, BUCKET],
    "NickBorgers": [MASKED],
    "amazon-archives": [ROLE, BUCKET],
    "awsdocs.block0": [ROLE, f"shape {PROVIDER}", "A2 stages[1].actions[0].actionTypeId"],
    "awsdocs.block2": [
        ROLE,
        f"shape {PROVIDER}",
        "shape stages[1].actions[0].outputArtifacts[0].name",
        "A2 stages[1].actions[0].actionTypeId",
    ],
    "michaeltutistar": [ROLE],
    "oniono": [ROLE, BUCKET],
    "pallavtyagi": [MASKED],
    "ramanjulreddykotlo__codepipeline": [
        "S13 artifactStore",
        "A1 stages[0].actions[0].outputArtifacts",
        MASKED,
        "A1 stages[1].actions[0].inputArtifacts",
        "A1 stages[2].actions[0].inputArtifacts",
    ],
    "ramanjulreddykotlo__pipeline": [MASKED],
    "sarvaratchaganr": [ROLE, BUCKET],
}
NOT_TESTED = {"S12": "whether a role can be assumed is known to an account alone"}


def test_the_usual_and_the_full_pipeline_are_accepted() -> None:
    accepted(pipeline())
    accepted(full())


def test_faults_come_layer_by_layer() -> None:
    bad = pipeline(
        Stage("Source", source(outputs=())),
        Stage("Build", build(run_order=0, configuration={"ProjectName": "#{ghost.Key}"})),
        Stage("Build", deploy()),
        mode=ExecutionMode.QUEUED,
        type=PipelineType.V1,
    )
    rules = [fault.rule for fault in faults(bad)]
    assert rules == ["shape", "S8", "G1", "A1", "A6", "A11"]


def test_a_thousand_actions_are_judged_in_no_time() -> None:
    stages = [
        Stage(
            f"Stage{number}",
            actions=tuple(
                build(
                    name=f"Make{each}",
                    outputs=(OutputArtifact(f"P{number}-{each}"),),
                    namespace=f"n{number}-{each}",
                )
                for each in range(99)
            ),
        )
        for number in range(10)
    ]
    accepted(pipeline(SOURCE, *stages))


def test_every_rule_of_the_catalogue_is_tested() -> None:
    told = "".join(
        file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*_rules.py")
    )
    sentences = re.findall(r'^    """(.+)"""$', told, re.MULTILINE)
    tested = {rule for each in sentences for rule in re.findall(r"\b[SGA]\d+\b", each)}
    numbers = (("S", 18), ("G", 9), ("A", 18))
    catalogue = {f"{layer}{each}" for layer, last in numbers for each in range(1, last + 1)}
    assert tested.isdisjoint(NOT_TESTED)
    assert tested | set(NOT_TESTED) == catalogue


@pytest.mark.corpus
def test_real_definitions_are_refused_for_their_true_faults_alone() -> None:
    found = {}
    for file in CORPUS.glob("*.json"):
        shop = codepipeline.parse(file.read_text(encoding="utf-8"), file.name)
        wrong = [f"{fault.rule} {fault.place}" for fault in faults(shop)]
        if wrong:
            found[_short(file.stem)] = wrong
    assert found == REAL_FAULTS


def _short(stem: str) -> str:
    owner, _, rest = stem.partition("__")
    if owner == "ramanjulreddykotlo":
        return f"{owner}__{rest.rpartition('__')[2]}"
    return owner + Path(rest).suffix if ".block" in rest else owner


def test_a_configuration_value_that_is_no_text_is_a_fault_and_no_crash() -> None:
    untyped = {"ProjectName": "shop", "BatchEnabled": True}
    (fault,) = faults(pipeline(SOURCE, Stage("Build", build(configuration=untyped))))
    assert (fault.rule, fault.path) == ("shape", (*MAKE, "configuration", "BatchEnabled"))
    assert "True" in fault.found


def test_whatever_can_be_read_can_be_judged() -> None:
    for data in _spoilt(codepipeline.write(full())):
        try:
            shop = codepipeline.read(data)
        except DefinitionError:
            continue
        for fault in faults(shop):
            assert str(fault)


def _spoilt(data: JSON) -> Iterator[JSON]:
    """Give the data with one value after the other left out or replaced by another kind."""
    yield from (None, 0, "", [], {})
    if isinstance(data, dict):
        for key, value in data.items():
            yield {name: other for name, other in data.items() if name != key}
            yield from ({**data, key: spoilt} for spoilt in _spoilt(value))
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield data + data
            yield from ([*data[:index], spoilt, *data[index + 1 :]] for spoilt in _spoilt(value))
