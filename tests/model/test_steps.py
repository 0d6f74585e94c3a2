"""The algebra of a cell: `+` sets side by side, `>>` sets after."""

import pytest
from msgspec.structs import replace

from pipelinekit.model.errors import DefinitionError, Fault, ValidationError
from pipelinekit.model.pipeline import Pipeline, Stage, Variable
from tests.engine.world import step

A, B, C, D = (step(name) for name in "abcd")


def orders(stage: Stage) -> dict[str, int]:
    return {action.name: action.run_order for action in stage.actions}


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage("s", A), {"a": 1}),
        (Stage("s", A, B), {"a": 1, "b": 1}),
        (Stage("s", A + B), {"a": 1, "b": 1}),
        (Stage("s", A >> B), {"a": 1, "b": 2}),
        (Stage("s", (A + B) >> C), {"a": 1, "b": 1, "c": 2}),
        (Stage("s", A >> (B + C) >> D), {"a": 1, "b": 2, "c": 2, "d": 3}),
        (Stage("s", replace(A, run_order=7)), {"a": 7}),
        (Stage("s", actions=(replace(A, run_order=7), B)), {"a": 7, "b": 1}),
    ],
)
def test_groups_become_run_orders(stage: Stage, expected: dict[str, int]) -> None:
    assert orders(stage) == expected


def test_a_sequence_beside_something_else_is_refused_on_the_spot() -> None:
    with pytest.raises(ValidationError, match=r"\(a >> b\) \+ \(c\)"):
        (A >> B) + C
    with pytest.raises(ValidationError, match="run order"):
        Stage("s", A, B >> C)


def test_groups_are_read_back_in_ascending_order() -> None:
    stage = Stage("s", actions=(replace(A, run_order=9), replace(B, run_order=2), C))
    assert [[a.name for a in group] for group in stage.groups] == [["c"], ["b"], ["a"]]


def test_a_pipeline_grows_by_stages_and_the_one_before_stays_as_it_is() -> None:
    empty = Pipeline("p")
    one = empty >> Stage("s", A)
    assert (len(empty.stages), [stage.name for stage in one.stages]) == (0, ["s"])
    assert one.stage("s") is one.stages[0]
    assert one.stage("t") is None


def test_a_variable_of_an_action_is_referred_to_by_its_namespace() -> None:
    assert replace(A, namespace="n")["V"] == "#{n.V}"
    with pytest.raises(ValidationError, match="no namespace"):
        A["V"]


def test_a_pipeline_variable_is_written_as_its_reference() -> None:
    assert f"{Variable('level')}" == "#{variables.level}"


def test_reading_an_action_means_reading_its_only_artifact() -> None:
    assert B.reads(A.writes("x")).inputs == ("x",)
    assert B.reads("y", A.writes("x")).inputs == ("y", "x")
    with pytest.raises(ValidationError, match="writes none"):
        B.reads(A)
    with pytest.raises(ValidationError, match="writes x, y"):
        B.reads(A.writes("x", "y"))


def test_within_gives_a_time_limit() -> None:
    assert A.within(30).timeout_minutes == 30


def test_a_definition_error_tells_all_faults_with_their_places() -> None:
    fault = Fault("InvalidStructureException", ("stages", 1, "name"), "is odd", "change it")
    error = DefinitionError("pipeline 'p'", (fault, fault))
    assert "2 faults" in str(error)
    assert str(error).count("stages[1].name: is odd; change it") == 2
    assert "InvalidStructureException" in str(error)
