"""Releasing a notebook to environments."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit import widgets
from pipelinekit.kit.environments import Environments
from pipelinekit.kit.promotion import Promotion
from pipelinekit.kit.release import Release, chosen, start
from pipelinekit.model.environment import Environment, Freeze
from pipelinekit.model.errors import NotEntitled, ValidationError

DEFAULTS = "environment: str = ''\nrows: int = 1\nword = 'none'"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
ALWAYS = (Freeze("2000-01-01", "2199-01-01", reason="for a test"),)
WAIT = 60


def notebook(folder: Path, *cells: str, parameters: str | None = DEFAULTS) -> Path:
    """Write a notebook with a cell of parameters, unless there is to be none."""
    tagged = [] if parameters is None else [_cell(parameters, "parameters")]
    data = {
        "cells": [*tagged, *(_cell(cell) for cell in cells)],
        "metadata": {"kernelspec": KERNEL},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    file = folder / "report.ipynb"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def output(file: Path) -> str:
    """Give what the last cell of an executed notebook has printed."""
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return "".join("".join(out.get("text", "")) for out in cells[-1]["outputs"])


def _cell(source: str, *tags: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def known(*environments: Environment) -> Environments:
    return Environments({each.name: each for each in environments}, "the test")


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pk.Kit]:
    """Open a kit on a fresh store, beside a project that is the working directory."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    with pk.Kit(tmp_path / "home", settings=pk.Settings(folder=str(project)), by="ann") as made:
        yield made


def begun(kit: pk.Kit, file: Path, environments: Environments) -> Release:
    promotion = Promotion(file, chosen(file, (), environments), folder=file.parent)
    return Release(start(kit, promotion), promotion)


def written(folder: Path, *environments: Environment, **given: object) -> pk.Pipeline:
    file = folder / "report.ipynb"
    if not file.exists():
        notebook(folder, "1")
    return Promotion(file, chosen(file, (), known(*environments)), given, folder).pipeline()


def orders(stage: pk.Stage | None) -> Sequence[Sequence[str]]:
    assert stage is not None
    return [[action.name for action in group] for group in stage.groups]


# ------------------------------------------------------------------ the pipeline of a release


def test_a_release_has_a_stage_for_each_environment_after_its_source(tmp_path: Path) -> None:
    pipeline = written(
        tmp_path, Environment("dev", {"rows": 2}), Environment("live", after=("dev",)), word="x"
    )
    assert [stage.name for stage in pipeline.stages] == ["Source", "dev", "live"]
    assert {action.inputs for stage in pipeline.stages[1:] for action in stage.actions} == {
        ("release",)
    }
    given = [
        json.loads(stage.actions[0].configuration["Parameters"]) for stage in pipeline.stages[1:]
    ]
    assert given == [
        {"environment": "dev", "rows": 2, "word": "x"},
        {"environment": "live", "word": "x"},
    ]


def test_environments_that_do_not_depend_on_each_other_stand_side_by_side(tmp_path: Path) -> None:
    pipeline = written(
        tmp_path,
        Environment("dev"),
        Environment("eu", after=("dev",), approvers=("ann",)),
        Environment("us", after=("dev",)),
        Environment("live", after=("eu", "us"), approvers=("ann", "bob"), approvals=2),
    )
    assert [stage.name for stage in pipeline.stages] == ["Source", "dev", "eu-and-us", "live"]
    assert orders(pipeline.stage("eu-and-us")) == [["approve-eu", "eu", "us"]]
    after = [action.configuration.get("StartAfter") for action in pipeline.stages[2].actions]
    assert after == [None, "approve-eu", None]
    assert orders(pipeline.stage("live")) == [["approve-live", "live"]]
    asks = pipeline.stages[3].actions[0].configuration
    assert (asks["Approvers"], asks["RequiredApprovals"]) == ("ann, bob", "2")
    assert (asks["PreventSelfApproval"], asks["CommentRequired"]) == ("false", "false")


def test_a_protected_environment_asks_somebody_else_and_wants_a_comment(tmp_path: Path) -> None:
    pipeline = written(tmp_path, Environment("live", protected=True))
    asks = pipeline.stages[1].actions[0].configuration
    assert (asks["PreventSelfApproval"], asks["CommentRequired"]) == ("true", "true")
    assert "Approvers" not in asks


