"""The command `plan`: what a start would do, before anything starts."""

from collections.abc import Iterator

import click
from msgspec.structs import asdict, replace
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from pipelinekit.cli.starting import Values, read_target, starting
from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.engine.planned import Plan, PlannedAction, PlannedStage
from pipelinekit.kit import plan_words as words
from pipelinekit.kit.files import Written
from pipelinekit.kit.origin import settings_folder
from pipelinekit.kit.plan import Ground, planned, wish
from pipelinekit.kit.registry import action_types
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.action import Category
from pipelinekit.model.condition import ConditionType
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.state import State

WIDE = 400


@click.command()
@shared
@click.argument("target", metavar="FILE|NAME")
@starting
@click.pass_context
def plan(context: click.Context, /, target: str, values: Values) -> None:
    """Explain what a start would do, before anything starts.

    Shown are the stages and actions that would run, with which values and where; what is in the
    way now; what would be asked, checked, superseded or cancelled. FILE and NAME are those of
    `run`. Nothing is started or written; exit code 2 when a start would be refused, 1 when it
    would fail for want of a commit in a git repository on this machine.

    Example: pipelinekit plan pipeline.py --variable level=debug
    """
    place = context.ensure_object(Surroundings)
    written = read_target(target, check=False)
    found = _planned(place, target, written, values)
    if place.json:
        echo_json({**asdict(found), "startable": found.startable, "promising": found.promising})
    else:
        _print(found)
    context.exit(_exit(found))


def _exit(found: Plan) -> Exit:
    if found.promising:
        return Exit.SUCCEEDED
    return Exit.FAILED if found.startable else Exit.REFUSED


def _planned(place: Surroundings, target: str, written: Written | None, values: Values) -> Plan:
    given = asdict(values)
    if written is None:
        _, file = place.known(target)
        with place.kit(settings_folder(file)) as kit:
            return kit.plan(target, **given)
    folder = settings_folder(written.file)
    if place.fresh:  # a kit would make the folder of the state
        start = wish(written.pipeline.name, "", **given)
        ground = Ground(State(), None, load_settings(folder), action_types())
        found = planned(ground, written.pipeline, start)
    else:
        with place.kit(folder) as kit:
            found = kit.plan(written.pipeline, **given)
    lines = {fault.path: fault.line for fault in written.faults}
    faults = tuple(replace(fault, line=lines.get(fault.path)) for fault in found.faults)
    return replace(found, faults=faults)


def _print(found: Plan) -> None:
    heading = click.style(f"{found.pipeline} #{found.number}", bold=True)
    tone = "green" if found.promising else "red"
    click.echo(f"{heading}  {click.style(words.verdict(found), fg=tone)}  {words.origin(found)}")
    if found.variables:
        click.echo(f"  variables {words.variables(found)}")
    for told in words.refusals(found):
        click.echo(click.style(f"  ✗ {told}", fg="red"))
    for told in words.consequences(found):
        click.echo(click.style(f"  ! {told}", fg="yellow"))
    tree = Tree("", hide_root=True, guide_style="bright_black")
    for stage in found.stages:
        _grow(tree, stage, found.mode)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE  # nothing is broken into lines for a pipe
    console.print(tree)


def _grow(tree: Tree, stage: PlannedStage, mode: ExecutionMode) -> None:
    branch = tree.add(Text(stage.name, style="bold"))
    for told in words.way(stage, mode):
        branch.add(Text(f"! {told}", style="yellow"))
    entry, later = _conditions(stage)
    for rule in entry:
        branch.add(rule)
    for group in stage.groups:
        beside = branch.add(Text("side by side", style="bright_black")) if group[1:] else branch
        for action in group:
            beside.add(Text("\n").join((_heading(action), *_details(action))))
    for rule in later:
        branch.add(rule)
    if words.failure(stage):
        branch.add(Text(words.failure(stage), style="bright_black"))


def _conditions(stage: PlannedStage) -> tuple[list[Text], list[Text]]:
    entry: list[Text] = []
    later: list[Text] = []
    for condition in stage.conditions:
        for rule, told in words.condition(condition):
            style = "yellow" if rule.blocks else ""
            lines = entry if condition.place is ConditionType.BEFORE_ENTRY else later
            lines.append(Text(f"◆ {told}", style=style))
            if rule.obstacle:
                lines.append(Text(f"✗ {rule.obstacle}", style="red"))
    return entry, later


def _heading(action: PlannedAction) -> Text:
    tone = "red" if action.obstacle else "green"
    waits = "yellow" if action.category is Category.APPROVAL else "bright_black"
    return Text.assemble(
        action.name,
        (f"  {words.kind(action)}", "bright_black"),
        (f"  {words.place(action)}", tone),
        (f"  {words.limit(action)}", waits),
    )


def _details(action: PlannedAction) -> Iterator[Text]:
    if action.obstacle:
        yield Text(action.obstacle, style="red")
    elif action.does:
        yield Text(action.does, style="bright_black")
    yield from (Text(line) for line in (words.flow(action), *words.settings(action)) if line)
