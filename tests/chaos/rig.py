"""An engine of the product's own parts, wired for the harness: quick to start, open to faults."""

import getpass
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.kit.errand import written
from pipelinekit.kit.home import Home
from pipelinekit.kit.run import Run
from pipelinekit.kit.runners import prepared
from pipelinekit.model.event import Defined, Event, Started
from pipelinekit.model.execution import Cause, PipelineExecution
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Settings
from pipelinekit.model.status import TriggerType
from pipelinekit.ports.provider import DECLARED
from pipelinekit.ports.store import Query, Store
from pipelinekit.runtime.clock import new_id, now
from pipelinekit.runtime.courier import Courier
from pipelinekit.runtime.desk import Asked, Desk
from pipelinekit.runtime.engines import Incarnation, alive
from pipelinekit.runtime.hands import Done, Hands, Place
from pipelinekit.runtime.worker import Worker
from pipelinekit.store.sql import open_store
from tests.chaos.deeds import TARGET
from tests.chaos.ledger import note


@dataclass(frozen=True, slots=True)
class Site:
    """Where a trial takes place.

    Attributes:
        folder: A folder of its own, for everything.
        url: Of the store.
    """

    folder: Path
    url: str

    @property
    def home(self) -> Home:
        """Give the home of the engines."""
        return Home(self.folder / "home", self.url)

    @property
    def leased(self) -> bool:
        """Tell whether engines have leases here."""
        return self.url.startswith("postgresql")

    @property
    def ledger(self) -> Path:
        """Give the file of the ledger."""
        return self.folder / "ledger"


def as_it_is(store: Store) -> Store:
    """Leave a store alone."""
    return store


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a fault puts in the place of the usual parts.

    Attributes:
        wrap: Puts something round the store.
        clock: Tells the time.
        work: Whether there is an engine, or only somebody who asks.
        url: Another way to the store, which a fault is done to.
    """

    wrap: Callable[[Store], Store] = as_it_is
    clock: Callable[[], datetime] = now
    work: bool = True
    url: str = ""


@dataclass
class Rig:
    """An engine at a site, until it is closed; what it acknowledges stands in the ledger."""

    site: Site
    parts: Parts = field(default_factory=Parts)
    by: str = field(default_factory=getpass.getuser)

    def __post_init__(self) -> None:
        self.home = self.site.home
        self.store = self.parts.wrap(open_store(self.parts.url or self.home.database))
        self.worker = self._engine() if self.parts.work else None
        self._desk = Desk(self.store)
        place = self.home.folder / "subscribers" / "nobody.json"
        self._courier = Courier(self.store, _ignore, place) if self.parts.work else None
        note("alive" if self.parts.work else "asking")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the engine."""
        if self.worker is not None:
            self.worker.close()
        if self._courier is not None:
            self._courier.close()
        self.store.close()

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Have a wish decided."""
        event = wish(id=new_id(), pipeline=pipeline, at=self.parts.clock(), by=self.by, **members)
        if self.worker is not None:
            return self.worker.handle(event)
        answer = self._desk.settle([Asked(event)]).answers[0]
        if isinstance(answer, str):
            return answer
        raise answer

    def engine_alive(self) -> bool:
        """Tell whether some engine is at work here."""
        return alive(self.home.engines, self.store.leases)

    def define(self, pipelines: Iterable[Pipeline]) -> None:
        """Write pipelines down, where they are not."""
        for pipeline in pipelines:
            self.ask(Defined, pipeline.name, definition=pipeline, unless_same=True)

    def start(self, pipeline: str, token: str) -> Run:
        """Start a pipeline, and note that it was acknowledged."""
        cause = Cause(TriggerType.START_PIPELINE_EXECUTION, self.by)
        execution = self.ask(Started, pipeline, cause=cause, token=token)
        note("ack", call="start", pipeline=pipeline, token=token, execution=execution)
        return Run(self, pipeline, execution)

    def approve(self, run: Run, action: str) -> None:
        """Approve, and note that it was acknowledged."""
        run.approve(action=action)
        note("ack", call="answer", execution=run.id, action=action)

    def abandon(self, run: Run) -> None:
        """Stop an execution at once, and note that it was acknowledged."""
        run.stop(abandon=True)
        note("ack", call="stop", execution=run.id)

    def under_way(self) -> Sequence[Run]:
        """List the executions that have not ended."""
        rows = self.store.find(PipelineExecution, Query(ended=False))
        return [Run(self, row.pipeline, row.id) for row in rows]

    def _engine(self) -> Worker:
        settings = Settings(folder=str(self.site.folder))
        place = Place(
            jobs=self.home.jobs,
            artifacts=FolderArtifacts(self.home.artifacts),
            settings=settings,
            target=TARGET,
            payload=written(self.home.jobs, self.home.artifacts, settings),
            spawner=prepared(self.home.jobs, [TARGET.partition(":")[0]]),
        )

        def hands(done: Done) -> Hands:
            return Hands(place, DECLARED, done)

        holders = self.store.past.holders
        incarnation = Incarnation(self.home.engines, new_id(), self.store.leases, holders)
        return Worker(self.store, incarnation, hands, self.parts.clock)


def _ignore(_event: object) -> None:
    return
