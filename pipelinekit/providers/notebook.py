"""A notebook as an action: papermill executes it, and what it shows is kept."""

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from msgspec import structs

from pipelinekit.builds.secrets import vault
from pipelinekit.engine.precedence import START_AFTER
from pipelinekit.engine.variables import KEY
from pipelinekit.model.action import Action, Category
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, FailureType, Order, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.forms import Names
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.notebooks import (
    Advance,
    Before,
    CellFailed,
    Execution,
    Limits,
    NotebookError,
    Record,
    check,
    execute,
    forget,
    read_before,
    resolver,
    resumed,
    scraps,
)
from pipelinekit.tools.notebooks.kernels import start_nursery
from pipelinekit.tools.notebooks.shelf import Left, leave, take

EXECUTED: Final = "executed"
MADE: Final = "output"
WORK: Final = "work"
MINUTE: Final = 60


class _Json:
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


Parameters: TypeAlias = Annotated[Mapping[str, object] | None, Key("Parameters", form=_Json())]


def run_notebook(  # noqa: PLR0913 - a parameter for each setting
    job: Job,
    notebook: str,
    parameters: Parameters = None,
    *,
    kernel: str | None = None,
    cell_seconds: int | None = None,
    notebook_seconds: int | None = None,
    keep_minutes: int = 10,
    environment: Mapping[str, str] | None = None,
    start_after: Annotated[Sequence[str] | None, Key(START_AFTER, form=Names())] = None,
) -> Outcome:
    """Execute a notebook by papermill, and fail when one of its cells does.

    It runs in a kernel of its own, with the environment of pipelinekit, in the folder of the
    first input artifact. `PIPELINEKIT_INPUT_<NAME>` is the folder of each input, and
    `PIPELINEKIT_OUTPUT` one for files that it makes: the output artifact, where there is one,
    has them and the executed notebook, which is kept in the job's folder in every case. Text and
    numbers that it hands out by `pk.output`, or glues as scrapbook does, become output variables.
    When a cell fails, `pipelinekit resume` goes on from that cell.

    Args:
        job: What is to be done.
        notebook: A path in the first input artifact, or else in the project's folder.
        parameters: Values for the names in the cell tagged `parameters`; their texts may hold
            variables, and `secret:env:NAME` or the like in the place of a secret (`pk.Secret`).
            Those of AWS are looked up in the account that `environment` names, if it does.
        kernel: The name of a Jupyter kernel; that which the notebook names when None.
        cell_seconds: How long each cell may take.
        notebook_seconds: How long all cells together may take.
        keep_minutes: How long the kernel of a notebook that failed is kept, to be resumed.
        environment: Variables of the kernel besides those of pipelinekit, such as `AWS_PROFILE`.
        start_after: Actions of the same run order that have to succeed first, such as an
            approval that is to hold up nothing but this notebook.
    """
    del start_after  # the engine sees to it
    limits = Limits(cell=cell_seconds, notebook=notebook_seconds, keep=keep_minutes * MINUTE)
    asked = _Asked(notebook, parameters or {}, kernel, limits, environment or {})
    return _carry_out(job, asked)


def _check(action: Action, settings: Settings) -> str | None:
    file = action.configuration.get("Notebook", "")
    if "#{" in file:
        return None
    if Path(file).suffix != ".ipynb":
        return f"{file!r} is to be executed as a notebook; give a file that ends in .ipynb"
    if not action.inputs and not (there := Path(settings.folder, file)).is_file():
        return f"notebook {there} is not there; correct the path, or read an artifact that has it"
    parameters = action.configuration.get("Parameters", "{}")
    if not action.inputs and "#{" not in parameters:
        return _misfit(there, parameters)
    return None


def _misfit(notebook: Path, parameters: str) -> str | None:
    try:
        check(notebook, json.loads(parameters, strict=False))
    except (NotebookError, ValueError, AttributeError) as error:
        return str(error)
    return None


_TRAITS: Final = Traits(
    category=Category.BUILD,
    provider="Notebook",
    outputs=(0, 1),
    detached=True,
    check=_check,
    preload=("pipelinekit.tools.notebooks.executor",),
    ready=start_nursery,
)
notebook = provider(_TRAITS)(run_notebook)
notebook_test = provider(structs.replace(_TRAITS, category=Category.TEST))(run_notebook)
notebook_deploy = provider(structs.replace(_TRAITS, category=Category.DEPLOY))(run_notebook)
notebook_invoke = provider(structs.replace(_TRAITS, category=Category.INVOKE))(run_notebook)


