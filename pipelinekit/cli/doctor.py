"""The command `doctor`: what can run here, and what to do about the rest."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import click
from msgspec.structs import asdict, replace

from pipelinekit.cli.starting import read_target
from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.kit.doctor import Fact, Findings, Standing, examine
from pipelinekit.kit.home import Home
from pipelinekit.kit.origin import settings_folder

MARKS: Final = {
    Standing.HERE: ("✓", "green"),
    Standing.OPEN: ("○", "yellow"),
    Standing.NOT_HERE: ("✗", "red"),
}


@click.command()
@shared
@click.argument("name", required=False, metavar="[FILE]")
@click.pass_context
def doctor(context: click.Context, name: str | None) -> None:
    """Show what can run here, and what to do about the rest.

    FILE is a definition, whose actions are looked at one by one; without it every action type
    is. Exit code 1 when something cannot run that FILE, or else the settings, ask for. Nothing is
    started or changed.
    """
    place = context.ensure_object(Surroundings)
    written = None if name is None else read_target(name)
    if name is not None and written is None:
        raise click.UsageError(f"{name} was to be looked at and is no file; name a definition")
    folder = settings_folder(written.file if written else None)
    pipeline = written.pipeline if written else None
    findings = examine(Home.find(place.home), folder, pipeline)
    if place.json:
        echo_json({"ready": findings.ready, **asdict(findings)})
    else:
        _show(findings, one_by_one=written is not None)
    context.exit(Exit.SUCCEEDED if findings.ready else Exit.FAILED)


def _show(findings: Findings, *, one_by_one: bool) -> None:
    sections = [("This machine", findings.machine), ("This project", findings.project)]
    if one_by_one:
        sections.append(("The actions", findings.actions))
    else:
        sections += _sections(findings.actions)
    show = _paint if sys.stdout.isatty() else _print
    for heading, facts in sections:
        show(heading, facts)
    left = [fact.name for fact in findings.asked if fact.standing is not Standing.HERE]
    told = f"What is asked for and cannot run here: {', '.join(left)}."
    click.secho(told if left else "Everything that is asked for can run here.", bold=True)


def _sections(types: Iterable[Fact]) -> Iterator[tuple[str, tuple[Fact, ...]]]:
    kinds = {each: [fact for fact in types if fact.standing is each] for each in Standing}
    here = ", ".join(fact.name for fact in kinds[Standing.HERE])
    yield "Actions that run here", (Fact("", Standing.HERE, here),)
    # The line to write says it all, where there is one.
    lines = (replace(fact, found="") if fact.advice else fact for fact in kinds[Standing.OPEN])
    yield "Actions that run once they are configured", tuple(lines)
    away = kinds[Standing.NOT_HERE]
    known = [replace(fact, found="") for fact in away if fact.advice]
    others = ", ".join(fact.name for fact in away if not fact.advice)
    yield "Actions that do not run here", tuple(known)
    yield "Actions that need a provider to be declared", (Fact("", Standing.NOT_HERE, others),)


def _print(heading: str, facts: Sequence[Fact]) -> None:
    click.echo(heading)
    width = max((len(fact.name) for fact in facts), default=0)
    for fact in facts:
        first, *more = _told(fact)
        name = f"{fact.name.ljust(width)}  " if width else ""
        click.echo(f"  {MARKS[fact.standing][0]} {name}{first}".rstrip())
        for line in more:
            click.echo(f"{' ' * (width + 6)}{line}")
    click.echo()


def _paint(heading: str, facts: Sequence[Fact]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    for fact in facts:
        mark, colour = MARKS[fact.standing]
        first, *more = _told(fact)
        told = Text(first).append("".join(f"\n{line}" for line in more), "cyan")
        name = [Text(fact.name, no_wrap=True)] if fact.name else []
        table.add_row(Text(mark, colour), *name, told)
    console = Console(highlight=False)
    console.print(Text(heading, "bold"))
    console.print(Padding(table, (0, 0, 1, 2)))


def _told(fact: Fact) -> list[str]:
    lines = fact.advice.splitlines()
    if len(lines) > 1:
        return [fact.found, *lines] if fact.found else lines
    return ["; ".join(filter(None, (fact.found, fact.advice)))]
