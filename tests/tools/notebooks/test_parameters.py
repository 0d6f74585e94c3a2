"""The parameters that notebooks declare, and the values that fit them."""

import json
from pathlib import Path

import pytest

from pipelinekit.tools.notebooks import NotebookError, ParameterError, check, parameters


def notebook(folder: Path, text: str | None, language: str = "python") -> Path:
    file = folder / "release.ipynb"
    cells: list[dict[str, object]] = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Release\n", "of the shop"]}
    ]
    if text is not None:
        cells.append(
            {
                "cell_type": "code",
                "metadata": {"tags": ["parameters"]},
                "source": text.splitlines(keepends=True),
                "outputs": [],
                "execution_count": None,
            }
        )
    kernel = {"name": "python3", "language": language, "display_name": ""}
    metadata = {"kernelspec": kernel}
    content = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


CELL = """\
%matplotlib inline
replicas: int = 2  # how many
rate = 0.5
word: "str | None" = None
names = ["a", "b"]  # type: list[str]  who
a, b = 1, "x"
first = second = True
text = "# no comment"; late: dict[str, int] = {}  # both
needed: str
made = max(1, 2)
big = {
    "x": 1,
}  # spread out
"""


def test_a_parameter_has_its_name_type_default_help_and_place(tmp_path: Path) -> None:
    found = parameters(notebook(tmp_path, CELL))
    told = [(each.name, each.type, each.default, each.help, each.line) for each in found]
    assert told == [
        ("replicas", "int", 2, "how many", 2),
        ("rate", "float", 0.5, "", 3),
        ("word", "str | None", None, "", 4),
        ("names", "list[str]", ["a", "b"], "who", 5),
        ("a", "int", 1, "", 6),
        ("b", "str", "x", "", 6),
        ("first", "bool", True, "", 7),
        ("second", "bool", True, "", 7),
        ("text", "str", "# no comment", "both", 8),
        ("late", "dict[str, int]", {}, "both", 8),
        ("needed", "str", None, "", 9),
        ("made", None, None, "", 10),
        ("big", "dict", {"x": 1}, "spread out", 11),
    ]
    assert {each.cell for each in found} == {1}
    assert [each.name for each in found if each.required] == ["needed"]


FITTING = [
    ("x: int = 1", 3, 3),
    ("x: int = 1", "3", 3),
    ("x = 1", "-3", -3),
    ("x: float = 1", 2, 2.0),
    ("x: float = 1", "2.5", 2.5),
    ("x: bool = True", "false", False),
    ("x: str = ''", "3", "3"),
    ("x: str | int = 1", "3", "3"),
    ("x: int | str = 1", "three", "three"),
    ("x: int | None = 1", None, None),
    ("x: Optional[int] = None", "4", 4),
    ("x: list[int] = []", "[1, 2]", [1, 2]),
    ("x: list[int] = []", ["1", 2], [1, 2]),
    ("x: tuple[int, str] = ()", [1, "a"], [1, "a"]),
    ("x: dict[str, float] = {}", '{"a": 1}', {"a": 1.0}),
    ("x: Literal['dev', 'prod'] = 'dev'", "prod", "prod"),
    ("x: Literal[1, 2] = 1", "2", 2),
    ("x: Path = Path('.')", "a/b", "a/b"),
    ("x: datetime.date = None", "2026-01-31", "2026-01-31"),
    ("x: 'pd.DataFrame' = None", [1], [1]),
    ("x = None", [1], [1]),
    ("x = f()", {"a": 1}, {"a": 1}),
]


@pytest.mark.parametrize(("cell", "value", "fitted"), FITTING)
def test_a_value_that_fits_is_typed(
    tmp_path: Path, cell: str, value: object, fitted: object
) -> None:
    typed = check(notebook(tmp_path, cell), {"x": value})["x"]
    assert (typed, type(typed)) == (fitted, type(fitted))


WRONG = [
    ("x: int = 1", 2.5),
    ("x: int = 1", True),
    ("x: int = 1", "many"),
    ("x: int = 1", None),
    ("x = 1", 2.5),
    ("x: float = 1", "much"),
    ("x: float = 1", False),
    ("x: bool = True", 1),
    ("x: bool = True", "yes"),
    ("x: str = ''", 3),
    ("x: int | None = 1", "x"),
    ("x: list[int] = []", ["a"]),
    ("x: list = []", "a"),
    ("x: dict[str, int] = {}", {"a": "b"}),
    ("x: dict = {}", [1]),
    ("x: Literal['dev', 'prod'] = 'dev'", "test"),
    ("x: Literal[1, 2] = 1", True),
    ("x: date = None", "soon"),
]


@pytest.mark.parametrize(("cell", "value"), WRONG)
def test_a_value_of_another_type_is_refused_with_its_line(
    tmp_path: Path, cell: str, value: object
) -> None:
    with pytest.raises(ParameterError, match=r"x was given .*, and cell 1, line 2 (declares|has)"):
        check(notebook(tmp_path, f"# first\n{cell}"), {"x": value})


def test_what_is_unknown_or_missing_is_told_all_at_once(tmp_path: Path) -> None:
    file = notebook(tmp_path, "replicas = 1\nneeded: str\n")
    with pytest.raises(ParameterError) as caught:
        check(file, {"replica": 2, "color": "red"})
    assert caught.value.faults == (
        "replica is unknown: cell 1, tagged `parameters`, has replicas in line 1",
        "color is unknown: cell 1, tagged `parameters`, declares replicas, needed",
        "needed needs a value: cell 1, line 2 declares it without a default; give it one",
    )
    assert str(caught.value).splitlines()[0] == "release.ipynb cannot take its parameters: "


def test_an_inferred_type_can_be_widened_by_a_hint_that_the_refusal_shows(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"write `rate: float = 1` there"):
        check(notebook(tmp_path, "rate = 1"), {"rate": 0.5})


def test_values_for_a_notebook_without_a_parameter_cell_are_refused(tmp_path: Path) -> None:
    file = notebook(tmp_path, None)
    with pytest.raises(ParameterError, match="no cell tagged `parameters`; tag the cell"):
        check(file, {"x": 1})
    assert check(file, {}) == {}


def test_defaults_are_left_to_the_notebook(tmp_path: Path) -> None:
    assert check(notebook(tmp_path, "a = 1\nb = 2"), {"b": 3}) == {"b": 3}


def test_a_parameter_cell_that_is_no_python_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match=r"cell 1, tagged `parameters`, line 2: "):
        parameters(notebook(tmp_path, "a = 1\nb = = 2"))


def test_a_notebook_of_another_language_is_not_looked_into(tmp_path: Path) -> None:
    file = notebook(tmp_path, "x <- 1", language="R")
    assert parameters(file) == ()
    assert check(file, {"x": "2"}) == {"x": "2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "{}",
        "[" * 100_000,
        '{"nbformat": 4, "metadata": {}, "cells": [1]}',
        '{"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "metadata": {}}]}',
        '{"nbformat": 4, "metadata": [], "cells": []}',
        '{"nbformat": 3, "metadata": {}}',
    ],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.ipynb"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(NotebookError, match=r"broken.ipynb was to be read and is no notebook: "):
        parameters(file)


def test_a_notebook_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="is not there; correct its path"):
        parameters(tmp_path / "none.ipynb")
