"""Releases that cannot succeed: each ends at once, says why, and goes to no other environment."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.project import Project
from tests.kit.test_release import DEFAULTS, notebook

pytestmark = pytest.mark.slow

LIMIT = 30
ENVIRONMENTS = "staging: {}\nproduction: {}\n"
KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
GIGABYTE = "import sys\nfor _ in range(1024): sys.stdout.write('x' * 1024 ** 2)"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("input('who? ')", "it asks for input, and nobody is there to answer; take a parameter"),
        (GIGABYTE, "it put out more than 256 MB, and was ended; write files instead"),
        (KILLED, "the kernel died: it was killed, perhaps for want of memory"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("def broken(:", "SyntaxError: invalid syntax"),
    ],
)
def test_a_cell_that_cannot_end_well_ends_the_release(
    project: Project, cell: str, words: str
) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    notebook(project.folder, cell, "print('and on')")
    began = time.monotonic()
    done = project.call("release", "report.ipynb")
    assert time.monotonic() - began < LIMIT
    assert done.returncode == 1, done.stderr
    staging, production = done.stdout.splitlines()[-2:]
    assert staging.startswith("staging     ✗ Failed")
    assert "report.ipynb, cell 2, `" in staging
    assert words in staging
    assert production == "production  ○ Not started"
    assert "and on" not in project.call("logs", "release-report").stdout
    sizes = [file.stat().st_size for file in project.folder.rglob("*") if file.is_file()]
    assert max(sizes) < 50_000_000


def _of_a_kernel(folder: Path) -> None:
    file = notebook(folder, "1")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"python3"', '"cobol"'), encoding="utf-8")


def _without_parameters(folder: Path) -> None:
    notebook(folder, "1", parameters=None)


def _cut_off(folder: Path) -> None:
    file = notebook(folder, "1")
    file.write_bytes(file.read_bytes()[:40])


def _of_bytes(folder: Path) -> None:
    (folder / "report.ipynb").write_bytes(bytes(range(256)))


def _missing(folder: Path) -> None:
    del folder


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_of_a_kernel, "by the kernel 'cobol', and the kernels here are python3"),
        (_without_parameters, "has no cell tagged `parameters`"),
        (_cut_off, "report.ipynb was to be read and is no notebook"),
        (_of_bytes, "report.ipynb was to be read and is no notebook"),
        (_missing, "there is no such file; check its path"),
    ],
)
def test_what_is_no_release_notebook_is_refused_before_anything_is_taken(
    project: Project, make: Callable[[Path], None], words: str
) -> None:
    project.write("environments.yaml", ENVIRONMENTS)
    make(project.folder)
    _refused(project, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: {after: [b]}\nb: {after: [a]}\n", "line 1: found a circle: a after b after a; take"),
        ("a: {aprovers: [ann]}\n", "line 1: found the unknown key aprovers at a; known here"),
        ("a: {time_zone: Mars}\n", "line 1: found 'Mars' is no time zone; write Region/City"),
        ("a: {\n", "line 2: found YAML that cannot be read"),
        ("a: {parameters: {rows: many}}\n", "rows was given 'many' (str), and cell 1, line 2"),
        ("a: {parameters: {row: 1}}\n", "environment a: report.ipynb cannot take its parameters"),
        ("", "environments.yaml, line 1: found nothing (null)"),
    ],
)
def test_environments_with_a_fault_are_refused_with_its_place(
    project: Project, text: str, words: str
) -> None:
    project.write("environments.yaml", text)
    notebook(project.folder, "1", parameters=DEFAULTS)
    _refused(project, words)


def _refused(project: Project, words: str) -> None:
    done = project.call("release", "report.ipynb")
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project.folder / "runs").exists()
    history = project.call("status")
    assert "release-report" not in history.stdout
