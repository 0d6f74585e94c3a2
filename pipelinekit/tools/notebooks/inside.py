"""What a kernel of IPython is told before a notebook; this file runs inside of it.

It needs nothing but the standard library and IPython, and leaves no name in the notebook's
namespace.
"""

import atexit
import gc
import io
import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

MARK = "pipelinekit"
"""The key of a message's metadata that says that a cell has printed more than it may."""

SHOWN = ("display_data", "execute_result", "update_display_data")
LINE = 65536
FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
MEGABYTE = 1_000_000

Content: TypeAlias = dict[str, Any]


class Meter:
    """Counts what a cell puts out, and cuts what is too much.

    Args:
        kept: Bytes of a cell's output that are passed on.
        most: Bytes that it may put out; more is a failure.
    """

    def __init__(self, kept: int, most: int) -> None:
        self._kept = kept
        self._most = most
        self._cell = ""
        self._seen = 0
        self._told = False

    @property
    def is_over(self) -> bool:
        """Tell whether the cell has put out more than it may."""
        return self._seen > self._most

    def passed(self, cell: str, kind: str, content: Content) -> Content | None:
        """Give what of an output is passed on; None for nothing.

        Args:
            cell: The id of the request to execute it.
            kind: Of message.
            content: Of the message.
        """
        if cell != self._cell:
            self._cell, self._seen, self._told = cell, 0, False
        room = self._kept - self._seen
        self._seen += self._size(kind, content)
        if self._seen <= self._kept:
            return content
        word = "" if self._told else f"[output cut here: a cell may keep {_told(self._kept)}]\n"
        self._told = True
        if kind == "stream":
            return self._cut(content, room, word)
        if kind in SHOWN:
            told = word.strip() or "[output cut]"
            return {**content, "data": {"text/plain": told}, "metadata": {}}
        return None

    @staticmethod
    def _cut(content: Content, room: int, word: str) -> Content | None:
        if not word:
            return None
        text = content["text"][: max(room, 0)]
        line = text.rfind("\n", len(text) - LINE) + 1  # half a line might be half a secret
        return {**content, "text": text[: line or None] + word}

    @staticmethod
    def _size(kind: str, content: Content) -> int:
        if kind == "stream":
            return len(content["text"])
        if kind in SHOWN:
            return sum(map(_length, content["data"].values()))
        return _length(content)


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | bytes) else len(json.dumps(value, default=str))


def _told(size: int) -> str:
    return f"{size / MEGABYTE:g} MB"


# ------------------------------------------------------------------ in the kernel only


class Shell(Protocol):
    """What is used here of IPython's shell."""

    user_ns: dict[str, object]
    kernel: Any
    system: Callable[[str], object]


def settle(
    shell: Shell,
    folder: str,
    environment: Mapping[str, str],
    gone: list[str],
    limits: tuple[int, int],
) -> None:
    """Give a kernel that was started ahead the place of the one who has borrowed it."""
    gc.freeze()  # what is there now is none of the notebook's
    os.chdir(folder)
    for name in gone:
        os.environ.pop(name, None)
    tell(shell, environment)
    system = shell.system  # on a terminal of its own, where `!cat` would wait for ever
    shell.system = lambda command: system(f"({command}\n) </dev/null")
    session = shell.kernel.session
    session.send = Gauge(session.send, Meter(*limits))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def tell(_: object, environment: Mapping[str, str]) -> None:
    """Set variables that belong to who has borrowed the kernel."""
    os.environ.update(environment)


def reveal(shell: Shell, names: list[str], values: Mapping[str, str]) -> None:
    """Put secret values in the place of references to them."""
    for name in names:
        shell.user_ns[name] = _with_values(shell.user_ns[name], values)


def finish(shell: Shell) -> None:
    """End the kernel as Python does, without the third of a second that it takes to tidy up."""
    application = shell.kernel.parent
    for tidying in (application.close, application.iopub_thread.stop):
        atexit.unregister(tidying)
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as Python itself does
    atexit._run_exitfuncs()  # noqa: SLF001 - as above
    for each in gc.get_objects():
        if isinstance(each, FILES) and not each.closed and each.writable():
            each.flush()
    os._exit(0)


class Secret(str):
    """A text that does not show itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value."""
        return "'***'"


def _with_values(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return Secret(values[value]) if value in values else value
    if isinstance(value, list):
        return [_with_values(each, values) for each in value]
    if isinstance(value, dict):
        return {key: _with_values(each, values) for key, each in value.items()}
    return value


class Gauge:
    """Sends what the kernel has to tell, as far as there is room for it.

    Args:
        send: Of the kernel's session.
        meter: Knows how much room there is.
    """

    def __init__(self, send: Callable[..., object], meter: Meter) -> None:
        self._send = send
        self._meter = meter

    def __call__(
        self,
        stream: object,
        told: str | Content,
        content: Content | None = None,
        parent: Content | None = None,
        *given: object,
        **named: object,
    ) -> object:
        """Send a message as the session does, whole or by its parts."""
        if isinstance(told, dict):
            kind, body, asked = told["msg_type"], told["content"], told["parent_header"]
        else:
            kind, body, asked = told, content, (parent or {}).get("header", parent)
        if body is None or not (kind in {*SHOWN, "stream"} or kind.startswith("comm")):
            return self._send(stream, told, content, parent, *given, **named)
        was_over = self._meter.is_over
        passed = self._meter.passed((asked or {}).get("msg_id", ""), kind, body)
        if self._meter.is_over and not was_over:
            nothing = {"name": "stderr", "text": ""}
            self._send(stream, "stream", nothing, parent or asked, metadata={MARK: "over"})
        if passed is None:
            return None
        if isinstance(told, dict):
            told = {**told, "content": passed}
            return self._send(stream, told, content, parent, *given, **named)
        return self._send(stream, told, passed, parent, *given, **named)
