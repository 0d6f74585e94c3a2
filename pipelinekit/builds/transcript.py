"""Listens to what the commands of a build print: hides secrets, and remembers the end."""

import fcntl
import os
import select
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Self

from pipelinekit.tools.redact import Redactor

KEPT: Final = 64 * 1024
CHUNK: Final = 256 * 1024
PIPE_BYTES: Final = 1024 * 1024
"""What a pipe is let hold, so that commands that print much wait little: all that any user may."""

LOOK_SECONDS: Final = 0.05
STDOUT: Final = 1


class Transcript:
    """What commands print on its way into the log; nothing is in its way unless that is needed.

    A process that a build leaves behind can print nothing once the transcript is closed.
    """

    def __init__(
        self,
        redactor: Redactor,
        *,
        say: Callable[[str], None] | None = None,
        listens: bool = False,
    ) -> None:
        """Open the way.

        Args:
            redactor: Of the secrets that must not come into the log.
            say: Takes whole lines; they go to this process's standard output when None.
            listens: Whether the end of what is printed is to be remembered.
        """
        self._redactor = redactor
        self._say = say
        self._listens = listens
        self._line = b""
        self._tail = bytearray()
        self._lock = threading.Lock()
        self._closed = False
        self._read = self._write = -1
        if redactor or say or listens:
            self._read, self._write = os.pipe()
            if sys.platform == "linux":
                with suppress(OSError):  # the system may allow less
                    fcntl.fcntl(self._write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            flags = fcntl.fcntl(self._read, fcntl.F_GETFL)
            fcntl.fcntl(self._read, fcntl.F_SETFL, flags | os.O_NONBLOCK)
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._read < 0:
            return
        self.printed()
        self._closed = True
        self._thread.join()
        self._put(self._redactor.close(), is_end=True)
        os.close(self._read)
        os.close(self._write)

    @property
    def output(self) -> int | None:
        """Give the descriptor that commands are to print into; None for this process's own."""
        return None if self._read < 0 else self._write

    def printed(self) -> str:
        """Give the last of what was printed since this was asked, all of it being in the log."""
        if self._read < 0:
            return ""
        with self._lock:
            self._drain()
            told = self._tail.decode("utf-8", "replace")
            self._tail.clear()
        return told

    def _follow(self) -> None:
        while not self._closed:
            if select.select([self._read], [], [], LOOK_SECONDS)[0]:
                with self._lock:
                    self._drain()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while chunk := os.read(self._read, CHUNK):
                if self._listens:
                    self._tail += chunk[-KEPT:]
                    del self._tail[:-KEPT]
                self._put(self._redactor.feed(chunk))

    def _put(self, data: bytes, *, is_end: bool = False) -> None:
        if self._say is None:
            while data:
                data = data[os.write(STDOUT, data) :]
            return
        *lines, self._line = (self._line + data).split(b"\n")
        if is_end and self._line:
            lines.append(self._line)
        for line in lines:
            self._say(line.decode("utf-8", "replace"))
