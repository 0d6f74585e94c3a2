"""How a notebook that failed goes on: from where, and what of it is executed again."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pipelinekit.tools.notebooks.document import (
    Cell,
    Document,
    NotebookError,
    read_notebook,
    runs,
    source,
    tags,
)
from pipelinekit.tools.notebooks.needs import NotReplayableError, needed

INJECTED: Final = "injected-parameters"
MARKER: Final = "papermill-error-cell-tag"
SUFFIX: Final = ".kept.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an execution that failed; it lies beside the executed notebook.

    Attributes:
        failed: The index of the cell that failed, in the executed notebook.
        token: Under which its kernel is kept; empty when it is not.
        until: When the kernel ends, in seconds since 1970.
    """

    failed: int
    token: str = ""
    until: float = 0.0

    def write(self, target: Path) -> None:
        """Write it beside the executed notebook, for nobody else to read."""
        file = beside(target)
        file.touch(0o600)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Before:
    """An execution that failed, and from which another one goes on.

    Attributes:
        cells: As they were executed, without papermill's marks.
        kept: The rest that is known of it.
    """

    cells: Sequence[Cell]
    kept: Kept

    @property
    def kernel_may_live(self) -> bool:
        """Tell whether it is worth asking for its kernel."""
        return bool(self.kept.token) and time.time() < self.kept.until


@dataclass(frozen=True, slots=True)
class Plan:
    """What is executed.

    Attributes:
        first: The index of the first cell that is executed as if for the first time.
        replayed: Indexes of cells before it that are executed again.
    """

    first: int = 0
    replayed: frozenset[int] = frozenset()

    def runs(self, index: int) -> bool:
        """Tell whether a cell is executed."""
        return index >= self.first or index in self.replayed


def beside(target: Path) -> Path:
    """Name the file beside an executed notebook that says how it may go on."""
    return target.with_name(target.name + SUFFIX)


def read_before(target: Path) -> Before | None:
    """Read what is left of an execution that failed; None when it cannot be gone on from.

    Args:
        target: The executed notebook.
    """
    with suppress(OSError, ValueError, TypeError, NotebookError):
        kept = Kept(**json.loads(beside(target).read_text(encoding="utf-8")))
        cells = unmarked(read_notebook(target))
        if 0 <= kept.failed < len(cells):
            return Before(cells, kept)
    return None


def unmarked(document: Document) -> list[Cell]:
    """List the cells without those by which papermill marks an error."""
    return [cell for cell in document["cells"] if MARKER not in tags(cell)]


def plan(cells: Sequence[Cell], before: Before, *, kernel_lives: bool) -> Plan:
    """Find out where a notebook goes on: at the cell that failed, or at a changed one before.

    Args:
        cells: As they are to be executed, with the parameters.
        before: The execution that failed.
        kernel_lives: Whether its kernel is there, with all that it has computed.

    Raises:
        NotebookError: What must not be done twice would be needed.
    """
    first = _first_changed(cells, before)
    injected = (index for index, cell in enumerate(cells) if INJECTED in tags(cell))
    if first <= next(injected, -1):
        return Plan()
    if kernel_lives:
        return Plan(first)
    try:
        return Plan(first, needed(cells, first))
    except NotReplayableError as error:
        raise NotebookError(
            f"it was to go on in a fresh kernel, which needs {', '.join(error.names)} of cell "
            f"{numbers(cells)[error.index]}, and that is tagged `once`; add a cell tagged "
            f"`checkpoint` that loads what it made, or start over"
        ) from None


def numbers(cells: Sequence[Cell], *, counts_injected: bool = False) -> Mapping[int, int]:
    """Number the cells that are executed, by their indexes, as the author counts them.

    Args:
        cells: Of the notebook as it is executed.
        counts_injected: Whether the cell with the parameters that were put in stood in the
            author's notebook too, as it does in one that was executed before.
    """
    counted = (
        index
        for index, cell in enumerate(cells)
        if runs(cell) and (counts_injected or INJECTED not in tags(cell))
    )
    return {index: number for number, index in enumerate(counted, 1)}


def _first_changed(cells: Sequence[Cell], before: Before) -> int:
    for index in range(before.kept.failed):
        if index >= len(cells) or _content(cells[index]) != _content(before.cells[index]):
            return index
    return before.kept.failed


def _content(cell: Cell) -> tuple[str, str]:
    return cell["cell_type"], source(cell)
