"""Where a project keeps its state."""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from pipelinekit.model.errors import StoreError
from pipelinekit.model.noun import Noun
from pipelinekit.store.places import file_of


class Home(Noun):
    """The folder of a project's state.

    Attributes:
        folder: By default `.pipelinekit` in the working directory.
        database: The URL of a store, by default of a SQLite file in the folder.
    """

    folder: Path
    database: str

    @staticmethod
    def find(folder: Path | str | None = None) -> "Home":
        """Find the folder: the given one, else `PIPELINEKIT_HOME`, else `.pipelinekit`.

        `PIPELINEKIT_DB_URL` names another database.
        """
        named = folder or os.environ.get("PIPELINEKIT_HOME") or ".pipelinekit"
        found = Path(named).expanduser().resolve()
        url = os.environ.get("PIPELINEKIT_DB_URL") or f"sqlite:///{found / 'pipelinekit.db'}"
        return Home(found, url)

    def take(self) -> None:
        """Make a SQLite database this home's, where it is to be worked on.

        What is kept is for this user alone: logs, artifacts and the store hold what builds were
        given. A folder that was there before, with other things in it, stays as open as it was.

        Its engines know of each other, and of what the others left running, by the folders of
        their home; PostgreSQL knows of leases and places, and may serve several homes.

        Raises:
            StoreError: It is another home's, or the folder cannot be made or written.
        """
        try:
            self._take()
        except OSError as error:
            raise StoreError(
                f"the state was to be kept in {self.folder}, and {error.filename} cannot be made "
                f"or written: {error.strerror}; choose another folder with --home or "
                f"PIPELINEKIT_HOME"
            ) from error

    def _take(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(self.folder.iterdir()):  # from now on it is ours alone
            _close(self.folder)
        for folder in (self.jobs, self.cache, self.artifacts, self.engines):
            folder.mkdir(mode=0o700, exist_ok=True)
            _close(folder)
        file = file_of(self.database)
        if file is None:
            return
        database = file.resolve()
        note = database.with_name(f"{database.name}.home")
        note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for suffix in ("", "-wal", "-shm"):
            _close(database.with_name(f"{database.name}{suffix}"))
        owner = database.parent if (database.parent / "engines").is_dir() else self.folder
        draft = note.with_name(f"{note.name}.{uuid4()}")
        draft.write_text(str(owner), encoding="utf-8")
        with suppress(FileExistsError):
            os.link(draft, note)  # never half written, and never another's replaced
        draft.unlink()
        found = Path(note.read_text(encoding="utf-8"))
        if self.folder not in {found, database.parent}:
            raise StoreError(
                f"the store {database} was to be worked on from {self.folder}, and it belongs to "
                f"{found}: set PIPELINEKIT_HOME to that folder, or use PostgreSQL, which several "
                f"homes can share"
            )

    @property
    def jobs(self) -> Path:
        """Give the folder that holds a folder for each action execution."""
        return self.folder / "jobs"

    @property
    def cache(self) -> Path:
        """Give the folder that all jobs share."""
        return self.folder / "cache"

    @property
    def artifacts(self) -> Path:
        """Give the folder that stands for S3."""
        return self.folder / "artifacts"

    @property
    def engines(self) -> Path:
        """Give the folder of the locks of living engines."""
        return self.folder / "engines"


def _close(path: Path) -> None:
    # What an earlier version, or another program, left open to all; never what is another user's.
    with suppress(FileNotFoundError):
        found = path.stat()
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            path.chmod(found.st_mode & 0o700)
