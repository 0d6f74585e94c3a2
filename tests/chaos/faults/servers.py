"""Faults of a PostgreSQL server, and of the way to it."""

import signal
import socket
import time
from contextlib import suppress
from functools import partial

from pipelinekit.model.errors import StoreError
from pipelinekit.runtime import lease
from pipelinekit.store import leases
from tests import postgres
from tests.chaos import proxy, workload
from tests.chaos.children import Child
from tests.chaos.faults.engines import SLOW_SECONDS, drain
from tests.chaos.ledger import note
from tests.chaos.life import Plan, live
from tests.chaos.rig import Parts
from tests.chaos.stores import server
from tests.chaos.trial import LOOK_SECONDS, Trial

UP, DOWN = (0.3, 1.0), (0.0, 0.3)
"""For how many seconds, at least and at most, a server is up and down."""

CUT_SECONDS, WHOLE_SECONDS = (0.2, 4.0), (0.5, 1.5)
"""For how long the way is disturbed, and in order again."""

LEASE_SECONDS, MARGIN_SECONDS, RENEW_SECONDS = 2.0, 0.5, 0.4
SLEEPERS = 5
LIVES = 4
"""After so many disturbances an engine is replaced by a new one."""


def restarted(trial: Trial, count: int) -> None:
    """Have the server crash and come back so often, with two engines at work, and callers."""
    engines = [trial.live(starts=trial.starts(), seconds=600) for _ in range(2)]
    trial.until(2, 20, "alive")
    for number in range(count):
        caller = _call(trial) if number % 2 == 0 else None
        time.sleep(trial.dice.uniform(*UP))
        began = time.monotonic()
        server().stop("immediate")
        time.sleep(trial.dice.uniform(*DOWN))
        server().start(durable=True)
        trial.measured("down_seconds", time.monotonic() - began)
        if caller is not None and caller.wait(30) != 0:
            note("violation", text=f"a caller ended with {caller.code}")
    for engine in engines:
        drain(engine)
    trial.settle()


def _call(trial: Trial) -> Child:
    # An answer that was lost is asked for again with the same token, so it means one execution.
    asking = Parts(work=False)
    plan = Plan(starts=trial.starts(0.6), parts=asking, seconds=0.1, answers=False)

    def call() -> int:
        while True:
            with suppress(StoreError):  # the server may be down
                return live(trial.site, plan)
            time.sleep(LOOK_SECONDS)

    return trial.fork(call)


def disturbed(trial: Trial, count: int) -> None:
    """Cut the way of one of two engines so often, have it fall silent, or be slow."""
    trial.use(workload.sturdy(0.2), workload.frail(0.2))
    state = trial.site.folder / "way"
    proxy.set_state(state, proxy.OPEN)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket_file = server().folder / f".s.PGSQL.{postgres.PORT}"
        trial.fork(proxy.Proxy(listener, socket_file, state).run)
        port = listener.getsockname()[1]
    parts = Parts(url=proxy.through(trial.site.url, port))
    other = trial.fork(partial(_live_briefly_leased, trial, Parts()))
    engine = None
    for number in range(count):
        if number % LIVES == 0:
            if engine is not None:
                engine.kill()
            engine = trial.fork(partial(_live_briefly_leased, trial, parts, trial.starts()))
            trial.until(number // LIVES + 2, 20, "alive")
            # From here on others may have its work whenever it cannot renew its lease.
            time.sleep(trial.dice.uniform(0.1, 0.6))
            note("gone", gone=engine.pid, engine=True)
        proxy.set_state(state, trial.dice.choice(proxy.STATES))
        time.sleep(trial.dice.uniform(*CUT_SECONDS))
        proxy.set_state(state, proxy.OPEN)
        time.sleep(trial.dice.uniform(*WHOLE_SECONDS))
    if engine is not None:
        engine.kill()
    drain(other)
    trial.settle()


def overslept(trial: Trial, count: int) -> None:
    """Stop so many engines for longer than their leases, some at once, and wake them again."""
    trial.use(workload.slow(SLOW_SECONDS))
    for number in range(0, count, SLEEPERS):
        size = min(SLEEPERS, count - number)
        starts = [("slow", f"slow-{number + which}") for which in range(size)]
        sleepers = [trial.fork(partial(_live_briefly_leased, trial, Parts(), [s])) for s in starts]
        for sleeper in sleepers:
            trial.until(1, 10, "start", pid=sleeper.pid, action="work")
        for sleeper in sleepers:
            sleeper.send(signal.SIGSTOP)
            note("gone", gone=sleeper.pid, engine=True)
        other = trial.fork(partial(_live_briefly_leased, trial, Parts()))
        trial.until(size, 10, "start", pid=other.pid, action="work")
        time.sleep(trial.dice.uniform(0, SLOW_SECONDS))
        for sleeper in sleepers:
            sleeper.send(signal.SIGCONT)
        time.sleep(SLOW_SECONDS)
        for sleeper in sleepers:
            sleeper.kill()
        drain(other)
    trial.settle()


def _live_briefly_leased(
    trial: Trial, parts: Parts, starts: list[tuple[str, str]] | None = None
) -> int:
    lease.LEASE_SECONDS = LEASE_SECONDS  # type: ignore[misc]  # for this process only
    lease.MARGIN_SECONDS = MARGIN_SECONDS  # type: ignore[misc]  # as above
    lease.RENEW_SECONDS = RENEW_SECONDS  # type: ignore[misc]  # as above
    leases.RETURN_SECONDS = 0  # type: ignore[misc]  # the server is not restarted here
    plan = Plan(pipelines=trial.pipelines, starts=starts or [], parts=parts, seconds=600)
    return live(trial.site, plan)
