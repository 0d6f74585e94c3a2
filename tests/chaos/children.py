"""Processes that the harness forks, kills, stops and waits for."""

import faulthandler
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from pipelinekit.tools.failpoint import arm
from pipelinekit.tools.jobs.proctree import processes
from tests.chaos import mutants, syncs
from tests.chaos.ledger import VARIABLE, note
from tests.chaos.rig import Site

LOOK_SECONDS = 0.01
BROKEN = 70
CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})
"""Signals that nobody sends: a process ends of them that has a fault."""


@dataclass(slots=True)
class Child:
    """A process of the harness."""

    pid: int
    code: int | None = None

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; give its code, negative for a signal, None where it lives on."""
        limit = time.monotonic() + seconds
        while self.code is None and time.monotonic() < limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
                if self.code < 0 or self.code == BROKEN:
                    note("gone", gone=self.pid, engine=True)
                if -self.code in CRASHES:
                    told = signal.Signals(-self.code).name
                    note("violation", text=f"engine {self.pid} crashed: {told}")
            else:
                time.sleep(LOOK_SECONDS)
        return self.code

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it is there."""
        if self.code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it, and note that it is gone, at once: others may know before this process does."""
        if self.code is None:
            note("gone", gone=self.pid, engine=True)
            self.send(signal.SIGKILL)
            self.wait(10)


def fork(
    site: Site, task: Callable[[], int | None], environ: Mapping[str, str] | None = None
) -> Child:
    """Have a process of its own do a task at a site; this process may have no threads."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Child(pid)
    code = BROKEN
    try:
        _settle_in(site, environ or {})
        code = task() or 0
    except BaseException:  # noqa: BLE001 - nothing of the parent's may be gone through
        traceback.print_exc()
    finally:
        os._exit(code)


def _settle_in(site: Site, environ: Mapping[str, str]) -> None:
    log = os.open(site.folder / "engine.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(environ, **{VARIABLE: str(site.ledger)})
    faulthandler.register(signal.SIGUSR1)  # writes where every thread is
    arm(os.environ)
    mutants.apply_wanted()
    syncs.record_wanted()


def clear(site: Site) -> None:
    """Kill whatever still belongs to a site."""
    mark = os.fsencode(str(site.folder))
    for process in processes():
        with suppress(OSError):
            with open(f"/proc/{process.pid}/environ", "rb") as file:  # noqa: PTH123 - quick
                theirs = b"CHAOS_LEDGER=" + mark in file.read()
            if theirs and process.pid != os.getpid():
                os.kill(process.pid, signal.SIGKILL)
