"""Reads notebooks: what is no notebook is refused before anything of it is executed."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from pipelinekit.tools.documents.places import printable

PARAMETERS: Final = "parameters"
"""The tag of the cell with the defaults of a notebook's parameters."""

DEFAULT_KERNEL: Final = "python3"
FORMAT: Final = 4
SHOWN: Final = 120

Cell: TypeAlias = Mapping[str, Any]
Document: TypeAlias = dict[str, Any]


class NotebookError(Exception):
    """A notebook that cannot be read or executed."""


def read_notebook(file: Path) -> Document:
    """Read a notebook of format 4, which Jupyter has written since 2015.

    Args:
        file: Its path.

    Raises:
        NotebookError: It is not there, or is no such notebook.
    """
    try:
        document = json.loads(file.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise NotebookError(
            f"notebook {file} was to be read and is not there; correct its path"
        ) from None
    except OSError as error:
        raise NotebookError(f"notebook {file} was to be read: {error}; see to it") from None
    except (ValueError, RecursionError) as error:
        raise _no_notebook(file, str(error)) from None
    if fault := _fault(document):
        raise _no_notebook(file, fault)
    found: Document = document
    return found


def source(cell: Cell) -> str:
    """Give the text of a cell, which may be kept as lines."""
    return "".join(cell["source"])


def tags(cell: Cell) -> Sequence[str]:
    """List the tags of a cell."""
    found: Sequence[str] = cell["metadata"].get("tags", ())
    return found


def runs(cell: Cell) -> bool:
    """Tell whether a cell has something to execute."""
    has_code = cell["cell_type"] == "code" and source(cell).strip()
    return bool(has_code) and "skip-execution" not in tags(cell)


def first_line(cell: Cell) -> str:
    """Give the first line of a cell that is not empty, for people."""
    lines = (line.strip() for line in source(cell).splitlines())
    return printable(next(filter(None, lines), ""), SHOWN)


def language(document: Document) -> str:
    """Name the programming language of a notebook, in small letters."""
    metadata = document["metadata"]
    named = metadata.get("kernelspec", {}).get("language")
    return str(named or metadata.get("language_info", {}).get("name") or "python").lower()


def kernel_name(document: Document) -> str:
    """Name the kernel that a notebook asks for."""
    return str(document["metadata"].get("kernelspec", {}).get("name") or DEFAULT_KERNEL)


def _no_notebook(file: Path, why: str) -> NotebookError:
    told = printable(why.partition("\n")[0], SHOWN)
    return NotebookError(
        f"{file.name} was to be read and is no notebook: {told}; save it again with Jupyter"
    )


def _fault(document: object) -> str | None:
    if not isinstance(document, dict) or document.get("nbformat") != FORMAT:
        return "it is no JSON object with `nbformat` 4"
    if not isinstance(document.get("metadata"), dict):
        return "it has no `metadata`"
    cells = document.get("cells")
    if not isinstance(cells, list):
        return "it has no list of `cells`"
    broken = (number for number, cell in enumerate(cells, 1) if not _is_cell(cell))
    if number := next(broken, None):
        return f"cell {number} lacks its type, its source or its metadata"
    return None


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") not in {"code", "markdown", "raw"}:
        return False
    text, metadata = cell.get("source"), cell.get("metadata")
    is_text = isinstance(text, str) or (
        isinstance(text, list) and all(isinstance(line, str) for line in text)
    )
    tagged = metadata.get("tags", []) if isinstance(metadata, dict) else None
    is_tagged = isinstance(tagged, list) and all(isinstance(tag, str) for tag in tagged)
    outputs = cell.get("outputs", [])
    return is_text and is_tagged and isinstance(outputs, list)
