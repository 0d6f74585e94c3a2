"""papermill with the engine `pipelinekit`: its own tests, its command, its notebooks."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import papermill
import papermill.tests
import pytest
from papermill.engines import papermill_engines

from pipelinekit.tools.notebooks.engine import NAME, PipelinekitEngine
from tests.tools.notebooks.books import Book, write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
BY_DEFAULT = """
from papermill.engines import papermill_engines
from pipelinekit.tools.notebooks.engine import PipelinekitEngine

papermill_engines.register(None, PipelinekitEngine)
"""
SHOW = f"print(engines.get_engine({NAME!r}))"
NOT_ASKED = (
    "start_timeout",  # looks into papermill's own engine
    "autosave_slow",  # counts how often it is written, and here changes at once are written once
    "TestBrokenNotebook2",  # fails with papermill's own engine too, as it expects another IPython
)


def test_the_tests_of_papermill_pass_with_this_engine(tmp_path: Path) -> None:
    (tmp_path / "by_default.py").write_text(BY_DEFAULT, encoding="utf-8")
    folder = Path(papermill.tests.__file__).parent
    done = subprocess.run(
        [
            *f"{sys.executable} -m pytest -q -c {os.devnull} --rootdir {tmp_path}".split(),
            *["-p", "no:cacheprovider", "-p", "by_default", "-k"],
            " and ".join(f"not {each}" for each in NOT_ASKED),
            *(str(folder / name) for name in ("test_execute.py", "test_autosave.py")),
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(done.stdout.splitlines()[-1].split()[0]) > 20


def test_the_entry_point_names_the_engine() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (name, value) = next(iter(project["entry-points"]["papermill.engine"].items()))
    assert name == NAME
    assert EntryPoint(name, value, "papermill.engine").load() is PipelinekitEngine


@pytest.mark.parametrize(
    "first", ["papermill", PipelinekitEngine.__module__, "pipelinekit.tools.notebooks.executor"]
)
def test_it_can_be_loaded_before_papermill_and_after(book: Book, first: str) -> None:
    place = installed(book.folder)
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import {first}\nfrom papermill.engines import papermill_engines as engines\n{SHOW}",
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{place}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert PipelinekitEngine.__name__ in done.stdout, done.stderr


def installed(folder: Path) -> Path:
    place = folder / "installed" / "pipelinekit_engine-1.dist-info"
    place.mkdir(parents=True)
    entry = f"[papermill.engine]\n{NAME} = {PipelinekitEngine.__module__}:PipelinekitEngine\n"
    (place / "entry_points.txt").write_text(entry, encoding="utf-8")
    (place / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1\n", "utf-8")
    return place.parent


def test_the_command_of_papermill_takes_it_by_name(book: Book) -> None:
    place = installed(book.folder)
    book.write("print(x, word)", parameters="x = 1\nword = ''")
    book.target.parent.mkdir()
    done = subprocess.run(
        [
            *f"{sys.executable} -m papermill book.ipynb {book.target} --engine {NAME}".split(),
            *["-p", "x", "3", "-p", "word", "secret:env:WORD", "--no-progress-bar"],
        ],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{place}",
            "WORD": "open sesame",
        },
        cwd=book.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert book.printed(2) == "3 ***\n"
    assert "sesame" not in book.text + done.stdout + done.stderr


def test_plain_papermill_executes_the_same_notebook(book: Book) -> None:
    book.write("import pipelinekit as pk", "pk.output('x', x)", parameters="x: int = 1")
    papermill.execute_notebook(
        str(book.folder / "book.ipynb"),
        str(book.folder / "plain.ipynb"),
        {"x": 3},
        progress_bar=False,
    )
    papermill_engines.register(NAME, PipelinekitEngine)
    papermill.execute_notebook(
        str(book.folder / "book.ipynb"),
        str(book.folder / "ours.ipynb"),
        {"x": 3},
        engine_name=NAME,
        progress_bar=False,
        cwd=str(book.folder),
    )
    texts = [(book.folder / f"{name}.ipynb").read_text("utf-8") for name in ("plain", "ours")]
    assert ['"data": 3' in text for text in texts] == [True, True]


def test_papermill_runs_the_kernel_in_the_folder_that_it_is_given(tmp_path: Path) -> None:
    papermill_engines.register(NAME, PipelinekitEngine)
    write(tmp_path / "a.ipynb", "import os; open('here', 'w').write('x')")
    folder = tmp_path / "other"
    folder.mkdir()
    papermill.execute_notebook(
        str(tmp_path / "a.ipynb"), None, engine_name=NAME, progress_bar=False, cwd=folder
    )
    assert (folder / "here").is_file()
