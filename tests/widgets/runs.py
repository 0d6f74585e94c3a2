"""Runs whose rows are written by hand into a real store, so that they stand as a test wants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pipelinekit.kit.control import Control
from pipelinekit.kit.home import Home
from pipelinekit.kit.run import Run
from pipelinekit.model.event import Event
from pipelinekit.model.execution import (
    ActionExecution,
    Cause,
    Definition,
    PipelineExecution,
    StageExecution,
)
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.row import Row
from pipelinekit.model.status import StageStatus, TriggerType
from pipelinekit.ports.store import Entry, Store
from pipelinekit.runtime.worker import Worker
from pipelinekit.store.sql import open_store

START = datetime(2026, 1, 5, 14, 3, tzinfo=UTC)
ID = "9b2d6f0a-2c1f-4e57-8c43-6c1a2b3c4d5e"


@dataclass
class Onlooker:
    """A control that reads and decides nothing."""

    home: Home
    store: Store
    by: str = "ann"
    worker: Worker | None = None

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Refuse: a drawing must not ask for anything to happen."""
        raise AssertionError(f"a drawing asked for {wish} {pipeline} {members}")

    def engine_alive(self) -> bool:
        """Tell that no engine is at work."""
        return False


def as_control(onlooker: Onlooker) -> Control:
    """Let mypy prove that the fake is a whole control."""
    return onlooker


def execution(pipeline: Pipeline, **changes: Any) -> PipelineExecution:
    """Make the first execution of a pipeline, in its first stage, with some members changed."""
    row = PipelineExecution(
        id=ID,
        pipeline=pipeline.name,
        number=1,
        version=pipeline.version,
        mode=pipeline.mode,
        cause=Cause(TriggerType.START_PIPELINE_EXECUTION, "ann"),
        started=START,
        updated=START + timedelta(minutes=9),
        stage=pipeline.stages[0].name,
    )
    return replace(row, **changes)


def entered(pipeline: Pipeline, stage: str, status: StageStatus) -> StageExecution:
    """Make a stage's row; it took 95 seconds."""
    end = START + timedelta(seconds=95)
    return StageExecution(pipeline.name, ID, stage, START, end, status)


def attempted(pipeline: Pipeline, stage: str, action: str, **changes: Any) -> ActionExecution:
    """Make an action's row, with some members changed; it took 41.3 seconds."""
    declared = next(each.action(action) for each in pipeline.stages if each.name == stage)
    assert declared is not None
    row = ActionExecution(
        id=f"{stage}-{action}",
        pipeline=pipeline.name,
        execution=ID,
        stage=stage,
        action=action,
        type=declared.type,
        version=pipeline.version,
        started=START,
        updated=START + timedelta(seconds=41.3),
        resolved=declared.configuration,
    )
    return replace(row, **changes)


class Book:
    """A store in a folder, that rows and logs are written into.

    Args:
        folder: Of the store.
    """

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder, f"sqlite:///{folder / 'pipelinekit.db'}")
        self.store = open_store(self.home.database)

    def run(
        self,
        pipeline: Pipeline,
        *rows: Row,
        logs: Mapping[str, str] | None = None,
    ) -> Run:
        """Write down what happened, and give the run that it happened in.

        Args:
            pipeline: What ran.
            rows: The execution, its parts, and what is around it.
            logs: The text of the log, by the attempt's id.
        """
        definition = Definition(pipeline.name, pipeline.version, pipeline, START)
        self.store.commit([Entry(pipeline.name, 0, rows=(definition, *rows))])
        for attempt, text in (logs or {}).items():
            log = self.home.jobs / attempt / "log"
            log.parent.mkdir(parents=True)
            log.write_text(text, encoding="utf-8")
        return Run(as_control(Onlooker(self.home, self.store)), pipeline.name, ID)
