"""The command `plan` explains, and does nothing."""

import hashlib

import pytest

from tests.cli.project import GATE, Project
from tests.tools.git_repositories import commit_file, git

pytestmark = pytest.mark.slow

RULES = GATE.replace(
    'pk.Stage("Gate", ',
    'pk.Stage("Gate", before_entry=(pk.Condition((pk.variable_check("Word", '
    '"#{variables.word}", "two", "EQ"),)),), actions=(',
).replace('ready?"))', 'ready?"),))')
DOCUMENT = """
pipeline:
  name: bad
  roleArn: arn:aws:iam::000000000000:role/x
  stages: []
"""


def contents(project: Project) -> dict[str, str]:
    files = [each for each in project.folder.rglob("*") if each.is_file()]
    kept = [each for each in files if each.suffix not in {".db-shm", ".db-wal", ".pyc"}]
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in kept}


def test_a_plan_where_nothing_is_makes_nothing(project: Project) -> None:
    project.write("demo.py", GATE)
    before = contents(project)
    shown = project.call("plan", "demo.py")
    assert shown.returncode == 0, shown.stderr
    for words in (
        "demo #1  would start  version 1, it would be defined first · SUPERSEDED",
        "variables word = one (default)",
        "take  Source · Take  here",
        "Take something.",
        "ok  Approval · Manual  here  waits for anybody, at most 7 d",
        "Is one",
    ):
        assert words in shown.stdout
    assert "\x1b" not in shown.stdout
    assert contents(project) == before
    assert not (project.folder / ".pipelinekit").exists()


def test_a_plan_changes_nothing_of_what_is_there(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    project.write("demo.py", GATE.replace("ready?", "done?"))
    before = contents(project)
    shown = project.call("plan", "demo.py")
    assert "version 2, which differs from the stored one" in shown.stdout
    assert "version 2 of the definition would cancel #1" in shown.stdout
    assert "waits for approval ok" in shown.stdout
    assert contents(project) == before


def test_a_known_pipeline_is_planned_by_its_name(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    found = project.answer("plan", "demo", "--variable", "word=two")
    assert (found["startable"], found["change"], found["number"]) == (True, "same", 2)
    assert found["variables"] == [{"name": "word", "value": "two", "given": True}]
    assert found["stages"][1]["holder"]["asks"] == ["ok"]


def test_what_a_start_would_refuse_is_told_with_exit_code_2(project: Project) -> None:
    project.write("demo.py", GATE)
    shown = project.call("plan", "demo.py", "--variable", "word2=x", "--revision", "take=c0ffee")
    assert shown.returncode == 2
    assert "demo #1  would be refused" in shown.stdout
    assert "✗ pipeline 'demo' was to be started with the variables word2" in shown.stdout
    assert "takes c0ffee" in shown.stdout


def test_a_source_without_a_commit_is_told_with_exit_code_1(project: Project) -> None:
    git(project.folder, "init", "--quiet", "-b", "main")
    told = project.call("init")
    assert "commit first:\n  git add --all && git commit -m" in told.stdout
    shown = project.call("plan", "pipeline.py")
    assert shown.returncode == 1, shown.stderr
    assert "would start, and fail" in shown.stdout
    assert "✗ action Source/source: branch main of " in shown.stdout
    assert "commit something first: it has no branch yet" in shown.stdout
    commit_file(project.folder, "new.txt", "")
    assert "commit" not in project.call("init").stdout
    shown = project.call("plan", "pipeline.py")
    assert (shown.returncode, "at most 10 min" in shown.stdout) == (0, True)
    assert project.call("plan", "pipeline.py", "--revision", "source=abcdef0").returncode == 1
    assert not project.answer("plan", "pipeline.py", "--revision", "source=abc")["promising"]


@pytest.mark.parametrize(("word", "blocks"), [("one", True), ("two", False)])
def test_a_rule_that_would_block_now_says_so(project: Project, word: str, *, blocks: bool) -> None:
    project.write("demo.py", RULES)
    found = project.answer("plan", "demo.py", "--variable", f"word={word}")
    (rule,) = found["stages"][1]["conditions"][0]["rules"]
    assert rule["blocks"] is blocks
    shown = project.call("plan", "demo.py", "--variable", f"word={word}").stdout
    assert "◆ entered if Word: VariableCheck(" in shown
    assert ("and it is not: result FAIL" in shown) is blocks


def test_faults_of_a_definition_are_told_with_their_lines(project: Project) -> None:
    shown = project.call("plan", project.write("bad.yaml", DOCUMENT))
    assert shown.returncode == 2
    assert "would be refused" in shown.stdout
    assert "✗ line 5: " in shown.stdout


def test_a_pipeline_that_is_not_there_is_refused(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("plan", "nothing")
    assert (refused.returncode, "there are demo" in refused.stderr) == (2, True)
