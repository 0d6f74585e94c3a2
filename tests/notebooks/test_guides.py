"""The guides, run in their order as a newcomer runs them, in one folder."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.test_release_notebook import ENVIRONMENT, outputs

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
GUIDES = [file for file in NOTEBOOKS if file.name[0].isdigit()]
TOPICS = ("first", "approvals", "environments", "own-action", "aws", "history")

# One process for all of them: to load papermill takes longer than most of the guides.
RUN = """
import sys
sys.modules["rfc3987_syntax"] = None
import papermill
for file in sys.argv[1:]:
    target = file.rpartition("/")[2]
    papermill.execute_notebook(file, target, progress_bar=False, shutdown_kernel="immediate")
    print("ran", target)
"""


def test_there_is_a_guide_for_each_thing_that_a_newcomer_meets() -> None:
    names = [file.stem for file in GUIDES]
    assert [name[:3] for name in names] == [f"{number:02}-" for number in range(1, 7)]
    for name, topic in zip(names, TOPICS, strict=True):
        assert topic in name


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_kept_clean(file: Path) -> None:
    document = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(document)
    assert document.cells[0].source.startswith("# ")
    for cell in document.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
            ast.parse(cell.source)
    prose = "\n".join(cell.source for cell in document.cells if cell.cell_type == "markdown")
    for link in re.findall(r"\]\(([^)]+)\)", prose):
        assert (FOLDER / link).exists(), link


@pytest.mark.slow
def test_the_guides_run_in_their_order(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, GUIDES)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = {file.stem[:2]: outputs(tmp_path / file.name) for file in GUIDES}
    assert "VERSION" in told["01"]
    assert "ann has approved it already; somebody else has to" in told["02"]
    assert "rows was given 'many'" in told["03"]
    assert "FROZEN" in told["03"] or "Christmas" in told["03"]
    assert told["03"].count("Succeeded") >= 2
    assert "Overridden by" in told["04"]
    assert "Version 1.4.0 is ready" in told["05"]
    assert "True" in told["05"].splitlines()[-1]
    for pipeline in ("guide-first", "guide-approvals", "guide-own", "guide-aws", "guide-history"):
        assert pipeline in told["06"], pipeline
