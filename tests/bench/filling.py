"""Fills a store with a long history, row by row as an engine would have left it."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pipelinekit as pk
from pipelinekit.model.action import Action
from pipelinekit.model.event import Answered, Event, Reported
from pipelinekit.model.execution import (
    ActionExecution,
    Artifact,
    Cause,
    Definition,
    OutputVariables,
    PipelineExecution,
    PipelineRecord,
    Produced,
    Revision,
    StageExecution,
    StageState,
)
from pipelinekit.model.move import Move
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import ExecutionMode, Pipeline
from pipelinekit.model.row import Row
from pipelinekit.model.status import (
    ActionStatus,
    ApprovalStatus,
    PipelineStatus,
    StageStatus,
    TriggerType,
)
from pipelinekit.store.database import Connection, Value
from pipelinekit.store.migrations import make
from pipelinekit.store.places import file_of
from pipelinekit.store.schema import EVERY, HEADS, JOURNAL, TABLES
from pipelinekit.store.sql import open_store
from pipelinekit.store.sqlite import connect
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import record_text, text
from tests.bench.nothing import nothing, source

BIG = "shop"
"""The pipeline that has half of the history; nineteen others share the rest."""

SMALL = tuple(f"service-{number:02}" for number in range(19))
BATCH = 1_000
DAYS = 365
COMMIT = Revision("4f0c" * 10, "Say what is wrong, in one line")
CACHE = -400_000
"""The page cache while filling, in KiB as SQLite counts them: ids are spread over all indices."""


def pipeline(name: str) -> Pipeline:
    """Make a pipeline of ten actions in four stages, one of them an approval."""
    return (
        pk.Pipeline(name, mode=ExecutionMode.PARALLEL, version=1)
        >> pk.Stage("Source", source("Fetch"))
        >> pk.Stage("Gate", pk.approval("ok"))
        >> pk.Stage("Build", *(nothing(f"build-{number}") for number in range(4)))
        >> pk.Stage("Live", *(nothing(f"live-{number}") for number in range(4)))
    )


def fill(
    url: str,
    actions: int,
    end: datetime | None = None,
    pipelines: Sequence[Pipeline] = (),
) -> None:
    """Fill a new store with so many action executions, spread evenly over a year.

    Args:
        url: Of a store that is not there yet.
        actions: How many; one in ten executions failed in its last one.
        end: When the history ends, UTC; now when None.
        pipelines: The first has half of the history, the others share the rest; all have equally
            many actions. Twenty of ten actions when empty.
    """
    made = pipelines or [pipeline(name) for name in (BIG, *SMALL)]
    open_store(url).close()
    with _opened(url) as connection:
        _without_indices(_Filling(connection, actions, end or datetime.now(UTC), made))


@contextmanager
def _opened(url: str) -> Iterator[Connection]:
    """Give a connection that is in a transaction at each time."""
    file = file_of(url)
    if file is not None:
        connection = connect(file)
        with closing(connection.handle):
            connection.run("PRAGMA synchronous=OFF")
            connection.run(f"PRAGMA cache_size={CACHE}")
            connection.run("BEGIN")
            yield connection
            connection.run("COMMIT")
        return
    from pipelinekit.store.postgres import Session, engine_of

    engine = engine_of(url)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as inner:
        session = Session(inner)
        session.run("BEGIN")
        yield session
        session.run("COMMIT")
        session.run("ANALYZE")  # what the server does by itself in a year
    engine.dispose()


def _without_indices(filling: "_Filling") -> None:
    connection = filling.connection
    for index in (name for table in EVERY for name in table.indices):
        connection.run(f"DROP INDEX {index}")
    filling.fill()
    make(connection, EVERY)


class _Line(NamedTuple):
    pipeline: str
    number: int
    started: datetime


class _Filling:
    def __init__(
        self, connection: Connection, actions: int, end: datetime, made: Sequence[Pipeline]
    ) -> None:
        self.connection = connection
        self._each = sum(len(stage.actions) for stage in made[0].stages)
        self._executions = actions // self._each
        self._end = end
        self._dice = random.Random(7)
        self._made = {each.name: each for each in made}
        self._counts = dict.fromkeys(self._made, 0)
        self._last: dict[str, str] = {}
        self._rows: dict[type[Row], list[tuple[Value, ...]]] = {}
        self._records: list[tuple[Value, ...]] = []
        self._number, self._digest = 0, EMPTY_DIGEST

    def fill(self) -> None:
        step = timedelta(days=DAYS) / self._executions
        big, *small = self._made
        for place in range(self._executions):
            name = big if place % 2 else self._dice.choice(small)
            self._counts[name] += 1
            began = self._end - step * (self._executions - place)
            self._execution(_Line(name, self._counts[name], began))
            if place % BATCH == BATCH - 1:
                self._write()
        for made in self._made.values():
            self._ended(made)
        self._write()
        heads = [(name, count * self._each) for name, count in self._counts.items()]
        self.connection.run_many(HEADS.insert, heads)

    def _execution(self, line: _Line) -> None:
        made = self._made[line.pipeline]
        failed = self._dice.randrange(10) == 0
        run = PipelineExecution(
            id=self._id(),
            pipeline=made.name,
            number=line.number,
            version=1,
            mode=made.mode,
            cause=Cause(TriggerType.START_PIPELINE_EXECUTION, "ann"),
            started=line.started,
            updated=line.started + timedelta(minutes=10),
            stage="Live",
            status=PipelineStatus.FAILED if failed else PipelineStatus.SUCCEEDED,
            revisions={"Fetch": COMMIT},
        )
        self._last[made.name] = run.id
        self._keep(run)
        self._keep(OutputVariables(made.name, run.id, "Fetch", {"CommitId": COMMIT.id}))
        for place, stage in enumerate(made.stages):
            at = line.started + timedelta(minutes=2 * place)
            end = at + timedelta(seconds=90)
            bad = failed and stage.name == "Live"
            status = StageStatus.FAILED if bad else StageStatus.SUCCEEDED
            self._keep(StageExecution(made.name, run.id, stage.name, at, end, status))
            for action in stage.actions:
                self._action(run, stage.name, action, at)

    def _action(self, run: PipelineExecution, stage: str, action: Action, at: datetime) -> None:
        key = f"{run.pipeline}/{action.name[:10]}/{self._dice.getrandbits(40):x}"
        written = Artifact(action.name, "pipelinekit-artifacts", key, "0af1" * 16, 123_456)
        bad = run.status is PipelineStatus.FAILED and action.name == "live-3"
        gate = stage == "Gate"
        row = ActionExecution(
            id=self._id(),
            pipeline=run.pipeline,
            execution=run.id,
            stage=stage,
            action=action.name,
            type=action.type,
            version=1,
            started=at,
            updated=at + timedelta(seconds=self._dice.randrange(5, 90)),
            status=ActionStatus.FAILED if bad else ActionStatus.SUCCEEDED,
            resolved=action.configuration,
            outputs=() if gate else (written,),
            token=self._id() if gate else None,
            by="ann" if gate else "",
            summary="41 tests passed, 0 failed, 3 skipped",
        )
        self._keep(row)
        if stage in {"Source", "Build"}:
            self._keep(Produced(run.pipeline, run.id, written))
        self._record(_event(row, self._id()), Move(run.id, row.status, stage, row.action, row.id))

    def _ended(self, made: Pipeline) -> None:
        count, last = self._counts[made.name], self._last.get(made.name)
        begun = self._end - timedelta(days=DAYS)
        self._keep(PipelineRecord(made.name, 1, begun, begun, count))
        self._keep(Definition(made.name, 1, made, begun, "ann"))
        for stage in made.stages:
            self._keep(StageState(made.name, stage.name, latest=last, good=last))

    def _id(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _keep(self, row: Row) -> None:
        values = (*TABLES[type(row)].columns(row), text(row))
        self._rows.setdefault(type(row), []).append(values)

    def _record(self, event: Event, move: Move) -> None:
        body = record_text(event, (move,))
        self._number, self._digest = self._number + 1, chained(self._digest, body)
        self._records.append((self._number, event.pipeline, body, self._digest))

    def _write(self) -> None:
        for kind, rows in self._rows.items():
            self.connection.run_many(TABLES[kind].table.insert, rows)
        self.connection.run_many(JOURNAL.insert, self._records)
        self.connection.run("COMMIT")
        self.connection.run("BEGIN")
        self._rows, self._records = {}, []


def _event(row: ActionExecution, identity: str) -> Event:
    if row.token is not None:
        return Answered(
            id=identity,
            pipeline=row.pipeline,
            at=row.updated,
            by=row.by,
            execution=row.execution,
            stage=row.stage,
            action=row.action,
            token=row.token,
            status=ApprovalStatus.APPROVED,
        )
    return Reported(
        id=identity,
        pipeline=row.pipeline,
        at=row.updated,
        by=str(row.type),
        execution=row.execution,
        stage=row.stage,
        action=row.action,
        action_execution=row.id,
        outcome=Succeeded(summary=row.summary),
    )
