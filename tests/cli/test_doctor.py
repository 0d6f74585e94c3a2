"""The command `doctor`: what it finds, what it advises, and its exit code."""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pipelinekit.engine.catalog import TYPES
from pipelinekit.kit.doctor import Fact, Findings, Standing, examine
from pipelinekit.kit.home import Home
from pipelinekit.kit.kit import Kit
from pipelinekit.kit.registry import discover
from tests.cli.project import Project, Terminal

NOBODY = 65_534
SETTINGS = """\
[codebuild.shop]
buildspec = "buildspec.yml"

[codedeploy.shop.production]
targets = ["live"]
"""
PIPELINE = """\
import pipelinekit as pk

app = pk.git("app", "{folder}", branch="main")
make = pk.codebuild("make", project="shop").reads(app)
live = pk.codedeploy("live", application="shop", group="{group}").reads(app)
pipeline = pk.Pipeline("shop") >> pk.Stage("Source", app) >> pk.Stage("Build", make >> live)
"""


def named(facts: tuple[Fact, ...], name: str) -> Fact:
    return next(fact for fact in facts if fact.name == name)


def looked_at(folder: Path) -> Findings:
    return examine(Home.find(folder / ".pipelinekit"), folder)


def test_every_action_type_is_named_once_with_what_is_to_be_done(tmp_path: Path) -> None:
    findings = looked_at(tmp_path)
    expected = sorted(f"{each.category}/{each.provider}" for each in {*TYPES, *discover()})
    assert sorted(fact.name for fact in findings.actions) == expected
    for fact in findings.actions:
        if fact.standing is not Standing.HERE:
            assert fact.found or fact.advice, fact
    assert named(findings.actions, "Approval/Manual").standing is Standing.HERE
    group = named(findings.actions, "Deploy/CodeDeploy")
    assert (group.standing, "[codedeploy." in group.advice) == (Standing.OPEN, True)
    stack = named(findings.actions, "Deploy/CloudFormation")
    assert stack.standing is Standing.NOT_HERE
    assert "aws cloudformation deploy" in stack.advice


def test_what_was_advised_helps(tmp_path: Path) -> None:
    asked = [
        fact
        for fact in looked_at(tmp_path).actions
        if fact.standing is Standing.OPEN and fact.advice.startswith("[")
    ]
    assert len(asked) > 3
    for fact in asked:
        lines = fact.advice.partition("# or")[0]
        (tmp_path / "pipelinekit.toml").write_text(lines, encoding="utf-8")
        for folder in ("buckets/shop", "functions/shop"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "functions/shop/app.py").write_text("def handler(event, context): ...\n")
        assert named(looked_at(tmp_path).actions, fact.name).standing is Standing.HERE, fact


def test_looking_changes_nothing(tmp_path: Path) -> None:
    findings = looked_at(tmp_path)
    assert findings.ready
    assert named(findings.project, "store").found.endswith("made with the first start")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".pipelinekit"
    with Kit(folder):
        pass
    assert named(looked_at(tmp_path).project, "store").standing is Standing.HERE
    (folder / "pipelinekit.db").write_bytes(b"what is no database " * 99)
    store = named(looked_at(tmp_path).project, "store")
    assert (store.standing, "no database of pipelinekit" in store.found) == (
        Standing.NOT_HERE,
        True,
    )
    assert store.advice.startswith("restore it from a copy")
    assert not looked_at(tmp_path).ready
    for url, found in (
        ("postgresql://nobody:hush-hush@127.0.0.1:9/shop", "cannot be opened"),
        ("postgresql://127.0.0.1:9/shop?user=me&password=hush-hush", "user=me"),
        ("postgresql://127.0.0.1:9/shop?sslpassword=hush-hush", "sslpassword=..."),
        ("mysql://here/shop?password=hush-hush", "only SQLite files and PostgreSQL databases"),
        ("postgresql://nobody:hush-hush@127.0.0.1:port/shop", "something that is no URL"),
        ("nothing", "something that is no URL"),
    ):
        monkeypatch.setenv("PIPELINEKIT_DB_URL", url)
        store = named(looked_at(tmp_path).project, "store")
        assert store.standing is Standing.NOT_HERE
        assert found in f"{store.found}; {store.advice}"
        assert "hush-hush" not in f"{store.found}; {store.advice}"


def test_an_engine_at_work_is_seen(tmp_path: Path) -> None:
    with Kit(tmp_path / ".pipelinekit"):
        assert named(looked_at(tmp_path).project, "engine").standing is Standing.HERE
    assert named(looked_at(tmp_path).project, "engine").standing is Standing.OPEN


