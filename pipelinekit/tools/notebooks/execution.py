"""Executes a notebook from file to file, and tells in which cell it failed."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipelinekit.tools.notebooks.document import (
    Document,
    NotebookError,
    first_line,
    kernel_name,
    language,
    read_notebook,
    tags,
)
from pipelinekit.tools.notebooks.engine import NAME, PipelinekitEngine
from pipelinekit.tools.notebooks.kernels import Place, drop
from pipelinekit.tools.notebooks.limits import Advance, Caps, Limits, Record, Say
from pipelinekit.tools.notebooks.resume import INJECTED, Before, Kept, beside
from pipelinekit.tools.notebooks.secrets import Resolve, resolver

ASKS: Final = "StdinNotImplementedError"
_TROUBLE: Final = (RuntimeError, ValueError, OSError, TypeError, AttributeError, KeyError)
"""What papermill, nbclient and nbformat raise besides; a notebook is foreign input to them."""


class CellFailed(NotebookError):
    """A notebook one of whose cells failed, or killed its kernel.

    Attributes:
        record: What came of it; `kept` says how it may go on.
    """

    def __init__(self, message: str, record: Record) -> None:
        super().__init__(message)
        self.record = record


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What is to be executed.

    Attributes:
        source: The notebook.
        target: Where the executed notebook goes; it is written while it is executed.
        parameters: Values that are put in after the cell tagged `parameters`; see `check`.
        kernel: The kernel's name; that which the notebook names, else `python3`, when None.
        folder: Where it runs; the working directory when None.
        environment: Variables of the kernel, besides those of this process.
        limits: How long it may take.
        caps: How much each cell may put out.
        resolve: Looks up the secrets that parameters refer to.
        before: An execution that failed, to go on from; see `read_before`.
        advance: Is told how far it is.
    """

    source: Path
    target: Path
    parameters: Mapping[str, object] = field(default_factory=dict)
    kernel: str | None = None
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    caps: Caps = field(default_factory=Caps)
    resolve: Resolve = field(default_factory=resolver)
    before: Before | None = None
    advance: Advance | None = None


def execute(wanted: Execution, say: Say | None = None) -> Record:
    """Execute a notebook in a kernel of its own; input that a cell asks for fails that cell.

    When it fails, a file beside the target says how it may go on.

    Args:
        wanted: What and where.
        say: Is given a line for each cell that begins, and what the cells print.

    Returns:
        What came of it.

    Raises:
        NotebookError: It cannot be read, its kernel cannot be started, a secret cannot be had.
        CellFailed: A cell failed or the kernel died; the target holds what was executed.
    """
    from papermill.exceptions import PapermillException  # noqa: PLC0415 - a third of a second

    document = read_notebook(wanted.source)
    record = Record()
    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    beside(wanted.target).unlink(missing_ok=True)
    try:
        with _papermill_is_silent():
            _run(wanted, document, record, say)
    except NotebookError as error:
        if record.index is None:
            raise
        raise _failed(wanted, record, str(error)) from None
    except (PapermillException, *_TROUBLE) as error:
        told = _told(error)
        if record.index is None:
            raise NotebookError(f"{wanted.source.name} cannot be executed: {told}") from error
        _find_place(record, error)
        raise _failed(wanted, record, told) from error
    return record


def forget(kept: Kept) -> None:
    """End the kernel that was kept for a notebook that nobody will go on with."""
    if kept.token:
        drop(kept.token)


def _run(wanted: Execution, document: Document, record: Record, say: Say | None) -> None:
    import papermill  # noqa: PLC0415 - takes a third of a second
    from papermill.engines import papermill_engines  # noqa: PLC0415

    from pipelinekit.tools.notebooks.executor import Options  # noqa: PLC0415

    papermill_engines.register(NAME, PipelinekitEngine)
    options = Options(
        place=Place(
            wanted.folder or Path.cwd(),
            {**os.environ, **wanted.environment},
        ),
        caps=wanted.caps,
        limits=wanted.limits,
        resolve=wanted.resolve,
        say=say,
        advance=wanted.advance,
        before=wanted.before,
        record=record,
        counts_injected=any(INJECTED in tags(cell) for cell in document["cells"]),
    )
    papermill.execute_notebook(
        _literally(wanted.source),
        _literally(wanted.target),
        parameters=dict(wanted.parameters),
        engine_name=NAME,
        kernel_name=wanted.kernel or kernel_name(document),
        language=language(document),
        start_timeout=wanted.limits.start,
        progress_bar=False,
        pipelinekit=options,
    )


def _literally(path: Path) -> str:
    # papermill puts parameters into paths.
    return str(path).replace("{", "{{").replace("}", "}}")


def _failed(wanted: Execution, record: Record, told: str) -> CellFailed:
    if record.kept:
        record.kept.write(wanted.target)
    return CellFailed(f"{record.place}: {told}", record)


def _find_place(record: Record, error: Exception) -> None:
    # papermill fails at the end for a cell that may fail, and then it is not the last one.
    index = getattr(error, "cell_index", record.index)
    if index != record.index:
        record.index, record.line = index, first_line({"source": getattr(error, "source", "")})


def _told(error: Exception) -> str:
    name, value = getattr(error, "ename", ""), getattr(error, "evalue", "")
    if name == ASKS:
        return (
            f"{name}: it asks for input, and nobody is there to answer; take a parameter instead"
        )
    return f"{name}: {value}" if name else f"{type(error).__name__}: {error}"


@contextmanager
def _papermill_is_silent() -> Iterator[None]:
    def nothing(_: logging.LogRecord) -> bool:
        return False

    logger = logging.getLogger("papermill")
    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)
