"""Which file a pipeline was defined by, and whose settings count for it."""

import os
from pathlib import Path

from pipelinekit.kit.settings_file import FILE, PROJECTS


def settings_folder(file: Path | None) -> Path:
    """Give the folder whose settings count for a definition: its own if it has some, else here."""
    if file is not None and any((file.parent / name).exists() for name in (FILE, *PROJECTS)):
        return file.parent.resolve()
    return Path.cwd()


def remember(home: Path, pipeline: str, file: Path) -> None:
    """Note in the home which file a pipeline was defined by last."""
    note = _note(home, pipeline)
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_suffix(f".{os.getpid()}")
    draft.write_text(str(file.resolve()), encoding="utf-8")
    draft.replace(note)


def remembered(home: Path, pipeline: str) -> Path | None:
    """Give the file that a pipeline was defined by last, where that is known and still there."""
    note = _note(home, pipeline)
    if not note.exists():
        return None
    file = Path(note.read_text(encoding="utf-8"))
    return file if file.exists() else None


def _note(home: Path, pipeline: str) -> Path:
    return home / "definitions" / f"{pipeline}.path"
