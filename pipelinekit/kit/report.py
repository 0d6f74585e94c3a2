"""The report of an execution: one page, and one notebook, that tell all of it: `pk.report`."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from pipelinekit.kit.kit import Kit
from pipelinekit.kit.report_facts import Report
from pipelinekit.kit.report_notebook import notebook
from pipelinekit.kit.report_page import page
from pipelinekit.kit.report_reader import Reader, secrets_of
from pipelinekit.kit.run import Run
from pipelinekit.kit.since import Repositories, since
from pipelinekit.kit.waits import called
from pipelinekit.model.errors import ValidationError
from pipelinekit.runtime.clock import now
from pipelinekit.tools.redact import Redactor
from pipelinekit.tools.vault import SecretError
from pipelinekit.wire.words import SHORT_ID, clean

T = TypeVar("T")

OUT = Path("runs")


def gather(kit: Kit, run: Run) -> Report:
    """Read all that there is to tell of an execution, without anything that is known as secret.

    Raises:
        ValidationError: The secrets of the project cannot be read, so none can be taken out.
    """
    types = kit.types(deleted=True)
    try:
        redactor = Redactor(secrets_of(run, kit.settings, types))
    except SecretError as error:
        raise ValidationError(
            f"a report of {called(run)} was to be written without secrets, and these cannot "
            f"be read: {error}"
        ) from None
    told = Reader(kit.store, run, types, now()).report()
    clones = kit.home.folder / "cache" / "git"
    repositories = Repositories(Path(kit.settings.folder), clones)
    whole = replace(told, since=tuple(since(kit.store, run, repositories)))
    return _each_text(whole, lambda text: clean(redactor.redacted(text)))


def report(
    execution: Run | str, out: Path | str = OUT, *, kit: Kit | None = None
) -> tuple[Path, Path]:
    """Write what happened in an execution as one HTML page and one notebook.

    Both stand alone, and run nothing when they are opened. They tell the definition and its hash,
    parameters, revisions, the commits since the last release there, who decided what and why,
    timings, artifacts with their digests, logs, and the notebooks that were executed.

    Args:
        execution: The execution, or the beginning of its id.
        out: The folder that they are written to.
        kit: Where it ran; the usual one when None.

    Returns:
        The page and the notebook.

    Raises:
        ExecutionNotFound: There is no such execution.
        ValidationError: The secrets of the project cannot be read.
    """
    if kit is not None:
        return _write(kit, execution, Path(out))
    with Kit(work=False) as looking:
        return _write(looking, execution, Path(out))


def _write(kit: Kit, execution: Run | str, out: Path) -> tuple[Path, Path]:
    run = kit.run(execution.id if isinstance(execution, Run) else execution)
    told = gather(kit, run)
    out.mkdir(parents=True, exist_ok=True)
    heading = told.heading
    stem = f"{heading.pipeline}-{heading.number}-{run.id[:SHORT_ID]}"
    html, copy = out / f"{stem}.html", out / f"{stem}.ipynb"
    html.write_text(page(told), encoding="utf-8")
    copy.write_text(notebook(told), encoding="utf-8")
    return html, copy


def _each_text(noun: T, change: Callable[[str], str]) -> T:
    # Every text of a report goes through here, whatever will be told of an execution one day.
    changed: object = noun
    if isinstance(noun, str):
        changed = change(noun)
    elif isinstance(noun, tuple):
        changed = tuple(_each_text(each, change) for each in noun)
    elif isinstance(noun, Struct):
        members = {name: _each_text(value, change) for name, value in asdict(noun).items()}
        changed = replace(noun, **members)
    return changed  # type: ignore[return-value]  # of the type that it came as
