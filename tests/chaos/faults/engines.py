"""Faults of engines: killed, stopped and woken, cut off, told to end."""

import signal
import time
from pathlib import Path

from tests.chaos import workload
from tests.chaos.children import Child
from tests.chaos.ledger import note
from tests.chaos.trial import SLACK, Trial

SHORT, LONG = 0.03, 0.9
TAKEN_OVER_SECONDS = 1.6
DRAIN_SECONDS = 8.0 * SLACK
SLOW_SECONDS, INLINE_SECONDS = 2.0, 0.2
SIDE_BY_SIDE = 3
AT_ONCE = 5
"""How many executions each of so many engines has at work when they are cut off."""


def killed(trial: Trial, count: int) -> None:
    """Kill an engine at a random time, so often; each next one goes on with the work."""
    for number in range(count):
        known, starts = len(trial.said("ack")), trial.starts(0.4)
        child = trial.live(starts=starts)
        if number % 2 and starts:  # else it may be killed while it starts
            trial.until(known + 1, 20, "ack")
        time.sleep(trial.dice.uniform(SHORT, LONG))
        child.kill()
    trial.settle()


def one_of_two_killed(trial: Trial, count: int) -> None:
    """Keep two engines at work on one store, and kill one of them, so often."""
    trial.use(workload.sturdy(INLINE_SECONDS), workload.frail(INLINE_SECONDS), workload.doomed())
    pair = [trial.live(starts=trial.starts()), trial.live(starts=trial.starts())]
    for _ in range(count):
        time.sleep(trial.dice.uniform(SHORT, LONG))
        which = trial.dice.randrange(2)
        pair[which].kill()
        pair[which] = trial.live(starts=trial.starts(0.4))
    time.sleep(1)
    for child in pair:
        drain(child)
    trial.settle()


def drained(trial: Trial, count: int) -> None:
    """Tell an engine to end at a random time, so often; nothing is lost by that."""
    for _ in range(count):
        child = trial.live(starts=trial.starts(0.4))
        trial.until(1, 10, "alive")
        time.sleep(trial.dice.uniform(SHORT, LONG))
        trial.measured("drain_seconds", drain(child))
    trial.settle()


def stopped(trial: Trial, count: int) -> None:
    """Stop an engine while another is at work, and wake it, so often.

    While it is stopped it holds its lock, so that nobody takes its orders; every second time its
    lock is taken from it, as by somebody who clears the folder, so that the other takes them over
    and what it wants to write when it wakes is to be refused.
    """
    for number in range(count):
        known = _locks(trial)
        sleeper = trial.live(starts=trial.starts())
        (lock,) = _appeared(trial, known)
        other = trial.live(starts=trial.starts(0.4))
        time.sleep(trial.dice.uniform(0.1, LONG))
        sleeper.send(signal.SIGSTOP)
        cut_off = number % 2 == 1
        if cut_off:
            note("gone", gone=sleeper.pid, engine=True)
            path = trial.site.home.engines / lock
            path.unlink(missing_ok=True)
            path.touch()
        time.sleep(TAKEN_OVER_SECONDS if cut_off else trial.dice.uniform(0.2, LONG))
        sleeper.send(signal.SIGCONT)
        time.sleep(trial.dice.uniform(0.2, 1.5))
        if cut_off:
            sleeper.kill()
        for child in (sleeper, other):
            drain(child)
    trial.settle()


def cut_off(trial: Trial, count: int) -> None:
    """Cut so many engines off while they work, some at once, and wake them when others do that.

    Every second time they are woken only when the other is done with the work.
    """
    trial.use(workload.slow(SLOW_SECONDS))
    at_once = min(AT_ONCE, (count + 1) // 2)
    for number in range(0, count, at_once):
        size = min(at_once, count - number)
        locked = [_at_work(trial, f"slow-{number + which}") for which in range(size)]
        time.sleep(0.2)
        for sleeper, lock in locked:  # all are at work: nobody can start who waits for a sleeper
            sleeper.send(signal.SIGSTOP)
            note("gone", gone=sleeper.pid, engine=True)
            lock.unlink(missing_ok=True)
            lock.touch()
        sleepers = [sleeper for sleeper, _ in locked]
        other = trial.live()
        if number // at_once % 2:
            trial.until(size * SIDE_BY_SIDE, 20, "end", pid=other.pid, action="work")
            time.sleep(0.2)
        else:
            time.sleep(TAKEN_OVER_SECONDS)
        for sleeper in sleepers:
            sleeper.send(signal.SIGCONT)
        time.sleep(SLOW_SECONDS)
        for sleeper in sleepers:
            sleeper.kill()
        drain(other)
    trial.settle()


def _at_work(trial: Trial, name: str) -> tuple[Child, Path]:
    starts = [("slow", f"{name}-{which}") for which in range(SIDE_BY_SIDE)]
    known = _locks(trial)
    engine = trial.live(starts=starts)
    (lock,) = _appeared(trial, known)
    trial.until(SIDE_BY_SIDE, 5, "start", pid=engine.pid, action="work")
    return engine, trial.site.home.engines / lock


def _locks(trial: Trial) -> set[str]:
    folder = trial.site.home.engines
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def _appeared(trial: Trial, known: set[str]) -> set[str]:
    limit = time.monotonic() + 10
    while True:
        new = {name for name in _locks(trial) - known if not name.startswith(".")}
        if new or time.monotonic() > limit:
            return new
        time.sleep(0.002)


def drain(child: Child) -> float:
    """Tell an engine to end, and give how many seconds it took."""
    began = time.monotonic()
    child.send(signal.SIGTERM)
    code = child.wait(DRAIN_SECONDS)
    if code is None:
        note("violation", text=f"an engine did not end within {DRAIN_SECONDS} s of SIGTERM")
        child.send(signal.SIGUSR1)
        child.wait(0.5)
        child.kill()
    return time.monotonic() - began
