"""This engine on SQLite with WAL and synchronous FULL, or on what `PIPELINEKIT_DB_URL` names."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.model.event import Defined
from pipelinekit.model.pipeline import ExecutionMode
from pipelinekit.model.settings import Compute, Settings, Where
from pipelinekit.runtime.clock import new_id, now
from tests.bench.nothing import pipeline
from tests.bench.peers import talk

RISK = "risk"
STARTERS, PIPELINES = 16, 4
ON_THE_HOST = Settings(compute=Compute(where=Where.HOST))


@pk.action("Source", "BenchFolder", repeatable=True)
def folder(job: pk.Job) -> pk.Outcome:
    """Write an artifact."""
    made = job.folder / "made"
    made.mkdir(parents=True, exist_ok=True)
    job.write(made)
    return pk.Succeeded()


def risked(effects: Path) -> pk.Pipeline:
    """Make a pipeline of commands, each of which has an effect and takes a while."""
    stages, actions = talk.RISKED
    sleep = f"sleep {talk.SECONDS}"
    source = folder("Fetch").writes("Code")
    line = pk.Pipeline(RISK) >> pk.Stage("Source", source)
    for stage in range(stages):
        side_by_side = [
            pk.commands(f"a{stage}-{each}", f"echo {stage}.{each} >> {effects}", sleep)
            for each in range(actions)
        ]
        line = line >> pk.Stage(f"S{stage}", *(each.reads(source) for each in side_by_side))
    return line


class Ours:
    """A kit at work."""

    def __init__(self, kit: pk.Kit) -> None:
        self._kit = kit
        self._wide = cache(self._define_wide)
        self._lines = cache(self._define_lines)

    def run(self, stages: int, actions: int) -> None:
        """Run an execution, which has a source before its stages."""
        self._kit.start(self._wide(stages, actions)).wait().raise_for_status()

    def many(self, executions: int, stages: int) -> None:
        """Start all at once, in some threads; the source is the first stage."""
        names = self._lines(stages)
        with ThreadPoolExecutor(STARTERS) as starters:
            several = (names[each % PIPELINES] for each in range(executions))
            for run in list(starters.map(self._kit.start, several)):
                run.wait().raise_for_status()

    def risk(self, effects: Path) -> None:
        """Start commands, which run in processes of their own."""
        self._kit.start(risked(effects)).wait()

    def resume(self, effects: Path) -> None:
        """Wait for the execution that is there."""
        del effects
        self._kit.runs(RISK)[0].wait().raise_for_status()

    def _define_wide(self, stages: int, actions: int) -> str:
        made = pipeline(f"w{stages}x{actions}", stages, actions)
        # Straight in: 500 side by side are more than CodePipeline allows. Another process may have
        # defined the same, and be at work on it.
        event = Defined(
            id=new_id(),
            pipeline=made.name,
            at=now(),
            by="bench",
            definition=made,
            unless_same=True,
        )
        self._kit.handle(event)
        return made.name

    def _define_lines(self, stages: int) -> list[str]:
        names = [f"l{os.getpid()}-{each}" for each in range(PIPELINES)]
        for name in names:
            line = pipeline(name, stages - 1, 1)
            self._kit.define(replace(line, mode=ExecutionMode.PARALLEL))
        return names


@contextmanager
def opened(home: Path) -> Iterator[Ours]:
    """Open a kit."""
    with pk.Kit(home, settings=ON_THE_HOST) as kit:
        yield Ours(kit)


if __name__ == "__main__":
    talk.serve(opened)
