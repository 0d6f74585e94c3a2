"""The report of an execution as a notebook: what happened, and the cells that were executed."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from html import escape

from pipelinekit.kit.report_cells import PICTURES
from pipelinekit.kit.report_facts import Cell, Executed, Output, Report, Since

MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}

Data = dict[str, object]


def notebook(report: Report) -> str:
    """Write a report as a notebook of format 4.5.

    The facts are its text. The cells with code are those of the notebooks that were executed, with
    what they put out as text and as pictures; all else could run when it is opened.
    """
    cells = [_markdown(text) for text in _pages(report)]
    for each in report.notebooks:
        cells.append(_markdown(f"## Executed by {_plain(each.place)}: {_plain(each.name)}"))
        cells += [_cell(cell, each) for cell in each.cells]
    cells.append(_markdown("## Logs\n\n" + "\n\n".join(_logs(report))))
    cells.append(_markdown(_definition(report)))
    for number, cell in enumerate(cells):
        cell["id"] = hashlib.sha256(f"{report.heading.execution}{number}".encode()).hexdigest()[:8]
    data = {
        "cells": cells,
        "metadata": {"kernelspec": KERNEL},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _pages(report: Report) -> Iterator[str]:
    head = report.heading
    yield (
        f"# {_plain(head.pipeline)} \\#{head.number}: {_plain(head.status)}\n\n"
        f"Execution `{head.execution}`, started {head.started} by {_plain(head.origin)}, took "
        f"{head.time}. {_plain(head.why)}"
    )
    steps = [
        ((" " if each.depth else "") + each.name, each.status, each.started, each.time, each.told)
        for each in report.steps
    ]
    yield "## Steps\n\n" + _table(("Step", "Status", "Started", "Time", "What was told"), steps)
    decided = [(each.at, each.by, each.place, each.what, each.why) for each in report.decisions]
    told = _table(("When", "Who", "Where", "What", "Why"), decided)
    yield "## Decisions of people\n\n" + (told if decided else "Nobody had to decide anything.")
    taken = [(each.source, each.id, each.summary, each.authors) for each in report.revisions]
    yield "## Revisions\n\n" + _table(("Source", "Revision", "Message", "Author"), taken)
    yield "## New since the last release\n\n" + "\n\n".join(map(_since, report.since))
    kept = [(each.name, each.writer, each.digest, str(each.size)) for each in report.artifacts]
    yield "## Artifacts\n\n" + _table(("Artifact", "Written by", "SHA-256", "Bytes"), kept)
    given = [(each.place, each.name, each.value) for each in report.settings]
    yield "## Parameters and settings\n\n" + _table(("Where", "Name", "Value"), given)


def _since(each: Since) -> str:
    rows = [(change.id[:12], change.author, change.title) for change in each.changes]
    table = _table(("Commit", "Author", "Message"), rows) if rows else ""
    return f"**{_plain(each.place)}** {_plain(each.told)}\n\n{table}".rstrip()


def _logs(report: Report) -> Iterator[str]:
    for each in report.logs:
        yield f"**{_plain(each.place)}**\n\n{_block(each.text)}"


def _definition(report: Report) -> str:
    own = report.definition
    return (
        f"## Definition\n\nVersion {own.version}, by {_plain(own.by)} at {own.at}, SHA-256 "
        f"`{own.digest}`\n\n{_block(own.text)}"
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings)]
    lines += [[_plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    return escape(MARKDOWN.sub(r"\\\1", " ".join(text.split())), quote=False)


def _block(text: str) -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{fence}text\n{text}\n{fence}"


def _markdown(text: str) -> Data:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _cell(cell: Cell, executed: Executed) -> Data:
    if cell.kind != "code":
        return _markdown(_block(cell.source))
    if executed.language != "python":
        return _markdown(_block(cell.source) + "\n" + _block("\n".join(_texts(cell))))
    return {
        "cell_type": "code",
        "execution_count": int(cell.count) if cell.count else None,
        "metadata": {},
        "outputs": [_output(each) for each in cell.outputs],
        "source": cell.source,
    }


def _texts(cell: Cell) -> Iterator[str]:
    return (each.data for each in cell.outputs if each.kind not in PICTURES)


def _output(output: Output) -> Data:
    if output.kind in PICTURES:
        data = {output.kind: output.data, "text/plain": "a picture"}
        return {"output_type": "display_data", "data": data, "metadata": {}}
    name = "stderr" if output.kind == "error" else "stdout"
    return {"output_type": "stream", "name": name, "text": output.data}
