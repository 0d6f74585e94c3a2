"""IPython is told how to show our objects, where there is an IPython, and only then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

IN_A_SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from pipelinekit.widgets.formatters import register
register()
register()
assert not {"pipelinekit.kit", "pipelinekit.widgets.drawing", "sqlalchemy"} & set(sys.modules)
from msgspec.structs import replace
from tests.build import full
shop = full()
stage = shop.stages[2]
two = stage.actions[0] + replace(stage.actions[0], name="Fast")
from pathlib import Path
from tests.widgets.runs import Book, execution
run = Book(Path(sys.argv[1])).run(shop, execution(shop))
from tests.widgets.test_plan_drawing import made
shows = {"shop": shop, "Test": stage, "Check": stage.actions[0], "#1": run, "Live": made()}
shows["Fast"] = two
for name, shown in shows.items():
    data, _ = shell.display_formatter.format(shown)
    assert data["text/html"].startswith("<div"), data
    assert name in data["text/html"] and name in data["text/plain"]
    assert not data["text/plain"].startswith(type(shown).__name__), data["text/plain"]
data, _ = shell.display_formatter.format([shop])
assert "text/html" not in data
print("drawn")
"""
WITHOUT_A_SHELL = """
import sys
from pipelinekit.widgets.formatters import register
register()
assert "IPython" not in sys.modules
import IPython
register()
from tests.build import full
print(repr(full())[:14])
"""


def said(program: str, folder: Path) -> str:
    """Run a program in a Python of its own, whose files are in a folder of the test."""
    answer = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env={**os.environ, "IPYTHONDIR": str(folder)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.mark.slow
def test_a_notebook_draws_our_objects_and_loads_nothing_before(tmp_path: Path) -> None:
    assert said(IN_A_SHELL, tmp_path) == "drawn"


@pytest.mark.slow
def test_without_a_living_ipython_nothing_is_imported_and_the_plain_repr_stays(
    tmp_path: Path,
) -> None:
    assert said(WITHOUT_A_SHELL, tmp_path) == "Pipeline(name="
