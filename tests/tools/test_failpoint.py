"""Named points fail as the environment says, and do nothing when it says nothing."""

import ast
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit
from pipelinekit.tools.failpoint import POINTS, arm, failpoint

WHATS = ("result", "artifact", "place", "file")
KINDS = ("commit", "take")


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm({})


def set_to(text: str, **more: str) -> None:
    arm({"PIPELINEKIT_FAILPOINT": text, **more})


def placed() -> set[str]:
    """Give the names that the product's source passes to `failpoint`."""
    names: set[str] = set()
    for file in Path(pipelinekit.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "failpoint":
                text = ast.unparse(node.args[0]).strip("f'\"")
                names |= {text.format(what=what) for what in (*WHATS, *KINDS)}
    return names & set(POINTS) | {name for name in names if "." not in name}


def test_each_listed_point_stands_somewhere_in_the_product() -> None:
    assert placed() == set(POINTS)


def test_a_point_does_nothing_by_itself() -> None:
    failpoint("store.commit.before")


@pytest.mark.parametrize("name", ["EIO", "ENOSPC"])
def test_a_point_raises_what_a_disk_would(name: str) -> None:
    set_to(f"store.commit.before:{name}")
    with pytest.raises(OSError, match=r"store\.commit\.before") as caught:
        failpoint("store.commit.before")
    assert caught.value.errno == getattr(errno, name)
    failpoint("store.commit.after")


@pytest.mark.parametrize(
    ("when", "failing"), [("2", [2]), ("2+", [2, 3, 4]), ("100%", [1, 2, 3, 4]), ("0%", [])]
)
def test_a_point_fails_only_when_it_is_wanted(when: str, failing: list[int]) -> None:
    set_to(f"gate.*:EIO:{when}")
    failed = []
    for time in range(1, 5):
        try:
            failpoint("gate.rename.before")
        except OSError:
            failed.append(time)
    assert failed == failing


@pytest.mark.parametrize("text", ["nowhere:kill", "gate.*:faint", "gate.*:kill:often", "gate.*"])
def test_a_wish_that_is_not_understood_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="name:action:when"):
        set_to(text)


def test_a_point_that_is_not_listed_is_told() -> None:
    set_to("gate.*:kill")
    with pytest.raises(ValueError, match="POINTS"):
        failpoint("gate.unlisted")


def test_a_process_is_killed_at_its_point_and_leaves_a_trace(tmp_path: Path) -> None:
    program = "from pipelinekit.tools.failpoint import failpoint\nfailpoint('gate.seal.after')"
    trace = tmp_path / "trace"
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PIPELINEKIT_FAILPOINT": "gate.seal.after:kill",
        "PIPELINEKIT_FAILPOINT_TRACE": str(trace),
    }
    ended = subprocess.run([sys.executable, "-c", program], env=environ, check=False)
    assert ended.returncode == -signal.SIGKILL
    _, _, name, action = trace.read_text(encoding="utf-8").split()
    assert (name, action) == ("gate.seal.after", "kill")
