"""Where a project keeps its state."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of a project's state.

    Attributes:
        folder: By default `.pipelinekit` in the working directory.
        database: An SQLAlchemy URL, by default of a SQLite file in the folder.
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
