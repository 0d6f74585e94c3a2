"""The nursery of kernels: a process that starts them ahead of need, and lends each of them once.

It is run by its path, with nothing but the standard library. Who connects to its socket asks in
lines of JSON:

- `{"take": {"key", "argv", "env", "cwd", "ahead"}}`: a kernel, from those that were started ahead
  for the same key, or a new one. The connection is the lease: it is told when the kernel dies,
  and when it closes, the kernel is killed with its process group.
- `{"keep": seconds, "as": token}`: the lent kernel outlives the lease for a while.
- `{"resume": token}`: a kernel that was kept. `{"drop": token}`: it is wanted no more.
- `{"look": true}`: what is there. `{"stop": true}`: kill all and end.
"""

import json
import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

SOCKET = "socket"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
LOOK_SECONDS = 2.0
"""How often it looks at all kernels, besides whenever one has died."""

PRINTED = 2000
KEPT = 8
"""How many kernels of notebooks that failed are kept at once; the oldest goes for a newer one."""

SPARES = max(2, os.cpu_count() or 1)
"""How many kernels of one kind wait at most; of all kinds together four times as many."""

Json: TypeAlias = dict[str, Any]


@dataclass(slots=True, eq=False)
class Kernel:
    """A kernel that was started, and the files and the ports that belong to it."""

    kind: Json
    process: "subprocess.Popen[bytes]"
    file: Path
    connection: Json
    ports: ExitStack
    born: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> str:
        """Tell for whom it is good."""
        return str(self.kind["key"])

    @property
    def log(self) -> Path:
        """Give the file of what it printed before it could talk."""
        return self.file.with_suffix(".log")

    def told(self, *, warm: bool) -> Json:
        """Say all that its borrower needs to know."""
        return {"pid": self.process.pid, "connection": self.connection, "warm": warm}

    def printed(self) -> str:
        """Give the end of what it printed before it could be talked to."""
        return self.log.read_bytes()[-PRINTED:].decode(errors="replace").strip()


