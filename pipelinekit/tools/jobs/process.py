"""The engine's side of detached jobs: start them at most once, notice their ends, halt them.

A job is a call of an importable function in a process of its own, which outlives the engine. All
that is known of it lies in its folder, so that any later engine can take it up again.

```python
with Spawner() as spawner, Watch(lambda folder, sighting: print(folder, sighting)) as watch:
    spawner.start(folder, "package.module:function", {"speed": 3})
    watch.add(folder)
```
"""

import json
import os
import queue
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self
from weakref import WeakSet

from pipelinekit.tools.jobs import gate
from pipelinekit.tools.jobs.gate import JSON, Request, Sighting, Standing, look
from pipelinekit.tools.on_error import on_error

__all__ = [
    "JSON",
    "Sighting",
    "SpawnError",
    "Spawner",
    "Standing",
    "Watch",
    "look",
]

ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.05
SERVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from pipelinekit.tools.jobs.runner import serve; serve(sys.argv[2:])"
)


class SpawnError(RuntimeError):
    """A job could not be started; whether it runs all the same, `look` tells."""


# ------------------------------------------------------------------ starting


class Spawner:
    """Starts jobs through a warm helper process that forks their runners.

    The helper is started with `warm` or the first job, ends with the engine or with `close`, and
    is replaced when it dies; the runners go on without it. Threads may share a spawner; a fork of
    the engine gets a helper of its own.
    """

    def __init__(self, preload: Sequence[str] = ()) -> None:
        """Prepare to start jobs.

        Args:
            preload: Names of modules that the helper imports, so that no job needs to; none
                may start a thread.
        """
        self._preload = tuple(preload)
        self._helper: _Helper | None = None
        self._turn = threading.Lock()
        _spawners.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self, folder: Path, target: str, payload: Mapping[str, JSON], preload: Sequence[str] = ()
    ) -> bool:
        """Start the job in `folder`, unless it was started or halted before by whomever.

        The target runs in the folder, with the engine's environment of this moment; what it and
        its commands print is appended to the file `log` there. The job ends when the target
        returns. Processes that the target leaves behind on purpose, a server say, live on.

        Args:
            folder: The job's own folder, on a local disk; made if it is missing.
            target: `package.module:function`, called with the payload, returning a dict of JSON
                values. If it sets a handler for SIGTERM of its own, a halt must kill it.
            payload: JSON values.
            preload: Modules that the helper imports first, once for all such jobs.

        Returns:
            True if this call started the job, False if the gate was passed before.

        Raises:
            SpawnError: The helper or the runner failed before the start gate.
        """
        folder = _made(folder)
        environ, names = dict(os.environ), list(preload)
        request = Request(
            folder=str(folder), target=target, payload={**payload}, environ=environ, preload=names
        )
        answer = self._ask(json.dumps(request).encode() + b"\n")
        if "error" in answer:
            raise SpawnError(
                f"The job in {folder} was to be started, but its runner met: {answer['error']}. "
                "Put this right and start it again"
            )
        return bool(answer["started"])

    def warm(self) -> None:
        """Start the helper at once, so that the first job need not wait until it is ready."""
        with self._turn:
            self._ready()

    def close(self) -> None:
        """End the helper; the jobs go on, and a later start gets a new helper."""
        with self._turn:
            self._drop()

    def _ask(self, request: bytes) -> dict[str, JSON]:
        with self._turn:
            try:
                with suppress(ConnectionError):
                    return self._ask_once(request)
                # The helper had died. It may have started the job first: the gate will tell.
                return self._ask_once(request)
            except OSError as trouble:
                raise SpawnError(
                    f"The helper process was asked to start a job and failed: {trouble}. "
                    f"See what it printed, and whether {sys.executable} can be run"
                ) from trouble

    def _ready(self) -> "_Helper":
        if self._helper is None:
            self._helper = _Helper(self._preload)
        return self._helper

    def _ask_once(self, request: bytes) -> dict[str, JSON]:
        helper = self._ready()
        with on_error(self._drop):  # else the next one who asks would read this answer
            return helper.ask(request)

    def _drop(self) -> None:
        if self._helper:
            self._helper.close()
        self._helper = None

    def _forget(self) -> None:
        if self._helper:
            self._helper.disown()
        self._helper = None
        self._turn = threading.Lock()


