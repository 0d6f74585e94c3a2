"""Takes from executed notebooks what can be shown without running anything."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelinekit.kit.report_facts import Cell, Executed, Output
from pipelinekit.tools.notebooks import NotebookError, read_notebook
from pipelinekit.tools.notebooks.document import language, source
from pipelinekit.wire.words import shortened

EXECUTED = "executed"
PICTURES = ("image/png", "image/jpeg")
MOST_CHARACTERS = 100_000
MOST_PICTURE = 5_000_000


def executed(place: str, job: Path) -> Iterator[Executed]:
    """Give the notebook that a job executed, where it is still there.

    Args:
        place: The action's name, with its stage.
        job: The job's folder.
    """
    for file in sorted((job / EXECUTED).glob("*.ipynb")):
        try:
            document = read_notebook(file)
        except NotebookError:
            continue
        cells = tuple(map(_cell, document["cells"]))
        yield Executed(place, file.name, language(document), cells)


def _cell(cell: Mapping[str, Any]) -> Cell:
    count = cell.get("execution_count")
    given = (output for output in cell.get("outputs", ()) if isinstance(output, dict))
    outputs = tuple(each for output in given for each in _output(output))
    number = str(count) if isinstance(count, int) else ""
    return Cell(cell["cell_type"], number, source(cell), outputs)


def _output(output: Mapping[str, Any]) -> Iterator[Output]:
    match output.get("output_type"):
        case "stream":
            yield Output("text", _text(output.get("text")))
        case "error":
            trace = output.get("traceback") or [f"{output.get('ename')}: {output.get('evalue')}"]
            yield Output("error", _text("\n".join(map(str, trace))))
        case "execute_result" | "display_data":
            yield from _shown(output.get("data") or {})
        case _:  # what no version of Jupyter writes
            return


def _shown(data: Mapping[str, Any]) -> Iterator[Output]:
    for kind in PICTURES:
        picture = "".join(data.get(kind, "").split()) if isinstance(data.get(kind), str) else ""
        if picture and len(picture) <= MOST_PICTURE:
            yield Output(kind, picture)
            return
    if "text/plain" in data:
        yield Output("text", _text(data["text/plain"]))


def _text(text: object) -> str:
    joined = "".join(map(str, text)) if isinstance(text, list) else str(text or "")
    return shortened(joined, MOST_CHARACTERS)
