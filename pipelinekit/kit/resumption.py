"""Finds the release that is to go on from where it failed."""

from collections.abc import Sequence
from typing import Final

from pipelinekit.engine.planned import Change
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.outdated import contents, taken, taken_notebook
from pipelinekit.kit.promotion import Promotion
from pipelinekit.kit.run import Run
from pipelinekit.kit.waits import called
from pipelinekit.model.errors import StageNotRetryable, ValidationError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.status import PipelineStatus
from pipelinekit.tools.notebooks import NotebookError, read_notebook
from pipelinekit.tools.notebooks.document import Cell, first_line
from pipelinekit.tools.notebooks.resume import numbers

ANEW: Final = "begin a new release of it"


def failed_release(kit: Kit, promotion: Promotion) -> Run:
    """Find the latest release of a notebook, which has to have failed; nothing is done with it.

    Args:
        kit: Where it ran.
        promotion: The notebook; with environments, those that it has to have been released to.

    Raises:
        StageNotRetryable: It was never released, its latest release has not failed, or went to
            other environments or with other parameters.
        ValidationError: The notebook is not as it was released.
    """
    asked = f"the release of {promotion.path} was to be resumed, and"
    runs = kit.runs(promotion.name, limit=1)
    if not runs:
        raise StageNotRetryable(f"{asked} it was never released here; {ANEW}")
    run, row = runs[0], runs[0].execution
    if not row.ended:
        raise StageNotRetryable(
            f"{asked} #{row.number} of it is still under way, in {row.stage}; follow it with "
            f"`pipelinekit watch {promotion.name}`"
        )
    if row.status is not PipelineStatus.FAILED:
        raise StageNotRetryable(
            f"{asked} #{row.number}, the latest, has not failed: it is {row.status}; {ANEW}"
        )
    if promotion.waves and kit.plan(promotion.pipeline()).change is not Change.SAME:
        raise StageNotRetryable(
            f"{asked} #{row.number} went to other environments, or with other parameters or "
            f"files; leave them out, for it goes on as it was begun, or {ANEW}"
        )
    if changed := _changed(kit, run, promotion):
        raise ValidationError(
            f"{asked} {changed} is not as #{row.number} took it, which goes on with what it took; "
            f"undo the change, or {ANEW}"
        )
    return run


def _changed(kit: Kit, run: Run, promotion: Promotion) -> str:
    released = taken_notebook(kit, _artifact(run), promotion.path)
    try:
        now = read_notebook(promotion.notebook)
    except NotebookError as error:
        raise ValidationError(str(error)) from None
    before, after = contents(released), contents(now)
    if before == after:
        return ""
    same = next(
        (at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]),
        min(len(before), len(after)),
    )
    if same < len(after):
        return _named(now["cells"], same)
    return f"{_named(released['cells'], same)} which is gone,"


def _named(cells: Sequence[Cell], index: int) -> str:
    number = numbers(cells, counts_injected=True).get(index)
    line = f"`{first_line(cells[index])}`,"
    return f"its cell {number}, {line}" if number else f"its cell that is not executed, {line}"


def _artifact(run: Run) -> Artifact:
    found = taken(run)
    if found is None:
        raise StageNotRetryable(
            f"{called(run)} was to be resumed, and it failed before anything was taken; {ANEW}"
        )
    return found
