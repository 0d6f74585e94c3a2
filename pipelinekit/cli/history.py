"""The command `history`: what happened, as a table."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import click

from pipelinekit.analytics import COLUMNS as FRAMES
from pipelinekit.analytics import Past
from pipelinekit.cli.colours import colour
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.kit import Kit
from pipelinekit.runtime.clock import now
from pipelinekit.wire.words import MARKS, SHORT_ID, clock, duration, one_line

COLUMNS = {
    "executions": (
        "pipeline number execution status started seconds trigger by revision attempts type target"
        " summary"
    ),
    "stages": "pipeline execution stage status started seconds retries auto_retries",
    "actions": (
        "pipeline execution stage action attempt status started seconds place stale_answers error"
        " summary"
    ),
    "approvals": "pipeline execution stage action decision by asked seconds comment",
    "votes": "pipeline execution stage action vote by at comment refused",
    "tests": (
        "pipeline execution stage action attempt group passed failed skipped seconds lines_covered"
        " lines_total failures"
    ),
}
"""By the name of a frame, the columns that are shown to people; JSON has all of them."""

WHOLE = {"executions", "stages", "actions"}
"""The frames that have a row for each row of the store."""

IDS = {"execution", "revision", "action_execution", "target"}
COUNTS = {"number", "attempts", "attempt", "retries", "auto_retries"}
COUNTS |= {"stale_answers", "passed", "failed", "skipped", "lines_covered", "lines_total"}
SENTENCES = {"summary", "error", "comment", "failures"}
"""What goes on in a second line where there is no room."""

WIDE = 400
BORDER, GAP, SENTENCE_WIDTH = 2, 2, 16
CELL_WIDTH = 80


class Asked(NamedTuple):
    """Whose history is shown, of how many days, and how many rows of it."""

    name: str | None
    days: float
    limit: int | None


@click.command()
@shared
@click.argument("name", required=False, metavar="[NAME]")
@click.option(
    "--days",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    help="How far back.",
)
@click.option("--actions", "kind", flag_value="actions", help="One row an attempt of an action.")
@click.option("--approvals", "kind", flag_value="approvals", help="One row an approval.")
@click.option("--votes", "kind", flag_value="votes", help="One row an answer to an approval.")
@click.option("--stages", "kind", flag_value="stages", help="One row a stage of an execution.")
@click.option("--tests", "kind", flag_value="tests", help="One row a report of a build's tests.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many rows, the newest.")
@click.pass_obj
def history(
    place: Surroundings, name: str | None, days: float, kind: str | None, limit: int | None
) -> None:
    """Show what happened: one row an execution, the newest first.

    NAME is a pipeline; without it all pipelines are meant.
    """
    kind = kind or "executions"
    fresh = name is None and place.fresh
    rows = [] if fresh else _rows(place, Asked(name, days, limit), kind)
    if place.json:
        echo_json(rows)
    elif not rows:
        click.echo(f"Nothing in the last {days:g} days.")
    else:
        show_table(COLUMNS[kind].split(), rows)


def _rows(place: Surroundings, asked: Asked, kind: str) -> list[dict[str, object]]:
    with place.existing() as kit:
        if asked.name is not None:
            kit.definition(asked.name)
        return rows_of(kit, asked, kind)


def rows_of(kit: Kit, asked: Asked, kind: str) -> list[dict[str, object]]:
    """Give the rows of a frame, the newest first, without making one, which takes a second."""
    read = asked.limit if kind in WHOLE else None
    past = Past.of(kit.store, asked.name, asked.days, now(), read)
    rows = islice(past.rows(kind), asked.limit)
    return [dict(zip(FRAMES[kind], row, strict=True)) for row in rows]


def show_table(columns: Sequence[str], rows: Sequence[dict[str, object]]) -> None:
    """Print rows of a frame, a column for each name; times, durations and ids as people read."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=SIMPLE_HEAD)
    cells = {column: [_cell(column, row[column]) for row in rows] for column in columns}
    if not sys.stdout.isatty():
        console.width = WIDE  # nothing is left out for a pipe
    shown = _fitting(cells, console.width) if sys.stdout.isatty() else columns
    for column in shown:
        right = column == "seconds" or column in COUNTS
        table.add_column(
            column, justify="right" if right else "left", no_wrap=column not in SENTENCES
        )
    for number in range(len(rows)):
        table.add_row(*(Text(*cells[column][number]) for column in shown))
    console.print(table)


def _fitting(cells: Mapping[str, Sequence[tuple[str, str]]], width: int) -> list[str]:
    """Choose the columns that say something, from the first one on as many as fit."""
    widths = {
        column: max(len(column), *(len(text) for text, _ in found))
        for column, found in cells.items()
        if any(text for text, _ in found)
    }
    shown: list[str] = []
    left = width - BORDER
    for column, wanted in widths.items():
        left -= GAP + (min(wanted, SENTENCE_WIDTH) if column in SENTENCES else wanted)
        if left < 0 and shown:
            break
        shown.append(column)
    return shown


def _cell(column: str, value: object) -> tuple[str, str]:
    if value is None or (column, value) in {("place", "here"), ("stale_answers", 0)}:
        return "", ""
    if column in {"status", "decision", "vote"}:
        mark = MARKS[str(value)]
        return str(mark), colour(mark)
    if isinstance(value, datetime):
        return clock(value), ""
    if column == "seconds":
        return duration(float(str(value))), ""
    if column in IDS:
        return str(value)[:SHORT_ID], ""
    return one_line(str(value), CELL_WIDTH), ""
