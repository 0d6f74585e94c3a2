"""The control of the local engine: what a kit does for people, faces and the API alike."""

import copy
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Self, TypeVar

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.engine.startable import startable
from pipelinekit.kit import ability
from pipelinekit.kit.control import Engine
from pipelinekit.kit.home import Home
from pipelinekit.kit.registry import action_type, action_types, discover
from pipelinekit.model.account import ACCOUNT, CustomType
from pipelinekit.model.action import ActionTypeId
from pipelinekit.model.actiontype import ActionType
from pipelinekit.model.errors import (
    CannotRunHere,
    DefinitionChanged,
    PipelineKitError,
    PipelineNotFound,
)
from pipelinekit.model.event import Event, Started
from pipelinekit.model.execution import Artifact, Cause, Definition, PipelineRecord
from pipelinekit.model.order import Order
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.row import Row
from pipelinekit.model.settings import Settings
from pipelinekit.ports.control import NOTHING, StartWith
from pipelinekit.ports.store import Query, Store
from pipelinekit.runtime.clock import new_id, now
from pipelinekit.tools.aws.key_file import secret_key

R = TypeVar("R", bound=Row | Order)

PORT = 8642
URL = f"http://127.0.0.1:{PORT}"
"""Where `pipelinekit serve` answers unless it is told otherwise."""

MOST_KNOWN = 256
"""How many definitions are kept that executions were started of."""