class _Helper:
    def __init__(self, preload: Sequence[str]) -> None:
        self._line, theirs = socket.socketpair()
        self._line.settimeout(ANSWER_SECONDS)
        path = json.dumps([str(Path(entry).absolute()) for entry in sys.path])
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", SERVE, path, *preload],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )

    def ask(self, request: bytes) -> dict[str, JSON]:
        self._line.sendall(request)
        with self._line.makefile("rb") as answers:
            text = answers.readline()
        if not text:
            raise ConnectionResetError("it ended without an answer")
        answer: dict[str, JSON] = json.loads(text)
        return answer

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()

    def disown(self) -> None:
        self._line.close()
        self._process.returncode = 0  # not our child, so not ours to wait for


_spawners: WeakSet[Spawner] = WeakSet()


def _forget_helpers() -> None:
    for spawner in _spawners:
        spawner._forget()  # noqa: SLF001 - the class's own hook, which os.fork cannot bind to it


os.register_at_fork(after_in_child=_forget_helpers)


# ------------------------------------------------------------------ noticing the end


class Watch:
    """Notices the ends of jobs, of this engine or of an earlier one, and tells each once.

    One thread waits for all runners at once. Where the system has no pidfd (macOS), or no
    descriptor is left for one, it looks each 50 ms.
    """

    def __init__(self, ended: Callable[[Path, Sighting], None]) -> None:
        """Begin to watch.

        Args:
            ended: Called in the watch's thread with a job's folder and what came of it: DONE
                or LOST, or NOT_STARTED if it was not running at all. It must not raise.
        """
        self._ended = ended
        self._added: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self._bell.settimeout(0)
        self._watched: set[Path] = set()
        self._due: set[Path] = set()
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, folder: Path) -> None:
        """Watch the job in `folder` until its end; to add it again while watched is harmless."""
        if not self._thread.is_alive():
            raise RuntimeError(
                f"The watch was asked for {folder} and has ended: it was closed, or what it "
                "calls raised, or the process was forked. Make a new one"
            )
        self._order(folder)

    def close(self) -> None:
        """Stop watching, without telling the ends that are still to come; not from `ended`."""
        self._order(None)
        self._thread.join()
        self._bell.close()
        self._ear.close()

    def _order(self, folder: Path | None) -> None:
        self._added.put(folder)
        with suppress(BlockingIOError):  # a bell that is full has been rung
            self._bell.send(b"!")

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._ear, selectors.EVENT_READ)
            while self._turn(selector):
                pass
            for key in selector.get_map().values():
                if key.data:
                    os.close(key.fd)

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        for key, _ in selector.select(LOOK_SECONDS if self._due else None):
            if key.data:
                selector.unregister(key.fd)
                os.close(key.fd)
                self._due.add(key.data)
            elif not self._take(selector):
                return False
        for folder in tuple(self._due):
            self._tell_if_ended(folder)
        return True

    def _take(self, selector: selectors.BaseSelector) -> bool:
        self._ear.recv(4096)
        while not self._added.empty():
            folder = self._added.get()
            if folder is None:
                return False
            if folder not in self._watched:
                self._watched.add(folder)
                self._wait_for(folder, selector)
        return True

    def _wait_for(self, folder: Path, selector: selectors.BaseSelector) -> None:
        process = _open_runner(folder)
        if process is None:
            self._due.add(folder)
        elif look(folder).standing is Standing.RUNNING:
            selector.register(process, selectors.EVENT_READ, folder)
        else:  # the runner had ended before, and its pid may be another's by now
            os.close(process)
            self._due.add(folder)

    def _tell_if_ended(self, folder: Path) -> None:
        # A dead runner's lock lives on for the moment that a child of it needs to exec.
        sighting = look(folder)
        if sighting.standing is not Standing.RUNNING:
            self._due.remove(folder)
            self._watched.remove(folder)
            self._ended(folder, sighting)


def _open_runner(folder: Path) -> int | None:
    owner = gate.owner_of(folder)
    if owner is None or not hasattr(os, "pidfd_open"):
        return None
    with suppress(OSError):
        return os.pidfd_open(owner.pid)
    return None


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()
