"""The command `release`."""

import json

import pytest

from tests.cli.project import Project
from tests.kit.test_release import notebook, output

pytestmark = pytest.mark.slow

ENVIRONMENTS = "staging:\n  parameters: {rows: 2}\nproduction:\n  parameters: {rows: 3}\n"


def test_a_release_goes_through_its_environments_in_order(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "print(environment, rows + 1, word)")
    done = project.call(
        "release", "report.ipynb", "--env", "production", "--env", "staging", "-p", "rows", "7"
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("✓ Succeeded  production")
    assert second.startswith("✓ Succeeded  staging")
    kept = sorted((project.folder / "runs").iterdir())
    assert [output(file) for file in kept] == ["production 8 none\n", "staging 8 none\n"]


def test_a_release_ends_with_1_at_the_first_failure(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "assert rows == 3, f'{rows} rows'")
    done = project.call(
        "release", "report.ipynb", "--env", "staging", "--env", "production", "--json"
    )
    assert done.returncode == 1
    assert "AssertionError: 2 rows" in done.stderr
    assert "Not started  production" in done.stderr
    assert [each["environment"] for each in json.loads(done.stdout)] == ["staging"]


def test_an_unknown_environment_ends_with_2_and_nothing_is_executed(project: Project) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, "1")
    done = project.call("release", "report.ipynb", "--env", "staging", "--env", "live")
    assert done.returncode == 2
    assert "there are staging, production" in done.stderr
    assert not (project.folder / "runs").exists()
