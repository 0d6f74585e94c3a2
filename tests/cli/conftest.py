"""The project folder of the tests of the command line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.project import BUILD, SETTINGS, Project
from tests.tools.git_repositories import git


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """Give an empty project, which is the working directory of this process too."""
    for name in ("PIPELINEKIT_HOME", "PIPELINEKIT_DB_URL", "PIPELINEKIT_USER", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Project(folder)
    yield made
    made.clean_up()


@pytest.fixture
def shop(project: Project) -> Project:
    """Give a git repository with a pipeline of builds that wait for the file `go`."""
    project.write("pipeline.py", BUILD)
    project.write("pipelinekit.toml", SETTINGS.replace("PLACE", str(project.folder)))
    git(project.folder, "init", "--quiet", "-b", "main")
    git(project.folder, "add", "--all")
    git(project.folder, "commit", "--quiet", "-m", "first")
    return project
