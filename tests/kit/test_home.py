"""Where the state is, and what the settings file may say."""

from pathlib import Path

import pytest

from pipelinekit.kit.home import Home, SettingsError, load_settings
from pipelinekit.model.settings import DeploymentGroup, Project, Settings

FULL = """
[repositories]
shop = "../shop.git"
[connections]
"arn:aws:codestar-connections:x" = "https://example.org/{repository}.git"
[codebuild.shop]
buildspec = "ci/buildspec.yml"
timeout_minutes = 5
[codebuild.shop.environment]
LEVEL = "info"
[codedeploy.shop.production]
targets = ["deploy/a", "deploy/b"]
rollback = false
keep = 2
[codedeploy.shop.production.environment]
PORT = "8102"
"""


def test_the_settings_file_says_where_things_are(tmp_path: Path) -> None:
    (tmp_path / "pipelinekit.toml").write_text(FULL, encoding="utf-8")
    assert load_settings(tmp_path) == Settings(
        folder=str(tmp_path),
        repositories={"shop": "../shop.git"},
        connections={"arn:aws:codestar-connections:x": "https://example.org/{repository}.git"},
        projects={"shop": Project("ci/buildspec.yml", {"LEVEL": "info"}, 5)},
        groups={
            "shop/production": DeploymentGroup(
                ("deploy/a", "deploy/b"), {"PORT": "8102"}, rollback=False, keep=2
            )
        },
    )


def test_pyproject_may_hold_them_too(tmp_path: Path) -> None:
    text = '[tool.pipelinekit.repositories]\nshop = "../shop.git"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path).repositories == {"shop": "../shop.git"}


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings(folder=str(tmp_path))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[repositories\n", "line 1"),
        ("[repository]\n", "repository has no meaning"),
        ("[codebuild]\nshop = 3\n", r"\[codebuild.name\]"),
        ("[codebuild.shop]\nbuildspec = 3\n", "codebuild.shop.buildspec is 3"),
        ("[codebuild.shop]\ntimeout_minutes = 0\n", "whole number"),
        ("[codebuild.shop]\nimage = 'x'\n", "codebuild.shop.image has no meaning"),
        ("[codedeploy.shop.live]\n", "codedeploy.shop.live.targets is None"),
        ("[codedeploy.shop.live]\ntargets = []\n", "list of folders"),
        ("[codedeploy.shop.live]\ntargets = ['x']\nkeep = 0\n", "1 or more"),
        ("[codedeploy.shop.live]\ntargets = ['x']\nrollback = 'no'\n", "true or false"),
        ("[codedeploy.shop.live]\ntargets = ['x']\nenvironment = 3\n", "table of texts"),
        ("[repositories]\nshop = 3\n", "table of texts"),
    ],
)
def test_a_fault_is_refused_with_its_place_and_what_to_write(
    tmp_path: Path, text: str, word: str
) -> None:
    (tmp_path / "pipelinekit.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=word) as refusal:
        load_settings(tmp_path)
    assert "pipelinekit.toml" in str(refusal.value)


def test_the_home_is_the_given_one_else_the_variable_s_else_a_folder_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPELINEKIT_HOME", raising=False)
    monkeypatch.delenv("PIPELINEKIT_DB_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Home.find().folder == tmp_path / ".pipelinekit"
    assert Home.find().database == f"sqlite:///{tmp_path}/.pipelinekit/pipelinekit.db"
    monkeypatch.setenv("PIPELINEKIT_HOME", str(tmp_path / "b"))
    monkeypatch.setenv("PIPELINEKIT_DB_URL", "sqlite:////elsewhere.db")
    assert Home.find().folder == tmp_path / "b"
    assert Home.find().database == "sqlite:////elsewhere.db"
    assert Home.find(tmp_path / "c").folder == tmp_path / "c"
