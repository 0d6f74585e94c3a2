"""Executes a notebook by papermill, in a kernel of its own, and tells in which cell it failed.

What papermill needs is imported with the first use, since that takes a third of a second.
"""

import ast
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipelinekit.tools.places import printable

PARAMETERS: Final = "parameters"
DEFAULT_KERNEL: Final = "python3"
SHOWN: Final = 80

_SCRAP: Final = re.compile(r"application/scrapbook\.scrap\.(json|text)\+json")
_ERRORS_ONLY: Final = "--IPKernelApp.log_level=40"  # else each kernel warns about its transport

Cell = Mapping[str, Any]
Say = Callable[[str], None]


class NotebookError(Exception):
    """A notebook that cannot be read or executed."""


class CellFailed(NotebookError):
    """A notebook one of whose cells failed, or killed its kernel."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What is to be executed.

    Attributes:
        source: The notebook.
        target: Where the executed notebook goes; it is written cell by cell.
        parameters: Values that are put in after the cell tagged `parameters`.
        kernel: The kernel's name; that which the notebook names, else `python3`, when None.
        folder: Where it runs; the working directory when None.
        environment: Variables of the kernel, besides those of this process.
    """

    source: Path
    target: Path
    parameters: Mapping[str, object] = field(default_factory=dict)
    kernel: str | None = None
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Executed:
    """How many cells with code a notebook has, and how many of them ran."""

    cells: int
    ran: int


def execute(wanted: Execution, say: Say | None = None) -> Executed:
    """Execute a notebook; input that a cell asks for is an error of that cell.

    Args:
        wanted: What and where.
        say: Is given a line for each cell that begins, what the cells print, and what is odd
            about the parameters; when None, papermill logs what it finds odd.

    Raises:
        NotebookError: It cannot be read, its kernel cannot be started, or a parameter that has
            no default is not given.
        CellFailed: A cell failed or the kernel died; the target holds what was executed.
    """
    from papermill.exceptions import PapermillException  # noqa: PLC0415

    document = _document(wanted.source)
    kernel = _kernel(wanted.kernel or _named_kernel(document), wanted.source)
    for line in _odd_parameters(document, wanted):
        (say or _unheard)(line)
    progress = _Progress(say or _unheard)
    wanted.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _papermill_is_silent(silent=say is not None), _lines(say) as output:
            _run(
                wanted,
                **kernel,
                stdout_file=output,
                stderr_file=output,
                on_cell_execute=progress.begin,
            )
    except (PapermillException, RuntimeError, ValueError, OSError) as error:
        kind = CellFailed if progress.cell else NotebookError
        raise kind(progress.told(error)) from error
    return Executed(sum(map(_runs, _document(wanted.target)["cells"])), progress.cell)


def scraps(notebook: Path) -> dict[str, object]:
    """Give the values that an executed notebook has glued into its outputs, as scrapbook does.

    Args:
        notebook: The executed notebook.
    """
    found: dict[str, object] = {}
    for cell in _document(notebook)["cells"]:
        for output in cell.get("outputs", ()):
            for kind, scrap in output.get("data", {}).items():
                if _SCRAP.fullmatch(kind) and isinstance(scrap, dict) and "name" in scrap:
                    found[str(scrap["name"])] = scrap.get("data")
    return found


# ------------------------------------------------------------------ the document


