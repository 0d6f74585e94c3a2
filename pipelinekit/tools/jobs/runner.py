"""The runner's side of a detached job: the process that does it, and the helper that forks it."""

import ctypes
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pipelinekit.tools.failpoint import failpoint
from pipelinekit.tools.jobs import jobgroup
from pipelinekit.tools.jobs.gate import (
    CONTROL,
    GRACE,
    GRACE_SECONDS,
    HALTED,
    JSON,
    MARKER,
    Request,
    claim,
    seal,
    store,
)
from pipelinekit.tools.jobs.proctree import family, myself, processes, send

LOG = "log"
KEEP_SECONDS, KEEP_AGAIN_SECONDS = 60.0, 0.2
"""How long a result that cannot be written is tried again, and how often."""

FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25
"""Seconds between two looks at whether the processes of a halted job are gone."""

QUIET_SECONDS = 0.02
"""After how long without a request a runner is forked for the next one."""

RESULT_BYTES = 4 * 1024 * 1024
ERROR_CHARACTERS = 100_000
PR_SET_CHILD_SUBREAPER = 36

_farewells: list[Callable[[], object]] = []


def at_halt(farewell: Callable[[], object]) -> None:
    """Have something done if the job of this process is halted, before its processes are ended.

    Args:
        farewell: Ends what is no child of this process; no other thread does anything meanwhile.
    """
    _farewells.append(farewell)


def _await_job(line: socket.socket, *, ahead: bool) -> NoReturn:
    group = jobgroup.join(myself()) if ahead else None
    with line.makefile("rb") as requests:
        request = requests.readline()
    if request:
        _be_runner(json.loads(request), line, group)
    if group is not None:
        jobgroup.part(group)
    os._exit(0)


def _be_runner(request: Request, line: socket.socket, group: Path | None) -> NoReturn:
    folder = Path(request["folder"])
    lock = None
    try:
        _detach(folder, request["environ"])
        lock = claim(folder)
        answer: dict[str, JSON] = {"started": lock is not None}
    except OSError as trouble:
        answer = {"error": str(trouble)}
    with suppress(ConnectionError):  # the helper may be gone, which is nothing to the job
        line.sendall(json.dumps(answer).encode())
    line.close()
    failpoint("runner.answer.after")
    if lock is not None:
        _work(request, lock, group)
    elif group is not None:
        jobgroup.part(group)
    os._exit(0)


def _detach(folder: Path, environ: dict[str, str]) -> None:
    os.setsid()
    _adopt_orphans()
    os.chdir(folder)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, standard in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, standard)
    os.close(log)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.environ.clear()
    os.environ.update(environ, **{MARKER: str(folder)})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # A handler, and not SIG_IGN, which the job's commands would inherit.
    signal.signal(signal.SIGHUP, _shrug)
    signal.signal(signal.SIGTERM, partial(_halt, folder / CONTROL))


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _shrug(_number: int, _frame: FrameType | None) -> None:
    return


