"""The report of an execution: what it tells, and that nothing of it can do anything."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

import pipelinekit as pk
from pipelinekit.kit.environments import Environments
from pipelinekit.kit.report import report
from pipelinekit.kit.report_cells import executed
from pipelinekit.kit.report_facts import Cell, Executed, Heading, Output, Report, Written
from pipelinekit.kit.report_notebook import notebook as as_notebook
from pipelinekit.kit.report_page import page as as_page
from pipelinekit.model.environment import Environment
from pipelinekit.model.errors import ValidationError
from tests.kit.test_release import notebook
from tests.tools.git_repositories import commit_file, git

WAIT = 60
HOSTILE = (
    "</pre><script>alert(1)</script><img src=x onerror='alert(2)'>\"'`|[x](javascript:alert(3))"
)
PASSWORD = "correct-horse-battery"


@pk.action("Source", "ReportTake")
def take(job: pk.Job) -> pk.Outcome:
    """Take something."""
    job.say(f"taking {HOSTILE}")
    return pk.Succeeded({"word": HOSTILE[:40]}, summary=HOSTILE[:60])


@pk.action("Deploy", "ReportShip")
def ship(job: pk.Job, to: str) -> pk.Outcome:
    """Ship to somewhere, and be careless."""
    job.say(f"logging in with {PASSWORD} to {to}")
    return pk.Failed(f"{HOSTILE} and {PASSWORD}") if "#" in to else pk.Succeeded()


class Parts(HTMLParser):
    """What a browser would make of a page: its elements, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def kit(tmp_path: Path, project: Path) -> Iterator[pk.Kit]:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[secrets-manager]\ndatabase = "{PASSWORD}"\n', encoding="utf-8")
    secrets.chmod(0o600)
    settings = pk.Settings(folder=str(project), secrets=str(secrets))
    with pk.Kit(tmp_path / "home", settings=settings, by="ann") as made:
        yield made


def line(*, to: str = "site") -> pk.Pipeline:
    return (
        pk.Pipeline("shop")
        >> pk.Stage("Source", take("take"))
        >> pk.Stage(
            "Live", pk.review("go", comment_required=True, note=HOSTILE) >> ship("ship", to)
        )
    )


def told(kit: pk.Kit, run: pk.Run, folder: Path) -> tuple[str, str]:
    page, copy = report(run, folder, kit=kit)
    return page.read_text(encoding="utf-8"), copy.read_text(encoding="utf-8")


def shown(page: str) -> str:
    """Give the text that a reader of a page sees, in one line."""
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page.partition("</head>")[2])).split())


