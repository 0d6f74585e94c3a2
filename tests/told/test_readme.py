"""What the README shows is run as it stands there."""

import re
from pathlib import Path

import pytest

import pipelinekit as pk

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_cells_of_the_readme_release_the_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("PIPELINEKIT_HOME", raising=False)
    cell: dict[str, object] = {"__name__": "cell"}
    for block in blocks("python"):
        exec(compile(block, README.name, "exec"), cell)  # noqa: S102 - our own page
    kit, run = cell["kit"], cell["run"]
    assert isinstance(kit, pk.Kit)
    assert isinstance(run, pk.Run)
    try:
        assert run.raise_for_status().actions[-1].action == "live"
    finally:
        kit.close()
        pk.close_example(here)


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (README.parent / link).exists(), link


def test_the_environments_of_the_readme_are_understood(tmp_path: Path) -> None:
    from pipelinekit.kit.environments import environments

    (text,) = blocks("yaml")
    (tmp_path / "environments.yaml").write_text(text, encoding="utf-8")
    production = environments(tmp_path / "environments.yaml")["production"]
    assert (production.after, production.approvers) == (("staging",), ("ann", "bob"))


def test_the_settings_of_the_readme_are_understood(tmp_path: Path) -> None:
    from pipelinekit.kit.settings_file import load_settings

    (toml,) = blocks("toml")
    (tmp_path / "pipelinekit.toml").write_text(toml, encoding="utf-8")
    assert load_settings(tmp_path).groups["shop/production"].targets == ("deploy/production",)
