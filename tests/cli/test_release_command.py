"""The commands `release`, `environments` and `report`."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.project import Project
from tests.kit.test_release import notebook, output

pytestmark = pytest.mark.slow

ENVIRONMENTS = "staging:\n  parameters: {rows: 2}\nproduction:\n  parameters: {rows: 3}\n"


def test_a_release_goes_through_its_environments_in_their_order(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "print(environment, rows + 1, word)")
    done = project.call(
        "release", "report.ipynb", "--env", "production", "--env", "staging", "-p", "rows=7"
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[-2:]
    assert first.split()[:3] == ["staging", "✓", "Succeeded"]
    assert second.split()[:3] == ["production", "✓", "Succeeded"]
    assert first.split()[-1] == second.split()[-1]
    kept = sorted((project.folder / "runs").iterdir())
    assert [output(file) for file in kept] == ["production 8 none\n", "staging 8 none\n"]


def test_a_release_ends_with_1_at_the_first_failure(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "assert rows == 3, f'{rows} rows'")
    done = project.call("release", "report.ipynb", "--json")
    assert done.returncode == 1
    told = [(each["environment"], each["mark"]) for each in json.loads(done.stdout)]
    assert told == [("staging", "Failed"), ("production", "Not started")]
    assert "AssertionError: 2 rows" in json.loads(done.stdout)[0]["told"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--env", "live"), "are staging, production"),
        (("-p", "row=1"), "row is unknown: cell 1"),
        (("-p", "rows"), "is no pair"),
        (("--approve", "nobody"), "has no such approval"),
        (("--out", "report.ipynb/x"), "cannot be made or written: Not a directory; name another"),
    ],
)
def test_what_does_not_fit_ends_with_2_and_nothing_is_executed(
    project: Project, arguments: tuple[str, ...], words: str
) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "1")
    done = project.call("release", "report.ipynb", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (project.folder / "runs").exists()
    assert project.answer("status") == []


def test_a_release_that_waits_ends_with_3_and_goes_on_when_it_was_approved(
    project: Project,
) -> None:
    live = "live: {approvers: [ann], protected: true}\n"
    project.write("environments.yaml", live)
    notebook(project.folder, "1")
    done = Project(project.folder, by="bob").call("release", "report.ipynb", "--out", "kept/to")
    assert done.returncode == 3, done.stderr
    assert "live  ⏸ Waiting for approval  asks ann" in done.stdout
    ann = Project(project.folder, by="ann")
    refused = ann.call("approve", "release-report")
    assert refused.returncode == 2
    assert "wants a comment" in refused.stderr
    assert ann.call("approve", "release-report", "--comment", "fine").returncode == 0
    watched = ann.call("watch", "release-report")
    assert watched.returncode == 0
    (kept,) = (project.folder / "kept" / "to").iterdir()
    assert kept.name.startswith("report-live-")
    assert f"Executed: {kept}\n" in watched.stderr
    page, copy = ann.call("report", "release-report", "-o", "told").stdout.splitlines()
    assert "fine" in Path(project.folder, page).read_text(encoding="utf-8")
    assert json.loads(Path(project.folder, copy).read_text(encoding="utf-8"))["nbformat"] == 4


def test_a_frozen_environment_ends_with_3_and_says_how_to_go_on(project: Project) -> None:
    project.write("environments.yaml", "live:\n  freezes: [{from: 2000-01-01, to: 2199-01-01}]\n")
    notebook(project.folder, "1")
    done = project.call("release", "report.ipynb")
    assert done.returncode == 3, done.stderr
    assert "freeze-live: frozen until 2199-01-02 00:00 UTC; go on then with" in done.stdout
    assert "Do not wait for that with: pipelinekit override" in done.stdout
    assert "say why" in project.call("override", "release-report").stderr
    again = project.call("override", "release-report", "--reason", "a hotfix")
    assert again.returncode == 0, again.stderr
    assert project.call("watch", "release-report").returncode == 0
    page, _ = project.call("report", "release-report", "-o", "told").stdout.splitlines()
    assert "Overridden" in Path(project.folder, page).read_text(encoding="utf-8")


def test_a_release_that_failed_is_resumed_and_goes_on_to_the_next_environment(
    project: Project,
) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    go = str(project.folder / "go")
    gate = f"import os\nassert environment == 'staging' or os.path.exists({go!r})"
    notebook(project.folder, gate, "print(environment, rows)")
    refused = project.call("release", "report.ipynb", "--resume")
    assert refused.returncode == 2
    assert "it was never released here; begin a new release of it" in refused.stderr
    failed = project.call("release", "report.ipynb")
    assert failed.returncode == 1, failed.stderr
    assert "from the cell that failed with: pipelinekit release report.ipynb --resume" in (
        failed.stderr
    )
    project.write("go", "")
    other = project.call("release", "report.ipynb", "--resume", "-p", "rows=9")
    assert other.returncode == 2
    assert "#1 went to other environments, or with other parameters" in other.stderr
    done = project.call("release", "report.ipynb", "--resume")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()[-2:]
    assert first.split()[:3] == ["staging", "✓", "Succeeded"]
    assert second.split()[:3] == ["production", "✓", "Succeeded"]
    assert second.endswith("it goes on at cell 2, in the kernel that was kept")
    assert project.call("release", "report.ipynb", "--resume").returncode == 2


def test_what_a_release_took_and_is_changed_since_is_told_before_it_runs_again(
    project: Project,
) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    project.write("steps.py", "LIMIT = 1")
    notebook(project.folder, "assert rows < 2, rows")
    failed = project.call("release", "report.ipynb", "--env", "staging")
    command = "pipelinekit release report.ipynb --env staging"
    assert f"what it took; release changed files with: {command}\n" in failed.stderr
    assert "run it again, with what it took: pipelinekit retry" in failed.stdout
    again = project.call("retry", "release-report")
    assert (again.returncode, again.stderr) == (0, "")
    assert project.call("watch", "release-report").returncode == 1
    file = notebook(project.folder, "assert rows < 3, rows")
    for verb in ("resume", "retry"):
        told = project.call(verb, "release-report")
        assert told.returncode == 0, told.stderr
        assert "report.ipynb is no longer what this release took, and it goes on with what" in (
            told.stderr
        )
        assert told.stderr.endswith(f"to release it as it is now: {command}\n")
        assert project.call("watch", "release-report").returncode == 1
    project.write("steps.py", "LIMIT = 2")
    told = project.call("resume", "release-report")
    assert "report.ipynb, steps.py are no longer what this release took" in told.stderr
    assert project.call("watch", "release-report").returncode == 1
    file.unlink()
    told = project.call("retry", "release-report")
    assert (told.returncode, told.stderr) == (0, "")


def test_what_was_given_for_a_release_is_given_again(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    project.write("a.csv", "1")
    notebook(project.folder, "assert rows < 5, rows")
    options = ("-p", "rows=9", "--files", "*.csv")
    failed = project.call("release", "report.ipynb", *options)
    command = "pipelinekit release report.ipynb -p rows=9 --files '*.csv'"
    assert f"release changed files with: {command}\n" in failed.stderr


def test_a_notebook_that_was_only_executed_since_is_what_a_release_took(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    file = notebook(project.folder, "assert rows == 9, rows")
    assert project.call("release", "report.ipynb").returncode == 1
    document = json.loads(file.read_text(encoding="utf-8"))
    document["cells"][1]["execution_count"] = 7
    file.write_text(json.dumps(document), encoding="utf-8")
    again = project.call("retry", "release-report")
    assert (again.returncode, again.stderr) == (0, "")


def test_nothing_is_told_of_a_release_whose_files_are_gone(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "assert rows == 9, rows")
    assert project.call("release", "report.ipynb").returncode == 1
    shutil.rmtree(project.folder / ".pipelinekit" / "artifacts")
    again = project.call("retry", "release-report")
    assert (again.returncode, again.stderr) == (0, "")


def test_environments_are_listed_with_what_they_demand(project: Project) -> None:
    project.write("environments.yaml", "dev: {}\nlive: {approvers: [ann], protected: true}\n")
    done = project.call("environments")
    assert done.returncode == 0, done.stderr
    assert "live\n  after       dev\n  approval    ann but the author" in done.stdout
    assert [each["name"] for each in project.answer("environments")] == ["dev", "live"]
