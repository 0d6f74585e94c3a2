"""Releasing a notebook to environments."""

import json
from pathlib import Path

import pytest

from pipelinekit.kit.files import UnreadableFile
from pipelinekit.kit.release import EnvironmentNotFound, choose, read_environments, release
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import ValidationError

STAGING = Environment("staging", {"rows": 2})
PRODUCTION = Environment("production", {"rows": 3})
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def notebook(folder: Path, *cells: str) -> Path:
    parameters = _cell("environment, rows, word = '', 1, 'none'", "parameters")
    data = {
        "cells": [parameters, *(_cell(cell) for cell in cells)],
        "metadata": {"kernelspec": KERNEL},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    file = folder / "report.ipynb"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def output(file: Path) -> str:
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(out.get("text", "")) for out in cells[-1]["outputs"])


def _cell(source: str, *tags: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def test_environments_are_read_with_their_parameters(tmp_path: Path) -> None:
    file = tmp_path / "environments.yaml"
    file.write_text("staging:\n  parameters: {rows: 2}\nproduction: {}\n", encoding="utf-8")
    known = read_environments(file)
    assert known == {"staging": STAGING, "production": Environment("production")}
    assert choose(known, ["production", "staging"]) == [known["production"], known["staging"]]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("staging:\n  parameters: {}\n  color: red\n", 3, "color"),
        ("staging:\n  parameters:\n  - rows\n", 3, "mapping"),
        ("a b: {}\n", 1, "letters"),
        ("../up: {}\n", 1, "letters"),
        ("- staging\n", 1, "mapping"),
    ],
)
def test_a_fault_in_the_environments_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    file = tmp_path / "environments.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFile, match=words) as raised:
        read_environments(file)
    assert raised.value.line == line


def test_an_unknown_environment_is_refused_with_those_that_exist() -> None:
    with pytest.raises(EnvironmentNotFound, match="'live' was asked for and there are staging"):
        choose({"staging": STAGING}, ["staging", "live"])


def test_a_missing_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="no such file"):
        release(tmp_path / "none.ipynb", [STAGING], tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_a_notebook_is_executed_once_for_each_environment_with_its_parameters(
    tmp_path: Path,
) -> None:
    file = notebook(tmp_path, "print(environment, rows, word)")
    done = release(file, [STAGING, PRODUCTION], tmp_path / "runs", {"word": "x"})
    assert [each.succeeded for each in done] == [True, True]
    assert [output(each.notebook) for each in done] == ["staging 2 x\n", "production 3 x\n"]
    first = done[0].notebook
    assert first.parent == tmp_path / "runs"
    assert first.name.startswith("report-staging-2")
    assert first.name.endswith("Z.ipynb")


@pytest.mark.slow
def test_a_release_stops_at_the_first_failure_and_keeps_what_was_executed(tmp_path: Path) -> None:
    file = notebook(tmp_path, "print('before')", "raise ValueError(f'bad {rows}')")
    (done,) = release(file, [STAGING, PRODUCTION], tmp_path / "runs")
    assert not done.succeeded
    assert done.error is not None
    assert "ValueError: bad 2" in done.error
    assert "before" in done.notebook.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_kernel_that_dies_is_a_failure_whatever_the_notebook_says(tmp_path: Path) -> None:
    (done,) = release(notebook(tmp_path, "import os; os._exit(0)"), [STAGING], tmp_path / "runs")
    assert done.error is not None
    assert "DeadKernelError" in done.error


@pytest.mark.slow
def test_an_unknown_kernel_is_a_failure(tmp_path: Path) -> None:
    file = notebook(tmp_path, "1")
    file.write_text(file.read_text(encoding="utf-8").replace("python3", "cobol"), encoding="utf-8")
    (done,) = release(file, [STAGING], tmp_path / "runs")
    assert done.error is not None
    assert "cobol" in done.error
