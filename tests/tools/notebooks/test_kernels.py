"""Kernels on loan: the nursery that starts, lends, keeps and kills them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.jobs.gate import MARKER
from pipelinekit.tools.notebooks import kernels
from pipelinekit.tools.notebooks.kernels import (
    FOLDER,
    Place,
    drop,
    lend,
    look,
    resume,
    stop_nursery,
)
from pipelinekit.tools.notebooks.kernelspec import Spec, find_spec
from pipelinekit.tools.notebooks.nursery import PORTS

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(FOLDER, str(tmp_path / "nursery"))
    yield
    stop_nursery()


def sleeper(*, ahead: bool = True) -> Spec:
    code = "import time; time.sleep(600)"
    return Spec("sleeper", (sys.executable, "-c", code), {}, "python", is_ipython=ahead)


def until(true: Callable[[], object], seconds: float = 5) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.02)


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_next_kernel_is_started_ahead_and_lent_once() -> None:
    with lend(sleeper(), Place(Path("/"))) as first:
        assert not first.warm
        until(lambda: look()["waiting"])
        (ahead,) = look()["waiting"]
        with lend(sleeper(), Place(Path("/tmp"))) as second:
            assert (second.pid, second.warm) == (ahead, True)
            assert second.connection["key"] != first.connection["key"]
    until(lambda: not lives(first.pid) and not lives(second.pid))


def test_a_kernel_started_for_other_variables_is_not_lent() -> None:
    environment = {"PATH": os.environ["PATH"], "SHOP": "a", "PIPELINEKIT_OUTPUT": "/a"}
    lend(sleeper(), Place(Path("/"), environment)).close()
    until(lambda: look()["waiting"])
    with lend(sleeper(), Place(Path("/"), environment | {"SHOP": "b"})) as other:
        assert not other.warm
    with lend(sleeper(), Place(Path("/"), environment | {"PIPELINEKIT_OUTPUT": "/b"})) as same:
        assert same.warm


def test_nothing_is_started_ahead_where_the_folder_matters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with lend(sleeper(ahead=False), Place(Path("/tmp"))) as own:
        assert Path(f"/proc/{own.pid}/cwd").resolve() == Path("/tmp")
    monkeypatch.setenv("PYTHONPATH", "src")
    with lend(sleeper(), Place(Path("/tmp"))) as relative:
        assert Path(f"/proc/{relative.pid}/cwd").resolve() == Path("/tmp")
    assert look()["waiting"] == []


def test_a_kernel_dies_with_its_borrower_and_what_it_started_with_it(tmp_path: Path) -> None:
    script = f"""
import os, sys, time
from pathlib import Path
from pipelinekit.tools.notebooks.kernels import Place, lend
from pipelinekit.tools.notebooks.kernelspec import Spec
code = "import subprocess as s, time; s.Popen(['sleep', '99']); open('up', 'w'); time.sleep(99)"
spec = Spec("k", (sys.executable, "-c", code), {{}}, "python", is_ipython=False)
lease = lend(spec, Place(Path({str(tmp_path)!r})))
print(lease.pid, flush=True)
time.sleep(600)
"""
    borrower = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert borrower.stdout
    pid = int(borrower.stdout.readline())
    until((tmp_path / "up").exists)
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    borrower.kill()
    borrower.wait()
    borrower.stdout.close()
    until(lambda: not lives(pid) and not lives(int(child)))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port has one holder only")
def test_nobody_else_gets_the_ports_of_a_kernel_that_is_coming_up() -> None:
    with lend(sleeper(), Place(Path("/"))) as lease:  # it never listens at all
        for name in PORTS:
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", lease.connection[name]))


def test_a_kernel_that_dies_is_told_to_its_borrower() -> None:
    with lend(sleeper(), Place(Path("/"))) as lease:
        assert lease.is_alive()
        os.kill(lease.pid, signal.SIGTERM)
        began = time.monotonic()
        assert lease.wait(5)
        assert time.monotonic() - began < 1
        assert lease.code == -signal.SIGTERM


def test_a_kernel_that_is_kept_is_had_by_its_token_only_and_once() -> None:
    lease = lend(sleeper(), Place(Path("/")))
    assert lease.keep("token", 60)
    lease.close()
    assert resume("another") is None
    with resume("token") or lease as again:
        assert again.pid == lease.pid
        assert resume("token") is None
    until(lambda: not lives(lease.pid))
    other = lend(sleeper(), Place(Path("/")))
    other.keep("other", 60)
    other.close()
    assert lives(other.pid)
    drop("other")
    until(lambda: not lives(other.pid))


def test_the_nursery_that_is_killed_takes_its_kernels_along_and_is_replaced() -> None:
    spec = find_spec("python3", "x")
    with lend(spec, Place(Path("/"))) as lease:
        parent = int(Path(f"/proc/{lease.pid}/stat").read_text("utf-8").split()[3])
        os.kill(parent, signal.SIGKILL)
        assert lease.wait(5)
        assert lease.code == -signal.SIGKILL
    with lend(sleeper(), Place(Path("/"))) as other:
        assert other.is_alive()
    until(lambda: not lives(lease.pid), 10)


def test_the_nursery_ends_when_nothing_is_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "IDLE_SECONDS", 0.5)
    lend(sleeper(), Place(Path("/"))).close()
    (spare,) = look()["waiting"]
    parent = int(Path(f"/proc/{spare}/stat").read_text("utf-8").split()[3])
    until(lambda: not lives(spare) and not lives(parent), 10)
    with pytest.raises(FileNotFoundError):
        look()


def test_a_job_has_a_nursery_of_its_own_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(MARKER, "/job")
    with lend(sleeper(), Place(Path("/"))) as own:
        assert not own.keep("token", 60)
        with pytest.raises(FileNotFoundError):
            look()
    assert not lives(own.pid)
    monkeypatch.delenv(MARKER)
    kernels.start_nursery()
    monkeypatch.setenv(MARKER, "/job")
    with lend(sleeper(), Place(Path("/"))) as shared:
        assert shared.keep("token", 60)
    drop("token")


def test_a_folder_that_others_may_write_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    monkeypatch.setenv(FOLDER, str(open_to_all))
    with pytest.raises(Exception, match="can be written by others"):
        lend(sleeper(), Place(Path("/")))
    monkeypatch.setenv(FOLDER, str(tmp_path / "nursery"))


def test_what_is_asked_wrongly_is_answered_and_does_no_harm() -> None:
    with lend(sleeper(), Place(Path("/"))) as lease:
        line, _ = kernels._connect(start=False)  # noqa: SLF001 - who else would ask so
        with line:
            for wrong in (
                b"\n",
                b"[]\n",
                b'{"take": 1}\n',
                b'{"keep": 1, "as": "x"}\n',
                b"x" * 99,
            ):
                line.sendall(wrong)
            time.sleep(0.2)
            assert line.recv(65536).count(b"error") == 4
        assert lease.is_alive()
