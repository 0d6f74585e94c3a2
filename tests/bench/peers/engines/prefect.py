"""Prefect with the server that it starts by itself, on SQLite as that server sets it up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import flow, task

from tests.bench.peers import talk


@task
def nothing() -> None:
    """Do nothing."""


@flow
def staged(stages: int, actions: int) -> None:
    """Run tasks side by side in stages."""
    for _ in range(stages):
        for future in [nothing.submit() for _ in range(actions)]:
            future.result()


class Prefect:
    """Prefect, with its server."""

    def run(self, stages: int, actions: int) -> None:
        """Run a flow."""
        staged(stages, actions)

    def many(self, executions: int, stages: int) -> None:
        """Run one after the other."""
        for _ in range(executions):
            staged(stages, 1)


@contextmanager
def opened(_home: Path) -> Iterator[Prefect]:
    """Use it; its server starts with the first flow."""
    yield Prefect()


if __name__ == "__main__":
    talk.serve(opened)
