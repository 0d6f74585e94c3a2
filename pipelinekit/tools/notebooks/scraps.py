"""What notebooks hand out by name: written in a cell, read from the executed notebook.

The form is scrapbook's, so that `sb.glue` and `sb.read_notebook` understand it.
"""

import json
import re
from pathlib import Path
from typing import Final

from pipelinekit.tools.notebooks.document import read_notebook

KIND: Final = re.compile(r"application/scrapbook\.scrap\.(json|text)\+json")
VERSION: Final = 1


def output(name: str, value: object) -> None:
    """Hand a value of a notebook out: text and numbers become output variables of its action.

    Args:
        name: Letters, digits and `@ _ -`.
        value: What JSON can hold; what is no text and no number can be read from the executed
            notebook only.

    Raises:
        TypeError: It cannot be written as JSON.
    """
    from IPython.display import display  # noqa: PLC0415 - it is there where there are notebooks

    json.dumps(value)
    encoder = "text" if isinstance(value, str) else "json"
    scrap = {"name": name, "data": value, "encoder": encoder, "version": VERSION}
    kind = f"application/scrapbook.scrap.{encoder}+json"
    told = {"scrapbook": {"name": name, "data": True, "display": False}}
    display({kind: scrap}, metadata=told, raw=True)  # type: ignore[no-untyped-call]  # of IPython


def scraps(notebook: Path) -> dict[str, object]:
    """Give the values that an executed notebook has handed out, by `output` or by scrapbook.

    Args:
        notebook: The executed notebook.

    Raises:
        NotebookError: It cannot be read.
    """
    found: dict[str, object] = {}
    for cell in read_notebook(notebook)["cells"]:
        for each in cell.get("outputs", ()):
            for kind, scrap in each.get("data", {}).items():
                if KIND.fullmatch(kind) and isinstance(scrap, dict) and "name" in scrap:
                    found[str(scrap["name"])] = scrap.get("data")
    return found
