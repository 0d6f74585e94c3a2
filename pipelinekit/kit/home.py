"""Where a project keeps its state, and what it says about its surroundings."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelinekit.model.errors import ValidationError
from pipelinekit.model.settings import DeploymentGroup, Project, Settings

FILE = "pipelinekit.toml"

Table = Mapping[str, object]


class SettingsError(ValidationError):
    """The settings file cannot be read, or says something that has no meaning."""


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
    def artifacts(self) -> Path:
        """Give the folder that stands for S3."""
        return self.folder / "artifacts"

    @property
    def engines(self) -> Path:
        """Give the folder of the locks of living engines."""
        return self.folder / "engines"


def load_settings(folder: Path) -> Settings:
    """Read `pipelinekit.toml`, else `[tool.pipelinekit]` of `pyproject.toml`, else take defaults.

    Raises:
        SettingsError: The file is no TOML, or has an unknown key or a value of another kind.
    """
    own = folder / FILE
    project = folder / "pyproject.toml"
    if own.exists():
        return _Reader(FILE).settings(str(folder), _parse(own))
    if project.exists():
        tool = _parse(project).get("tool")
        table = tool.get("pipelinekit") if isinstance(tool, dict) else None
        if isinstance(table, dict):
            return _Reader("pyproject.toml [tool.pipelinekit]").settings(str(folder), table)
    return Settings(folder=str(folder))


def _parse(file: Path) -> Table:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{file.name} was to be read and is no valid TOML: {error}; mend it there"
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{file.name} was to be read and cannot be: {error.strerror}; look what it is"
        ) from None


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def settings(self, folder: str, table: Table) -> Settings:
        self._only(table, "", {"repositories", "connections", "codebuild", "codedeploy"})
        return Settings(
            folder=folder,
            repositories=self._texts(table, "repositories"),
            connections=self._texts(table, "connections"),
            projects={
                name: self._project(each, f"codebuild.{name}")
                for name, each in self._tables(table, "codebuild").items()
            },
            groups={
                f"{application}/{group}": self._group(each, f"codedeploy.{application}.{group}")
                for application in self._tables(table, "codedeploy")
                for group, each in self._tables(
                    self._tables(table, "codedeploy")[application], f"codedeploy.{application}"
                ).items()
            },
        )

    def _project(self, table: Table, path: str) -> Project:
        self._only(table, path, {"buildspec", "environment", "timeout_minutes"})
        buildspec, minutes = table.get("buildspec"), table.get("timeout_minutes")
        if buildspec is not None and not isinstance(buildspec, str):
            raise self._wrong(f"{path}.buildspec", buildspec, "a path or inline YAML, as text")
        if minutes is not None and (not isinstance(minutes, int) or minutes < 1):
            raise self._wrong(f"{path}.timeout_minutes", minutes, "a whole number of minutes")
        return Project(buildspec, self._texts(table, "environment", path), minutes)

    def _group(self, table: Table, path: str) -> DeploymentGroup:
        self._only(table, path, {"targets", "environment", "rollback", "keep"})
        targets = table.get("targets")
        if not isinstance(targets, list) or not targets or not _all_text(targets):
            raise self._wrong(f"{path}.targets", targets, 'a list of folders, such as ["deploy"]')
        rollback, keep = table.get("rollback", True), table.get("keep", 5)
        if not isinstance(rollback, bool):
            raise self._wrong(f"{path}.rollback", rollback, "true or false")
        if not isinstance(keep, int) or keep < 1:
            raise self._wrong(f"{path}.keep", keep, "how many revisions stay, 1 or more")
        shell = self._texts(table, "environment", path)
        return DeploymentGroup(tuple(map(str, targets)), shell, rollback, keep)

    def _texts(self, table: Table, key: str, path: str = "") -> Mapping[str, str]:
        place = f"{path}.{key}".strip(".")
        found = table.get(key, {})
        if not isinstance(found, dict) or not _all_text(found.values()):
            raise self._wrong(place, found, "a table of texts")
        return {str(name): str(value) for name, value in found.items()}

    def _tables(self, table: Table, path: str) -> Mapping[str, Table]:
        found = table if "." in path else table.get(path, {})
        if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
            raise self._wrong(path, found, f"tables such as [{path}.name]")
        return found

    def _only(self, table: Table, path: str, known: set[str]) -> None:
        for key in table:
            if key not in known:
                place = f"{path}.{key}".strip(".")
                raise SettingsError(
                    f"{self._name}: {place} has no meaning; write one of {sorted(known)}"
                )

    def _wrong(self, place: str, found: object, expected: str) -> SettingsError:
        return SettingsError(f"{self._name}: {place} is {found!r}; write {expected}")


def _all_text(values: object) -> bool:
    return isinstance(values, list | type({}.values())) and all(
        isinstance(value, str) for value in values
    )
