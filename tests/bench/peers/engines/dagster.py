"""Dagster in one process, on SQLite as it sets it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import dagster

from tests.bench.peers import talk

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dagster.op(out=dagster.Out(dagster.Nothing))
def first() -> None:
    """Do nothing."""


@dagster.op(ins={"after": dagster.In(dagster.Nothing)}, out=dagster.Out(dagster.Nothing))
def later() -> None:
    """Do nothing, after others."""


@cache
def job(stages: int, actions: int) -> dagster.JobDefinition:
    """Make a job of ops side by side in stages."""

    @dagster.graph(name=f"j{stages}x{actions}")
    def staged() -> None:
        before = [first.alias(f"s0_{each}")() for each in range(actions)]
        for stage in range(1, stages):
            before = [later.alias(f"s{stage}_{each}")(before) for each in range(actions)]

    return staged.to_job()


class Dagster:
    """Dagster, with its instance."""

    def __init__(self, instance: dagster.DagsterInstance) -> None:
        self._instance = instance

    def run(self, stages: int, actions: int) -> None:
        """Run a job in this process: the fastest of its ways."""
        job(stages, actions).execute_in_process(instance=self._instance, run_config=QUIET)

    def many(self, executions: int, stages: int) -> None:
        """Run one after the other."""
        for _ in range(executions):
            self.run(stages, 1)


@contextmanager
def opened(_home: Path) -> Iterator[Dagster]:
    """Use the instance of its home."""
    with dagster.DagsterInstance.get() as instance:
        yield Dagster(instance)


if __name__ == "__main__":
    talk.serve(opened)
