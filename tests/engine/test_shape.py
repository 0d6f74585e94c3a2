"""Every bound of a definition refuses what lies outside, and accepts what lies just inside."""

from collections.abc import Sequence
from copy import deepcopy

import pytest
from msgspec.structs import replace

from pipelinekit.engine.validate import faults
from pipelinekit.model.pipeline import ArtifactStore
from pipelinekit.tools.aws.service_model import service
from pipelinekit.tools.aws.shape_check import checked
from pipelinekit.tools.documents.document import JSON
from pipelinekit.wire import codepipeline
from tests.build import ROLE, full

FETCH = "stages.0.actions.0"
CHECK = "stages.2.actions.0"
ENTRY = "stages.2.beforeEntry.conditions"
SUCCESS = "stages.2.onSuccess.conditions.0.rules.0"
FAILURE = "stages.3.onFailure.conditions"
PUSH = "triggers.0.gitConfiguration.push"
PULL_REQUEST = "triggers.0.gitConfiguration.pullRequest.0"
LONG_ROLE = ROLE + "r" * (1024 - len(ROLE))


def named(prefix: str, count: int, **members: JSON) -> list[JSON]:
    return [{"name": f"{prefix}{number}", **members} for number in range(count)]


def value_at(data: JSON, path: str) -> JSON:
    for step in path.split("."):
        data = data[int(step)] if isinstance(data, list) else dict_of(data)[step]
    return data


def dict_of(data: JSON) -> dict[str, JSON]:
    assert isinstance(data, dict)
    return data


def changed(path: str, value: JSON) -> JSON:
    data = deepcopy(codepipeline.write(full()))
    above, _, last = f"pipeline.{path}".rpartition(".")
    parent = value_at(data, above)
    if isinstance(parent, list):
        parent[int(last)] = value
    else:
        dict_of(parent)[last] = value
    return data


def shape_faults(path: str, value: JSON) -> list[str]:
    found = faults(codepipeline.read(changed(path, value)))
    return [
        ".".join(map(str, fault.path))
        for fault in found
        if (fault.rule, fault.code) == ("shape", "ValidationException")
    ]


NAME = (["", "n" * 101, "a b", "ü", "a\n"], ["n", "n" * 100, "a.b@c-d_e1"])
ARTIFACT = (["", "n" * 101, "a.b"], ["n", "n" * 100, "a-b_c"])
PATTERN = (["", "p" * 256], ["p", "p" * 255, "**/*"])
TIMEOUT = ([4, 86401], [5, 86400])
REGION = (["usa", "r" * 31], ["us-east-1"])
ROLES = (["role", ROLE.replace("1111", "111"), LONG_ROLE + "r"], [ROLE, LONG_ROLE])
PROVIDER = (["", "p" * 36, "a b"], ["p" * 35])
VERSION = (["", "1" * 10, "1.0"], ["1" * 9])

BOUNDS: dict[str, tuple[Sequence[JSON], Sequence[JSON]]] = {
    "name": NAME,
    "roleArn": ROLES,
    "version": ([0], [1, 99]),
    "artifactStore.type": (["s3"], ["S3"]),
    "artifactStore.location": (["ab", "b" * 64, "a_b"], ["abc", "b" * 63, "a.b-c"]),
    "artifactStore.encryptionKey.id": (["", "k" * 401], ["k" * 400]),
    "artifactStore.encryptionKey.type": (["kms"], ["KMS"]),
    "variables": ([named("v", 51)], [named("v", 50)]),
    "variables.0.name": (["", "v" * 129, "a.b"], ["v" * 128, "a@b-c_d"]),
    "variables.0.defaultValue": (["", "d" * 1001, "two\nlines"], ["d" * 1000, "ü & co"]),
    "variables.0.description": (["d" * 201], ["", "d" * 200]),
    "triggers.0.providerType": (["GitHub"], ["CodeStarSourceConnection"]),
    "triggers.0.gitConfiguration.sourceActionName": NAME,
    PUSH: ([[{}] * 4], [[{}] * 3]),
    "triggers.0.gitConfiguration.pullRequest": ([[{}] * 4], [[{}] * 3]),
    f"{PUSH}.0.tags.includes": ([["p"] * 9], [["p"] * 8]),
    f"{PUSH}.1.branches.excludes": ([["p"] * 9], [["p"] * 8]),
    f"{PUSH}.1.filePaths.includes.0": PATTERN,
    f"{PULL_REQUEST}.events": ([["OPEN"] * 4], [["OPEN"] * 3]),
    f"{PULL_REQUEST}.branches.includes.0": PATTERN,
    f"{PULL_REQUEST}.filePaths.excludes.0": PATTERN,
    "stages.2.name": NAME,
    "stages.2.blockers.0.name": (["", "b" * 101], ["b" * 100]),
    "stages.2.blockers.0.type": (["Wait"], ["Schedule"]),
    f"{ENTRY}.0.rules.0.name": NAME,
    f"{ENTRY}.0.rules.0.ruleTypeId.category": (["Test"], ["Rule"]),
    f"{ENTRY}.0.rules.0.ruleTypeId.owner": (["ThirdParty"], ["AWS"]),
    f"{ENTRY}.0.rules.0.ruleTypeId.provider": PROVIDER,
    f"{ENTRY}.0.rules.0.ruleTypeId.version": VERSION,
    f"{ENTRY}.0.rules.0.configuration.Value": (["", "v" * 10001], ["v" * 10000]),
    f"{SUCCESS}.commands": ([["c"] * 51], [["c"] * 50]),
    f"{SUCCESS}.commands.0": (["", "c" * 1001], ["c" * 1000]),
    f"{SUCCESS}.inputArtifacts.0.name": ARTIFACT,
    f"{SUCCESS}.roleArn": ROLES,
    f"{SUCCESS}.region": REGION,
    f"{SUCCESS}.timeoutInMinutes": TIMEOUT,
    f"{FAILURE}.0.rules.0.name": NAME,
    f"{FETCH}.name": NAME,
    f"{FETCH}.actionTypeId.provider": PROVIDER,
    f"{FETCH}.actionTypeId.version": VERSION,
    f"{FETCH}.runOrder": ([0, 1000], [1, 999]),
    f"{FETCH}.configuration.BranchName": (["", "b" * 1001], ["b" * 1000, "a\nb"]),
    f"{FETCH}.configuration.{'k' * 50}": ([""], ["v"]),
    f"{FETCH}.configuration.{'k' * 51}": (["v"], []),
    f"{FETCH}.outputArtifacts.0.name": ARTIFACT,
    f"{FETCH}.namespace": (["", "n" * 101, "a.b"], ["n" * 100, "a@b-c_d"]),
    f"{CHECK}.inputArtifacts.0.name": ARTIFACT,
    f"{CHECK}.commands": ([["c"] * 51], [["c"] * 50]),
    f"{CHECK}.commands.0": (["", "c" * 1001], ["c" * 1000]),
    f"{CHECK}.outputArtifacts.0.files": ([["f"] * 11], [["f"] * 10]),
    f"{CHECK}.outputArtifacts.0.files.0": (["", "f" * 129], ["f" * 128]),
    f"{CHECK}.outputVariables": ([["V"] * 16], [["V"] * 15]),
    f"{CHECK}.outputVariables.0": (["", "V" * 129], ["V" * 128]),
    f"{CHECK}.environmentVariables": (
        [named("V", 11, value="x")],
        [named("V", 10, value="x")],
    ),
    f"{CHECK}.environmentVariables.0.name": (["", "V" * 129, "A-B"], ["V" * 128]),
    f"{CHECK}.environmentVariables.0.value": (["", "v" * 2001], ["v" * 2000]),
    f"{CHECK}.roleArn": ROLES,
    f"{CHECK}.region": REGION,
    f"{CHECK}.timeoutInMinutes": TIMEOUT,
}


