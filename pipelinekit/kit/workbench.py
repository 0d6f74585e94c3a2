"""Lays a step that failed out as a folder for JupyterLab: its notebook, inputs and parameters."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelinekit.kit.logs import shown
from pipelinekit.kit.run import Run
from pipelinekit.kit.waits import called
from pipelinekit.model.action import Action
from pipelinekit.model.errors import ActionNotFound, ValidationError
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.status import ActionStatus
from pipelinekit.tools.notebooks import NotebookError, read_notebook
from pipelinekit.tools.notebooks.resume import unmarked
from pipelinekit.tools.notebooks.secrets import references

LOG_BYTES = 20_000
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def lay_out(run: Run, action: str | None = None, folder: Path | None = None) -> Path:
    """Make a folder with a notebook in which a step of an execution can be tried again.

    Args:
        run: The execution.
        action: Of it; the one that failed last when None.
        folder: A folder that is not there yet; `open-ACTION` when None.

    Returns:
        The notebook.

    Raises:
        ActionNotFound: Nothing failed, or there is no such action.
        ValidationError: The folder is there already, or the files of the attempt are gone.
    """
    row = _attempt(run, action)
    job = run.log_file(row).parent
    if not job.is_dir():
        raise ValidationError(
            f"{row.action} was to be opened, and the files of that attempt are gone; run it again"
        )
    folder = folder or Path(f"open-{row.action}")
    if folder.exists():
        raise ValidationError(f"{folder} is there already; name another folder with --to")
    inputs = _copied(job, _declared(run, row), folder)
    (folder / "output").mkdir(parents=True, exist_ok=True)
    executed = next((job / "executed").glob("*.ipynb"), None)
    document = _of_notebook(executed) if executed else _of_commands(_declared(run, row))
    document["cells"] = [_about(run, row, job), _prepare(inputs), *document["cells"]]
    made = folder / (executed.name if executed else f"{row.action}.ipynb")
    made.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return made.resolve()


def _attempt(run: Run, action: str | None) -> ActionExecution:
    rows = [row for row in run.actions if action in {None, row.action}]
    if action is None:
        rows = [row for row in rows if row.status is ActionStatus.FAILED]
    if rows:
        return rows[-1]
    there = ", ".join(row.action for row in run.actions) or "none"
    raise ActionNotFound(
        f"{action or 'an action that failed'} of {called(run)} was to be opened, and there is "
        f"none; name one of its actions that have begun: {there}"
    )


def _declared(run: Run, row: ActionExecution) -> Action:
    return next(
        action
        for stage in run.definition.stages
        if stage.name == row.stage
        for action in stage.actions
        if action.name == row.action
    )


def _copied(job: Path, action: Action, folder: Path) -> dict[str, Path]:
    noted = job / "inputs.json"
    places: Mapping[str, str] = (
        json.loads(noted.read_text(encoding="utf-8"))
        if noted.is_file()
        else {name: str(job / "in" / str(at)) for at, name in enumerate(action.inputs)}
    )
    found = {name: Path(place) for name, place in places.items() if Path(place).is_dir()}
    for name, place in found.items():
        shutil.copytree(place, folder / "inputs" / name, symlinks=True)
    return {name: (folder / "inputs" / name).resolve() for name in found} or {
        "": _work(job, folder)
    }


def _work(job: Path, folder: Path) -> Path:
    if (job / "work").is_dir():
        shutil.copytree(job / "work", folder / "work", symlinks=True)
    (folder / "work").mkdir(parents=True, exist_ok=True)
    return (folder / "work").resolve()


def _of_notebook(executed: Path) -> dict[str, Any]:
    try:
        document = read_notebook(executed)
    except NotebookError as error:
        raise ValidationError(str(error)) from None
    document["cells"] = unmarked(document)
    given = document["metadata"].get("papermill", {}).get("parameters", {})
    hidden = [name for name, value in given.items() if isinstance(value, str)]
    for cell in document["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            lines = [
                f"\n{name} = pk.Secret({name}).value()"
                for name in hidden
                if any(references(given[name]))
            ]
            if lines:
                cell["source"] = "".join((*cell["source"], "\nimport pipelinekit as pk", *lines))
    return document


def _of_commands(action: Action) -> dict[str, Any]:
    text = "\n".join(action.commands) or "# what is to be tried"
    cell = _code(f"%%bash\n{text}")
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": KERNEL},
        "cells": [cell],
    }


def _about(run: Run, row: ActionExecution, job: Path) -> dict[str, Any]:
    why = row.error.message if row.error else "it did not fail"
    log = shown(job / "log", LOG_BYTES)
    told = f"# {row.stage}/{row.action}\n\nof execution {run.id} of {run.pipeline}: {row.status}\n"
    block = "".join(f"    {line}\n" for line in (*why.splitlines(), "", *log.splitlines()))
    return {"cell_type": "markdown", "metadata": {}, "source": f"{told}\n{block}"}


def _prepare(inputs: Mapping[str, Path]) -> dict[str, Any]:
    first = next(iter(inputs.values()))
    lines = ["import os", "", f"os.chdir({str(first)!r})"]
    for name, place in inputs.items():
        if name:
            key = "".join(each if each.isalnum() else "_" for each in name).upper()
            lines.append(f"os.environ['PIPELINEKIT_INPUT_{key}'] = {str(place)!r}")
    base = first.parent.parent if "" not in inputs else first.parent
    lines.append(f"os.environ['PIPELINEKIT_OUTPUT'] = {str(base / 'output')!r}")
    return _code("\n".join(lines))


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text,
    }
