"""Kernels on loan: each is used once, and gone when its borrower is.

A process of its own, the nursery, holds them, so that a command and the runner of an action find
one that was started before they were. The first who needs one starts the nursery.
"""

import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from pipelinekit.tools.jobs.gate import MARKER
from pipelinekit.tools.notebooks import nursery
from pipelinekit.tools.notebooks.kernelspec import KernelError, Spec
from pipelinekit.tools.on_error import on_error

FOLDER: Final = "PIPELINEKIT_KERNELS"
"""The variable that names another folder for the nursery."""

OWN: Final = "PIPELINEKIT_"
PASSING: Final = {"PWD", "OLDPWD", "SHLVL", "_", "COLUMNS", "LINES"}
"""Variables that do not matter to a kernel that starts: it is told them when it is lent."""

IDLE_SECONDS: Final = 600.0
ANSWER_SECONDS: Final = 30.0
TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kernel is to run.

    Attributes:
        folder: Its working directory.
        environment: All of its environment variables.
    """

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


# ------------------------------------------------------------------ a kernel on loan


class Lease:
    """A kernel on loan; close it, and the kernel is killed with all that it has started.

    Attributes:
        pid: Of the kernel.
        connection: Its ports and key, as in a connection file.
        warm: Whether it had been started ahead.
        code: How it ended; None while it lives.
        printed: What it printed before it could be talked to; known when it has died.
    """

    def __init__(self, line: socket.socket, told: Mapping[str, Any], helper: "_Helper") -> None:
        self._line = line
        self._helper = helper
        self.pid: int = told["pid"]
        self.connection: dict[str, Any] = told["connection"]
        self.warm: bool = told["warm"]
        self.code: int | None = None
        self.printed = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Give a descriptor that can be read when the kernel has died."""
        return self._line.fileno()

    def is_alive(self) -> bool:
        """Tell whether the kernel lives, without waiting."""
        if self.code is None and self._line.fileno() != -1:
            readable, _, _ = select.select([self._line], [], [], 0)
            if readable:
                self.code, self.printed = _died(self._line)
        return self.code is None

    def wait(self, seconds: float) -> bool:
        """Wait for the kernel's end, and tell whether it has come."""
        select.select([self._line], [], [], seconds)
        return not self.is_alive()

    def keep(self, token: str, seconds: float) -> bool:
        """Have the kernel outlive this loan; whoever says `token` gets it for some time.

        Args:
            token: Which must not be guessed.
            seconds: How long.

        Returns:
            Whether it is kept.
        """
        if self._helper.private or not self.is_alive():
            return False
        with suppress(OSError, ValueError):
            return "error" not in _ask(self._line, {"keep": seconds, "as": token})
        return False

    def close(self) -> None:
        """Give the kernel back, which is its end unless it is kept."""
        self._line.close()
        self._helper.close()


def lend(spec: Spec, place: Place) -> Lease:
    """Get a kernel that nobody has used, or will use after.

    One of IPython may have been started ahead, with the same variables but for those that are
    told in `told_later`; its folder and these it has still to be told. Another one starts now.

    Args:
        spec: Which kernel.
        place: Where it is to run.

    Raises:
        KernelError: It cannot be started.
    """
    early = dict(place.environment) | dict(spec.environment)
    if spec.is_ipython:
        for name in told_later(place.environment):
            del early[name]
    anywhere = spec.is_ipython and _is_absolute(early.get("PYTHONPATH", ""))
    asked = {
        "argv": list(spec.argv),
        "env": early,
        "cwd": str(Path("/") if anywhere else place.folder),
        "ahead": anywhere,
    }
    whole = json.dumps(asked, sort_keys=True).encode()
    asked["key"] = hashlib.sha256(whole).hexdigest()
    try:
        return _asked({"take": asked})
    except OSError as error:
        raise KernelError(
            f"the kernel {spec.name} was to be started: {error}; see whether `{spec.argv[0]}` can "
            f"be run"
        ) from None


def resume(token: str) -> Lease | None:
    """Get a kernel that was kept; None when it is no more.

    Args:
        token: Under which it was kept.
    """
    with suppress(OSError):
        return _asked({"resume": token}, start=False)
    return None


def drop(token: str) -> None:
    """End a kernel that was kept, as nobody will go on with it."""
    with suppress(OSError), _connected(start=False) as (line, _):
        _ask(line, {"drop": token})


def _is_absolute(paths: str) -> bool:
    return all(each.startswith("/") for each in paths.split(os.pathsep) if each)