def test_anybody_may_approve_where_only_their_number_is_said(tmp_path: Path) -> None:
    pipeline = written(tmp_path, Environment("live", approvals=1))
    asks = pipeline.stages[1].actions[0].configuration
    assert (asks["RequiredApprovals"], asks.get("Approvers")) == ("1", None)


def test_the_freeze_of_an_environment_stands_right_before_its_notebook(tmp_path: Path) -> None:
    freezes = (Freeze("2026-12-20", "2027-01-05", reason="Christmas"), Freeze(weekly="SUN"))
    pipeline = written(
        tmp_path, Environment("live", approvers=("ann",), freezes=freezes, zone="Europe/Berlin")
    )
    _, frozen, live = pipeline.stages[1].actions
    assert frozen.configuration["StartAfter"] == "approve-live"
    assert live.configuration["StartAfter"] == frozen.name == "freeze-live"
    assert json.loads(frozen.configuration["Freezes"]) == [
        {"from": "2026-12-20", "to": "2027-01-05", "reason": "Christmas"},
        {"weekly": "SUN"},
    ]
    assert frozen.configuration["TimeZone"] == "Europe/Berlin"
    assert frozen.timeout_minutes == 60 * 24 * 60


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Source",), "two stages of the name 'Source'"),
        (("a", "b", "a-and-b"), "two stages of the name 'a-and-b'"),
        (("live", "approve-live"), "two actions of the name 'approve-live'"),
        (("eu-1", "eu_1"), "two artifacts of the name 'eu_1_executed'"),
    ],
)
def test_an_environment_called_as_something_else_in_the_pipeline_is_refused(
    tmp_path: Path, names: tuple[str, ...], words: str
) -> None:
    made = [Environment(name, approvers=("ann",) if name == "live" else ()) for name in names]
    if words.endswith("'a-and-b'"):
        made[2] = Environment("a-and-b", after=("a", "b"))
    with pytest.raises(ValidationError, match=f"{words}; call one of the environments otherwise"):
        written(tmp_path, *made)


def test_no_two_notebooks_have_the_same_pipeline(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    paths = [
        "report.ipynb",
        "report",
        "日本.ipynb",
        "中国.ipynb",
        "x/report.ipynb",
        "x-report.ipynb",
        f"{'x' * 200}.ipynb",
        f"{'x' * 201}.ipynb",
        "../report.ipynb",
        "../away/report.ipynb",
    ]
    names = [Promotion(folder / path, (), folder=folder).name for path in paths]
    assert names[0] == "release-report"
    assert names[5] == "release-x-report"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9.@_-]{1,100}", name) for name in names)


def test_a_value_that_is_typed_as_text_becomes_what_the_notebook_declares(tmp_path: Path) -> None:
    pipeline = written(tmp_path, Environment("dev"), rows="7")
    assert json.loads(pipeline.stages[1].actions[0].configuration["Parameters"])["rows"] == 7


def test_a_notebook_that_does_not_ask_for_the_environment_is_not_told_it(tmp_path: Path) -> None:
    notebook(tmp_path, "1", parameters="rows = 1")
    pipeline = written(tmp_path, Environment("dev", {"rows": 2}))
    assert json.loads(pipeline.stages[1].actions[0].configuration["Parameters"]) == {"rows": 2}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"row": 1}, "environment dev: .*row is unknown: cell 1, .* has rows in line 2"),
        ({"rows": "many"}, "rows was given 'many' .*cell 1, line 2 declares int"),
    ],
)
def test_a_parameter_that_does_not_fit_is_told_with_its_cell_and_line(
    tmp_path: Path, given: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        written(tmp_path, Environment("dev"), **given)


def test_a_notebook_without_a_cell_of_parameters_is_refused(tmp_path: Path) -> None:
    notebook(tmp_path, "1", parameters=None)
    with pytest.raises(ValidationError, match="has no cell tagged `parameters`"):
        written(tmp_path, Environment("dev"))


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "report.ipynb").write_text('{"cells": ', encoding="utf-8")
    with pytest.raises(ValidationError, match=r"report\.ipynb was to be read and is no notebook"):
        written(tmp_path, Environment("dev"))


