"""The release notebook, run as a person would run it."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "release.ipynb"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(sys.path),
    "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def outputs(notebook: Path) -> str:
    """Give everything that the cells of an executed notebook have put out, as text."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join(
        "".join(output.get("text", output.get("data", {}).get("text/plain", "")))
        for cell in cells
        for output in cell.get("outputs", ())
    )


def papermill(folder: Path, **parameters: object) -> subprocess.CompletedProcess[str]:
    given = [word for name, value in parameters.items() for word in ("-p", name, str(value))]
    command = ["papermill", str(NOTEBOOK), "out.ipynb", "--no-progress-bar", *given]
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_plain_papermill_releases_to_one_environment(tmp_path: Path) -> None:
    done = papermill(tmp_path, environment="dev", port=free_port())
    assert done.returncode == 0, done.stderr
    text = outputs(tmp_path / "out.ipynb")
    assert "'environment': 'dev'" in text
    assert "Succeeded" in text


@pytest.mark.slow
def test_a_failed_release_fails_the_notebook_and_says_why(tmp_path: Path) -> None:
    done = papermill(tmp_path, environment="dev", revision="f" * 40, port=free_port())
    assert done.returncode == 1
    assert "ExecutionFailed" in done.stderr
    assert "f" * 40 in done.stderr


@pytest.mark.slow
def test_the_release_command_runs_it_once_for_each_environment(tmp_path: Path) -> None:
    environments = tmp_path / "environments.yaml"
    environments.write_text(
        f"dev: {{parameters: {{port: {free_port()}}}}}\n"
        f"staging: {{parameters: {{port: {free_port()}}}}}\n",
        encoding="utf-8",
    )
    command = ["release", str(NOTEBOOK), "--env", "dev", "--env", "staging", "--out", "runs"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelinekit", *command, "--environments", str(environments)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = sorted((tmp_path / "runs").glob("release-*.ipynb"))
    assert ["'environment': 'dev'" in outputs(each) for each in kept] == [True, False]
    assert "'environment': 'staging'" in outputs(kept[1])
