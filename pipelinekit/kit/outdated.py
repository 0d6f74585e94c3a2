"""Whether the files that a release took still lie in the project as it took them."""

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.kit.anew import anew
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.promotion import ARTIFACT, PREFIX
from pipelinekit.kit.run import Run
from pipelinekit.model.action import Action
from pipelinekit.model.execution import Artifact
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.ports.artifacts import ArtifactCorruptedError
from pipelinekit.providers.files import files
from pipelinekit.tools.notebooks import NotebookError, read_notebook
from pipelinekit.tools.notebooks.document import Cell, Document, source, tags

CHUNK: Final = 1 << 20
NAMED: Final = 3
NOTEBOOK: Final = ".ipynb"


def outdated(kit: Kit, run: Run) -> str:
    """Say which files are no longer what a release took, and how they are released as they are.

    Args:
        kit: Where it runs.
        run: An execution.

    Returns:
        A sentence with a command; empty where nothing has changed, or the execution is not that
        of a release, or what it took is no longer there.
    """
    definition, artifact = run.definition, taken(run)
    file = _notebook(kit, definition)
    if artifact is None or file is None or not file.is_file():
        return ""
    try:
        packed = FolderArtifacts(kit.home.artifacts).get(artifact)
        changed = list(_changed(packed, _root(kit, definition)))
    except (ArtifactCorruptedError, OSError, zipfile.BadZipFile):
        return ""
    if not changed:
        return ""
    changed.sort(key=lambda name: _root(kit, definition) / name != file)  # the notebook first
    more = f" and {len(changed) - NAMED} more" if changed[NAMED:] else ""
    told = ", ".join(changed[:NAMED]) + more
    be, now = ("are", "them as they are") if changed[1:] else ("is", "it as it is")
    return (
        f"{told} {be} no longer what this release took, and it goes on with what it took; to "
        f"release {now} now: {anew(definition, file)}"
    )


def taken(run: Run) -> Artifact | None:
    """Give the artifact that a release took; None where it has taken none."""
    written = (each for row in run.actions for each in row.outputs if each.name == ARTIFACT)
    return next(written, None)


def taken_notebook(kit: Kit, artifact: Artifact, path: str) -> Document:
    """Read a notebook as a release took it.

    Args:
        kit: Where it runs.
        artifact: What it took.
        path: Of the notebook, in it.

    Raises:
        ArtifactCorruptedError: It is gone.
    """
    return _member(FolderArtifacts(kit.home.artifacts).get(artifact), path)


def contents(document: Document) -> list[tuple[str, str, Sequence[str]]]:
    """List what its author has written into the cells of a notebook; outputs do not count."""
    return [_content(cell) for cell in document["cells"]]


def _content(cell: Cell) -> tuple[str, str, Sequence[str]]:
    return cell["cell_type"], source(cell), sorted(tags(cell))


def _member(packed: Path, path: str) -> Document:
    with zipfile.ZipFile(packed) as archive, tempfile.TemporaryDirectory() as draft:
        return read_notebook(Path(archive.extract(path, draft)))


def _root(kit: Kit, definition: Pipeline) -> Path:
    folder = _source(definition).configuration.get("Folder", ".")
    return Path(kit.settings.folder, folder).resolve()


def _source(definition: Pipeline) -> Action:
    return definition.stages[0].actions[0]


def _notebook(kit: Kit, definition: Pipeline) -> Path | None:
    if not definition.name.startswith(PREFIX) or _source(definition).type != files.traits.id:
        return None
    actions = (action for stage in definition.stages for action in stage.actions)
    paths = (
        action.configuration["Notebook"]
        for action in actions
        if action.inputs == (ARTIFACT,) and "Notebook" in action.configuration
    )
    path = next(paths, None)
    return None if path is None else _root(kit, definition) / path


def _changed(packed: Path, root: Path) -> Iterator[str]:
    with zipfile.ZipFile(packed) as archive:
        for member in archive.infolist():
            if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
                continue
            file, name = root / member.filename, member.filename
            if _is_other(file, member) and not _reads_alike(packed, file, name):
                yield name


def _is_other(file: Path, member: zipfile.ZipInfo) -> bool:
    if not file.is_file() or file.stat().st_size != member.file_size:
        return True
    checksum = 0
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            checksum = zlib.crc32(chunk, checksum)
    return checksum != member.CRC


def _reads_alike(packed: Path, file: Path, name: str) -> bool:
    if not name.endswith(NOTEBOOK):
        return False
    try:
        return contents(_member(packed, name)) == contents(read_notebook(file))
    except NotebookError:
        return False
