"""The source of files as they lie in a folder."""

from pathlib import Path

from pipelinekit.model.order import Failed, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.providers.files import files
from tests.fakes import FolderJob, order
from tests.tools.git_repositories import commit_file, git, tree


def carried_out(project: Path, **changes: object) -> tuple[Outcome, FolderJob]:
    folder = project.parent / "jobs" / "1"
    folder.mkdir(parents=True)
    action = files("files", besides="runs")
    job = FolderJob(order(action, **changes), folder, Settings(folder=str(project)))
    return files.carry_out(job), job


def test_the_files_are_written_with_the_commit_that_they_come_from(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet", "-b", "main")
    commit = commit_file(project, "a.txt", "a", "first")
    outcome, job = carried_out(project)
    assert isinstance(outcome, Succeeded)
    assert outcome.revision is not None
    assert (outcome.revision.id, outcome.revision.summary) == (commit, "first")
    assert outcome.revision.authors == ("Ada Ünal", "ada@example.org")
    assert outcome.variables == {"Changed": "false", "CommitId": commit, "FileCount": "1"}
    assert tree(job.written["files_artifact"]) == {"a.txt": "a"}


def test_a_revision_says_where_files_are_not_as_they_were_committed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(project, "init", "--quiet", "-b", "main")
    commit = commit_file(project, "a.txt", "a", "first")
    (project / "a.txt").write_text("b", encoding="utf-8")
    outcome, _ = carried_out(project)
    assert isinstance(outcome, Succeeded)
    assert outcome.revision is not None
    assert outcome.revision.id.startswith(f"{commit}+")
    assert outcome.revision.summary == "first, with changes that are not committed"
    assert outcome.variables["Changed"] == "true"


def test_without_a_repository_the_revision_is_a_digest_of_the_files(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("a", encoding="utf-8")
    outcome, _ = carried_out(project)
    assert isinstance(outcome, Succeeded)
    assert outcome.revision is not None
    assert len(outcome.revision.id) == 64
    assert outcome.revision.summary == "1 files of project"


def test_another_revision_cannot_be_had(tmp_path: Path) -> None:
    outcome, _ = carried_out(tmp_path, revision="c0ffee")
    assert isinstance(outcome, Failed)
    assert "leave the revision out" in outcome.message
