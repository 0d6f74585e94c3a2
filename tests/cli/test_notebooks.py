"""The commands for people with notebooks: notebook, resume, open."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.project import Project
from tests.tools.notebooks.books import cell, write

pytestmark = pytest.mark.slow


def committed(project: Project) -> None:
    for call in (
        ["git", "init", "-q", "-b", "main"],
        ["git", "add", "--all"],
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first"],
    ):
        subprocess.run(call, cwd=project.folder, check=True)


def chain(folder: Path) -> None:
    write(
        folder / "clean.ipynb",
        cell("rows = 3  # how many\nword: str", "parameters"),
        "import os, pathlib",
        "pathlib.Path(os.environ['PIPELINEKIT_OUTPUT'], 'rows').write_text(word * rows); None",
    )
    write(folder / "look.ipynb", "1 + 1")
    write(
        folder / "train-it.ipynb",
        "import os, pathlib",
        "place = pathlib.Path(os.environ['PIPELINEKIT_INPUT_CLEAN_OUTPUT'], 'rows')",
        "assert place.read_text() == 'ababab'",
    )


@pytest.mark.parametrize("stages", [True, False])
def test_notebooks_become_a_pipeline_that_runs(project: Project, *, stages: bool) -> None:
    chain(project.folder)
    names = ("clean.ipynb", "look.ipynb", "train-it.ipynb", "--after", "train-it:clean")
    made = project.call("notebook", *names, *(["--stages"] if stages else []), "--name", "shop")
    assert made.returncode == 0, made.stderr
    assert '"rows": 3,  # how many' in made.stdout
    assert '"word": ...,  # str is needed' in made.stdout
    wanted = '"Step-1", clean + look)' if stages else '"Notebooks", (clean + look) >> train_it)'
    assert wanted in made.stdout
    text = made.stdout.replace('"word": ...', '"word": "ab"')
    project.write("pipeline.py", text)
    committed(project)
    done = project.call("run", "pipeline.py")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("clean.ipynb", "--after", "clean:other"), "names 'other', and the notebooks are clean"),
        (("clean.ipynb", "look.ipynb", "--after", "clean:look", "--after", "look:clean"), "wait"),
        (("broken.ipynb",), "broken.ipynb was to be read and is no notebook"),
    ],
)
def test_what_cannot_become_a_pipeline_is_refused(
    project: Project, arguments: tuple[str, ...], words: str
) -> None:
    chain(project.folder)
    project.write("broken.ipynb", "{}")
    refused = project.call("notebook", *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_failed_notebook_is_resumed_and_opened_from_the_command_line(project: Project) -> None:
    write(
        project.folder / "train.ipynb",
        f"import os; go = {str(project.folder / 'go')!r}",
        "if not os.path.exists(go): raise RuntimeError('not yet')",
        "print('it went on')",
    )
    made = project.call("notebook", "train.ipynb", "--name", "shop", "--out", "pipeline.py")
    assert made.returncode == 0, made.stderr
    committed(project)
    failed = project.call("run", "pipeline.py")
    assert failed.returncode == 1
    logs = project.call("logs", "shop").stdout
    assert "go on from this cell with: pipelinekit resume" in logs
    opened = project.answer("open", "shop", "--to", "opened")
    cells = json.loads(Path(opened["notebook"]).read_text(encoding="utf-8"))["cells"]
    assert "RuntimeError: not yet" in cells[0]["source"]
    project.write("go", "")
    resumed = project.call("resume", "shop")
    assert resumed.returncode == 0, resumed.stderr
    assert project.call("watch", "shop").returncode == 0
    logs = project.call("logs", "shop").stdout
    assert "-- it goes on at cell 2, in the kernel that was kept" in logs
    assert "it went on" in logs
    again = project.call("resume", "shop")
    assert again.returncode == 2
