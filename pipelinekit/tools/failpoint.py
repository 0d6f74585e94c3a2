"""Named points at which a process fails on purpose, so that tests can have it fail anywhere.

Without `PIPELINEKIT_FAILPOINT` in the environment when the process starts, a point does nothing.
The variable holds one or more of `name:action[:when]`, separated by commas:

- `name` is one of `POINTS`, or a pattern such as `result.*`,
- `action` is `kill` (SIGKILL), `ENOSPC` or `EIO` (an OSError), or `delay` (0.2 seconds),
- `when` is `3` (the third time only), `3+` (from then on) or `10%` (by chance); else always.

`PIPELINEKIT_FAILPOINT_TRACE` names a file to which each point that is reached adds a line.
"""

import errno
import fnmatch
import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["POINTS", "arm", "failpoint"]

VARIABLE = "PIPELINEKIT_FAILPOINT"
TRACE = "PIPELINEKIT_FAILPOINT_TRACE"
DELAY_SECONDS = 0.2
ERRORS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO}
ACTIONS = ("kill", "delay", *ERRORS)

POINTS: Mapping[str, str] = {
    "engine.lock.before": "an engine's lock is about to be seen",
    "engine.lock.after": "an engine's lock can be seen",
    "store.migrate.written": "a step of bringing a store up to date is written, and not durable",
    "store.commit.before": "a commit begins",
    "store.commit.written": "all of a commit is written, and not durable",
    "store.commit.after": "a commit is durable",
    "store.take.before": "orders are about to be taken",
    "store.take.written": "orders are taken, and it is not durable",
    "store.take.after": "orders are taken durably",
    "worker.settle.before": "events are about to be decided",
    "worker.reply.before": "what was decided is durable, and nobody knows",
    "worker.reply.after": "who asked has the answer",
    "worker.obey.before": "a command is durable, and not obeyed",
    "worker.take.after": "the worker has claims, and has not begun with them",
    "worker.bury.after": "the locks of dead engines are removed",
    "worker.release.before": "orders that were not begun are about to be let go",
    "hands.call.before": "a provider is about to be called in a thread",
    "hands.call.after": "a provider has answered in a thread, and nobody was told",
    "hands.spawn.before": "a runner is about to be asked for",
    "hands.spawn.after": "a runner is started, and not watched",
    "hands.end.before": "the end of a runner was noticed, and nobody was told",
    "hands.end.after": "the end of a runner was told",
    "hands.halt.before": "a runner is about to be halted",
    "hands.halt.after": "a runner was halted, and nobody was told",
    "hands.aside.before": "the folder of a lost job is about to be put aside",
    "hands.aside.after": "the folder of a lost job is put aside",
    "helper.fork.before": "the helper is about to fork a runner",
    "helper.fork.after": "the helper has forked a runner, and not answered",
    "gate.lock.before": "a runner has a trial directory, and no lock in it",
    "gate.rename.before": "a runner is about to pass the gate",
    "gate.rename.after": "a runner has passed the gate",
    "gate.seal.after": "a passed gate outlasts a loss of power",
    "runner.answer.after": "a runner has told that it started",
    "runner.call.before": "a runner is about to call its target",
    "runner.call.after": "a runner has its target's answer, and has not written it",
    "runner.result.after": "a runner has written its result, and holds its lock",
    "result.fsync.before": "a result is written, and not synced",
    "result.rename.before": "a result is synced, and has not its name",
    "result.rename.after": "a result has its name, and that is not synced",
    "result.sync.after": "a result outlasts a loss of power",
    "artifact.fsync.before": "an artifact is written, and not synced",
    "artifact.rename.before": "an artifact is synced, and has not its name",
    "artifact.rename.after": "an artifact has its name, and that is not synced",
    "artifact.sync.after": "an artifact outlasts a loss of power",
    "file.fsync.before": "some other file is written, and not synced",
    "file.rename.before": "some other file is synced, and has not its name",
    "file.rename.after": "some other file has its name, and that is not synced",
    "file.sync.after": "some other file outlasts a loss of power",
    "place.fsync.before": "a subscriber's place is written, and not synced",
    "place.rename.before": "a subscriber's place is synced, and has not its name",
    "place.rename.after": "a subscriber's place has its name, and that is not synced",
    "place.sync.after": "a subscriber's place outlasts a loss of power",
    "input.rename.before": "an input is unpacked, and has not its name",
    "input.rename.after": "an input is unpacked under its name",
}
"""Each point, and how things stand there."""


class _Rule(NamedTuple):
    names: frozenset[str]
    action: str
    when: str

    def applies(self, name: str, times: int) -> bool:
        if name not in self.names:
            return False
        if self.when.endswith("%"):
            return secrets.randbelow(100) < int(self.when[:-1])
        if self.when.endswith("+"):
            return times >= int(self.when[:-1])
        return not self.when or times == int(self.when)


@dataclass(slots=True)
class _Armed:
    rules: tuple[_Rule, ...]
    trace: str | None
    times: Counter[str] = field(default_factory=Counter)

    def reach(self, name: str) -> None:
        if name not in POINTS:
            raise ValueError(f"failpoint {name!r} was reached and is not listed; add it to POINTS")
        self.times[name] += 1
        rule = next((each for each in self.rules if each.applies(name, self.times[name])), None)
        if self.trace is not None:
            _note(self.trace, name, rule.action if rule else "-")
        if rule is not None:
            _act(rule.action, name)


def failpoint(name: str) -> None:
    """Fail here if the environment wants it; else do nothing.

    Args:
        name: One of `POINTS`.

    Raises:
        OSError: `ENOSPC` or `EIO` was wanted.
        ValueError: The point is not listed; noticed only where some point is wanted.
    """
    if _armed is not None:
        _armed.reach(name)


def arm(environ: Mapping[str, str]) -> None:
    """Take from an environment which points are to fail, as it is done when a process starts.

    Raises:
        ValueError: The variable's text is not understood.
    """
    global _armed  # noqa: PLW0603 - a process has one set of points
    wanted, trace = environ.get(VARIABLE), environ.get(TRACE)
    rules = tuple(_rule(text) for text in wanted.split(",")) if wanted else ()
    _armed = _Armed(rules, trace) if rules or trace else None


def _rule(text: str) -> _Rule:
    name, _, rest = text.partition(":")
    action, _, when = rest.partition(":")
    names = frozenset(fnmatch.filter(POINTS, name))
    count = when[:-1] if when[-1:] in {"+", "%"} else when
    if names and action in ACTIONS and (count.isdigit() or not when):
        return _Rule(names, action, when)
    raise ValueError(
        f"{VARIABLE} was set to {text!r}; write name:action or name:action:when with a name of "
        f"pipelinekit.tools.failpoint.POINTS, an action of {', '.join(ACTIONS)}, and when as 3, "
        f"3+ or 10%"
    )


def _act(action: str, name: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "delay":
        time.sleep(DELAY_SECONDS)
    else:
        number = ERRORS[action]
        raise OSError(number, f"{os.strerror(number)} at failpoint {name}")


def _note(trace: str, name: str, action: str) -> None:
    line = f"{time.time():.6f} {os.getpid()} {name} {action}\n"
    descriptor = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


_armed: _Armed | None = None
arm(os.environ)
