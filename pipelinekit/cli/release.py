"""The command `release`: a notebook, promoted from one environment to the next."""

import json
import shlex
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click
from msgspec.structs import asdict

from pipelinekit.cli.colours import colour
from pipelinekit.cli.pairs import pairs
from pipelinekit.cli.session import following, manner, work_and_follow
from pipelinekit.cli.surroundings import Surroundings, echo_json, shared
from pipelinekit.kit.anew import anew
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.origin import remember_out
from pipelinekit.kit.outdated import outdated
from pipelinekit.kit.promotion import Promotion
from pipelinekit.kit.release import OUT, Release, Released, chosen, make_ready, start
from pipelinekit.kit.resume import resumable
from pipelinekit.kit.resumption import failed_release
from pipelinekit.kit.run import Run
from pipelinekit.model.status import PipelineStatus
from pipelinekit.wire.words import duration, one_line

DIGEST_SHOWN = 12


@click.command()
@shared
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    "--env",
    "names",
    multiple=True,
    metavar="NAME",
    help="An environment; may be repeated. All of them without it, in their own order.",
)
@click.option(
    "--environments",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where they are described.  [default: environments.yaml or the table `environments` of "
    "the settings, here or beside the notebook]",
)
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=pairs,
    help="A parameter for all environments; may be repeated.",
)
@click.option(
    "--files",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Files that go along, such as `data/*.csv`; may be repeated.  [default: all of the "
    "project's]",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUT,
    show_default=True,
    metavar="DIR",
    help="Where the executed notebooks are copied to, by this command and by a `watch` that goes "
    "on with it.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the latest release, from the cell in which it failed.",
)
@following
@click.pass_context
def release(  # noqa: PLR0913 - a parameter for each option
    context: click.Context,
    /,
    *,
    notebook: Path,
    names: tuple[str, ...],
    file: Path | None,
    parameters: dict[str, str],
    patterns: tuple[str, ...],
    out: Path,
    resume: bool,
    approve: tuple[str, ...],
    **said: float | bool | None,
) -> None:
    """Release a notebook to environments, one after the other, until one fails.

    The notebook and the files of its project are taken once, and every environment gets the same
    artifact. It is executed with the parameters of the environment, which are all checked before
    anything runs; a parameter `environment` is given the environment's name. Approvals and freezes
    are those that the environments demand. The exit codes are those of `run`; a release that
    waits goes on with `approve`, `override` or `watch`.

    With --resume, a release that failed goes on from the cell that failed, with what it took, and
    then to the environments behind. The cell is executed in the kernel that was kept, or in a
    fresh one, after the cells tagged `checkpoint` and those that the rest needs.

    Example: pipelinekit release report.ipynb --env staging --env production -p rows=100
    """
    place = context.ensure_object(Surroundings)
    as_begun = resume and not (names or file or parameters or patterns)
    waves = () if as_begun else chosen(notebook, names, file)
    with place.kit(work=True) as kit:
        values = {name: _value(text) for name, text in parameters.items()}
        folder = Path(kit.settings.folder)
        promotion = Promotion(notebook, waves, values, folder, patterns, out)
        found = failed_release(kit, promotion) if resume else None
        how = manner(place, found.definition if found else promotion.pipeline(), approve, **said)
        make_ready(out)
        run = found.resume() if found else start(kit, promotion)
        remember_out(kit.home.folder, run.pipeline, out)
        code = work_and_follow(place, kit, run, how, partial(_conclude, promotion, out, kit))
    context.exit(code)


def _conclude(promotion: Promotion, out: Path, kit: Kit, place: Surroundings, run: Run) -> None:
    _tell(place, Release(run, promotion), out)
    if run.execution.status is PipelineStatus.FAILED:
        for line in _advice(promotion, kit, run):
            click.echo(line, err=True)


def _advice(promotion: Promotion, kit: Kit, run: Run) -> Iterator[str]:
    if told := outdated(kit, run):
        yield told
        return
    if resumable(kit.home, run.actions):
        again = shlex.join(["pipelinekit", "release", str(promotion.notebook), "--resume"])
        yield f"Go on from the cell that failed with: {again}"
    command = anew(run.definition, promotion.notebook)
    yield f"That goes on with what it took; release changed files with: {command}"


def _value(text: str) -> object:
    # Text says a value of every type; only lists and mappings are read here.
    if text[:1] not in {"[", "{"}:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _tell(place: Surroundings, release: Release, out: Path) -> None:
    copies = release.keep(out)
    if place.json:
        echo_json([_data(each) for each in release.results])
        return
    for line in table(release.results):
        click.echo(line)
    for copy in copies:
        click.echo(f"Executed: {copy}", file=sys.stderr)


def table(results: tuple[Released, ...]) -> list[str]:
    """Put the results into lines, a column for each kind of fact."""
    rows = [_cells(each) for each in results]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for each, cells in zip(results, rows, strict=True):
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True) if width]
        padded[1] = click.style(padded[1], fg=colour(each.mark))
        lines.append("  ".join(padded).rstrip())
    return lines


def _cells(each: Released) -> tuple[str, ...]:
    time = "" if each.seconds is None else duration(each.seconds)
    digest = f"sha256:{each.digest[:DIGEST_SHOWN]}" if each.digest else ""
    return each.environment, str(each.mark), time, digest, one_line(each.told)


def _data(each: Released) -> dict[str, object]:
    return {**asdict(each), "mark": each.mark.word}
