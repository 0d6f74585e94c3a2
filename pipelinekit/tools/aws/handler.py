"""Runs the handler of a Lambda function once, in a process of its own, as Lambda does.

What the handler prints goes where this process prints; `START`, `END` and `REPORT` are said.
"""

import json
import os
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pipelinekit.tools.commands.surroundings import odd_variable, small_environment
from pipelinekit.tools.jobs.proctree import Process, family, processes, send

LOOK_SECONDS: Final = 0.1
KILL_SECONDS: Final = 2.0
MEGABYTE: Final = 1024 * 1024
ACCOUNT: Final = "000000000000"

_BOOTSTRAP: Final = Path(__file__).parent / "bootstrap"
_BUILDERS: Final = ("PIP_", "NPM_CONFIG_")  # may hold the password of an index
_OWN_ADDRESS: Final = "127.0.0.1"


class HandlerError(Exception):
    """The handler cannot be run on this machine; says what to do."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What is to be run.

    Attributes:
        function: The function's name.
        folder: Where its code lies; it starts there.
        name: `module.function`, as Lambda writes it.
        runtime: Such as `python3.12` or `nodejs20.x`; the Python of this process, or the node
            that is installed here, is used instead.
        timeout_seconds: How long it may take.
        memory_mb: The resident memory of all its processes together, in MiB.
        environment: Its variables, besides a small environment and those that Lambda sets.
    """

    function: str
    folder: Path
    name: str
    runtime: str
    timeout_seconds: float
    memory_mb: int
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Invoked:
    """How an invocation ended.

    Attributes:
        error: Why it is no success, in Lambda's words; None when the handler returned.
        seconds: How long it took.
        memory_mb: The most memory that was seen in use, in MiB.
    """

    error: str | None
    seconds: float
    memory_mb: int


def check(handler: Handler) -> str:
    """Give the runtime that will be used, such as `Python 3.11.7`.

    Raises:
        HandlerError: The folder, the file or the runtime is not here.
    """
    _check_place(handler)
    return _runtime(handler)[1]


