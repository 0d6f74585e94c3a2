"""What a setting is given arrives as it was given, or is refused while it is written."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import numpy as np
import pytest

from pipelinekit.model.action import Category
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Outcome, Succeeded
from pipelinekit.model.pipeline import Variable
from pipelinekit.ports.provider import Job, Key, Provider, Traits, provider
from tests.fakes import FolderJob, order

REFERENCE = "#{s.OUT}"


class Colour(Enum):
    """One that has texts."""

    RED = "r"


class Level(StrEnum):
    """One whose members are texts."""

    ONE = "1"


def taking(kind: object) -> tuple[Provider[...], list[object]]:
    """Declare a function of one parameter, and give what it was called with."""
    seen: list[object] = []

    def take(job: Job, given: object) -> Outcome:
        del job
        seen.append(given)
        return Succeeded()

    take.__annotations__["given"] = kind
    return provider(Traits(category=Category.TEST, provider=f"Take{uuid4().hex[:8]}"))(take), seen


def arrived(kind: object, value: object, folder: Path) -> object:
    take, seen = taking(kind)
    take.carry_out(FolderJob(order(take("t", value)), folder))
    return seen[0]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, "a"),
        (bool, False),
        (bool | None, True),
        (int, 7),
        (float, 2.5),
        (Literal["a", "b"], "b"),
        (Literal[1, 2], 2),
        (Literal[True, "auto"], True),
        (Path, Path("a/b")),
        (Path | None, Path("5")),
        (Colour, Colour.RED),
        (Level, Level.ONE),
        (date, date(2026, 1, 31)),
        (Decimal, Decimal("1.50")),
        (set[int], {1, 2}),
        (tuple[str, ...], ("a",)),
        (list[Path], [Path("a")]),
        (list[str], ["a"]),
        (Sequence[str], ["a"]),
        (Mapping[str, object], {"a": [1, None]}),
        (dict[int, str], {1: "a"}),
        (int | list[int], [1]),
        (int | list[int] | None, 1),
        (object, "5"),
        (object, 5),
    ],
)
def test_a_value_arrives_as_it_was_given(kind: object, value: object, tmp_path: Path) -> None:
    seen = arrived(kind, value, tmp_path)
    assert (seen, type(seen)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        (bool, "false", False),
        (bool, "True", True),
        (int, "7", 7),
        (int, np.int64(7), 7),
        (float, 2, 2.0),
        (float, np.float32(0.5), 0.5),
        (Literal[1, 2], "2", 2),
        (Literal["r"], Level("1").replace("1", "r"), "r"),
        (Path, "a/b", Path("a/b")),
        (str, Path("a/b"), "a/b"),
        (str, Level.ONE, "1"),
        (Colour, "r", Colour.RED),
        (list[str], ("a",), ["a"]),
    ],
)
def test_what_can_only_mean_one_thing_is_taken_for_it(
    kind: object, value: object, seen: object, tmp_path: Path
) -> None:
    arrival = arrived(kind, value, tmp_path)
    assert (arrival, type(arrival)) == (seen, type(seen))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (str, 7, "'?7'?; a text is expected"),
        (str, ["a"], "a text is expected"),
        (str, None, "no text stands for None"),
        (bool, "no", "true or false is expected"),
        (bool, 1, "True or False is expected"),
        (int, 2.5, "a whole number is expected, such as 1"),
        (int, True, "a whole number"),
        (int, "many", "a whole number"),
        (int, [1], "a whole number"),
        (float, "many", "a number is expected, such as 1.0"),
        (float, False, "a number"),
        (Literal["a", "b"], "zz", "'zz'; one of a, b is expected"),
        (Literal[1, 2], True, "one of 1, 2 is expected"),
        (Path, 5, "Path"),
        (Colour, "blue", "blue"),
        (list[str], "abc", "array"),
        (list[str], [1], "`str`, got `int`"),
        (list[float], [float("nan")], "JSON is expected"),
        (Mapping[str, object], {"a": np.zeros(2)}, "a ndarray has no text"),
        (Mapping[str, str], {"a": 5}, "`str`, got `int`"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_its_setting(
    kind: object, value: object, words: str
) -> None:
    take, _ = taking(kind)
    with pytest.raises(ValidationError, match=rf"^given of .* was to be .*{words}"):
        take("t", value)


@pytest.mark.parametrize(
    "kind", [str, bool, int, float, Literal["a"], Path, Colour, list[str], Mapping[str, int]]
)
def test_a_reference_is_written_as_it_is(kind: object) -> None:
    take, _ = taking(kind)
    assert take("t", REFERENCE).configuration == {"Given": REFERENCE}
    assert take("t", f"1{REFERENCE}").configuration == {"Given": f"1{REFERENCE}"}
    assert take("t", Variable("level")).configuration == {"Given": "#{variables.level}"}


def test_a_list_that_an_earlier_action_wrote_arrives_as_a_list(tmp_path: Path) -> None:
    take, seen = taking(list[str] | None)
    resolved = {"Given": '["a","b"]'}
    take.carry_out(FolderJob(order(take("t", REFERENCE), configuration=resolved), tmp_path))
    assert seen == [["a", "b"]]


def test_without_an_annotation_a_value_is_of_its_default_s_kind(tmp_path: Path) -> None:
    seen: list[object] = []

    def bare(job, n=5, on=True, items=("a",), word=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202, FBT002 - a cell often has none
        del job
        seen.extend((n, on, items, word))
        return Succeeded()

    declared = provider(Traits(category=Category.TEST, provider="Bare"))(bare)
    written = declared("b", n=7, on=False, items=["b"], word="w")
    declared.carry_out(FolderJob(order(written), tmp_path))
    assert seen == [7, False, ("b",), "w"]
    with pytest.raises(ValidationError, match=r"word of .* annotate the parameter"):
        declared("b", word=7)


def test_none_is_refused_where_another_default_would_take_its_place() -> None:
    @provider(Traits(category=Category.TEST, provider="Nothing"))
    def nothing(job: Job, n: int | None = 5, m: int | None = None) -> Outcome:
        """Take nothing."""
        del job, n, m
        return Succeeded()

    assert nothing("n", m=None).configuration == {}
    with pytest.raises(ValidationError, match=r"n of .* no text stands for None"):
        nothing("n", n=None)


@pytest.mark.parametrize(
    "kind",
    [
        str | list[str],
        str | int,
        Path | int,
        complex,
        list[complex],
        Callable[[], int],
        Literal[1, "1"],
        type,
    ],
)
def test_a_parameter_that_no_text_could_tell_is_refused_where_it_is_declared(kind: object) -> None:
    with pytest.raises(ValidationError, match=r"^parameter given of take .* annotate it with str"):
        taking(kind)


def test_parameters_without_names_of_their_own_are_refused() -> None:
    def loose(job: Job, /, **more: str) -> Outcome:
        del job, more
        return Succeeded()

    with pytest.raises(ValidationError, match=r"parameter more of loose .* a name of its own"):
        provider(Traits(category=Category.TEST, provider="Loose"))(loose)


def test_a_secret_that_is_refused_is_not_told() -> None:
    take, _ = taking(Annotated[int, Key("Pin", secret=True)])
    with pytest.raises(ValidationError, match=r"was to be \*\*\*\*; a whole number") as refused:
        take("t", "12e4")
    assert "12e4" not in str(refused.value)


def test_a_long_value_that_is_refused_is_told_in_short() -> None:
    take, _ = taking(int)
    with pytest.raises(ValidationError) as refused:
        take("t", ["x" * 1000])
    assert len(str(refused.value)) < 200