@pytest.mark.parametrize("path", BOUNDS)
def test_a_value_outside_its_bound_is_refused_and_one_inside_accepted(path: str) -> None:
    """3.5, 5.3.7, C11: run orders 1 to 999; values up to 1000 characters, not yet resolved."""
    outside, inside = BOUNDS[path]
    for value in outside:
        assert shape_faults(path, value) == [path], value
    for value in inside:
        assert shape_faults(path, value) == [], value


@pytest.mark.parametrize("path", BOUNDS)
def test_what_lies_outside_its_bound_does_not_come_past_the_model_of_aws(path: str) -> None:
    """So a request of the API need not be judged twice."""
    for value in BOUNDS[path][0]:
        assert model_faults(changed(path, value)), value


def test_more_than_the_model_of_aws_lets_in_is_no_gate_either() -> None:
    for path in (ENTRY, "stages.2.onSuccess.conditions", FAILURE):
        (condition,) = list_at(path)
        assert model_faults(changed(path, [condition, condition]))
        (rule, *_) = list_at(f"{path}.0.rules")
        assert model_faults(changed(f"{path}.0.rules", [rule] * 6))
        assert model_faults(changed(f"{path}.0.rules", []))


def test_the_model_of_aws_lets_a_whole_definition_in() -> None:
    assert model_faults(codepipeline.write(full())) == ""


def model_faults(data: JSON) -> str:
    model = service("codepipeline").operation_model("CreatePipeline")
    return checked(model, {"pipeline": dict_of(data)["pipeline"]})[1]


def test_a_gate_has_one_condition_of_at_most_five_rules() -> None:
    """3.12: each place holds one condition of 1 to 5 rules."""
    for path in (ENTRY, "stages.2.onSuccess.conditions", FAILURE):
        (condition,) = list_at(path)
        assert shape_faults(path, [condition, condition]) == [path]
        rules = f"{path}.0.rules"
        (rule, *_) = list_at(rules)
        assert shape_faults(rules, [rule] * 6) == [rules]
        assert shape_faults(rules, [rule] * 5) == []


def list_at(path: str) -> list[JSON]:
    found = value_at(codepipeline.write(full()), f"pipeline.{path}")
    assert isinstance(found, list)
    return found


def test_a_rule_has_at_most_two_hundred_keys() -> None:
    path = f"{ENTRY}.0.rules.0.configuration"
    keys: dict[str, JSON] = {f"k{number}": "v" for number in range(201)}
    assert shape_faults(path, keys) == [path]
    del keys["k0"]
    assert shape_faults(path, keys) == []


def test_at_most_fifty_triggers() -> None:
    (one,) = list_at("triggers")
    assert shape_faults("triggers", [one] * 51) == ["triggers"]
    assert shape_faults("triggers", [one] * 50) == []


def test_every_artifact_store_has_its_bounds() -> None:
    stores = {"eu-west-1": ArtifactStore("a_b"), "usa": ArtifactStore("shop")}
    found = faults(replace(full(), artifact_store=None, artifact_stores=stores))
    assert [fault.path for fault in found if fault.rule == "shape"] == [
        ("artifactStores", "eu-west-1", "location"),
        ("artifactStores", "usa"),
    ]


def test_a_name_is_told_but_what_may_be_a_secret_is_not() -> None:
    data = dict_of(changed("variables.0.defaultValue", "secret\nkey"))
    dict_of(data["pipeline"])["name"] = "my shop"
    text = "\n".join(map(str, faults(codepipeline.read(data))))
    assert '"my shop"' in text
    assert "secret" not in text
