"""A notebook as an action: papermill executes it, and what it shows is kept."""

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.notebook import CellFailed, Execution, NotebookError, execute, scraps

EXECUTED: Final = "executed"
MADE: Final = "output"
WORK: Final = "work"
VARIABLE: Final = re.compile(r"[A-Za-z0-9@_-]+")


class _Parameters:
    """Reads JSON into which the values of variables were put, line ends and all."""

    def write(self, value: object) -> str:
        return json.dumps(value)

    def read(self, text: str) -> object:
        try:
            found = json.loads(text, strict=False)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"a JSON object is expected: {error}; the value of a #{{variable}} in it may "
                f"hold no quotation mark and no backslash"
            ) from None
        if isinstance(found, dict):
            return found
        raise ValueError("a JSON object is expected, with a value for each parameter")


def run_notebook(
    job: Job,
    notebook: str,
    parameters: Annotated[
        Mapping[str, object] | None, Key("Parameters", form=_Parameters())
    ] = None,
    *,
    kernel: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Execute a notebook by papermill, and fail when one of its cells does.

    It runs in a kernel of its own, with the environment of pipelinekit, in the folder of the
    first input artifact. `PIPELINEKIT_INPUT_<NAME>` is the folder of each input, and
    `PIPELINEKIT_OUTPUT` one for files that it makes: the output artifact, where there is one,
    has them and the executed notebook, which is kept in the job's folder in every case. Text and
    numbers that it glues, as scrapbook does, become output variables.

    Args:
        job: What is to be done.
        notebook: A path in the first input artifact, or else in the project's folder.
        parameters: Values for the names in the cell tagged `parameters`; their texts may hold
            variables.
        kernel: The name of a Jupyter kernel; that which the notebook names when None.
        environment: Variables of the kernel besides those of pipelinekit, such as `AWS_PROFILE`.
    """
    began = time.monotonic()
    try:
        wanted = _wanted(job, notebook, parameters or {}, kernel, environment or {})
        executed = execute(wanted, job.say)
        variables = dict(_variables(job, scraps(wanted.target)))
    except CellFailed as error:
        job.say(f"what was executed is in {job.folder / EXECUTED / Path(notebook).name}")
        return Failed(f"{notebook}, {error}")
    except NotebookError as error:
        return Failed(str(error), code=FailureType.CONFIGURATION_ERROR)
    if job.order.outputs:
        shutil.copy(wanted.target, job.folder / MADE)
        job.write(job.folder / MADE)
    seconds = time.monotonic() - began
    told = f"{executed.ran} of {executed.cells} cells executed in {seconds:.1f} s"
    return Succeeded(variables, told)


def _check(action: Action, settings: Settings) -> str | None:
    file = action.configuration.get("Notebook", "")
    if "#{" in file:
        return None
    if Path(file).suffix != ".ipynb":
        return f"{file!r} is to be executed as a notebook; give a file that ends in .ipynb"
    if not action.inputs and not (there := Path(settings.folder, file)).is_file():
        return f"notebook {there} is not there; correct the path, or read an artifact that has it"
    return None


_TRAITS: Final = Traits(
    category=Category.BUILD, provider="Notebook", outputs=(0, 1), detached=True, check=_check
)
notebook = provider(_TRAITS)(run_notebook)
notebook_test = provider(replace(_TRAITS, category=Category.TEST))(run_notebook)
notebook_deploy = provider(replace(_TRAITS, category=Category.DEPLOY))(run_notebook)
notebook_invoke = provider(replace(_TRAITS, category=Category.INVOKE))(run_notebook)


def _wanted(
    job: Job,
    file: str,
    parameters: Mapping[str, object],
    kernel: str | None,
    environment: Mapping[str, str],
) -> Execution:
    inputs = {each.name: job.read(each.name) for each in job.order.inputs}
    for name in (MADE, WORK):
        (job.folder / name).mkdir(parents=True, exist_ok=True)
    folders = {f"PIPELINEKIT_INPUT_{_in_capitals(name)}": str(at) for name, at in inputs.items()}
    first = next(iter(inputs.values()), None)
    return Execution(
        source=_found(file, first, Path(job.settings.folder)),
        target=job.folder / EXECUTED / Path(file).name,
        parameters=parameters,
        kernel=kernel,
        folder=first or job.folder / WORK,
        environment={
            **environment,
            **folders,
            "PIPELINEKIT_OUTPUT": str(job.folder / MADE),
            "PIPELINEKIT_ACTION_EXECUTION_ID": job.order.id,
        },
    )


def _found(file: str, artifact: Path | None, project: Path) -> Path:
    places = [each for each in (artifact, project) if each]
    for place in places:
        path = (place / file).resolve()
        if path.is_file() and path.is_relative_to(place.resolve()):
            return path
    raise NotebookError(
        f"notebook {file} was looked for in {' and in '.join(map(str, places))}, and is not "
        f"there; correct its path"
    )


def _in_capitals(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()


def _variables(job: Job, glued: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in glued.items():
        if not isinstance(value, str | int | float):
            job.say(f"{name} is glued and is no output variable: it is no text and no number")
        elif not VARIABLE.fullmatch(name):
            job.say(f"{name!r} is no name of an output variable; use letters, digits, @ _ -")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)
