"""A build gets the values that its variables ask for, or is told of all that it cannot get."""

from pathlib import Path

import pytest

from pipelinekit.builds.secrets import fetch
from pipelinekit.builds.task import BuildFailed
from pipelinekit.model.settings import Aws, Settings

FILE = """
[parameter-store]
"/shop/token" = "hunter22"
[secrets-manager]
database = { password = "hush-hush" }
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "secrets.toml"
    file.write_text(FILE, encoding="utf-8")
    file.chmod(0o600)
    return Settings(folder=str(tmp_path), secrets="secrets.toml")


def test_each_variable_gets_its_value(settings: Settings) -> None:
    asked = fetch(settings, {"TOKEN": "/shop/token"}, {"PASSWORD": "database:password"})
    assert asked == {"TOKEN": "hunter22", "PASSWORD": "hush-hush"}


def test_all_that_are_missing_are_told_at_once(settings: Settings) -> None:
    with pytest.raises(BuildFailed) as refusal:
        fetch(
            settings,
            {"TOKEN": "/shop/token", "KEY": "/shop/key"},
            {"PASSWORD": "database:word", "USER": "people:user"},
        )
    lines = str(refusal.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["KEY", "PASSWORD", "USER"]
    assert "hunter22" not in str(refusal.value)
    assert "hush-hush" not in str(refusal.value)


def test_where_nothing_is_configured_the_file_and_the_table_to_write_are_told() -> None:
    with pytest.raises(BuildFailed, match=r"file = \"secrets.toml\"` under \[secrets\]"):
        fetch(Settings(), {"TOKEN": "/shop/token"}, {})


def test_the_configured_account_is_asked() -> None:
    settings = Settings(aws=Aws(region="eu-west-1", endpoint="nonsense"))
    with pytest.raises(BuildFailed, match=r"TOKEN: .* asked of AWS \(eu-west-1, nonsense\)"):
        fetch(settings, {"TOKEN": "/shop/token"}, {})


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(BuildFailed, match=r"not/there\.toml"):
        fetch(Settings(secrets="not/there.toml"), {"TOKEN": "/shop/token"}, {})