def start(kind: Json, folder: Path) -> Kernel:
    """Start a kernel.

    Args:
        kind: The request for it.
        folder: For its files.

    Raises:
        OSError: Its program cannot be started.
    """
    file = folder / f"kernel-{secrets.token_hex(8)}.json"
    ports, held = _ports()
    connection = _connection(ports)
    file.touch(0o600)
    file.write_text(json.dumps(connection), encoding="utf-8")
    argv = [each.replace("{connection_file}", str(file)) for each in kind["argv"]]
    with held, file.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            argv,
            cwd=kind["cwd"],
            env={**kind["env"], "JPY_PARENT_PID": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        # On Linux a kernel can listen where we only have the port, and nobody else gets it. One of
        # IPython that finds it taken may hang for ever at its end.
        kept = held.pop_all() if sys.platform == "linux" else ExitStack()
    return Kernel(kind, process, file, connection, kept)


def _ports() -> tuple[dict[str, int], ExitStack]:
    with ExitStack() as held:  # all at once, so that they differ
        sockets = [held.enter_context(socket.socket()) for _ in PORTS]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", 0))
        ports = {name: each.getsockname()[1] for name, each in zip(PORTS, sockets, strict=True)}
        return ports, held.pop_all()


def _connection(ports: dict[str, int]) -> Json:
    return {
        **ports,
        "ip": "127.0.0.1",
        "transport": "tcp",
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
        "kernel_name": "",
    }


class Nursery:
    """The kernels that wait, are lent and are kept, and those who ask for them."""

    def __init__(self, folder: Path, idle: float) -> None:
        self._folder = folder
        self._idle = idle
        self._spare: list[Kernel] = []
        self._lent: dict[socket.socket, Kernel] = {}
        self._kept: dict[str, tuple[Kernel, float]] = {}
        self._dying: list[Kernel] = []
        self._unread: dict[socket.socket, bytes] = {}
        self._wanted: list[Json] = []
        self._selector = selectors.DefaultSelector()
        self._used = time.monotonic()
        self._ends = False
        self._bell: socket.socket

    def serve(self, listener: socket.socket | None, guest: socket.socket | None = None) -> None:
        """Answer until nothing has been asked for a while, or the only guest has left.

        Args:
            listener: Where others connect.
            guest: One who is connected already.
        """
        self._bell = _bell_of_deaths()
        self._selector.register(self._bell, selectors.EVENT_READ)
        if listener:
            self._selector.register(listener, selectors.EVENT_READ)
        if guest:
            self._greet(guest)
        while not self._ends and (listener or self._unread):
            for key, _ in self._selector.select(LOOK_SECONDS):
                self._attend(key.fileobj, listener)
            self._start_wanted()
            self._look()
        if listener:
            (self._folder / SOCKET).unlink(missing_ok=True)
            listener.close()
        self._end()

    def _attend(self, caller: object, listener: socket.socket | None) -> None:
        if listener and caller is listener:
            self._greet(listener.accept()[0])
        elif caller is self._bell:
            self._bell.recv(4096)
        elif isinstance(caller, socket.socket):
            self._hear(caller)

    def _end(self) -> None:
        for kernel in (*self._spare, *self._lent.values(), *(k for k, _ in self._kept.values())):
            self._kill(kernel)
        for kernel in self._dying:
            kernel.process.wait()

    # -------------------------------------------------------------- those who ask

    def _greet(self, guest: socket.socket) -> None:
        self._unread[guest] = b""
        self._selector.register(guest, selectors.EVENT_READ)

    def _hear(self, guest: socket.socket) -> None:
        try:
            heard = guest.recv(1 << 20)
        except OSError:
            heard = b""
        if not heard:
            self._part_from(guest)
            return
        self._used = time.monotonic()
        *lines, self._unread[guest] = (self._unread[guest] + heard).split(b"\n")
        for line in lines:
            try:
                answer = self._answer(guest, json.loads(line))
            except (OSError, ValueError, KeyError, TypeError) as trouble:
                answer = {"error": f"{type(trouble).__name__}: {trouble}"}
            self._tell(guest, answer)

    def _part_from(self, guest: socket.socket) -> None:
        self._selector.unregister(guest)
        guest.close()
        del self._unread[guest]
        if kernel := self._lent.pop(guest, None):
            self._kill(kernel)

    def _tell(self, guest: socket.socket, answer: Json) -> None:
        with suppress(OSError):  # it has gone, which is noticed when it is read from
            guest.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, guest: socket.socket, asked: Json) -> Json:
        ways: dict[str, Callable[[socket.socket, Json], Json]] = {
            "take": self._take,
            "keep": self._keep,
            "resume": self._resume,
            "drop": self._drop,
            "look": self._counts,
            "stop": self._stop,
        }
        for way, answer in ways.items():
            if way in asked:
                return answer(guest, asked)
        raise ValueError(f"nothing of {', '.join(ways)} was asked")

    def _take(self, guest: socket.socket, asked: Json) -> Json:
        kind = asked["take"]
        ready = [k for k in self._spare if k.key == kind["key"] and k.process.poll() is None]
        kernel = ready[0] if ready else start(kind, self._folder)
        if ready:
            self._spare.remove(kernel)
        self._lent[guest] = kernel
        if kind["ahead"]:
            self._wanted.append(kind)
        return kernel.told(warm=bool(ready))

    def _keep(self, guest: socket.socket, asked: Json) -> Json:
        kernel = self._lent.pop(guest)
        self._kept[str(asked["as"])] = (kernel, time.monotonic() + float(asked["keep"]))
        if len(self._kept) > KEPT:
            self._kill(self._kept.pop(next(iter(self._kept)))[0])
        return {}

    def _resume(self, guest: socket.socket, asked: Json) -> Json:
        kernel, _ = self._kept.pop(str(asked["resume"]), (None, 0))
        if kernel is None or kernel.process.poll() is not None:
            return {"error": "it is kept no more"}
        self._lent[guest] = kernel
        return kernel.told(warm=True)

    def _drop(self, _: socket.socket, asked: Json) -> Json:
        kernel, _until = self._kept.pop(str(asked["drop"]), (None, 0))
        if kernel:
            self._kill(kernel)
        return {}

    def _counts(self, _: socket.socket, _asked: Json) -> Json:
        waiting = [kernel.process.pid for kernel in self._spare]
        return {"waiting": waiting, "lent": len(self._lent), "kept": len(self._kept)}

    def _stop(self, _: socket.socket, _asked: Json) -> Json:
        self._ends = True
        return {}

    # -------------------------------------------------------------- the kernels

    def _start_wanted(self) -> None:
        # After the answers, since nobody is to wait for a kernel that is for later.
        for kind in self._wanted:
            lent = sum(kernel.key == kind["key"] for kernel in self._lent.values())
            there = sum(kernel.key == kind["key"] for kernel in self._spare)
            if there < min(max(lent, 1), SPARES):
                with suppress(OSError):  # who needs one is told so
                    self._spare.append(start(kind, self._folder))
        self._wanted.clear()
        while len(self._spare) > 4 * SPARES:
            self._kill(self._spare.pop(0))

    def _look(self) -> None:
        now = time.monotonic()
        for guest, kernel in list(self._lent.items()):
            if (code := kernel.process.poll()) is not None:
                del self._lent[guest]
                self._tell(guest, {"died": code, "printed": kernel.printed()})
                self._bury(kernel)
        self._let_go(now)
        dead = [kernel for kernel in self._dying if kernel.process.poll() is not None]
        self._dying = [kernel for kernel in self._dying if kernel not in dead]
        quiet = not (self._lent or self._kept) and now - self._used > self._idle
        self._ends = self._ends or quiet

    def _let_go(self, now: float) -> None:
        for token, (kernel, until) in list(self._kept.items()):
            if now > until or kernel.process.poll() is not None:
                del self._kept[token]
                self._kill(kernel)
        for kernel in list(self._spare):
            if now - kernel.born > self._idle or kernel.process.poll() is not None:
                self._spare.remove(kernel)
                self._kill(kernel)

    def _kill(self, kernel: Kernel) -> None:
        if kernel.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(kernel.process.pid, signal.SIGKILL)
        self._bury(kernel)

    def _bury(self, kernel: Kernel) -> None:
        with suppress(ProcessLookupError, PermissionError):  # what a dead kernel has left behind
            os.killpg(kernel.process.pid, signal.SIGKILL)
        kernel.file.unlink(missing_ok=True)
        kernel.log.unlink(missing_ok=True)
        kernel.ports.close()
        self._dying.append(kernel)


def _bell_of_deaths() -> socket.socket:
    ear, bell = socket.socketpair()
    bell.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(bell.detach(), warn_on_full_buffer=False)
    return ear


def main(folder: Path, idle: float) -> None:
    """Serve at the socket of a folder, or for who holds standard input where that is a socket."""
    if idle and os.fork():
        os._exit(0)  # the nursery is nobody's child, so that nobody has to wait for it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    nursery = Nursery(folder, idle)
    signal.signal(signal.SIGTERM, lambda *_: setattr(nursery, "_ends", True))
    if idle:
        listener = socket.socket(socket.AF_UNIX)
        (folder / SOCKET).unlink(missing_ok=True)
        os.umask(0o077)
        listener.bind(str(folder / SOCKET))
        listener.listen(64)
        nursery.serve(listener)
    else:
        nursery.serve(None, socket.socket(fileno=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
