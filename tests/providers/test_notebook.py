"""Notebooks that really are executed, and the sentences in which they fail."""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelinekit.model.action import Action
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.providers.notebook import (
    notebook,
    notebook_deploy,
    notebook_invoke,
    notebook_test,
)
from pipelinekit.tools.notebooks.kernels import look
from pipelinekit.tools.notebooks.shelf import find, leave
from tests.fakes import FolderJob, order

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
GLUE = """\
from IPython.display import display
def glue(name, value, kind="json"):
    data = {"name": name, "data": value, "encoder": kind, "version": 1}
    display({f"application/scrapbook.scrap.{kind}+json": data}, raw=True)
"""


def cell(source: str, *tags: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


@dataclass
class Site:
    """A project with one notebook, which is executed as the action says."""

    folder: Path
    inputs: dict[str, Path] = field(default_factory=dict)

    def write(self, *cells: str, parameters: str | None = None, name: str = "train.ipynb") -> None:
        tagged = [] if parameters is None else [cell(parameters, "parameters")]
        data = {
            "cells": [*tagged, *map(cell, cells)],
            "metadata": {"kernelspec": KERNEL},
            "nbformat": 4,
            "nbformat_minor": 4,
        }
        (self.folder / name).write_text(json.dumps(data), encoding="utf-8")

    def run(self, action: Action | None = None) -> "Done":
        action = action or notebook("train", "train.ipynb")
        folder = self.folder / "jobs" / "1"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        settings = Settings(folder=str(self.folder))
        job = FolderJob(order(action), folder, settings, self.inputs)
        return Done(notebook.carry_out(job), job)


@dataclass
class Done:
    """What came of one action."""

    outcome: Outcome
    job: FolderJob

    @property
    def variables(self) -> Mapping[str, str]:
        assert isinstance(self.outcome, Succeeded), self.outcome
        return self.outcome.variables

    @property
    def failed(self) -> Failed:
        assert isinstance(self.outcome, Failed), self.outcome
        return self.outcome

    @property
    def executed(self) -> str:
        return (self.job.folder / "executed" / "train.ipynb").read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.slow
def test_a_notebook_is_executed_with_its_parameters_and_kept(site: Site) -> None:
    site.write("print(epochs, word)", "1 + 1", parameters="epochs = 1\nword: str = 'none'")
    done = site.run(notebook("train", "train.ipynb", parameters={"epochs": 3, "word": "hi"}))
    assert isinstance(done.outcome, Succeeded)
    assert done.outcome.summary.startswith("3 of 3 cells executed in ")
    assert "3 hi" in done.executed
    assert done.job.said == [
        "-- cell 1 of 3: epochs = 1",
        "-- the parameters that were put in",
        "-- cell 2 of 3: print(epochs, word)",
        "3 hi",
        "-- cell 3 of 3: 1 + 1",
    ]


@pytest.mark.slow
def test_it_is_told_how_far_a_notebook_is(site: Site) -> None:
    site.write("1", "print('two')", parameters="rows = 1")
    action = notebook("train", "train.ipynb", parameters={"rows": 2})
    assert site.run(action).job.told == [
        (0, "cell 1 of 3: rows = 1"),
        (33, "cell 2 of 3: 1"),
        (66, "cell 3 of 3: print('two')"),
    ]


@pytest.mark.slow
def test_what_is_glued_becomes_output_variables(site: Site) -> None:
    glued = """\
glue("accuracy", 0.93); glue("rows", 7); glue("good", True); glue("model", "tiny")
glue("note", "text", "text"); glue("table", [1, 2]); glue("no name", 1)
"""
    site.write(GLUE, glued)
    done = site.run()
    assert done.variables == {
        "accuracy": "0.93",
        "rows": "7",
        "good": "true",
        "model": "tiny",
        "note": "text",
    }
    told = "\n".join(done.job.said)
    assert "table is glued and is no output variable" in told
    assert "'no name' is no name of an output variable" in told


@pytest.mark.slow
def test_inputs_are_folders_and_the_output_has_the_files_and_the_notebook(site: Site) -> None:
    for name in ("code", "more-data"):
        site.inputs[name] = site.folder / name
        (site.folder / name).mkdir()
        (site.folder / name / "file.txt").write_text(name, encoding="utf-8")
    site.write(
        """\
import os, pathlib
first = pathlib.Path("file.txt").read_text()
second = pathlib.Path(os.environ["PIPELINEKIT_INPUT_MORE_DATA"], "file.txt").read_text()
pathlib.Path(os.environ["PIPELINEKIT_OUTPUT"], "both.txt").write_text(first + " " + second)
assert os.environ["PIPELINEKIT_INPUT_CODE"] == os.getcwd()
""",
        name="code/train.ipynb",
    )
    action = notebook("train", "train.ipynb").reads("code", "more-data").writes("model")
    done = site.run(action)
    assert done.variables == {}
    model = done.job.written["model"]
    assert (model / "both.txt").read_text(encoding="utf-8") == "code more-data"
    assert (model / "train.ipynb").read_text(encoding="utf-8") == done.executed


@pytest.mark.slow
def test_a_failing_cell_is_named_with_its_error_and_the_notebook_is_kept(site: Site) -> None:
    site.write("print('before')", "# divide\nx = 1 / 0", "print('after')")
    done = site.run(notebook("train", "train.ipynb").writes("model"))
    assert done.failed == Failed(
        "train.ipynb, cell 2, `# divide`: ZeroDivisionError: division by zero"
    )
    assert "before" in done.executed
    assert done.job.said[-2].startswith("what was executed is in ")
    assert done.job.said[-1].startswith("its kernel is kept until ")
    assert "after" not in done.job.said
    assert done.job.written == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "import os; os._exit(1)",
            "cell 1, `import os; os._exit(1)`: DeadKernelError: the ker",
        ),
        ("import os; os.kill(os.getpid(), 9)", "the kernel died: it was killed"),
        ("input('name? ')", "StdinNotImplementedError"),
        ("x = ", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_whatever_ends_a_cell_is_a_failure_in_seconds(site: Site, source: str, words: str) -> None:
    site.write(source, "print('after')")
    began = time.monotonic()
    failed = site.run().failed
    assert words in failed.message
    assert failed.code == FailureType.JOB_FAILED
    assert time.monotonic() - began < 15


@pytest.mark.slow
def test_a_notebook_that_ends_itself_tells_what_did_not_run(site: Site) -> None:
    site.write("raise SystemExit(0)", "print('after')")
    done = site.run()
    assert isinstance(done.outcome, Succeeded)
    assert done.outcome.summary.startswith("1 of 2 cells executed")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (None, "was given epochs, and has no cell tagged `parameters`"),
        ("a, b = 1, 2", "epochs is unknown: cell 1, tagged `parameters`, declares a, b"),
        ("# how many\nepochs: str = ''", "epochs was given 3 (int), and cell 1, line 2 declares"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything_runs(
    site: Site, parameters: str | None, words: str
) -> None:
    action = notebook("train", "train.ipynb", parameters={"epochs": 3})
    site.write("print(epochs)", parameters=parameters)
    done = site.run(action)
    assert done.failed.code == FailureType.CONFIGURATION_ERROR
    assert words in done.failed.message
    assert not (done.job.folder / "executed").exists()
    told = notebook.traits.check
    assert told
    assert words in (told(action, Settings(folder=str(site.folder))) or "")


def failing_once(site: Site) -> None:
    site.write(
        "import os, pathlib; out = pathlib.Path(os.environ['PIPELINEKIT_OUTPUT'])",
        "(out / 'first').write_text('x' if not (out / 'first').exists() else 'again')",
        "assert (out / '../../../go').exists()",
        "print(os.environ['PIPELINEKIT_ACTION_EXECUTION_ID'])",
    )


def retried(site: Site, action: Action, *, asked: bool) -> Done:
    settings = Settings(folder=str(site.folder))
    job = FolderJob(order(action, id="2"), site.folder / "jobs" / "2", settings, site.inputs)
    key = (job.order.execution, job.order.stage, job.order.action)
    left = find(job.cache, key)
    assert left
    leave(job.cache, key, left._replace(asked=asked))
    return Done(notebook.carry_out(job), job)


@pytest.mark.slow
@pytest.mark.parametrize("keep_minutes", [5, 0])
def test_a_resumed_attempt_goes_on_where_the_one_before_failed(
    site: Site, keep_minutes: int
) -> None:
    failing_once(site)
    action = notebook("train", "train.ipynb", keep_minutes=keep_minutes).writes("model")
    first = site.run(action)
    assert "cell 3" in first.failed.message
    assert "go on from this cell with: pipelinekit resume 9b2d6f0a" in first.job.said[-1]
    (site.folder / "go").touch()
    done = retried(site, action, asked=True)
    assert isinstance(done.outcome, Succeeded), done.outcome
    where = "the kernel that was kept" if keep_minutes else "a fresh kernel, after cells 1 again"
    assert done.outcome.summary.endswith(f"it goes on at cell 3, in {where}")
    model = done.job.written["model"]
    assert (model / "first").read_text(encoding="utf-8") == "x"
    assert '"2\\n"' in (model / "train.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_retried_attempt_starts_over_and_lets_the_kernel_go(site: Site) -> None:
    failing_once(site)
    action = notebook("train", "train.ipynb").writes("model")
    assert site.run(action).failed
    kept = look()["kept"]
    (site.folder / "go").touch()
    done = retried(site, action, asked=False)
    assert isinstance(done.outcome, Succeeded), done.outcome
    assert done.outcome.summary.startswith("4 of 4 cells executed")
    assert look()["kept"] == kept - 1


@pytest.mark.slow
def test_a_secret_of_the_project_is_given_to_the_kernel_only(site: Site) -> None:
    file = site.folder / "secrets.toml"
    file.write_text('[secrets-manager]\nkey = "hunter2 and more"\n', encoding="utf-8")
    file.chmod(0o600)
    site.write("print(token); assert len(token) == 16", parameters="token: str = ''")
    action = notebook("train", "train.ipynb", parameters={"token": "secret:secretsmanager:key"})
    job = FolderJob(
        order(action),
        site.folder / "jobs" / "1",
        Settings(folder=str(site.folder), secrets="secrets.toml"),
    )
    done = Done(notebook.carry_out(job), job)
    assert isinstance(done.outcome, Succeeded), done.outcome
    assert "***" in job.said
    for path in (site.folder / "jobs").rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()


def test_a_parameter_without_a_default_must_be_given(site: Site) -> None:
    site.write("print(epochs)", parameters="epochs: int\nrate = 1")
    failed = site.run(notebook("train", "train.ipynb", parameters={"rate": 2})).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "epochs needs a value: cell 1, line 1" in failed.message


def test_an_unknown_kernel_is_refused_with_those_that_are_there(site: Site) -> None:
    site.write("1")
    failed = site.run(notebook("train", "train.ipynb", kernel="cobol")).failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "the kernel 'cobol', and the kernels here are python3" in failed.message


@pytest.mark.parametrize(
    "text",
    ["", "hello", "[]", "{}", '{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[1]}'],
)
def test_a_file_that_is_no_notebook_is_refused(site: Site, text: str) -> None:
    (site.folder / "train.ipynb").write_text(text, encoding="utf-8")
    failed = site.run().failed
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert failed.message.startswith("train.ipynb was to be read and is no notebook: ")


def test_a_notebook_is_not_looked_for_outside_of_its_folders(site: Site) -> None:
    inner = Site(site.folder / "project", {"code": site.folder / "project" / "code"})
    inner.inputs["code"].mkdir(parents=True)
    site.write("1")
    failed = inner.run(notebook("train", "../train.ipynb").reads("code")).failed
    assert "notebook ../train.ipynb was looked for in " in failed.message


def with_message(value: str, folder: Path) -> Outcome:
    action = notebook("train", "none.ipynb", parameters={"message": "#{src.CommitMessage}"})
    text = action.configuration["Parameters"].replace("#{src.CommitMessage}", value)
    configuration = {**action.configuration, "Parameters": text}
    return notebook.carry_out(FolderJob(order(action, configuration=configuration), folder))


def test_parameters_are_read_with_the_line_ends_that_variables_bring(tmp_path: Path) -> None:
    outcome = with_message("two\nlines", tmp_path / "job")
    assert isinstance(outcome, Failed)
    assert "none.ipynb was looked for" in outcome.message
    with pytest.raises(ValidationError, match="no quotation mark"):
        with_message('"no"', tmp_path / "job")


def test_a_notebook_is_an_action_of_four_categories() -> None:
    types = {str(each.traits.id) for each in (notebook, notebook_test)}
    types |= {str(each.traits.id) for each in (notebook_deploy, notebook_invoke)}
    assert types == {
        "Build/Custom/Notebook/1",
        "Test/Custom/Notebook/1",
        "Deploy/Custom/Notebook/1",
        "Invoke/Custom/Notebook/1",
    }
    action = notebook_test("check", "check.ipynb", {"rows": 2}, kernel="python3")
    assert action.configuration == {
        "Notebook": "check.ipynb",
        "Parameters": '{"rows": 2}',
        "Kernel": "python3",
    }
    assert action["accuracy"] == "#{check.accuracy}"


def refusal(action: Action, folder: Path) -> str | None:
    check = notebook.traits.check
    assert check is not None
    return check(action, Settings(folder=str(folder)))


def test_a_notebook_that_is_not_there_is_refused_before(site: Site) -> None:
    missing = notebook("train", "train.ipynb")
    assert "correct the path" in str(refusal(missing, site.folder))
    assert refusal(missing.reads("code"), site.folder) is None
    assert "ends in .ipynb" in str(refusal(notebook("train", "train.py"), site.folder))
    assert refusal(notebook("train", "#{src.File}"), site.folder) is None
    site.write("1")
    assert refusal(missing, site.folder) is None
