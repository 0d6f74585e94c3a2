"""The folders and the buildspec of a build: inputs unpacked or cloned, and copied where needed."""

import os
import re
import shutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pipelinekit import builds
from pipelinekit.builds.reference import read_reference
from pipelinekit.builds.task import BuildFailed, Request, Sources
from pipelinekit.tools.documents.document import Document, DocumentError, parse, read
from pipelinekit.wire.buildspec import Buildspec, read_buildspec
from pipelinekit.wire.templates.gaps import is_open

INLINE: Final = re.compile(r"\s*(version:|\{)|.*(\n|:\s)", re.DOTALL)
"""What tells a buildspec that is written on the spot from the path of one."""

ARN: Final = "arn:"
"""What tells a buildspec that lies in S3."""

SHOWN: Final = 12


def primary_of(inputs: Iterable[str], primary: str | None) -> str:
    """Choose the input in which a build starts.

    Args:
        inputs: The names of the action's input artifacts.
        primary: The name that is asked for; it may be left out with a single input.

    Raises:
        BuildFailed: It is left out with several, or none of them has it.
    """
    names = list(inputs)
    if primary is None and len(names) == 1:
        return names[0]
    if primary is None or primary not in names:
        asked = "no PrimarySource is given" if primary is None else f"PrimarySource is {primary}"
        raise BuildFailed(
            f"{asked}, and the action's inputs are {', '.join(names) or 'none'}; set "
            f"PrimarySource to the input in which the build starts"
        )
    return primary


def read_sources(request: Request) -> Sources:
    """Unpack the inputs of the job, and clone those that are a reference to a commit.

    Raises:
        BuildFailed: The primary source is not known, or a repository cannot be read.
    """
    names = [each.name for each in request.job.order.inputs]
    chosen = primary_of(names, request.primary)
    folders: dict[str, Path] = {}
    repository = ""
    for name in names:
        folder = request.job.read(name)
        reference = read_reference(folder)
        if reference is not None:
            folder = builds.clone_reference(request, name, reference)
            repository = reference.url if name == chosen else repository
        folders[name] = folder
    return Sources(chosen, folders.pop(chosen), folders, repository)


def copied(sources: Sources, folder: Path) -> Sources:
    """Copy all folders of a build's sources beneath a folder, for a build beside others.

    Args:
        sources: As they were before any command ran.
        folder: Where the copies are made; it must not exist.
    """
    folder.mkdir(parents=True)

    def copy(source: Path, name: str) -> Path:
        return Path(shutil.copytree(source, folder / name, symlinks=True))

    others = {name: copy(each, f"other-{name}") for name, each in sources.others.items()}
    return replace(sources, primary=copy(sources.primary, "primary"), others=others)


def put_back(sources: Sources, originals: Sources) -> None:
    """Make the folders of a build what they were before it ran."""
    pairs = [(sources.primary, originals.primary)]
    pairs += [(folder, originals.others[name]) for name, folder in sources.others.items()]
    for folder, original in pairs:
        shutil.rmtree(folder)
        shutil.copytree(original, folder, symlinks=True)


def let_others_read(sources: Sources) -> None:
    """Let every user of the machine read the folders of a build, and run what can be run.

    Source:
        The buildspec reference of the CodeBuild user guide, `run-as`.
    """
    for top in (sources.primary, *sources.others.values()):
        for folder, _, files in os.walk(top):
            for path in (Path(folder), *(Path(folder, name) for name in files)):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    own = mode >> 6 & 0o5
                    path.chmod(mode & 0o7777 | own << 3 | own)


def read_spec(source: Path, where: str, project: str) -> Buildspec:
    """Read the buildspec of a build.

    Args:
        source: The folder of the primary source.
        where: A path in it, or the buildspec itself.
        project: The name of the project, for the errors.

    Raises:
        BuildFailed: It is not there, lies outside of the source, or cannot be understood.
    """
    if told := told_spec(where, project):
        return told
    try:
        return read_buildspec(_document(source, where, project))
    except DocumentError as error:
        raise _unusable(project, error) from None


def told_spec(where: str, project: str) -> Buildspec | None:
    """Read a buildspec that is there without a source; None where it is a path.

    Args:
        where: A path in the source, or the buildspec itself.
        project: The name of the project, for the errors.

    Raises:
        BuildFailed: It lies in S3, cannot be understood, or was never told.
    """
    if where.startswith(ARN):
        raise BuildFailed(
            f"the buildspec {where} of project {project} lies in S3, where builds here do not "
            f"look; add it to the source, and name it in pipelinekit.toml under "
            f'[codebuild.{project}]: buildspec = "..."'
        )
    try:
        if INLINE.match(where):
            return _inline(where)
    except DocumentError as error:
        raise _unusable(project, error) from None
    if is_open(where):
        raise BuildFailed(
            f"the buildspec of project {project} is {where}, which an import left in the place of "
            f"a value; write the value there, or import again with --parameter"
        )
    return None


@lru_cache(maxsize=64)  # a start asks for it again and again
def _inline(text: str) -> Buildspec:
    return read_buildspec(parse(text, "the inline buildspec"))


def _unusable(project: str, error: DocumentError) -> BuildFailed:
    return BuildFailed(f"the buildspec of project {project} cannot be used: {error}")


def _document(source: Path, where: str, project: str) -> Document:
    path = (source / where).resolve()
    if not path.is_relative_to(source.resolve()):
        raise BuildFailed(
            f"the buildspec {where} of project {project} lies outside of the source; move it there"
        )
    if not path.is_file():
        names = sorted(each.name + "/" * each.is_dir() for each in source.iterdir())
        shown = ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
        raise BuildFailed(
            f"YAML_FILE_ERROR: the buildspec {where} of project {project} was looked for in the "
            f"primary source, which holds {shown or 'nothing'}; add it there, or name another in "
            f'pipelinekit.toml under [codebuild.{project}]: buildspec = "..."'
        )
    return read(path, name=where)
