"""Lays a step that failed out as a folder for JupyterLab: its notebook, inputs and parameters."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelinekit.kit.logs import shown
from pipelinekit.kit.run import Run
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.kit.step_commands import Step, declared, step_of
from pipelinekit.kit.waits import called
from pipelinekit.model.action import Action
from pipelinekit.model.errors import ActionNotFound, ValidationError
from pipelinekit.model.execution import ActionExecution
from pipelinekit.model.settings import Settings
from pipelinekit.model.status import ActionStatus
from pipelinekit.tools.notebooks import NotebookError, read_notebook
from pipelinekit.tools.notebooks.resume import unmarked
from pipelinekit.tools.notebooks.secrets import references

LOG_BYTES = 20_000
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def lay_out(
    run: Run,
    action: str | None = None,
    folder: Path | None = None,
    settings: Settings | None = None,
) -> Path:
    """Make a folder with a notebook in which a step of an execution can be tried again.

    It holds the cells of a notebook, or the commands of a Commands or CodeBuild action, with the
    values and variables of the attempt; of a secret only where its value is looked up.

    Args:
        run: The execution.
        action: Of it; the one that failed last when None.
        folder: A folder that is not there yet; `open-ACTION` when None.
        settings: Of the project's folder; those of the working directory when None.

    Returns:
        The notebook.

    Raises:
        ActionNotFound: Nothing failed, or there is no such action.
        ValidationError: The folder is there already, or the files of the attempt are gone.
    """
    row = _attempt(run, action)
    job = _files(run, row)
    settings = settings or load_settings(Path.cwd())
    folder = _new(folder or Path(f"open-{row.action}"))
    inputs = _copied(job, declared(run, row), folder)
    executed = next((job / "executed").glob("*.ipynb"), None)
    step = Step("") if executed else step_of(run, row, inputs, settings)
    document = _of_notebook(executed) if executed else _of_step(step)
    prepare = _prepare(inputs, (folder / "output").resolve(), step)
    document["cells"] = [_about(run, row, job), prepare, *document["cells"]]
    made = folder / (executed.name if executed else f"{row.action}.ipynb")
    made.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return made.resolve()


def _files(run: Run, row: ActionExecution) -> Path:
    job = run.log_file(row).parent
    if not job.is_dir():
        raise ValidationError(
            f"{row.action} was to be opened, and the files of that attempt are gone; run it again"
        )
    return job


def _new(folder: Path) -> Path:
    if folder.exists():
        raise ValidationError(f"{folder} is there already; name another folder with --to")
    (folder / "output").mkdir(parents=True)
    return folder


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


def _of_step(step: Step) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {"kernelspec": KERNEL},
        "cells": [_code(step.cell)],
    }


def _about(run: Run, row: ActionExecution, job: Path) -> dict[str, Any]:
    why = row.error.message if row.error else "it did not fail"
    log = shown(job / "log", LOG_BYTES)
    told = f"# {row.stage}/{row.action}\n\nof execution {run.id} of {run.pipeline}: {row.status}\n"
    block = "".join(f"    {line}\n" for line in (*why.splitlines(), "", *log.splitlines()))
    return {"cell_type": "markdown", "metadata": {}, "source": f"{told}\n{block}"}


def _prepare(inputs: Mapping[str, Path], output: Path, step: Step) -> dict[str, Any]:
    start = inputs.get(step.primary) or next(iter(inputs.values()))
    places = {"PIPELINEKIT_OUTPUT": str(output)}
    for name, place in inputs.items():
        if name:
            key = re.sub(r"[^0-9A-Za-z]", "_", name)
            places[f"PIPELINEKIT_INPUT_{key.upper()}"] = str(place)
            if step.cell:
                places[f"CODEBUILD_SRC_DIR_{key}"] = str(place)
    if step.cell:
        places["CODEBUILD_SRC_DIR"] = str(start)
    lines = [
        "# The inputs are as the attempt left them.",
        "import os",
        "",
        f"os.chdir({str(start)!r})",
    ]
    plain = {**step.variables.plain, **places}
    lines += [f"os.environ[{name!r}] = {value!r}" for name, value in plain.items()]
    return _code("\n".join((*lines, *_secrets(step))))


def _secrets(step: Step) -> list[str]:
    references = {name: f"ssm:{value}" for name, value in step.variables.parameters.items()}
    for name, value in step.variables.secrets.items():
        references[name] = f"secretsmanager:{value}"
    if not references:
        return []
    return [
        "",
        "# Secrets are looked up in the AWS account of this environment; else set them yourself.",
        "import pipelinekit as pk",
        "",
        *(
            f"os.environ[{name!r}] = pk.Secret({each!r}).value()"
            for name, each in references.items()
        ),
    ]


def _code(text: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text,
    }
