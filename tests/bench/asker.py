"""Asks a server over many connections, and takes as little of the machine for it as can be.

Whoever asks computes on the same processor as who answers, or on one that shares its circuits: a
client that does much makes every server look slow, and a fast one more so.
"""

import selectors
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

PIECE: Final = 1 << 16


class Connection:
    """A connection on which one request at a time is under way; made anew where it was closed."""

    def __init__(self, address: tuple[str, int], ready: selectors.BaseSelector) -> None:
        self._address = address
        self._ready = ready
        self._socket: socket.socket | None = None
        self._heard = b""

    def ask(self, request: bytes) -> None:
        """Send a request."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ready.register(self._socket, selectors.EVENT_READ, self)
        self._heard = b""
        self._socket.sendall(request)

    def hear(self) -> bool:
        """Read what has come; tell whether the answer is complete."""
        assert self._socket is not None
        piece = self._socket.recv(PIECE)
        self._heard += piece
        head, rest = _parted(self._heard)
        if head is None or len(rest) < int(head[b"content-length"]):
            assert piece, f"the server hung up after {self._heard!r}"
            return False
        assert head[b""].split()[1] == b"200", self._heard
        if head.get(b"connection") == b"close" or head[b""].startswith(b"HTTP/1.0"):
            self.close()
        return True

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._ready.unregister(self._socket)
            self._socket.close()
            self._socket = None


def seconds(address: tuple[str, int], requests: Sequence[bytes], connections: int) -> float:
    """Give how long a server takes to answer all requests well, so many side by side.

    Args:
        address: Where it listens.
        requests: Whole requests of HTTP/1.1.
        connections: How many are under way at once.
    """
    left = list(reversed(requests))
    with selectors.DefaultSelector() as ready, ExitStack() as opened:
        asking = [Connection(address, ready) for _ in range(min(connections, len(left)))]
        began = time.perf_counter()
        for each in asking:
            opened.callback(each.close)
            each.ask(left.pop())
        answered = 0
        while answered < len(requests):
            for key, _ in ready.select():
                each = key.data
                if each.hear():
                    answered += 1
                    if left:
                        each.ask(left.pop())
        return time.perf_counter() - began


def _parted(heard: bytes) -> tuple[dict[bytes, bytes] | None, bytes]:
    head, end, rest = heard.partition(b"\r\n\r\n")
    if not end:
        return None, b""
    first, *lines = head.split(b"\r\n")
    members = (line.partition(b":") for line in lines)
    return {b"": first, **{name.lower(): value.strip() for name, _, value in members}}, rest
