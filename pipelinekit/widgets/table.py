"""A table with a heading: as HTML for notebooks, and as lines of text."""

from collections.abc import Sequence

from pipelinekit.widgets import look
from pipelinekit.widgets.markup import Html, tag
from pipelinekit.wire.words import flat

Rows = Sequence[Sequence[str]]
CELL = f"{look.CELL};overflow-wrap:break-word"
NO_FORMULAS = "mathjax_ignore tex2jax_ignore"


def table_html(title: Sequence[str], headings: Sequence[str], rows: Rows) -> str:
    """Draw a table.

    Args:
        title: What stands above it.
        headings: Of the columns.
        rows: The cells; text is escaped.
    """
    head = (tag("th", each, style=f"{look.HEADING};white-space:nowrap") for each in headings)
    body = (
        tag("tr", *(tag("td", each, style=CELL) for each in row), style=look.ROW) for row in rows
    )
    return str(
        tag(
            "div",
            tag("div", *title, style=look.HEAD),
            tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), style=look.TABLE),
            style=look.FRAME,
            **{"class": NO_FORMULAS},
        )
    )


def table_text(title: str, headings: Sequence[str], rows: Rows) -> str:
    """Write a table in columns; see `table_html`."""
    lines = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    told = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "\n".join(flat(line).rstrip() for line in (title, *told))


def titled(text: str, *more: str) -> tuple[Html, ...]:
    """Give a title, and what stands beside it."""
    return (tag("span", text, style=look.TITLE), *(tag("span", each) for each in more if each))
