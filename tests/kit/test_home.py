"""Where the state is."""

from pathlib import Path

import pytest

from pipelinekit.kit.home import Home


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
