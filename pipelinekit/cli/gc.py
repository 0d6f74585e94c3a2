"""The command `gc`: removes what is old and nobody needs."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta

import click

from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.kit.heap import Heap
from pipelinekit.kit.retention import Removed
from pipelinekit.wire.words import SHORT_ID

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
MEGABYTE = 1_000_000
MOST_DAYS = 36_500


def _age(_context: click.Context, _option: click.Parameter, text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([mhdw])", text)
    age = timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None
    if age is None or age.days > MOST_DAYS:
        raise click.BadParameter(f"{text!r} is no age; write 90d, 12h, 2w or 30m")
    return age


@click.command()
@shared
@click.option(
    "--older-than",
    callback=_age,
    default="90d",
    show_default=True,
    metavar="AGE",
    help="How long ago an execution has to have ended: 90d, 12h, 2w, 30m.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many executions stay of those that each stage can be rolled back to.",
)
@click.option("--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing.")
@click.pass_context
def gc(context: click.Context, /, older_than: timedelta, keep: int, *, dry_run: bool) -> None:
    """Remove old executions with their logs and artifacts, old caches, and old journal records.

    What has not ended stays, and so do the last execution of each stage and those that it can be
    rolled back to: of these the newest. The journal is cut off at its beginning; the line that
    says where names the digest that its first record is chained to. The database does not get
    smaller; the room in it is used again. Engines may be at work meanwhile, and a run that was
    interrupted is finished by the next one.

    Exit code 1: something could not be removed, and the others were.

    Example: pipelinekit gc --older-than 90d --keep 20 --dry-run
    """
    place = context.ensure_object(Surroundings)
    with place.existing() as kit:
        removed = kit.gc(older_than, keep=keep, dry_run=dry_run)
    if place.json:
        echo_json({**asdict(removed), "bytes": removed.bytes})
    else:
        click.echo("\n".join(_lines(removed)))
    if removed.jobs.left:
        context.exit(Exit.FAILED)


def _lines(removed: Removed) -> Iterator[str]:
    verb = "Would remove" if removed.dry_run else "Removed"
    yield f"{verb} what ended before {removed.before:%Y-%m-%d %H:%M} UTC:"
    yield f"{removed.executions:>12,} executions; {removed.executions_left:,} are left"
    yield _heap(removed.jobs, "folders of jobs, with their logs")
    yield _heap(removed.objects, "artifacts")
    yield _heap(removed.caches, "caches of builds")
    yield f"{removed.records:>12,} records of the journal{_beginning(removed)}"
    yield f"{removed.bytes / MEGABYTE:>12,.1f} MB in all"
    for name in removed.held_by:
        yield (
            f"Subscriber {name} is to be told of older records first, so they stayed; where there "
            f"is no such subscriber any more, remove subscribers/{name}.json"
        )
    yield from (f"Not removed: {each}" for each in removed.jobs.left)


def _heap(heap: Heap, what: str) -> str:
    return f"{heap.count:>12,} {what}: {heap.bytes / MEGABYTE:,.1f} MB"


def _beginning(removed: Removed) -> str:
    anchor = removed.anchor
    if not anchor.number:
        return ""
    digest = anchor.digest[: 2 * SHORT_ID]
    return f"; it begins after record {anchor.number:,}, digest {digest}"