def _halt(control: Path, _number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.addaudithook(partial(_hold, threading.get_ident()))
    grace = GRACE_SECONDS
    with suppress(FileNotFoundError):
        grace = float((control / GRACE).read_text(encoding="utf-8"))
    patience = time.monotonic() + grace
    for farewell in _farewells:
        with suppress(Exception):  # whatever it is, the processes are to be ended
            farewell()
    _stop_family(control, patience)
    store(control, HALTED)
    os._exit(0)


def _hold(halter: int, _event: str, _arguments: tuple[object, ...]) -> None:
    # Other threads come no further than to the next file that they touch or process that they
    # start. Else they would go on when what they wait for is ended, as if it had succeeded: who
    # waits for a process that `_reap` has waited for is told a status of 0.
    if threading.get_ident() != halter:
        threading.Event().wait()


def _work(request: Request, lock: int, group: Path | None) -> None:
    folder, runner = Path(request["folder"]), os.getpid()
    # A child that is forked and does not exec would keep the lock, and the job alive.
    os.register_at_fork(after_in_child=partial(_disown, [lock]))
    seal(folder)
    if own := group or jobgroup.join(myself()):
        jobgroup.note(folder / CONTROL, own)
    failpoint("runner.call.before")
    result = _call(request["target"], request["payload"])
    if os.getpid() != runner:
        return  # a fork of the target's that came home: the result is not its to write
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    failpoint("runner.call.after")
    _keep(folder / CONTROL, result)  # the group is for others to remove: to leave it takes long
    failpoint("runner.result.after")


def _keep(control: Path, result: str) -> None:
    patience = time.monotonic() + KEEP_SECONDS
    while True:
        try:
            store(control, result)
        except OSError:  # the disk is full, say, and the work is done: space may come
            if time.monotonic() > patience:
                raise
            time.sleep(KEEP_AGAIN_SECONDS)
        else:
            return


def _disown(held: list[int]) -> None:
    if held:  # a grandchild has nothing left to disown
        os.close(held.pop())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _call(target: str, payload: dict[str, JSON]) -> str:
    try:
        module, _, name = target.partition(":")
        function = attrgetter(name)(importlib.import_module(module))
        return _written(function(payload), target)
    except BaseException as trouble:  # noqa: BLE001 - here foreign code ends, whatever it raises
        told = traceback.TracebackException.from_exception(trouble)
        error = {
            "type": type(trouble).__name__,
            "message": str(told)[:ERROR_CHARACTERS],
            "traceback": "".join(told.format())[-ERROR_CHARACTERS:],
        }
        return json.dumps({"error": error})
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()


def _written(answer: object, target: str) -> str:
    if not isinstance(answer, dict):
        raise TypeError(
            f"{target} was asked for a dict of JSON values and returned "
            f"{type(answer).__name__}; return a dict"
        )
    text = json.dumps(answer, allow_nan=False)
    if len(text) > RESULT_BYTES:
        raise ValueError(
            f"{target} may return {RESULT_BYTES} bytes of JSON and returned {len(text)}; "
            "put large results into a file and return its path"
        )
    return text


def _stop_family(control: Path, patience: float) -> None:
    apart = jobgroup.leave(control)
    asked: set[int] = set()
    pause = FIRST_PAUSE
    while left := (apart and jobgroup.members(control)) or family(os.getpid(), processes()):
        now = time.monotonic()
        if now < patience:
            # Mostly parents first: a shell must not begin with what follows a child that ends.
            send(signal.SIGTERM, sorted(left - asked))
            asked |= left
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)  # many who resist must not cost all the CPU
        elif now < patience + 1:
            if apart:
                jobgroup.kill(control)
            send(signal.SIGKILL, left)
            time.sleep(0.002)
        else:
            break
        _reap()
    jobgroup.remove(control)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


# ------------------------------------------------------------------ the helper


def serve(preload: Sequence[str]) -> None:
    """Fork one runner for each request on standard input, and answer there, until it closes.

    Standard input is a socket. This process has one thread, so that forking is safe, and stays
    warm, so that forking is quick: what is imported here no runner needs to import.

    Args:
        preload: Names of modules to import first; none may start a thread. One that cannot be
            imported is left to the job that needs it, whose result tells the error.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # modules make no garbage, and looking for some takes its time
    _import(preload)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # only now: a module may await a command
    with open(0, "rb", closefd=False) as requests, suppress(ConnectionError):
        spare = _spare(0)
        jobgroup.tidy()
        for request in requests:
            missing = [name for name in json.loads(request)["preload"] if name not in sys.modules]
            if missing and spare is not None:
                spare.dismiss()
                spare = None
            _import(missing)
            os.write(0, _begun(request, spare) + b"\n")
            spare = _spare(QUIET_SECONDS)


def _import(names: Sequence[str]) -> None:
    for name in names:
        with suppress(Exception):  # whatever it is, the job meets it too and tells it
            importlib.import_module(name)


def _begun(request: bytes, spare: "_Fork | None") -> bytes:
    answer = spare.begin(request) if spare is not None else b""
    # A spare one that is gone may have passed the gate before: then this one does not.
    answer = answer or _Fork(ahead=False).begin(request)
    return answer or b'{"error": "the runner died before the start gate"}'


def _spare(seconds: float) -> "_Fork | None":
    if select.select([0], [], [], seconds)[0]:
        return None  # the next request is there, and is not to wait
    with suppress(OSError):
        return _Fork(ahead=True)
    return None


class _Fork:
    """A runner that has been forked off and waits for its job.

    Args:
        ahead: Whether the job is not known yet. Then there is time to put the runner into its
            control group, for which the kernel may take longer than for all the rest.
    """

    def __init__(self, *, ahead: bool) -> None:
        failpoint("helper.fork.before")
        gc.freeze()  # else each runner looks through all that is loaded, and copies it
        self._line, theirs = socket.socketpair()
        if os.fork() == 0:
            try:
                gc.enable()
                self._line.close()
                _close_requests()
                _await_job(theirs, ahead=ahead)
            except OSError:
                traceback.print_exc()
            finally:
                os._exit(1)
        theirs.close()

    def begin(self, request: bytes) -> bytes:
        """Hand a request over, and give the answer; an empty one where the runner is gone."""
        with self._line, suppress(ConnectionError):
            self._line.sendall(request)
            failpoint("helper.fork.after")
            with self._line.makefile("rb") as answer:
                return answer.read()
        return b""

    def dismiss(self) -> None:
        """Let it end, as there is no job for it."""
        self._line.close()


def _close_requests() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # else the engine would not learn that the helper has died
    os.close(nothing)
