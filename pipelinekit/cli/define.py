"""The commands about definitions: init, validate."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import click
from msgspec import field

from pipelinekit.cli.surroundings import Exit, Surroundings, echo_json, shared
from pipelinekit.kit.files import (
    DOCUMENTS,
    UnreadableFile,
    read_definition,
    read_document,
    unreadable,
)
from pipelinekit.model.errors import DefinitionError
from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import Document, DocumentError
from pipelinekit.tools.git.checkout import Wanted, seek
from pipelinekit.tools.git.command import GitError
from pipelinekit.wire import appspec
from pipelinekit.wire.buildspec import read_buildspec
from pipelinekit.wire.words import flat

IGNORED = (".pipelinekit/", "runs/", "open-*/")
"""What commands leave in a project: the state, releases and reports, what `open` copies."""

FILL_IN = "write it there, or import again with --parameter"


class Complaint(Noun):
    """One thing that is wrong with a file; `place` is the path inside the definition."""

    line: int | None
    place: str
    code: str
    found: str
    advice: str

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        place = f"{self.place}: " if self.place else ""
        code = f" ({self.code})" if self.code else ""
        return f"{where}{place}{self.found}; {self.advice}{code}"


class Verdict(Noun):
    """What is to be said about a file."""

    file: str
    valid: bool
    kind: str = "pipeline"
    pipeline: str | None = None
    stages: int = 0
    actions: int = 0
    faults: list[Complaint] = field(default_factory=list)
    placeholders: list[Complaint] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@click.command()
@shared
@click.argument("names", nargs=-1, required=True, metavar="FILE...")
@click.pass_context
def validate(context: click.Context, names: tuple[str, ...]) -> None:
    """Check definitions by the rules of CodePipeline.

    A FILE may be a buildspec or an appspec too; what stands in it tells. Every fault is printed
    with its place, what was found and what to do; exit code 2 on faults. So is what is no fault:
    every placeholder that an import left, and every key of a buildspec that CodeBuild ignores.
    """
    verdicts = [_verdict(Path(name)) for name in names]
    if context.ensure_object(Surroundings).json:
        echo_json(verdicts)
    else:
        for verdict in verdicts:
            _print(verdict)
    context.exit(Exit.SUCCEEDED if all(each.valid for each in verdicts) else Exit.REFUSED)


@click.command()
@shared
@click.option("--force", is_flag=True, help="Write files anew that are there already.")
@click.pass_obj
def init(place: Surroundings, *, force: bool) -> None:
    """Write an example pipeline with settings and environments.

    The files are pipeline.py, pipelinekit.toml and environments.yaml; .gitignore is told to ignore
    what commands leave here. Files that are there already stay as they are.
    """
    told = dict(_written(Path.cwd(), force=force))
    if place.json:
        echo_json(told)
        return
    for name, what in told.items():
        click.echo(f"{what.ljust(8)} {name}")
    made = (Path.cwd() / ".git").exists()
    if not made or not _has_commit(Path.cwd()):
        what = "commit first:" if made else "make it one and commit first:"
        make = "" if made else "git init -b main && "
        click.echo(f"Its source is this folder's git repository; {what}")
        click.echo(f'  {make}git add --all && git commit -m "First commit"')
    click.echo("Try it with: pipelinekit run pipeline.py")


def _verdict(file: Path) -> Verdict:
    try:
        if told := _specification(file):
            return told
        written = read_definition(file)
        written.checked()
    except DefinitionError as error:
        found = [
            Complaint(fault.line, fault.place, fault.code, fault.found, fault.advice)
            for fault in error.faults
        ]
        return Verdict(str(file), valid=False, faults=found)
    except UnreadableFile as error:
        found = [Complaint(error.line, "", "", f"found {error.found}", error.advice)]
        return Verdict(str(file), valid=False, faults=found)
    stages = written.pipeline.stages
    actions = sum(len(stage.actions) for stage in stages)
    return Verdict(
        str(file),
        valid=True,
        pipeline=written.pipeline.name,
        stages=len(stages),
        actions=actions,
        placeholders=[
            Complaint(each.line, each.place, "", f"{each.text} stands for a value", FILL_IN)
            for each in written.placeholders
        ],
    )


def _specification(file: Path) -> Verdict | None:
    if file.suffix not in DOCUMENTS:
        return None
    source = read_document(file)
    keys = set(source.data) if isinstance(source.data, dict) else set()
    try:
        if "phases" in keys:
            return _buildspec(file, source)
        if keys & {"os", "hooks", "Resources"} and "version" in keys:
            appspec.read(source)
            return Verdict(str(file), valid=True, kind="appspec")
    except DocumentError as error:
        raise unreadable(error) from None
    return None


def _buildspec(file: Path, source: Document) -> Verdict:
    spec = read_buildspec(source)
    faults = []
    if spec.idle and spec.batch is None:  # the builds of a batch may name others
        line = source.place(("phases",)).key_line
        found, advice = "no command, so that nothing would be built", "write commands in a phase"
        faults = [Complaint(line, "phases", "", found, advice)]
    notes = list(spec.notes)
    return Verdict(str(file), valid=not faults, kind="buildspec", faults=faults, notes=notes)


def _print(verdict: Verdict) -> None:
    file = flat(verdict.file)
    if verdict.valid:
        sign = click.style("✓", fg="green")
        told = f"{verdict.kind} is valid"
        if verdict.pipeline:
            told = f"pipeline {verdict.pipeline} is valid "
            told += f"({verdict.stages} stages, {verdict.actions} actions)"
        click.echo(f"{sign} {file}: {flat(told)}")
    else:
        count = len(verdict.faults)
        sign = click.style("✗", fg="red")
        click.echo(f"{sign} {file}: {count} fault{'s' if count > 1 else ''}")
    for fault in verdict.faults:
        click.echo(f"  {flat(str(fault))}")
    for each in (*verdict.placeholders, *verdict.notes):
        click.echo(f"  ○ {flat(str(each))}")


def _written(folder: Path, *, force: bool) -> Iterator[tuple[str, str]]:
    name = re.sub(r"[^A-Za-z0-9.@_-]", "-", folder.name)[:100] or "app"
    for template in sorted(files("pipelinekit.cli").joinpath("templates").iterdir(), key=str):
        target = folder / template.name.removesuffix(".txt")
        if target.exists() and not force:
            yield target.name, "kept"
            continue
        text = template.read_text(encoding="utf-8")
        text = text.replace("NAME", name).replace("BRANCH", _branch(folder))
        target.write_text(text, encoding="utf-8")
        yield target.name, "written"
    yield ".gitignore", _ignore(folder / ".gitignore")


def _branch(folder: Path) -> str:
    head = folder / ".git" / "HEAD"
    told = head.read_text(encoding="utf-8") if head.is_file() else ""
    return told.strip().removeprefix("ref: refs/heads/") if told.startswith("ref: ") else "main"


def _has_commit(folder: Path) -> bool:
    try:
        seek(Wanted(str(folder), _branch(folder)))
    except GitError:
        return False
    return True


def _ignore(file: Path) -> str:
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    missing = [each for each in IGNORED if each not in before.splitlines()]
    if not missing:
        return "kept"
    gap = "" if not before or before.endswith("\n") else "\n"
    added = "\n".join(missing)
    file.write_text(f"{before}{gap}{added}\n", encoding="utf-8")
    return "extended" if before else "written"