class LocalControl:
    """Asks the engine of this process, or the store that another one works on.

    See `ports.control.Control`.

    Args:
        home: The folder of its state.
        settings: About its surroundings.
        by: Who acts.
        store: Where everything is kept.
    """

    def __init__(self, home: Home, settings: Settings, by: str, store: Store) -> None:
        self.home = home
        self.settings = settings
        self.by = by
        self.url = URL
        self.store = store
        self.worker: Engine | None = None
        self._decided = cache(partial(_decided, store))
        self._known: dict[str, Definition] = {}
        self._key = cache(partial(secret_key, home.folder / "api.key"))

    def acting(self, by: str) -> Self:
        """Give the same control for somebody else who acts."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, by=by)
        return other

    @property
    def key(self) -> bytes:
        """Give a secret of this store."""
        return self._key()

    @property
    def uploads(self) -> Path:
        """Give a folder for what job workers upload."""
        return self.home.folder / "uploads"

    def handle(self, event: Event) -> str:
        """Have an event decided; the one door in.

        Raises:
            PipelineKitError: It was refused, and changed nothing.
        """
        if self.worker is not None:
            return self.worker.handle(event)
        answer = self._decided()(event)
        if isinstance(answer, str):
            return answer
        raise answer

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Have a wish of the person who acts through this kit decided.

        Args:
            wish: The kind of event, such as `StopRequested`.
            pipeline: The pipeline's name.
            members: What the event says besides.

        Raises:
            PipelineKitError: It was refused, and changed nothing.
        """
        event = wish(id=new_id(), pipeline=pipeline, at=now(), by=self.by, **members)
        return self.handle(event)

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        return self.store.find(kind, query)

    def begin(self, pipeline: Pipeline | str, cause: Cause, given: StartWith = NOTHING) -> str:
        """Start an execution of a pipeline that is defined; give its id."""
        if not isinstance(pipeline, str):
            return self._begin(pipeline, cause, given)
        if known := self._known.get(pipeline):
            with suppress(CannotRunHere, DefinitionChanged):  # it may have another by now
                return self._begin(known.body, cause, given, known.at)
        if len(self._known) == MOST_KNOWN:
            self._known.clear()
        known = self._known[pipeline] = self._defined(pipeline)
        return self._begin(known.body, cause, given)

    def startable(self, definition: Pipeline, given: StartWith) -> None:
        """Refuse a start that cannot be done here, or not with what was given."""
        self._runs_here(definition)
        startable(definition, given.variables, given.revisions, given.object_keys)

    def types(
        self, pipeline: Pipeline | None = None, *, deleted: bool = False
    ) -> Mapping[ActionTypeId, ActionType]:
        """Give every action type that a definition may use, or could."""
        if pipeline is None:
            return {**action_types(), **self._custom(deleted=deleted)}
        uses = _uses(pipeline)
        known = {each: kind for each in uses if (kind := action_type(each))}
        if len(known) == len(uses):
            return known
        return {**known, **self._custom(deleted=deleted)}

    def declared(self) -> AbstractSet[ActionTypeId]:
        """Name the action types that are carried out here, and by no job worker."""
        return discover().keys()

    def check(
        self, pipeline: Pipeline, previous: Pipeline | None, *, shaped: bool = False
    ) -> None:
        """Refuse a definition that CodePipeline would refuse."""
        known = action_types()
        there = all(each in known for each in _uses(pipeline))
        every = known if there else {**known, **self._custom()}
        ability.check(pipeline, previous, every, shaped=shaped)

    def definition(self, name: str) -> Pipeline:
        """Give the current definition of a pipeline, of which nobody else holds the same object.

        Raises:
            PipelineNotFound: No pipeline has that name.
        """
        return copy.deepcopy(self._defined(name).body)

    def pipelines(self) -> list[PipelineRecord]:
        """List the pipelines by name."""
        return sorted(self.store.find(PipelineRecord, Query()), key=lambda record: record.name)

    def object_file(self, artifact: Artifact) -> Path:
        """Give a file that holds an artifact, its digest checked just now."""
        return self._artifacts.get(artifact)

    def keep(self, artifact: Artifact, file: Path) -> Artifact:
        """Take a file as an artifact's object; give the artifact with digest and size."""
        return self._artifacts.put(artifact, file)

    @property
    def _artifacts(self) -> FolderArtifacts:
        return FolderArtifacts(self.home.artifacts)

    def _current(self, name: str) -> Pipeline | None:
        newest = self._newest(name)
        return newest.body if newest else None

    def _defined(self, name: str) -> Definition:
        newest = self._newest(name)
        if newest is None:
            raise PipelineNotFound(
                f"pipeline {name!r} was asked for and is not in {self.home.folder}; there are "
                f"{self._names()}"
            )
        return newest

    def _names(self) -> str:
        return ", ".join(record.name for record in self.pipelines()) or "none"

    def _newest(self, name: str) -> Definition | None:
        return next(iter(self.store.find(Definition, Query(pipeline=name, limit=1))), None)

    def _runs_here(self, definition: Pipeline) -> None:
        declared = self.declared()
        there = all(each in declared for each in _uses(definition))
        custom = {} if there else self._custom()
        ability.runs_here(definition, self.settings, custom)

    def _begin(
        self, definition: Pipeline, cause: Cause, given: StartWith, at: datetime | None = None
    ) -> str:
        self._runs_here(definition)
        return self.ask(
            Started,
            definition.name,
            cause=cause,
            variables=given.variables,
            revisions=given.revisions,
            object_keys=given.object_keys,
            token=given.token,
            told=given.told,
            limits=ability.limits(definition),
            defined=at,
        )

    def _custom(self, *, deleted: bool = False) -> Mapping[ActionTypeId, ActionType]:
        rows = self.store.find(CustomType, Query(pipeline=ACCOUNT))
        return {row.id: row.type for row in rows if deleted or not row.deleted}


def _decided(store: Store) -> Callable[[Event], str | PipelineKitError]:
    # Loads the rules of the engine, which nobody needs who only looks.
    from pipelinekit.runtime.desk import Asked, Desk  # noqa: PLC0415

    desk = Desk(store)
    return lambda event: desk.settle([Asked(event)]).answers[0]


def _uses(pipeline: Pipeline) -> set[ActionTypeId]:
    return {action.type for stage in pipeline.stages for action in stage.actions}