def test_a_missing_notebook_is_refused(kit: pk.Kit) -> None:
    with pytest.raises(ValidationError, match="no such file"):
        pk.release("none.ipynb", environments=known(Environment("dev")), kit=kit)
    assert kit.pipelines() == []


# ------------------------------------------------------------------ what is really released


@pytest.mark.slow
def test_every_environment_gets_the_same_artifact_with_parameters_of_its_own(
    kit: pk.Kit,
) -> None:
    project = Path(kit.settings.folder)
    file = notebook(project, "import beside\nprint(environment, rows, beside.NAME)")
    (project / "beside.py").write_text("NAME = 'here'", encoding="utf-8")
    several = known(
        Environment("eu", {"rows": 2}),
        Environment("us", {"rows": 3}),
    )
    done = pk.release(file, environments=several, kit=kit)
    assert [each.mark.word for each in done.results] == ["Succeeded", "Succeeded"]
    first, second = done.results
    assert first.digest == second.digest
    assert len(first.digest) == 64
    copies = done.keep(project / "runs")
    assert [output(each) for each in copies] == ["eu 2 here\n", "us 3 here\n"]
    assert copies[0].name.startswith("report-eu-2")


@pytest.mark.slow
def test_a_release_stops_at_the_first_failure_and_says_what_was_not_begun(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "raise ValueError(f'bad {rows} <b>')")
    several = known(Environment("dev", {"rows": 2}), Environment("live", after=("dev",)))
    release = pk.release(file, environments=several, kit=kit)
    failed, left = release.results
    assert failed.mark.word == "Failed"
    assert "ValueError: bad 2" in failed.told
    assert failed.notebook is not None
    assert (left.mark.word, left.digest, left.notebook) == ("Not started", "", None)
    assert "bad 2 &lt;b&gt;" in widgets.release_html(release)
    assert widgets.release_text(release).splitlines()[-1] == "live         ○ Not started"


@pytest.mark.slow
def test_a_release_waits_for_those_who_may_approve_it(kit: pk.Kit) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    release = begun(kit, file, known(Environment("live", approvers=("bob",))))
    release.wait("approval", WAIT)
    (held,) = release.results
    assert (held.mark.word, held.told) == ("Waiting for approval", "asks bob")
    with pytest.raises(NotEntitled, match="ann is none of its approvers, who are bob"):
        release.approve("mine")
    with pytest.raises(ValidationError, match=r"under way: #1 in live; let it end, or"):
        begun(kit, file, known(Environment("live"), Environment("dev")))
    kit.by = "bob"
    (done,) = release.approve("fine").results
    assert (done.mark.word, done.told) == ("Succeeded", "approved by bob: fine")


@pytest.mark.slow
def test_a_freeze_holds_a_release_up_until_somebody_overrides_it_with_a_reason(
    kit: pk.Kit,
) -> None:
    file = notebook(Path(kit.settings.folder), "1")
    held = pk.release(file, environments=known(Environment("live", freezes=ALWAYS)), kit=kit)
    assert held.results[0].mark.word == "Frozen"
    assert held.results[0].told == "frozen until 2199-01-02 00:00 UTC: for a test"
    with pytest.raises(NotEntitled, match="say why it must not wait; the try was recorded"):
        held.override("")
    (done,) = held.override("a hotfix").results
    assert (done.mark.word, done.told) == ("Succeeded", "freeze overridden by ann: a hotfix")


@pytest.mark.slow
def test_a_kernel_finds_the_account_of_its_environment(kit: pk.Kit) -> None:
    file = notebook(
        Path(kit.settings.folder), "import os\nprint(os.environ['AWS_REGION'], environment)"
    )
    several = known(Environment("live", account=pk.Aws(region="eu-west-9")))
    done = pk.release(file, environments=several, kit=kit)
    assert done.results[0].notebook is not None
    assert output(done.results[0].notebook) == "eu-west-9 live\n"


@pytest.mark.slow
def test_a_kit_of_its_own_is_closed_with_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINEKIT_HOME", raising=False)
    notebook(tmp_path, "1")
    (tmp_path / "environments.yaml").write_text("dev: {}\n", encoding="utf-8")
    done = pk.release("report.ipynb", "dev")
    assert repr(done) == "Release('report.ipynb', dev: Succeeded)"
    assert not list((tmp_path / ".pipelinekit" / "engines").glob("*.lock"))
