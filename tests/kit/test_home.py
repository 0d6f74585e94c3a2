"""Where the state is."""

from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.home import Home
from pipelinekit.model.errors import StoreError
from tests.build import pipeline


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


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a SQLite file that lies in no home."""
    monkeypatch.setenv("PIPELINEKIT_DB_URL", f"sqlite:///{tmp_path}/shared/shop.db")
    return tmp_path


def test_a_sqlite_store_is_worked_on_from_one_home(shared: Path) -> None:
    for _ in range(2):
        pk.Kit(shared / "one", settings=pk.Settings()).close()
    with pytest.raises(StoreError, match=f"belongs to {shared}/one: set PIPELINEKIT_HOME"):
        pk.Kit(shared / "two", settings=pk.Settings())
    pk.Kit(shared / "two", settings=pk.Settings(), work=False).close()


def test_the_store_of_a_home_is_worked_on_from_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk.Kit(tmp_path / "one", settings=pk.Settings()).close()
    monkeypatch.setenv("PIPELINEKIT_DB_URL", f"sqlite:///{tmp_path}/one/pipelinekit.db")
    with pytest.raises(StoreError, match=f"belongs to {tmp_path}/one: set PIPELINEKIT_HOME"):
        pk.Kit(tmp_path / "two", settings=pk.Settings())


def test_a_home_may_be_moved(tmp_path: Path) -> None:
    pk.Kit(tmp_path / "one", settings=pk.Settings()).close()
    (tmp_path / "one").rename(tmp_path / "two")
    pk.Kit(tmp_path / "two", settings=pk.Settings()).close()


@pytest.mark.parametrize("home", ["file/home", "file"])
def test_a_home_that_cannot_be_made_is_refused_with_what_to_choose(
    tmp_path: Path, home: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=rf"kept in {tmp_path}/{home}, and .* choose another f"):
        pk.Kit(tmp_path / home, settings=pk.Settings())


def open_to_others(folder: Path) -> set[str]:
    """Name what other users could read or enter, if they were let into the folder itself."""
    return {
        each.name
        for each in folder.iterdir()
        if each.stat().st_mode & 0o077 and (each.is_dir() or each.stat().st_size)
    }


def test_an_empty_folder_that_is_made_a_home_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    pk.Kit(tmp_path / "home", settings=pk.Settings()).close()
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_in_a_home_that_holds_other_things_only_the_state_is_closed_to_others(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    (home / "jobs").mkdir(parents=True)
    (home / "letter").write_text("Dear all", encoding="utf-8")
    (home / "pipelinekit.db").touch(mode=0o644)
    home.chmod(0o755)
    with pk.Kit(home, settings=pk.Settings()) as kit:
        kit.define(pipeline())
        assert open_to_others(home) == {"letter", "pipelinekit.db.home"}
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_store_elsewhere_is_closed_to_others(shared: Path) -> None:
    pk.Kit(shared / "one", settings=pk.Settings(), work=False).close()
    pk.Kit(shared / "one", settings=pk.Settings()).close()
    assert (shared / "shared").stat().st_mode & 0o777 == 0o700
    assert (shared / "shared/shop.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["x#1", "y?1", "a\nb", "pct%20", "t\tb"])
def test_a_folder_of_any_name_is_a_home_and_its_neighbour_is_left_alone(
    tmp_path: Path, name: str
) -> None:
    neighbour = tmp_path / name[0]
    neighbour.mkdir(mode=0o755)
    home = Home.find(tmp_path / name / "home")
    home.take()
    Home.find(tmp_path / f"{name}2" / "home").take()
    assert (home.folder / "pipelinekit.db.home").read_text("utf-8") == str(home.folder)
    assert neighbour.stat().st_mode & 0o777 == 0o755
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name[0], name, f"{name}2"])