@pytest.mark.root
def test_a_home_that_this_user_may_not_read_is_told() -> None:
    with TemporaryDirectory() as place:  # everybody may go there, unlike into `tmp_path`
        folder = Path(place)
        folder.chmod(0o755)
        with Kit(folder / ".pipelinekit"):
            pass
        os.seteuid(NOBODY)
        try:
            findings = looked_at(folder)
        finally:
            os.seteuid(0)
    for name, file in (("store", "pipelinekit.db"), ("engine", "engines")):
        fact = named(findings.project, name)
        assert (fact.standing, fact.advice) == (Standing.NOT_HERE, "give --home")
        assert fact.found.endswith(f"/.pipelinekit/{file} cannot be read: Permission denied")
    assert not findings.ready


def test_the_password_of_a_database_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINEKIT_DB_URL", "postgresql://me:very-secret@localhost/shop")
    store = named(looked_at(tmp_path).project, "store")
    assert "very-secret" not in store.found
    assert "localhost/shop" in store.found


@pytest.mark.parametrize(
    ("text", "name", "advice"),
    [
        ("x =", "settings", "mend it"),
        ('[compute]\nwhere = "host"\nmemory_mb = 64\n', "builds", "sandbox"),
        ('[lambda.work]\nfolder = "nowhere"\nhandler = "a.b"\n', "[lambda.work]", "folder"),
    ],
)
def test_settings_that_ask_for_what_cannot_be_had_are_told(
    tmp_path: Path, text: str, name: str, advice: str
) -> None:
    (tmp_path / "pipelinekit.toml").write_text(text, encoding="utf-8")
    findings = looked_at(tmp_path)
    fact = named(findings.project, name)
    assert not findings.ready
    assert fact.standing is Standing.NOT_HERE
    assert advice in fact.found + fact.advice


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("pipelinekit.toml", "[environments.staging]\n", "pipelinekit.toml"),
        ("pipelinekit.toml", "", "pipelinekit.toml"),
        (
            "pyproject.toml",
            "[tool.pipelinekit.environments.staging]\n",
            "pyproject.toml [tool.pipelinekit]",
        ),
    ],
)
def test_settings_that_are_there_are_told_whatever_they_say(
    tmp_path: Path, file: str, text: str, found: str
) -> None:
    assert "there is no pipelinekit.toml" in named(looked_at(tmp_path).project, "settings").found
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert named(looked_at(tmp_path).project, "settings").found == str(tmp_path / found)


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("", Standing.OPEN),
        ('[aws]\nprofile = "unknown"\n', Standing.NOT_HERE),
        ('[aws]\nendpoint = "http://127.0.0.1:4566"\n', Standing.HERE),
    ],
)
def test_access_to_aws_is_looked_for_without_asking_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, standing: Standing
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    (tmp_path / "pipelinekit.toml").write_text(text, encoding="utf-8")
    account = named(looked_at(tmp_path).project, "AWS")
    assert account.standing is standing
    assert "very-secret" not in account.found


@pytest.mark.slow
def test_a_definition_is_looked_at_action_by_action(project: Project) -> None:
    project.write("pipelinekit.toml", SETTINGS)
    good = PIPELINE.format(folder=project.folder, group="production")
    done = project.call("doctor", project.write("good.py", good))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Build/make" in done.stdout
    assert "Everything that is asked for can run here." in done.stdout
    bad = PIPELINE.format(folder=project.folder, group="elsewhere")
    done = project.call("doctor", project.write("bad.py", bad))
    assert done.returncode == 1
    assert "✗ Build/live" in done.stdout
    assert "[codedeploy.shop.elsewhere]" in done.stdout
    assert done.stdout.endswith("What is asked for and cannot run here: Build/live.\n")


@pytest.mark.slow
def test_the_answer_is_json_where_that_is_wanted_and_comes_soon(project: Project) -> None:
    began = time.perf_counter()
    answer = project.answer("doctor")
    assert time.perf_counter() - began < 5  # 1 s where nothing else is at work
    assert answer["ready"] is True
    assert {fact["name"] for fact in answer["machine"]} >= {"Python", "git", "sandbox"}
    assert {fact["standing"] for fact in answer["actions"]} == {
        "here",
        "once configured",
        "not here",
    }


@pytest.mark.slow
def test_on_a_terminal_the_lines_are_not_longer_than_the_screen(project: Project) -> None:
    code, seen = Terminal(project, "doctor").end()
    assert code == 0
    assert "Actions that run once they are configured" in seen
    assert all(len(line) <= 120 for line in seen.splitlines())


@pytest.mark.slow
def test_a_file_that_is_not_there_is_a_usage_error(project: Project) -> None:
    done = project.call("doctor", "nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