def test_a_report_tells_who_decided_what_and_why_and_how_it_ended(
    kit: pk.Kit, tmp_path: Path
) -> None:
    run = kit.start(line()).wait("approval", WAIT).approve("looks good").wait(timeout=WAIT)
    page, copy = told(kit, run, tmp_path)
    for words in ("shop #1", "Succeeded", "looks good", "ann", "Live/go", run.id, "Version 1"):
        assert words in shown(page)
        assert words.replace("#", "\\#") in copy.replace("\\\\", "\\").replace("\\-", "-")
    document = nbformat.reads(copy, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(document)


def test_the_hash_is_that_of_the_definition_as_it_is_saved(kit: pk.Kit, tmp_path: Path) -> None:
    import hashlib

    run = kit.start(line()).wait("approval", WAIT)
    saved = pk.save(run.definition, tmp_path / "saved.json").read_bytes()
    assert hashlib.sha256(saved).hexdigest() in shown(told(kit, run, tmp_path)[0])


def test_nothing_of_a_hostile_text_becomes_part_of_the_page(kit: pk.Kit, tmp_path: Path) -> None:
    run = kit.start(line(to=f"site#{HOSTILE}")).wait("approval", WAIT)
    run.approve(HOSTILE).wait(timeout=WAIT)
    assert run.status == "Failed"
    page, copy = told(kit, run, tmp_path)
    parts = Parts(page)
    names = {name for name, _ in parts.found}
    assert names.isdisjoint({"script", "img", "iframe", "object", "a", "link", "form", "base"})
    assert not [key for _, given in parts.found for key in given if key.startswith("on")]
    assert "alert(1)" in shown(page)
    policy = [given["content"] for name, given in parts.found if "http-equiv" in given]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    for cell in json.loads(copy)["cells"]:
        fenced = re.sub(
            r"^(`{3,})text\n.*?^\1$", "", cell["source"], flags=re.DOTALL | re.MULTILINE
        )
        assert "<" not in fenced
        assert "](" not in fenced


def test_values_that_are_known_as_secret_are_nowhere(kit: pk.Kit, tmp_path: Path) -> None:
    pipeline = line(to=f"site#{PASSWORD}")
    run = kit.start(pipeline).wait("approval", WAIT).approve(f"with {PASSWORD}").wait(timeout=WAIT)
    assert PASSWORD in run.logs()
    for text in told(kit, run, tmp_path):
        assert PASSWORD not in text
        assert "***" in text


def test_without_the_secrets_no_report_is_written(kit: pk.Kit, tmp_path: Path) -> None:
    run = kit.start(line()).wait("approval", WAIT)
    (tmp_path / "secrets.toml").chmod(0o644)
    with pytest.raises(ValidationError, match="chmod 600"):
        report(run, tmp_path / "out", kit=kit)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_release_tells_the_commits_since_the_last_one_in_each_environment(
    kit: pk.Kit, project: Path, tmp_path: Path
) -> None:
    notebook(project, "print('made for', environment)")
    git(project, "init", "--quiet", "-b", "main")
    commit_file(project, "a.txt", "a", "first")
    dev, live = Environment("dev"), Environment("live", after=("dev",))
    both = Environments({"dev": dev, "live": live})
    pk.release("report.ipynb", environments=both, kit=kit)
    commit_file(project, "a.txt", "b", "second <b>")
    pk.release("report.ipynb", "dev", environments=both, kit=kit)
    commit_file(project, "a.txt", "c", "third")
    last = pk.release("report.ipynb", environments=both, kit=kit)
    page, copy = told(kit, last.run, tmp_path)
    text = shown(page)
    new = text[text.index("New since") : text.index("Artifacts")]
    in_dev, _, in_live = new.partition("live since #1 of")
    assert "dev since #2 of" in in_dev
    assert ("third" in in_dev, "second" in in_dev) == (True, False)
    assert ("third" in in_live, "second <b>" in in_live, "first" in in_live) == (True, True, False)
    assert last.results[0].digest in text
    code = [cell for cell in json.loads(copy)["cells"] if cell["cell_type"] == "code"]
    printed = ["".join(each["text"]) for cell in code for each in cell["outputs"]]
    assert printed == ["made for dev\n", "made for live\n"]


def test_of_a_notebook_only_text_and_pictures_are_taken(tmp_path: Path) -> None:
    pixel = "iVBORw0KGgo="
    outputs: list[dict[str, object]] = [
        {"output_type": "display_data", "data": {"text/html": HOSTILE, "text/plain": "plain"}},
        {"output_type": "display_data", "data": {"image/png": pixel, "text/plain": "pixel"}},
        {"output_type": "display_data", "data": {"application/javascript": "alert(1)"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='alert(1)'/>"}},
        {
            "output_type": "error",
            "ename": "E",
            "evalue": "v",
            "traceback": ["\x1b[31mboom\x1b[0m"],
        },
    ]
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": "x"}
    document = {"cells": [{**cell, "outputs": outputs}], "metadata": {}, "nbformat": 4}
    (tmp_path / "executed").mkdir()
    file = tmp_path / "executed" / "a.ipynb"
    file.write_text(json.dumps({**document, "nbformat_minor": 4}), encoding="utf-8")
    (found,) = executed("Live/live", tmp_path)
    assert [each.kind for each in found.cells[0].outputs] == ["text", "image/png", "error"]
    page = as_page(_report(found))
    assert f'src="data:image/png;base64,{pixel}"' in page
    assert "alert" not in page


def test_a_picture_that_is_none_stays_inside_of_its_attribute() -> None:
    picture = Output("image/png", '"><script>alert(1)</script>')
    page = as_page(_report(Executed("a", "b", "python", (Cell("code", "1", "x", (picture,)),))))
    assert "script" not in {name for name, _ in Parts(page).found}


def test_fences_of_a_log_are_longer_than_those_in_it() -> None:
    cell = Cell("markdown", "", "```\n<b>\n````\n")
    text = as_notebook(_report(Executed("a", "b", "python", (cell,))))
    sources = [each["source"] for each in json.loads(text)["cells"]]
    assert any(each.startswith("`````text\n") for each in sources)


def _report(notebook: Executed) -> Report:
    heading = Heading("shop", 1, "id", "Succeeded", "good", "now", "1 s", "ann")
    return Report(heading, Written(1, "0", "ann", "now", "{}"), "now", notebooks=(notebook,))
