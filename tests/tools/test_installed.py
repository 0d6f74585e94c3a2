"""Whether something is installed is told as `importlib.metadata` would tell it."""

import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pipelinekit.tools.installed import may_offer

GROUP = "pipelinekit.tried"
TOLD = f"[other]\na = b\n[{GROUP}]\nthing = some_module:thing\n"


def distribution(place: Path, folder: str, told: str) -> None:
    made = place / folder
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Name: some\nVersion: 1.0\n", encoding="utf-8")
    (made / "entry_points.txt").write_text(told, encoding="utf-8")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", ["some-1.0.dist-info", "some-1.0-py3.11.egg-info"])
def test_what_is_installed_in_a_folder_is_seen(place: Path, folder: str) -> None:
    assert not may_offer(GROUP)
    distribution(place, folder, TOLD)
    assert may_offer(GROUP)
    assert len(entry_points(group=GROUP)) == 1


def test_what_is_installed_for_others_is_not_taken_for_it(place: Path) -> None:
    distribution(place, "some-1.0.dist-info", "[console_scripts]\nsome = some_module:main\n")
    (place / "untold-1.0.dist-info").mkdir()
    (place / "lone-1.0.egg-info").write_text("Name: lone\n", encoding="utf-8")
    assert not may_offer(GROUP)


def test_an_egg_and_an_archive_may_hold_anything(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    egg, archive = place / "some-1.0-py3.11.egg", place / "some.zip"
    distribution(egg, "EGG-INFO", TOLD)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("some-1.0.dist-info/METADATA", "Name: some\nVersion: 1.0\n")
        file.writestr("some-1.0.dist-info/entry_points.txt", TOLD)
    for one in (egg, archive):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "path", [*sys.path, str(one)])
            assert may_offer(GROUP)
            assert len(entry_points(group=GROUP)) == 1


def test_a_place_that_is_not_there_holds_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(place / "gone")])
    assert not may_offer(GROUP)
