"""What a long queue costs: executions of one QUEUED pipeline, all started before the first ends.

`python -m tests.bench.queued` starts 10,000; with `--n` another number.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import pipelinekit as pk
from pipelinekit.model.event import Started
from pipelinekit.model.execution import Cause, PipelineExecution, StageExecution
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.status import PipelineStatus, TriggerType
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import new_id, now
from tests.bench.nothing import nothing, source

FULL = 10_000
NAME = "queued"
LOOK_SECONDS = 0.2


class Costs(NamedTuple):
    """What was measured.

    Attributes:
        p50: Milliseconds that half of the start calls take at most.
        p99: Milliseconds that 99 of 100 start calls take at most.
        last_p99: The same of the last tenth, when the queue is longest.
        seconds: Until all had ended, from when the first might go on.
        megabytes: The most memory that the process had.
        overtaken: How many executions entered a stage before one that was started earlier.
        failed: How many did not succeed.
    """

    p50: float
    p99: float
    last_p99: float
    seconds: float
    megabytes: float
    overtaken: int
    failed: int


def measure(count: int) -> Costs:
    """Start so many executions while the way into the second stage is closed, then open it."""
    line = pk.Pipeline(NAME, mode=ExecutionMode.QUEUED) >> pk.Stage("Source", source("Fetch"))
    line = line >> pk.Stage("Work", nothing("work"))
    with tempfile.TemporaryDirectory() as home, pk.Kit(home, settings=pk.Settings()) as kit:
        kit.define(line)
        kit.disable(NAME, "Work", "until all are here")
        taken = [_start(kit, count) for _ in range(count)]
        kit.enable(NAME, "Work")
        began = time.perf_counter()
        while kit.store.past.count(PipelineExecution, Query(pipeline=NAME, ended=False)):
            time.sleep(LOOK_SECONDS)
        seconds = time.perf_counter() - began
        rows = kit.store.find(PipelineExecution, Query(pipeline=NAME))
        failed = sum(row.status is not PipelineStatus.SUCCEEDED for row in rows)
        overtaken = _overtaken(kit, {row.id: row.number for row in rows})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Costs(
        p50=_hundredth(taken, 50),
        p99=_hundredth(taken, 99),
        last_p99=_hundredth(taken[-max(100, count // 10) :], 99),
        seconds=seconds,
        megabytes=memory / (1024 if sys.platform == "linux" else 1024**2),
        overtaken=overtaken,
        failed=failed + count - len(rows),
    )


def _start(kit: pk.Kit, most: int) -> float:
    cause = Cause(TriggerType.START_PIPELINE_EXECUTION, "bench")
    began = time.perf_counter()
    kit.handle(  # straight in: CodePipeline has far fewer in progress
        Started(id=new_id(), pipeline=NAME, at=now(), by="bench", cause=cause, most=most + 1)
    )
    return (time.perf_counter() - began) * 1000


def _overtaken(kit: pk.Kit, numbers: Mapping[str, int]) -> int:
    rows = kit.store.find(StageExecution, Query(pipeline=NAME))
    entered: dict[str, list[tuple[datetime, int]]] = {}
    for row in rows:
        entered.setdefault(row.stage, []).append((row.started, numbers[row.execution]))
    order = [[number for _, number in sorted(each)] for each in entered.values()]
    return sum(after < before for each in order for before, after in pairwise(each))


def _hundredth(taken: Sequence[float], which: int) -> float:
    return statistics.quantiles(taken, n=100, method="inclusive")[which - 1]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queued")
    parser.add_argument("--n", type=int, default=FULL, help="how many are started")
    for name, value in measure(parser.parse_args().n)._asdict().items():
        print(f"{name:10} {value:10.2f}", flush=True)


if __name__ == "__main__":
    main()
