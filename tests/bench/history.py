"""How long lists, state, starts and answers take when the history is long.

`python -m tests.bench.history` fills a store with 1,000,000 action executions first, which takes
some minutes and 3 GB; with `--quick` 20,000, and with `--store postgres` in a PostgreSQL.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pipelinekit as pk
from pipelinekit.kit.observe import observed
from pipelinekit.kit.previous import targets
from pipelinekit.kit.run import Run
from pipelinekit.model.execution import ActionExecution, PipelineExecution
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import now
from tests import postgres
from tests.bench.filling import BIG, fill

FULL, QUICK = 1_000_000, 20_000
"""How many action executions the history has."""

AIM = 50.0
"""What 99 of 100 calls may take at most, in milliseconds."""

ROUNDS = 200
PAGE, PAGES = 50, 20


class Cost(NamedTuple):
    """What a call takes, in milliseconds: half of the calls, and 99 of 100, take no longer."""

    name: str
    p50: float
    p99: float


def measure(actions: int, rounds: int = ROUNDS, store: str = "sqlite") -> Iterator[Cost]:
    """Fill a store, and measure each call on it, many times.

    Args:
        actions: How many action executions there are.
        rounds: How often each call is made.
        store: `sqlite`, or `postgres`.
    """
    with _url(store) as url, tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        fill(url, actions)
        print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)
        os.environ["PIPELINEKIT_DB_URL"] = url
        try:
            with pk.Kit(home, settings=pk.Settings()) as kit:
                yield from _costs(kit, rounds)
        finally:
            del os.environ["PIPELINEKIT_DB_URL"]


@contextmanager
def _url(store: str) -> Iterator[str]:
    if store == "postgres":
        with postgres.running(durable=True) as server:
            yield server.url()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/pipelinekit.db"


def _costs(kit: pk.Kit, rounds: int) -> Iterator[Cost]:
    dice = random.Random(3)
    pages = list(_pages(kit))
    runs = [Run(kit, BIG, dice.choice(rows).id) for rows in pages for _ in range(5)]
    deep = Run(kit, BIG, pages[-1][-1].id)
    live = [kit.start(BIG).wait("approval", 60) for _ in range(10)]
    calls: dict[str, Callable[[], object]] = {
        "pipelines": kit.pipelines,
        "executions, the newest 50": lambda: kit.runs(BIG, PAGE),
        "executions, 50 further back": lambda: kit.runs(BIG, PAGE, deep),
        "executions of all pipelines, 50": lambda: kit.runs(None, PAGE),
        "an execution, its stages and actions": lambda: _whole(dice.choice(runs)),
        "actions, the newest 100": lambda: _actions(kit, None),
        "actions, 100 further back": lambda: _actions(kit, dice.choice(runs).attempts[0]),
        "state of a pipeline": lambda: observed(kit.runs(BIG, 1)[0], now()),
        "a run by the beginning of its id": lambda: kit.run(dice.choice(runs).id[:13]),
        "what can be rolled back to": lambda: next(targets(kit.store, BIG, "Live")),
        "history of a day": lambda: kit.history(BIG, 1).executions,
    }
    for name, call in calls.items():
        yield _cost(name, call, rounds)
    yield _cost("start", lambda: live.append(kit.start(BIG)), min(rounds, 30))
    for run in live:
        run.wait("approval", 60)
    yield _cost("approve", lambda: live.pop().approve(), len(live) - 1)


def _pages(kit: pk.Kit) -> Iterator[list[PipelineExecution]]:
    last: PipelineExecution | None = None
    for _ in range(PAGES):
        query = Query(pipeline=BIG, before=last, limit=PAGE)
        rows = list(kit.store.find(PipelineExecution, query))
        yield rows
        last = rows[-1]


def _whole(run: Run) -> object:
    return run.execution, run.stages, run.actions


def _actions(kit: pk.Kit, before: ActionExecution | None) -> object:
    return kit.store.find(ActionExecution, Query(pipeline=BIG, before=before, limit=100))


def _cost(name: str, call: Callable[[], object], rounds: int) -> Cost:
    call()
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    hundredths = statistics.quantiles(taken, n=100, method="inclusive")
    return Cost(name, hundredths[49], hundredths[98])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history")
    parser.add_argument("--quick", action="store_true", help="20,000 instead of 1,000,000")
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    asked = parser.parse_args()
    actions = QUICK if asked.quick else FULL
    print(f"{f'with {actions:,} action executions, ms':45} {'p50':>8} {'p99':>8} {'at most':>8}")
    for name, half, most in measure(actions, store=asked.store):
        missed = "" if most <= AIM else "  missed"
        print(f"{name:45} {half:8.2f} {most:8.2f} {AIM:8.0f}{missed}", flush=True)


if __name__ == "__main__":
    main()
