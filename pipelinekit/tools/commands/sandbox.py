"""A sandbox for commands, made by bubblewrap: own file system, own processes, no privileges."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from pipelinekit.tools.commands.confinement import (
    ConfinementError,
    OnThisMachine,
    becoming,
)
from pipelinekit.tools.commands.sandbox_view import look_anew, view
from pipelinekit.tools.jobs.cgroup import ControlGroup, Limits, make_group
from pipelinekit.tools.jobs.gate import MARKER

PROGRAM: Final = "bwrap"
TRIAL_SECONDS: Final = 10.0
NO_LIMITS: Final = Limits()
MIB: Final = 1024 * 1024

_OWN: Final = (
    *("--die-with-parent", "--new-session"),
    *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"),
    *("--hostname", "sandbox", "--cap-drop", "ALL"),
    *("--proc", "/proc", "--dev", "/dev"),
)


@dataclass(slots=True)
class Sandbox(OnThisMachine):
    """Shows commands of this machine what a build needs, and lets them change what is named.

    There are the system's programs and settings, read-only, and what the PATH leads to; nothing
    else of the user's home, no socket of a daemon, no other process. Paths are the same inside
    and outside.

    Attributes:
        limits: What they may have of the machine.
        writable: Folders and files that they may change, and all beneath them.
        readable: Folders and files that they may read besides.
        hidden: Folders that they find empty, but for what else is named beneath them.
        scratch: A folder that keeps what is written to `/tmp` and to the home; when None, that is
            kept in memory, and for one shell only.
    """

    limits: Limits = NO_LIMITS
    writable: Sequence[Path] = ()
    readable: Sequence[Path] = ()
    hidden: Sequence[Path] = ()
    scratch: Path | None = None
    place: str = "sandbox"
    inherits: bool = False
    relays: bool = False
    _group: ControlGroup | None = field(default=None, init=False)
    _complaint: str | None = field(default=None, init=False)

    def command(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        start: Path,
        user: str | None = None,
    ) -> list[str]:
        """Give the words that make the sandbox and run a command in it.

        Raises:
            ConfinementError: bubblewrap is not here, or a limit cannot be held.
        """
        program = shutil.which(PROGRAM)
        if program is None:
            raise ConfinementError(
                "commands are to run in a sandbox, and there is no bwrap here; install bubblewrap"
            )
        become = becoming(user)
        join, bound = self._limiting()  # outside and inside
        return [
            *join,
            # What its first process was begun with can be read by all in there.
            *_with_nothing_of_ours(),
            *(program, *_OWN),
            *(() if self.limits.network else ("--unshare-net",)),
            *(("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID") if become else ()),
            *view(self.writable, self.readable, self.hidden, self.scratch, user),
            *(word for pair in environment.items() for word in ("--setenv", *pair)),
            *("--chdir", str(start), "--"),
            *(*become, *bound, *argv),
        ]

    def complaint(self) -> str | None:
        """Say which limit ended a command; None where only a single process was limited."""
        if self._group is not None:
            self._complaint = _told(self._group, self.limits) or self._complaint
        return self._complaint

    def kill(self, command: Sequence[str]) -> None:
        """Do nothing, for all in there has died with bubblewrap."""

    def end(self) -> None:
        """Remove the control group, if there is one that no other command needs."""
        self.complaint()
        if self._group is not None:
            self._group.remove()
            self._group = None if self._group.removed else self._group

    def _limiting(self) -> tuple[list[str], list[str]]:
        memory, processes = self.limits.memory_mb, self.limits.processes
        if memory is None and processes is None:
            return [], []
        self._group = self._group or make_group(self.limits)
        if self._group is not None:
            return self._group.joining(), []
        program = shutil.which("prlimit")
        if program is None or (processes is not None and os.geteuid() == 0):
            raise ConfinementError(
                "commands are to be limited in memory or processes, and no control group can be "
                "made here that holds them to it; take memory_mb and processes out, or let this "
                "user make control groups"
            )
        data = [] if memory is None else [f"--data={memory * MIB}"]
        count = [] if processes is None else [f"--nproc={processes}"]
        return [], [program, *data, *count, "--"]


@cache
def sandbox_obstacle() -> str | None:
    """Say why no sandbox can be made here, with what to do; None when one was made."""
    if shutil.which(PROGRAM) is None:
        return "there is no bwrap here; install bubblewrap"
    try:
        trial = subprocess.run(
            Sandbox().command(["true"], {}, Path("/")),
            capture_output=True,
            check=False,
            errors="replace",
            text=True,
            timeout=TRIAL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        return f"bwrap was tried and failed: {trouble}; look whether it can be run"
    look_anew()
    if trial.returncode == 0:
        return None
    told = trial.stderr.strip() or f"status {trial.returncode}"
    return f"bwrap was tried and said `{told}`; allow user namespaces to this user"


def _with_nothing_of_ours() -> list[str]:
    mark = [f"{MARKER}={os.environ[MARKER]}"] if MARKER in os.environ else []
    return [shutil.which("env") or "/usr/bin/env", "-i", *mark]


def _told(group: ControlGroup, limits: Limits) -> str | None:
    if group.killed():
        return (
            f"all processes together were to keep within {limits.memory_mb} MiB of memory, and "
            f"the system ended {group.killed()} that went beyond; raise memory_mb"
        )
    if group.refused():
        return (
            f"there were to be {limits.processes} processes at once, and {group.refused()} more "
            f"were refused; raise processes"
        )
    return None