def invoke(handler: Handler, event: object, folder: Path, say: Callable[[str], None]) -> Invoked:
    """Run a handler with an event until it returns, or its time or memory is up.

    When it ends, every process ends that it has started. It sees neither the credentials nor the
    home folder of the user.

    Args:
        handler: What to run.
        event: Its first argument, as JSON values.
        folder: A new folder for the files of this invocation.
        say: Is given the lines that Lambda itself writes into the log.

    Raises:
        HandlerError: The folder, the file or the runtime is not here.
    """
    _check_place(handler)
    command, _ = _runtime(handler)
    folder.mkdir(parents=True)
    request = str(uuid.uuid4())
    environment = _environment(handler, folder)
    given = _given(handler, request, environment) | {"answer": str(folder / "answer")}
    say(f"START RequestId: {request} Version: $LATEST")
    with tempfile.TemporaryFile() as lines:
        lines.write(json.dumps(given | {"event": event}).encode())
        lines.seek(0)
        process = subprocess.Popen(
            command, cwd=handler.folder, env=environment, stdin=lines, start_new_session=True
        )
    began = time.monotonic()
    watch = _Watch(process, handler)
    error = watch.wait() or _told(folder / "answer", process.returncode)
    seconds = time.monotonic() - began
    if error:
        say(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {request} {error}")
    say(f"END RequestId: {request}")
    say(
        f"REPORT RequestId: {request}\tDuration: {seconds * 1000:.2f} ms\t"
        f"Memory Size: {handler.memory_mb} MB\tMax Memory Used: {watch.peak_mb} MB"
    )
    return Invoked(error, seconds, watch.peak_mb)


# ------------------------------------------------------------------ before it


def _check_place(handler: Handler) -> None:
    name, folder = handler.function, handler.folder
    if not folder.is_dir():
        raise HandlerError(
            f"the code of function {name} was looked for in {folder}, which is no folder; set "
            f"`folder` in [lambda.{name}]"
        )
    module, _, function = handler.name.rpartition(".")
    if not module or not function:
        raise HandlerError(
            f"the handler of function {name} is {handler.name!r}; write `module.function`, such "
            f'as `handler = "app.handler"`, in [lambda.{name}]'
        )


def _runtime(handler: Handler) -> tuple[list[str], str]:
    if handler.runtime.startswith("python"):
        program = [sys.executable, str(_BOOTSTRAP / "python_handler.py")]
        return program, f"Python {sys.version.split()[0]}"
    if not handler.runtime.startswith("nodejs"):
        raise HandlerError(
            f"function {handler.function} has the runtime {handler.runtime}, and handlers in "
            f"Python and Node are run here; set `runtime` in [lambda.{handler.function}] to "
            f"python3 or nodejs, or give the function another handler"
        )
    return _node(handler)


def _node(handler: Handler) -> tuple[list[str], str]:
    found = shutil.which("node")
    if found is None:
        raise HandlerError(
            f"function {handler.function} has the runtime {handler.runtime}, and there is no "
            f"`node` on the PATH; install Node.js, such as with `apt install nodejs` or "
            f"`brew install node`"
        )
    # A version manager's `node` is a script that needs the home folder; this is what it starts.
    asked = [found, "-p", "process.execPath + '\\n' + process.version"]
    told = subprocess.run(asked, capture_output=True, check=False, text=True)
    path, _, version = told.stdout.strip().partition("\n")
    if told.returncode:
        raise HandlerError(
            f"{found} was asked for its version and said {told.stderr.strip()!r}; mend Node.js"
        )
    # Without it V8 collects no garbage before the watch ends the process.
    heap = f"--max-old-space-size={handler.memory_mb}"
    return [path, heap, str(_BOOTSTRAP / "node_handler.mjs")], f"Node {version}"


def _environment(handler: Handler, folder: Path) -> dict[str, str]:
    own = _OWN_ADDRESS
    small = small_environment(folder / "tmp")
    environment = {
        name: value for name, value in small.items() if not name.upper().startswith(_BUILDERS)
    }
    proxied = environment.get("NO_PROXY") or environment.get("no_proxy")
    past = f"{proxied},{own}" if proxied else own
    environment |= {
        "HOME": str(folder / "tmp"),
        "NO_PROXY": past,
        "no_proxy": past,
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUSERBASE": site.getuserbase(),
        "NODE_PATH": f"{handler.folder}{os.pathsep}{handler.folder / 'node_modules'}",
        "AWS_EC2_METADATA_DISABLED": "true",
        **handler.environment,
        "_HANDLER": handler.name,
        "LAMBDA_TASK_ROOT": str(handler.folder),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{handler.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": handler.function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(handler.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{handler.function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}",
    }
    if odd := odd_variable(environment):
        raise HandlerError(odd)
    return environment


def _given(handler: Handler, request: str, environment: Mapping[str, str]) -> dict[str, object]:
    region = environment["AWS_REGION"]
    return {
        "folder": str(handler.folder),
        "handler": handler.name,
        "request_id": request,
        "deadline_ms": time.time_ns() // 1_000_000 + int(handler.timeout_seconds * 1000),
        "function_name": handler.function,
        "function_arn": f"arn:aws:lambda:{region}:{ACCOUNT}:function:{handler.function}",
        "memory_mb": str(handler.memory_mb),
        "log_group": environment["AWS_LAMBDA_LOG_GROUP_NAME"],
        "log_stream": environment["AWS_LAMBDA_LOG_STREAM_NAME"],
    }


# ------------------------------------------------------------------ while it runs


class _Watch:
    """Waits for a handler's process, and ends it with all that it has started."""

    def __init__(self, process: "subprocess.Popen[bytes]", handler: Handler) -> None:
        self.peak_mb = 0
        self._process = process
        self._handler = handler
        self._known: dict[int, int] = {}

    def wait(self) -> str | None:
        patience = time.monotonic() + self._handler.timeout_seconds
        try:
            while self._is_running():
                if time.monotonic() >= patience:
                    return f"Task timed out after {self._handler.timeout_seconds:.2f} seconds"
                if self._memory_mb() > self._handler.memory_mb:
                    return f"Runtime.OutOfMemory: more than {self._handler.memory_mb} MB were used"
        finally:
            self._kill()
        return None

    def _is_running(self) -> bool:
        try:
            self._process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _memory_mb(self) -> int:
        used = sum(_resident(process.pid) for process in self._family())
        self.peak_mb = max(self.peak_mb, used // MEGABYTE)
        return used // MEGABYTE

    def _family(self) -> list[Process]:
        table = processes()
        # What was seen once stays known: it may have lost its parent, and left the session.
        roots = [pid for pid, born in self._known.items() if _is_there(pid, born, table)]
        found = {self._process.pid, *roots}.union(
            *(family(pid, table) for pid in (self._process.pid, *roots))
        )
        living = [process for process in table if process.pid in found]
        self._known |= {process.pid: process.born for process in living}
        return living

    def _kill(self) -> None:
        patience = time.monotonic() + KILL_SECONDS
        while (left := self._family()) and time.monotonic() < patience:
            send(signal.SIGKILL, [process.pid for process in left])
            self._process.poll()
            time.sleep(0.005)
        self._process.wait()


def _is_there(pid: int, born: int, table: list[Process]) -> bool:
    return any(process.pid == pid and process.born == born for process in table)


def _resident(pid: int) -> int:
    statm = Path(f"/proc/{pid}/statm")
    try:
        return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return _resident_by_ps(pid) if sys.platform != "linux" else 0


def _resident_by_ps(pid: int) -> int:
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, check=False, text=True).stdout.strip()
    return int(told) * 1024 if told else 0


def _told(answer: Path, status: int) -> str | None:
    try:
        error = json.loads(answer.read_text(encoding="utf-8"))["error"]
    except (FileNotFoundError, json.JSONDecodeError):
        how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return f"Runtime.ExitError: the process ended before the handler returned ({how})"
    if error is None:
        return None
    return f"{error['type']}: {error['message']}"