def _document(file: Path) -> Cell:
    import nbformat  # noqa: PLC0415

    try:
        text = file.read_text(encoding="utf-8")
        document: Cell = nbformat.reads(  # type: ignore[no-untyped-call]  # it has half its types
            text, as_version=nbformat.current_nbformat
        )
        nbformat.validate(document)
    except FileNotFoundError:
        raise NotebookError(f"notebook {file} was to be read and is not there") from None
    except (nbformat.ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
        why = printable(str(error).partition("\n")[0], SHOWN)
        raise NotebookError(
            f"{file.name} was to be read and is no notebook: {why}; save it again with Jupyter"
        ) from None
    return document


def _runs(cell: Cell) -> bool:
    has_code = cell["cell_type"] == "code" and _source(cell).strip()
    return bool(has_code) and "skip-execution" not in cell["metadata"].get("tags", ())


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _named_kernel(document: Cell) -> str:
    return str(document["metadata"].get("kernelspec", {}).get("name") or DEFAULT_KERNEL)


def _kernel(name: str, notebook: Path) -> dict[str, object]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415

    known = KernelSpecManager()
    try:
        spec = known.get_kernel_spec(name)
    except NoSuchKernel:
        there = ", ".join(sorted(known.find_kernel_specs())) or "none"
        raise NotebookError(
            f"{notebook.name} was to be executed by the kernel {name!r}, and the kernels here "
            f"are {there}; name one of these, or install it"
        ) from None
    is_ipykernel = any("ipykernel" in word for word in spec.argv)
    return {
        "kernel_name": name,
        "language": spec.language or "python",
        "extra_arguments": [_ERRORS_ONLY] if is_ipykernel else [],
    }


# ------------------------------------------------------------------ the parameters


def _odd_parameters(document: Cell, wanted: Execution) -> Iterator[str]:
    tagged = [cell for cell in document["cells"] if PARAMETERS in cell["metadata"].get("tags", ())]
    if not tagged:
        if wanted.parameters:
            yield (
                f"{wanted.source.name} has no cell tagged `{PARAMETERS}`: the values stand "
                f"before its first cell, and hold unless a cell sets them anew"
            )
        return
    declared = _declared(_source(tagged[0]))
    if declared is None:
        return
    missing = [name for name, has_value in declared.items() if not has_value]
    if left := [name for name in missing if name not in wanted.parameters]:
        raise NotebookError(
            f"{wanted.source.name} needs a value for {', '.join(left)}, which have no default in "
            f"its cell tagged `{PARAMETERS}`; give them as parameters"
        )
    if unknown := [name for name in wanted.parameters if name not in declared]:
        yield (
            f"{', '.join(unknown)}: not in the cell tagged `{PARAMETERS}` of "
            f"{wanted.source.name}, which has {', '.join(declared) or 'none'}"
        )


def _declared(source: str) -> dict[str, bool] | None:
    # Names with whether they have a value; None where the cell is in another language.
    plain = re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)
    try:
        statements = ast.parse(plain).body
    except SyntaxError:
        return None
    found: dict[str, bool] = {}
    for statement in statements:
        if isinstance(statement, ast.AnnAssign):
            found |= dict.fromkeys(_names(statement.target), statement.value is not None)
        elif isinstance(statement, ast.Assign):
            found |= dict.fromkeys(
                (name for target in statement.targets for name in _names(target)), True
            )
    return found


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


# ------------------------------------------------------------------ while it is executed


def _run(wanted: Execution, **options: object) -> None:
    import papermill  # noqa: PLC0415

    papermill.execute_notebook(
        str(wanted.source),
        str(wanted.target),
        parameters=dict(wanted.parameters),
        progress_bar=False,
        shutdown_kernel="immediate",  # a graceful one may hang for seconds
        kernel_manager_class=_manager(wanted.environment),
        resources={"metadata": {"path": str(wanted.folder or Path.cwd())}},
        **options,
    )


class _Progress:
    """Counts the cells that begin, as Jupyter numbers them."""

    def __init__(self, say: Say) -> None:
        self.cell = 0
        self._line = ""
        self._say = say

    def begin(self, cell: Cell, **_: object) -> None:
        self.cell += 1
        lines = [line for line in _source(cell).splitlines() if line.strip()]
        self._line = printable(lines[0].strip(), SHOWN) if lines else ""
        self._say(f"-- cell {self.cell}: {self._line}")

    def told(self, error: Exception) -> str:
        from nbclient.exceptions import DeadKernelError  # noqa: PLC0415

        where = f"cell {self.cell}, `{self._line}`"
        name, value = getattr(error, "ename", ""), getattr(error, "evalue", "")
        if name:
            return f"{where}: {name}: {value}"
        if isinstance(error, DeadKernelError):
            return f"{where}: the kernel died (DeadKernelError), perhaps for want of memory"
        if self.cell == 0:
            return f"the kernel did not start: {type(error).__name__}: {error}"
        return f"{where}: {type(error).__name__}: {error}"


class _Lines:
    """Takes what cells print, and hands it on line by line."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._say(line)

    def flush(self) -> None:
        """Wait for the end of the line."""

    def close(self) -> None:
        if self._rest:
            self._say(self._rest)


@contextmanager
def _lines(say: Say | None) -> Iterator[_Lines | None]:
    if say is None:
        yield None
        return
    with closing(_Lines(say)) as output:
        yield output


def _manager(environment: Mapping[str, str]) -> type:
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415

    class Manager(AsyncKernelManager):
        async def start_kernel(self, **given: object) -> None:  # type: ignore[override]  # as there
            await super().start_kernel(**given, env={**os.environ, **environment})

    return Manager


@contextmanager
def _papermill_is_silent(*, silent: bool) -> Iterator[None]:
    def nothing(_: logging.LogRecord) -> bool:
        return not silent

    logger = logging.getLogger("papermill")
    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)


def _unheard(_: str) -> None:
    return
