"""Batches of buildspecs: lists, graphs and matrices become builds, or are refused with a line."""

import re

import pytest

from pipelinekit.tools.documents.document import DocumentError, parse
from pipelinekit.wire.buildspec import Batch, BatchBuild, Buildspec, read_buildspec

LIST = """\
version: 0.2
batch:
  fast-fail: true
  build-list:
    - identifier: small
      env:
        compute-type: BUILD_GENERAL1_SMALL
        image: aws/codebuild/standard:7.0
        type: LINUX_CONTAINER
        privileged-mode: true
        variables: {SIZE: 010}
      ignore-failure: "yes"
      debug-session: true
    - buildspec: ci/large.yml
"""
GRAPH = """\
version: 0.2
batch:
  build-graph:
    - identifier: pack
      depend-on: [compile, test]
    - identifier: compile
    - identifier: test
      depend-on: compile
"""
MATRIX = """\
version: 0.2
batch:
  build-matrix:
    static:
      ignore-failure: true
      env:
        type: LINUX_CONTAINER
        image: python
        variables: {LEVEL: info}
    dynamic:
      buildspec: [one.yml, two.yml]
      env:
        compute-type: [BUILD_GENERAL1_SMALL]
        variables:
          PYTHON: ["3.11", "3.12"]
          SYSTEM: linux
"""


def spec(text: str) -> Buildspec:
    return read_buildspec(parse(text, "buildspec.yml"))


def batch(text: str) -> Batch:
    found = spec(text).batch
    assert found is not None
    return found


def test_a_list_is_read_with_the_environment_of_each_build() -> None:
    assert batch(LIST) == Batch(
        (
            BatchBuild(
                "small",
                environment={"SIZE": "010"},
                image="aws/codebuild/standard:7.0",
                type="LINUX_CONTAINER",
                ignore_failure=True,
            ),
            BatchBuild("build1", buildspec="ci/large.yml"),
        ),
        fast_fail=True,
    )


def test_a_graph_tells_which_build_follows_which() -> None:
    found = batch(GRAPH)
    assert not found.fast_fail
    assert {each.identifier: each.depends_on for each in found.builds} == {
        "pack": ("compile", "test"),
        "compile": (),
        "test": ("compile",),
    }


def test_a_matrix_becomes_a_build_for_each_combination() -> None:
    builds = batch(MATRIX).builds
    assert [(each.identifier, each.buildspec, each.environment) for each in builds] == [
        (f"build{number}", path, {"LEVEL": "info", "PYTHON": version, "SYSTEM": "linux"})
        for number, (path, version) in enumerate(
            [("one.yml", "3.11"), ("one.yml", "3.12"), ("two.yml", "3.11"), ("two.yml", "3.12")]
        )
    ]
    assert {(each.image, each.type, each.ignore_failure) for each in builds} == {
        ("python", "LINUX_CONTAINER", True)
    }


def test_what_varies_in_a_matrix_prevails_over_what_does_not() -> None:
    varied = MATRIX.replace("SYSTEM: linux", "LEVEL: debug").replace(
        "compute-type: [BUILD_GENERAL1_SMALL]", "image: [a, b]"
    )
    assert {(each.image, each.environment["LEVEL"]) for each in batch(varied).builds} == {
        ("a", "debug"),
        ("b", "debug"),
    }


def test_each_axis_of_a_matrix_multiplies_its_builds() -> None:
    sizes = "compute-type: [BUILD_GENERAL1_SMALL, BUILD_GENERAL1_LARGE]"
    doubled = MATRIX.replace("compute-type: [BUILD_GENERAL1_SMALL]", sizes)
    assert len(batch(doubled).builds) == 8


def test_a_batch_whose_builds_have_buildspecs_of_their_own_needs_no_phases() -> None:
    assert spec(LIST).phases == ()
    assert spec("version: 0.2\nphases: {build: {commands: [make]}}").batch is None


def refusal(kind: str) -> DocumentError:
    with pytest.raises(DocumentError) as refused:
        spec(f"version: 0.2\nbatch:\n  {kind}")
    return refused.value


@pytest.mark.parametrize(
    ("kind", "line", "words"),
    [
        ("fast-fail: true", 3, "no kind of batch in batch; write exactly one of build-list"),
        ("build-list: [{}]\n  build-graph: []", 3, "build-list and build-graph"),
        ("build-fanout: {parallelism: 2}", 3, "not spread over builds on this machine"),
        ("build-list: []", 3, "at least one build"),
        ("build-list: {a: b}", 3, "a list is expected"),
        ("build-list:\n    - identifier: a-b", 4, "1 to 128 letters, digits and `_`"),
        ("build-list:\n    - identifier: ''", 4, "1 to 128 letters"),
        ("build-list:\n    - identifier: a\n    - identifier: a", 5, "the first is in line 4"),
        ("build-list:\n    - ignore-failure: 3", 4, "true or false"),
        ("build-graph:\n    - buildspec: a.yml", 4, "no key identifier"),
        (
            "build-graph:\n    - identifier: a\n      depend-on: [b]",
            5,
            "no build b; the builds of the graph are a",
        ),
        (
            "build-graph:\n    - identifier: a\n      depend-on: [a]",
            5,
            "wait for each other: a -> a",
        ),
        (
            "build-graph:\n  - {identifier: a, depend-on: b}\n  - {identifier: b, depend-on: a}",
            None,
            "wait for each other: ",
        ),
        ("build-matrix: [a]", 3, "a mapping"),
        ("build-matrix:\n    dynamic: {buildspec: []}", 4, "at least one build"),
        (
            f"build-matrix:\n    dynamic: {{buildspec: [{', '.join('a' * 101)}]}}",
            4,
            "up to 100 builds",
        ),
        (f"build-list: [{', '.join(['{}'] * 101)}]", 3, "up to 100 builds"),
    ],
)
def test_a_faulty_batch_is_refused_with_its_line(kind: str, line: int | None, words: str) -> None:
    error = refusal(kind)
    assert words in str(error)
    assert line in {None, error.line}


def test_a_huge_matrix_is_refused_before_it_is_made() -> None:
    values = "[" + ", ".join(map(str, range(50))) + "]"
    axes = ", ".join(f"V{number}: {values}" for number in range(20))
    assert "up to 100 builds" in str(
        refusal(f"build-matrix: {{dynamic: {{env: {{variables: {{{axes}}}}}}}}}")
    )


def test_keys_that_a_batch_does_not_have_are_noted() -> None:
    notes = (
        *spec("version: 0.2\nbatch: {fail-fast: true, build-list: [{depend-on: [a]}]}").notes,
        *spec("version: 0.2\nbatch: {build-graph: [{identifier: a, env: {size: 1}}]}").notes,
        *spec("version: 0.2\nbatch: {build-matrix: {dynamic: {envs: {}}}}").notes,
    )
    assert [re.search(r"the key (\S+) ", note)[1] for note in notes] == [  # type: ignore[index]  # none is a fault
        "batch.fail-fast",
        "batch.build-list[0].depend-on",
        "batch.build-graph[0].env.size",
        "batch.build-matrix.dynamic.envs",
    ]
