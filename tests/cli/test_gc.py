"""The command `gc`, in a project."""

import pytest

from tests.cli.project import ACTIONS, Project

DONE = (
    ACTIONS
    + """
pipeline = pk.Pipeline("demo") >> pk.Stage("Source", take("take")) >> pk.Stage(
    "Test", until("rest", "demo.py")
)
"""
)


@pytest.fixture
def past(project: Project) -> Project:
    """Give a project whose pipeline ran three times."""
    for _ in range(3):
        done = project.call("run", project.write("demo.py", DONE))
        assert done.returncode == 0, done.stderr
    return project


@pytest.mark.slow
def test_gc_tells_what_it_would_remove_then_removes_it(past: Project) -> None:
    options = ("gc", "--older-than", "0d", "--keep", "0")
    told = past.call(*options, "--dry-run").stdout
    assert "Would remove what ended before" in told
    assert "2 executions; 1 are left" in told
    done = past.answer(*options)
    assert (done["executions"], done["jobs"]["count"], done["dry_run"]) == (2, 4, False)
    assert done["bytes"] == done["jobs"]["bytes"] + done["objects"]["bytes"] > 0
    said = past.call(*options).stdout
    assert "0 executions; 1 are left" in said
    assert "0.0 MB in all" in said
    assert len(past.answer("history")) == 1


def test_gc_removes_nothing_that_is_younger_than_ninety_days(past: Project) -> None:
    assert past.answer("gc")["executions"] == 0
    assert len(past.answer("history", "--limit", "2")) == 2


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1y", "999999999w"])
def test_an_age_that_is_none_is_refused(project: Project, age: str) -> None:
    refused = project.call("gc", "--older-than", age)
    assert refused.returncode == 2
    assert "90d, 12h, 2w or 30m" in refused.stderr
