"""Engines know each other's death at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from pipelinekit.runtime.engines import Incarnation, alive

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
