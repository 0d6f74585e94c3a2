"""Engines know each other's death at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelinekit.model.errors import StoreError
from pipelinekit.runtime.engines import MOMENT_SECONDS, Incarnation, alive
from pipelinekit.store.sql import open_store
from tests import postgres

HOLD = """
import sys, time
from pathlib import Path
from pipelinekit.runtime.engines import Incarnation
held = Incarnation(Path(sys.argv[1]), "other")
print("held", flush=True)
time.sleep(60)
"""


def test_a_living_engine_is_not_dead_and_a_killed_one_is(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        mine = Incarnation(tmp_path, "mine")
        assert mine.dead() == []
        other.send_signal(signal.SIGKILL)
    assert mine.dead() == ["other"]
    mine.bury(["other"])
    assert mine.dead() == []
    mine.close()


def test_an_engine_is_alive_until_it_is_closed(tmp_path: Path) -> None:
    assert not alive(tmp_path / "nothing")
    mine = Incarnation(tmp_path, "mine")
    assert alive(tmp_path)
    mine.close()
    assert not alive(tmp_path)


def test_an_engine_whose_lock_was_removed_puts_it_back(tmp_path: Path) -> None:
    mine, other = Incarnation(tmp_path, "mine"), Incarnation(tmp_path, "other")
    (tmp_path / "mine").unlink()
    (tmp_path / "mine").touch()
    assert other.dead() == ["mine"]
    mine.ensure()
    assert other.dead() == []
    mine.close()
    assert other.dead() == ["mine"]
    other.close()


def test_an_engine_whose_lock_was_replaced_may_begin_nothing_that_it_took_before(
    tmp_path: Path,
) -> None:
    mine = Incarnation(tmp_path, "mine")
    term = mine.check()
    assert mine.holds(term)
    (tmp_path / "mine").unlink()
    time.sleep(MOMENT_SECONDS)  # for so long a look at it counts
    assert not mine.holds(term)
    (tmp_path / "mine").touch()
    assert not mine.holds(term)
    later = mine.check()  # puts it back
    assert later != term
    assert mine.holds(later)
    assert not mine.holds(term)
    mine.close()
    assert not mine.holds(later)


def test_a_lock_that_is_put_back_while_it_is_looked_at_is_that_of_a_later_term(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Incarnation(tmp_path, "mine")
    term = mine.check()
    look = Incarnation._in_place  # noqa: SLF001 - the moment that is meant is in there

    def slow_look(self: Incarnation) -> bool:
        monkeypatch.setattr(Incarnation, "_in_place", look)
        self.check()  # another thread of the engine is faster
        return look(self)

    (tmp_path / "mine").unlink()
    time.sleep(MOMENT_SECONDS)
    monkeypatch.setattr(Incarnation, "_in_place", slow_look)
    assert not mine.holds(term)
    mine.close()


def test_an_engine_that_holds_something_and_has_no_lock_is_dead(tmp_path: Path) -> None:
    other = Incarnation(tmp_path, "other")
    mine = Incarnation(tmp_path, "mine", holders=lambda: ["mine", "other", "gone"])
    assert mine.dead() == ["gone"]
    (tmp_path / "other").unlink()
    assert sorted(mine.dead()) == ["gone", "other"]
    for each in (mine, other):
        each.close()


@pytest.mark.postgres
def test_an_engine_that_cannot_make_its_lock_says_so_and_keeps_no_lease(tmp_path: Path) -> None:
    store = open_store(postgres.shared().url())
    folder = tmp_path / "file"
    folder.touch()
    with pytest.raises(StoreError, match="was to be made"):
        Incarnation(folder, "mine", store.leases)
    (tmp_path / ".mine").mkdir()
    with pytest.raises(StoreError, match="was to be made"):
        Incarnation(tmp_path, "mine", store.leases)
    assert not [each for each in threading.enumerate() if each.name == "lease"]
    store.close()


def test_an_engine_that_cannot_put_its_lock_back_says_so(tmp_path: Path) -> None:
    mine = Incarnation(tmp_path, "mine")
    (tmp_path / "mine").unlink()
    (tmp_path / ".mine").mkdir()
    with pytest.raises(StoreError, match="was to be put back"):
        mine.ensure()
    mine.close()
