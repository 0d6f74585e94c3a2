"""What a home remembers of a pipeline: the file that defined it, and where its results go."""

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
    _write(_note(home, pipeline), file)


def remembered(home: Path, pipeline: str) -> Path | None:
    """Give the file that a pipeline was defined by last, where that is known and still there."""
    file = _read(_note(home, pipeline))
    return file if file and file.exists() else None


def remember_out(home: Path, pipeline: str, folder: Path) -> None:
    """Note in the home where the executed notebooks of a release are copied to."""
    _write(_out_note(home, pipeline), folder)


def remembered_out(home: Path, pipeline: str) -> Path | None:
    """Give where the executed notebooks of a release are copied to; None of another pipeline."""
    return _read(_out_note(home, pipeline))


def _note(home: Path, pipeline: str) -> Path:
    return home / "definitions" / f"{pipeline}.path"


def _out_note(home: Path, pipeline: str) -> Path:
    return home / "definitions" / f"{pipeline}.out"


def _write(note: Path, path: Path) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_suffix(f".{os.getpid()}")
    draft.write_text(str(path.resolve()), encoding="utf-8")
    draft.replace(note)


def _read(note: Path) -> Path | None:
    return Path(note.read_text(encoding="utf-8")) if note.exists() else None
