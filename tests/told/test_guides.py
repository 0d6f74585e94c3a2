"""What a guide shows is run as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.project import ROOT

GUIDES = ROOT / "notebooks" / "guides"


def blocks(guide: Path, language: str) -> list[str]:
    text = guide.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_guide_to_import_and_export_does_what_it_says(tmp_path: Path) -> None:
    guide = GUIDES / "import-and-export.md"
    (template,) = blocks(guide, "yaml")
    (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
    script = "set -e\n" + "".join(blocks(guide, "sh")).replace(
        "pipelinekit ", f"{sys.executable} -m pipelinekit "
    )
    told = run(["sh", "-c", script], tmp_path)
    assert "1 runs here once configured, 1 needs AWS, 0 not supported" in told
    assert "✓ ci/pipeline.json: pipeline shop is valid" in told
    assert 'resource "aws_codebuild_project" "shop_tests"' in told
    assert "UNRESOLVED-Artifacts" in told
    (cell,) = blocks(guide, "python")
    assert 'resource "aws_codepipeline" "shop"' in run([sys.executable, "-c", cell], tmp_path)
    assert (tmp_path / "elsewhere" / "codebuild.yaml").exists()


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
