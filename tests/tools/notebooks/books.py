"""Notebooks of a few cells, written, executed and read."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelinekit.tools.notebooks import (
    CellFailed,
    Execution,
    NotebookError,
    Record,
    execute,
    read_before,
)

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(source: str, *tags: str) -> dict[str, object]:
    """Give a cell with code."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def write(file: Path, *cells: str | dict[str, object]) -> Path:
    """Write a notebook; the text of a cell stands for the cell."""
    data = {
        "cells": [cell(each) if isinstance(each, str) else each for each in cells],
        "metadata": {"kernelspec": KERNEL},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


@dataclass
class Book:
    """One notebook in a folder, which is executed there.

    Attributes:
        said: What was said while it was executed.
    """

    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def target(self) -> Path:
        """Give the executed notebook."""
        return self.folder / "executed" / "book.ipynb"

    def write(self, *cells: str | dict[str, object], parameters: str | None = None) -> None:
        """Write the notebook."""
        tagged = [] if parameters is None else [cell(parameters, "parameters")]
        write(self.folder / "book.ipynb", *tagged, *cells)

    def run(self, **given: Any) -> Record:
        """Execute it."""
        self.said.clear()
        places = {"source": self.folder / "book.ipynb", "target": self.target}
        values: dict[str, Any] = {**places, "folder": self.folder, **given}
        execution = Execution(**values)
        return execute(execution, self.said.append)

    def fail(self, **given: Any) -> CellFailed:
        """Execute it, which must fail in a cell."""
        try:
            record = self.run(**given)
        except CellFailed as error:
            return error
        except NotebookError as error:
            raise AssertionError(error) from error
        raise AssertionError(record)

    def go_on(self, **given: Any) -> Record:
        """Execute it from where it failed."""
        before = read_before(self.target)
        assert before
        return self.run(before=before, **given)

    @property
    def text(self) -> str:
        """Give the executed notebook as it lies on the disk."""
        return self.target.read_text(encoding="utf-8")

    def outputs(self, index: int) -> list[Any]:
        """Give the outputs of a cell."""
        found: list[Any] = json.loads(self.text)["cells"][index]["outputs"]
        return found

    def printed(self, index: int) -> str:
        """Give what a cell printed."""
        return "".join("".join(each.get("text", "")) for each in self.outputs(index))
