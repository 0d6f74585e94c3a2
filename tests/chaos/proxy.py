"""A way to a PostgreSQL server that can be cut, fall silent, or be slow.

It is a process of its own, whose state is told by a file, so that whoever does the fault need not
have threads.
"""

import selectors
import socket
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.chaos.ledger import note

OPEN, CUT, SILENT, LATE = "open", "cut", "silent", "late"
STATES = (CUT, SILENT, LATE)
LATE_SECONDS = 1.5
LOOK_SECONDS = 0.02
BLOCK = 65_536


class Proxy:
    """Passes on what comes to a port, as the state allows, for ever.

    Args:
        listener: Where connections come in.
        target: The server's socket.
        state: The file that tells the state.
    """

    def __init__(self, listener: socket.socket, target: Path, state: Path) -> None:
        self._listener, self._target, self._state = listener, target, state
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._servers: set[socket.socket] = set()
        self._held: list[tuple[float, socket.socket, bytes]] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Do it until this process is killed."""
        while True:
            state = self._state.read_text(encoding="utf-8") or OPEN
            if state == CUT:
                self._cut()
            ready = [key.fileobj for key, _ in self._selector.select(LOOK_SECONDS)]
            if state == SILENT:
                time.sleep(LOOK_SECONDS)
                continue
            for each in ready:
                assert isinstance(each, socket.socket)
                self._deal_with(each, state)
            self._deliver()

    def _deal_with(self, ready: socket.socket, state: str) -> None:
        if ready is self._listener:
            self._accept(state)
            return
        if ready not in self._pairs:
            return  # the other side was closed just now
        try:
            block = ready.recv(BLOCK)
        except OSError:
            block = b""
        if not block:
            self._drop(ready)
            return
        late = state == LATE and ready in self._servers
        self._held.append((time.monotonic() + LATE_SECONDS * late, self._pairs[ready], block))

    def _accept(self, state: str) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            if state == CUT:
                raise ConnectionRefusedError
            server.connect(str(self._target))
        except OSError:
            client.close()
            server.close()
            return
        self._pairs |= {client: server, server: client}
        self._servers.add(server)
        for each in (client, server):
            self._selector.register(each, selectors.EVENT_READ)

    def _deliver(self) -> None:
        present = time.monotonic()
        due = [each for each in self._held if each[0] <= present]
        self._held = [each for each in self._held if each[0] > present]
        for _, target, block in due:
            try:
                target.sendall(block)
            except OSError:
                self._drop(target)

    def _cut(self) -> None:
        for each in list(self._pairs):
            self._drop(each)

    def _drop(self, one: socket.socket) -> None:
        other = self._pairs.pop(one, None)
        for each in filter(None, (one, other)):
            self._pairs.pop(each, None)
            self._servers.discard(each)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()


def through(url: str, port: int) -> str:
    """Give the URL of the same store by way of a proxy at a port of this host."""
    parts = urlsplit(url)
    query = "&".join(each for each in parts.query.split("&") if not each.startswith("host="))
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}127.0.0.1:{port}", query=query))


def set_state(file: Path, state: str) -> None:
    """Change the state."""
    draft = file.with_suffix(".draft")
    draft.write_text(state, encoding="utf-8")
    draft.replace(file)
    note("way", state=state)
