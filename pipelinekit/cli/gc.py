"""The command `gc`: removes what is old and nobody needs."""

import re
from dataclasses import asdict
from datetime import timedelta

import click

from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
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
    help="How many executions stay of those that each stage can be rolled back to, besides the "
    "one that is there.",
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
        click.echo(removed)
    if removed.jobs.left:
        context.exit(Exit.FAILED)
