"""DBOS on SQLite with WAL and synchronous FULL, or on the PostgreSQL that `DBOS_URL` names."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dbos import DBOS
from sqlalchemy import Engine, event

from tests.bench.peers import talk

FLOW = "risked"


@event.listens_for(Engine, "connect")
def durable(connection: object, _record: object) -> None:
    """Have SQLite sync as this engine does: DBOS leaves the journal as it finds it."""
    if type(connection).__module__.startswith("sqlite3"):
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")


@DBOS.step()
def step() -> None:
    """Do nothing."""


@DBOS.step()
async def step_beside() -> None:
    """Do nothing, beside others."""


@DBOS.step()
async def risky(effects: str, name: str) -> None:
    """Have an effect."""
    await asyncio.to_thread(talk.happen, Path(effects), name)


@DBOS.workflow()
async def flow(stages: int, actions: int) -> None:
    """Run steps side by side in stages: as coroutines, which is the fastest of its ways."""
    for _ in range(stages):
        await asyncio.gather(*(step_beside() for _ in range(actions)))


@DBOS.workflow()
def line(stages: int) -> None:
    """Run steps one after the other."""
    for _ in range(stages):
        step()


@DBOS.workflow()
async def risk(effects: str) -> None:
    """Run steps that have effects."""
    stages, actions = talk.RISKED
    for stage in range(stages):
        await asyncio.gather(*(risky(effects, f"{stage}.{each}") for each in range(actions)))


class Dbos:
    """DBOS, launched."""

    def run(self, stages: int, actions: int) -> None:
        """Run a workflow of coroutines."""
        asyncio.run(flow(stages, actions))

    def many(self, executions: int, stages: int) -> None:
        """Run workflows one after the other, which is faster than all at once."""
        for _ in range(executions):
            line(stages)

    def risk(self, effects: Path) -> None:
        """Start a workflow."""
        asyncio.run(self._risk(effects))

    async def _risk(self, effects: Path) -> None:
        await (await DBOS.start_workflow_async(risk, str(effects))).get_result()

    def resume(self, effects: Path) -> None:
        """Wait for the workflow that the launch has found."""
        del effects
        (pending,) = DBOS.list_workflows(name=risk.__qualname__)
        DBOS.retrieve_workflow(pending.workflow_id).get_result()


@contextmanager
def opened(home: Path) -> Iterator[Dbos]:
    """Launch it."""
    url = os.environ.get("DBOS_URL") or f"sqlite:///{home}/dbos.db"
    DBOS(config={"name": "bench", "system_database_url": url, "log_level": "ERROR"})
    DBOS.launch()
    yield Dbos()
    DBOS.destroy()


if __name__ == "__main__":
    talk.serve(opened)