class _Asked(Noun):
    """What an action asks for by its configuration."""

    notebook: str
    parameters: Mapping[str, object]
    kernel: str | None
    limits: Limits
    environment: Mapping[str, str]


class _Site(Noun):
    """Where a notebook is executed: in the folder of the attempt that it goes on with, if any."""

    notebook: str
    folder: Path
    target: Path
    before: Before | None = None


def _carry_out(job: Job, asked: _Asked) -> Outcome:
    began = time.monotonic()
    site = _site(job, asked.notebook)
    try:
        wanted = _wanted(job, site, asked)
        record = execute(wanted, job.say)
        variables = dict(_variables(job, scraps(wanted.target)))
    except CellFailed as error:
        return _failed(job, site, error)
    except NotebookError as error:
        return Failed(str(error), code=FailureType.CONFIGURATION_ERROR)
    if job.order.outputs:
        shutil.copy(wanted.target, site.folder / MADE)
        job.write(site.folder / MADE)
    return Succeeded(variables, _summary(record, time.monotonic() - began))


def _site(job: Job, notebook: str) -> _Site:
    target = job.folder / EXECUTED / Path(notebook).name
    left = take(job.cache, _key(job.order))
    if left is None:
        return _Site(notebook, job.folder, target)
    before = read_before(Path(left.target))
    if left.asked and before:
        return _Site(notebook, Path(left.folder), target, before)
    if left.asked:
        job.say("what was executed before is no more; it starts over")
    if before:
        forget(before.kept)
    return _Site(notebook, job.folder, target)


def _key(order: Order) -> tuple[str, ...]:
    return (order.execution, order.stage, order.action)


def _wanted(job: Job, site: _Site, asked: _Asked) -> Execution:
    inputs = dict(_inputs(job, site.folder))
    for name in (MADE, WORK):
        (site.folder / name).mkdir(parents=True, exist_ok=True)
    folders = {f"PIPELINEKIT_INPUT_{_in_capitals(name)}": str(at) for name, at in inputs.items()}
    first = next(iter(inputs.values()), None)
    source = _found(site.notebook, first, Path(job.settings.folder))
    return Execution(
        source=source,
        target=site.target,
        parameters=check(source, asked.parameters),
        kernel=asked.kernel,
        folder=first or site.folder / WORK,
        environment={
            **asked.environment,
            **folders,
            "PIPELINEKIT_OUTPUT": str(site.folder / MADE),
            "PIPELINEKIT_ACTION_EXECUTION_ID": job.order.id,
        },
        limits=asked.limits,
        resolve=resolver(lambda: vault(job.settings, asked.environment)),
        before=site.before,
        advance=_advancing(job),
    )


def _inputs(job: Job, folder: Path) -> Iterator[tuple[str, Path]]:
    noted = folder / "inputs.json"
    places: dict[str, str] = {}
    if noted.is_file():  # of the attempt that it goes on with
        places = json.loads(noted.read_text(encoding="utf-8"))
    for each in job.order.inputs:
        if each.name not in places:
            places[each.name] = str(job.read(each.name))
        yield each.name, Path(places[each.name])
    noted.parent.mkdir(parents=True, exist_ok=True)
    noted.write_text(json.dumps(places), encoding="utf-8")


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
        elif not KEY.fullmatch(name):
            job.say(f"{name!r} is no name of an output variable; use letters, digits, @ _ -")
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)


def _advancing(job: Job) -> Advance:
    def advance(number: int, cells: int, line: str) -> None:
        job.progress(100 * (number - 1) // cells, f"cell {number} of {cells}: {line}")

    return advance


def _failed(job: Job, site: _Site, error: CellFailed) -> Failed:
    kept = error.record.kept
    job.say(f"what was executed is in {site.target}")
    if kept:
        leave(job.cache, _key(job.order), Left(str(site.folder), str(site.target)))
        until = time.strftime("%H:%M:%S", time.localtime(kept.until))
        where = f"its kernel is kept until {until}" if kept.token else "its kernel is gone"
        job.say(
            f"{where}; go on from this cell with: pipelinekit resume {job.order.execution[:8]}"
        )
    return Failed(f"{site.notebook}, {error}")


def _summary(record: Record, seconds: float) -> str:
    told = f"{record.ran} of {record.cells} cells executed in {seconds:.1f} s"
    return f"{told}; {resumed(record)}" if record.first else told
