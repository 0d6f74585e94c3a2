"""The commands that bring pipelines from elsewhere and take them there: import, export."""

from pathlib import Path
from typing import Final

import click
from msgspec.structs import asdict

from pipelinekit.cli.pairs import pairs
from pipelinekit.cli.starting import read_target
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.exporting import Target, export_notes
from pipelinekit.kit.exporting import export as write_export
from pipelinekit.kit.fidelity import Fidelity, Told, fidelity
from pipelinekit.kit.importing import Imported, import_file
from pipelinekit.kit.origin import settings_folder
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Settings
from pipelinekit.wire.words import flat, one_line

MARKS: Final = {
    Fidelity.HERE: ("✓", "green"),
    Fidelity.ONCE_CONFIGURED: ("○", "yellow"),
    Fidelity.NEEDS_AWS: ("☁", "cyan"),
    Fidelity.NOT_SUPPORTED: ("✗", "red"),
}
USUAL: Final = Path()


@click.command("import")
@shared
@click.argument("name", metavar="FILE|FOLDER")
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    callback=pairs,
    help=(
        "The value of a parameter or a variable, or of anything else that FILE does not tell, by "
        "the key that a placeholder is told with; may be repeated."
    ),
)
@click.option(
    "--pipeline",
    metavar="NAME",
    help="Which pipeline, resource or stack, where FILE has several; STACK/RESOURCE is exact.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the files go.  [default: this folder]",
)
@click.option(
    "--report",
    is_flag=True,
    help="Tell of each action whether it runs here; without --out nothing is written.",
)
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
@click.pass_obj
def import_(  # noqa: PLR0913 - the options that a user has
    place: Surroundings,
    name: str,
    parameters: dict[str, str],
    pipeline: str | None,
    out: Path | None,
    *,
    report: bool,
    force: bool,
) -> None:
    """Bring a pipeline from CodePipeline, CloudFormation, the CDK or Terraform.

    FILE is CodePipeline's JSON as `aws codepipeline get-pipeline` prints it, a CloudFormation
    template, a .tf file or what `terraform show -json` prints; FOLDER is a cdk.out, or holds .tf
    files. The pipeline goes into pipeline.json, its CodeBuild projects into codebuild.yaml, its
    webhooks into webhooks.json. What FILE does not tell becomes a placeholder, which is listed.
    """
    found = import_file(name, parameters, pipeline)
    written: list[Path] = []
    if out is not None or not report:
        written = found.save(out or USUAL, force=force)
    told = fidelity(found.pipeline, load_settings(out or USUAL, found.projects))
    if place.json:
        echo_json(_data(found, told, written))
        return
    _show(found, written)
    if report:
        _show_report(told)


@click.command()
@shared
@click.argument("target", metavar="FILE|NAME")
@click.option(
    "--to",
    type=click.Choice([each.value for each in Target]),
    help="In which form.  [default: json]",
)
@click.option("--yaml", is_flag=True, help="The same as --to yaml.")
@click.pass_obj
def export(place: Surroundings, target: str, to: str | None, *, yaml: bool) -> None:
    """Write a definition for CodePipeline, CloudFormation or Terraform.

    FILE is a definition file, NAME a pipeline that was defined before. The JSON is what
    `aws codepipeline create-pipeline --cli-input-json` takes; a CloudFormation template and
    Terraform's resources have the CodeBuild projects that the settings know, too. What means
    something on this machine only is named on standard error.
    """
    form = _form(place, to, yaml=yaml)
    pipeline, settings = _target(place, target)
    click.echo(write_export(pipeline, form, settings.projects), nl=False)
    for note in export_notes(pipeline, form, settings.projects):
        click.echo(flat(note), err=True)


def _form(place: Surroundings, to: str | None, *, yaml: bool) -> Target:
    asked = {Target(to)} if to else set()
    asked |= {Target.YAML} if yaml else set()
    asked |= {Target.JSON} if place.json else set()
    if len(asked) > 1:
        names = " and ".join(sorted(asked))
        raise click.UsageError(f"{names} were both asked for; take one of them")
    return asked.pop() if asked else Target.JSON


def _target(place: Surroundings, target: str) -> tuple[Pipeline, Settings]:
    written = read_target(target, check=False)
    if written is not None:
        return written.checked(foreign=True), load_settings(settings_folder(written.file))
    with place.existing() as kit:
        return kit.definition(target), load_settings(Path.cwd())


def _data(found: Imported, told: tuple[Told, ...], written: list[Path]) -> dict[str, object]:
    return {
        "pipeline": found.pipeline.name,
        "files": [str(each) for each in written],
        "projects": list(found.projects),
        "webhooks": len(found.webhooks),
        "placeholders": [asdict(each) for each in found.placeholders],
        "notes": list(found.notes),
        "left": found.left,
        "report": [asdict(each) for each in told],
    }


def _show(found: Imported, written: list[Path]) -> None:
    stages = found.pipeline.stages
    actions = sum(len(stage.actions) for stage in stages)
    brought = f"pipeline {found.pipeline.name} ({len(stages)} stages, {actions} actions)"
    if found.projects:
        brought += f", projects {', '.join(found.projects)}"
    if found.webhooks:
        brought += f", {len(found.webhooks)} webhooks"
    click.echo(f"{click.style('✓', fg='green')} {flat(str(found.file))}: {flat(brought)}")
    for file in written:
        click.echo(f"  written  {flat(str(file))}")
    _show_placeholders(found)
    for note in found.notes:
        click.echo(f"  note: {flat(note)}")
    if found.left:
        left = ", ".join(f"{len(names)} {kind}" for kind, names in found.left.items())
        click.echo(f"  left where they are: {flat(left)}")


def _show_placeholders(found: Imported) -> None:
    by_key: dict[tuple[str, str], list[str]] = {}
    for each in found.placeholders:
        where = f"line {each.line}, {each.place}" if each.line else each.place
        by_key.setdefault((each.key, each.why), []).append(where)
    if by_key:
        click.echo("  Placeholders stand for what the file does not tell:")
    for (key, why), places in by_key.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        click.echo(flat(f"  ○ --parameter {key}=VALUE  {why} ({places[0]}{more})"))


def _show_report(report: tuple[Told, ...]) -> None:
    places = max((len(each.place) for each in report), default=0)
    types = max((len(each.type) for each in report), default=0)
    click.echo()
    for each in report:
        sign, colour = MARKS[each.fidelity]
        mark = click.style(sign, fg=colour)
        told = f"{each.place.ljust(places)}  {each.type.ljust(types)}  {each.fidelity}"
        click.echo(f"{mark} {flat(told)}")
        for line in filter(None, each.why.splitlines()):
            click.echo(f"    {one_line(line, 400)}")
    counts = (f"{sum(one.fidelity is each for one in report)} {each.value}" for each in Fidelity)
    click.secho(", ".join(counts), bold=True)