def told_later(environment: Mapping[str, str]) -> list[str]:
    """Name the variables that a kernel started ahead does not know yet."""
    return [name for name in environment if name in PASSING or name.startswith(OWN)]


# ------------------------------------------------------------------ the nursery


def warm_up(spec: Spec, environment: Mapping[str, str] | None = None) -> None:
    """Have a kernel started ahead, so that the first notebook finds it.

    Args:
        spec: Which kernel.
        environment: Its variables; those of this process when None.
    """
    place = Place(Path("/"), dict(os.environ) if environment is None else environment)
    lend(spec, place).close()


def start_nursery() -> None:
    """Start the nursery unless it is there; what runs in a job cannot, as it would end with it."""
    with suppress(OSError), _connected():
        pass


def stop_nursery() -> None:
    """End the nursery with all of its kernels, if it is there."""
    with suppress(OSError), _connected(start=False) as (line, _):
        _ask(line, {"stop": True})
        while line.recv(1):
            pass


def look() -> Mapping[str, Any]:
    """Tell what the nursery has: `waiting`, the pids, and how many are `lent` and `kept`."""
    with _connected(start=False) as (line, _):
        return _ask(line, {"look": True})


@dataclass(slots=True)
class _Helper:
    private: "subprocess.Popen[bytes] | None" = None

    def close(self) -> None:
        if self.private:
            self.private.wait(ANSWER_SECONDS)


def _asked(request: Mapping[str, object], *, start: bool = True) -> Lease:
    trouble: OSError | None = None
    for _ in range(TRIES):  # the nursery may just end for want of work
        line, helper = _connect(start=start)
        try:
            with on_error(line.close):
                return Lease(line, _ask(line, request), helper)
        except ConnectionError as error:
            trouble = error
    raise trouble or ConnectionError("the nursery of kernels does not answer")


@contextmanager
def _connected(*, start: bool = True) -> Iterator[tuple[socket.socket, _Helper]]:
    line, helper = _connect(start=start)
    with line:
        yield line, helper


def _connect(*, start: bool) -> tuple[socket.socket, _Helper]:
    folder = _folder()
    with suppress(FileNotFoundError, ConnectionRefusedError):
        return _at(folder), _Helper()
    if not start:
        raise FileNotFoundError(f"no nursery of kernels is at {folder}")
    if MARKER in os.environ:
        return _private(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError, ConnectionRefusedError):
            return _at(folder), _Helper()
        _spawn(folder, IDLE_SECONDS, subprocess.DEVNULL).wait()  # it goes on in another process
        limit = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                return _at(folder), _Helper()
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > limit:
                    raise
                time.sleep(0.005)


def _at(folder: Path) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    with on_error(line.close):
        line.settimeout(ANSWER_SECONDS)
        line.connect(str(folder / nursery.SOCKET))
    return line


def _private(folder: Path) -> tuple[socket.socket, _Helper]:
    # What a job starts ends with the job, so that others must not rely on it.
    line, theirs = socket.socketpair()
    line.settimeout(ANSWER_SECONDS)
    with theirs:
        return line, _Helper(_spawn(folder, 0, theirs.fileno()))


def _spawn(folder: Path, idle: float, stdin: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", nursery.__file__, str(folder), str(idle)],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _folder() -> Path:
    # One for each user and installation, and for each form of the protocol.
    code = Path(nursery.__file__).read_bytes()
    mark = hashlib.sha256(sys.prefix.encode() + code).hexdigest()[:12]
    given = os.environ.get(FOLDER)
    base = Path(given) if given else Path(tempfile.gettempdir(), f"pipelinekit-{os.getuid()}")
    folder = base / mark
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in (base, folder):
        status = each.stat()
        if status.st_uid != os.getuid() or (status.st_mode & 0o022):
            raise PermissionError(f"{each} can be written by others; name another in {FOLDER}")
    return folder


def _ask(line: socket.socket, request: Mapping[str, object]) -> dict[str, Any]:
    line.sendall(json.dumps(request).encode() + b"\n")
    answer = _read(line)
    if answer is None:
        raise ConnectionResetError("the nursery of kernels ended")
    if "error" in answer:
        raise OSError(answer["error"])
    return answer


def _read(line: socket.socket) -> dict[str, Any] | None:
    heard = b""
    while not heard.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            return None
        heard += piece
    answer: dict[str, Any] = json.loads(heard)
    return answer


def _died(line: socket.socket) -> tuple[int, str]:
    with suppress(OSError, ValueError, KeyError):
        if told := _read(line):
            return int(told["died"]), str(told["printed"])
    return -signal.SIGKILL, ""  # the nursery has gone, and its kernels with it
