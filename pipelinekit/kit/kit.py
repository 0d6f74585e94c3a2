"""The Kit: a release environment on this machine."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from msgspec.structs import replace

from pipelinekit import analytics
from pipelinekit.engine.planned import Plan
from pipelinekit.engine.secrets import unmasked
from pipelinekit.kit.home import Home
from pipelinekit.kit.local import LocalControl
from pipelinekit.kit.previous import previous
from pipelinekit.kit.removed import Removed
from pipelinekit.kit.run import Run
from pipelinekit.kit.runners import needed, prepared
from pipelinekit.kit.settings_file import load_settings
from pipelinekit.kit.subscribers import configured, place_file
from pipelinekit.model.errors import ExecutionNotFound, ValidationError
from pipelinekit.model.event import (
    Defined,
    Deleted,
    RollbackRequested,
    TransitionChanged,
)
from pipelinekit.model.execution import Cause, PipelineExecution
from pipelinekit.model.noun import shown
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.settings import Settings
from pipelinekit.model.status import TriggerType
from pipelinekit.ports.control import StartWith
from pipelinekit.ports.store import Query
from pipelinekit.providers import LIKELY
from pipelinekit.runtime.clock import now
from pipelinekit.runtime.courier import Courier
from pipelinekit.runtime.engines import alive
from pipelinekit.tools.commands.surroundings import user
from pipelinekit.tools.loading import loading
from pipelinekit.wire import codepipeline
from pipelinekit.wire.eventbridge import Subscriber

MOST_FITTING = 100
"""How many executions that begin in the same way are counted."""


class Kit(LocalControl):
    """A release environment: a store, an artifact folder, and an engine at work.

    ```python
    with pk.Kit() as kit:
        run = kit.start(shop).wait()
    ```

    Args:
        home: The folder of its state; `PIPELINEKIT_HOME` or `.pipelinekit` when None.
        settings: About its surroundings; those of `pipelinekit.toml` here when None.
        work: Whether an engine is to run; without one the kit only asks and looks, and another
            process does the work.
        by: Who acts through this kit; `PIPELINEKIT_USER` or the user's login name when None.

    Raises:
        StoreError: The store cannot be opened.
        SettingsError: The settings file has a fault.
        ValidationError: The settings are something else.
    """

    def __init__(
        self,
        home: Path | str | None = None,
        *,
        settings: Settings | None = None,
        work: bool = True,
        by: str | None = None,
    ) -> None:
        if settings is not None and not isinstance(settings, Settings):
            raise ValidationError(
                f"Kit(settings=...) was given {shown(settings)}; write Settings(...), or leave it "
                f"out to take those of pipelinekit.toml"
            )
        found, wished = Home.find(home), settings or load_settings(Path.cwd())
        who = by or os.environ.get("PIPELINEKIT_USER") or user()
        told = list(configured(wished)) if work else []
        if work:
            found.take()
        with ExitStack() as opened:
            # First, for its helper comes up while the rest is loaded and the store is opened.
            spawner = prepared(found.jobs, needed(wished), LIKELY) if work else None
            if spawner:
                opened.enter_context(spawner)
            with loading():
                from pipelinekit.store.sql import open_store  # noqa: PLC0415 - that takes its time

                if spawner:
                    from pipelinekit.kit.at_work import engine  # noqa: PLC0415 - and that

            wished = replace(wished, folder=str(Path(wished.folder).absolute()))  # runners move
            super().__init__(found, wished, who, open_store(found.database))
            if spawner:
                self.worker = engine(self, spawner, self._start_other)
            opened.pop_all()
        self._couriers: list[Courier] = []
        for name, subscriber in told:
            self.subscribe(subscriber, name)

    def __repr__(self) -> str:
        at_work = "at work" if self.worker is not None and self.worker.alive else "only asking"
        return f"Kit({str(self.home.folder)!r}, by={self.by!r}, {at_work})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the engine and close the store; actions in processes of their own go on.

        Functions have four seconds to end. One that takes longer goes on too, but what it does
        counts for nothing: once it has ended, the next engine takes its action up; one at another
        place, on PostgreSQL, after a minute.
        """
        if self.worker is not None:
            self.worker.close()
        for courier in self._couriers:
            courier.close()
        self.store.close()

    def define(self, pipeline: Pipeline) -> Pipeline:
        """Create a pipeline, or give it a new version where it differs from the stored one.

        A new version cancels the executions under way, as UpdatePipeline does.

        Returns:
            The pipeline with its version.

        Raises:
            DefinitionError: It has faults.
            ValidationError: It is no pipeline.
        """
        _refuse_others("define", pipeline, Pipeline)
        before = self._current(pipeline.name)
        self.check(pipeline, before)
        definition = codepipeline.read(codepipeline.write(pipeline))  # lists or tuples: the same
        definition = unmasked(definition, before, self.types(definition))
        version = self.ask(Defined, pipeline.name, definition=definition, unless_same=True)
        return replace(definition, version=int(version))

    def start(
        self,
        pipeline: Pipeline | str,
        *,
        variables: Mapping[str, str] | None = None,
        revisions: Mapping[str, str] | None = None,
        object_keys: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Run:
        """Start an execution.

        Args:
            pipeline: A pipeline, which is defined first where that is needed; or a name.
            variables: Values for pipeline variables.
            revisions: Commits that source actions are to take, by action name.
            object_keys: S3 objects that sources are to take instead of their own, likewise.
            token: A client request token: the same one again gives the same execution.

        Raises:
            CannotRunHere: An action cannot run on this machine; the message says what to do.
            DefinitionError: The definition has faults.
            PipelineNotFound: No pipeline has that name.
            ValidationError: It is neither a pipeline nor a name, or a variable or a revision does
                not fit the definition.
        """
        _refuse_others("start", pipeline, Pipeline, str)
        given = StartWith(variables or {}, revisions or {}, object_keys or {}, token)
        if not isinstance(pipeline, str):
            self.check(pipeline, self._current(pipeline.name))
            self.startable(pipeline, given)
            self.define(pipeline)  # only now: a start that is refused changes nothing
        name = pipeline if isinstance(pipeline, str) else pipeline.name
        cause = Cause(TriggerType.START_PIPELINE_EXECUTION, self.by)
        return Run(self, name, self.begin(name, cause, given))

    def plan(
        self,
        pipeline: Pipeline | str,
        *,
        variables: Mapping[str, str] | None = None,
        revisions: Mapping[str, str] | None = None,
        object_keys: Mapping[str, str] | None = None,
    ) -> Plan:
        """Tell what `start` would do with the same arguments; nothing is started or written.

        Args:
            pipeline: A pipeline, or the name of one.
            variables: Values for pipeline variables.
            revisions: Commits that source actions are to take, by action name.
            object_keys: S3 objects that sources are to take instead of their own, likewise.

        Raises:
            PipelineNotFound: No pipeline has that name.
            ValidationError: It is neither a pipeline nor a name.
        """
        _refuse_others("plan", pipeline, Pipeline, str)
        # Loads how builds are confined, which no start needs.
        from pipelinekit.kit.plan import Ground, planned, wish  # noqa: PLC0415

        definition = self.definition(pipeline) if isinstance(pipeline, str) else pipeline
        name = definition.name
        state, _ = self.store.load(name)
        ground = Ground(state, self._current(name), self.settings, self.types())
        start = wish(name, self.by, variables, revisions, object_keys)
        return planned(ground, definition, start)

    def rollback(self, pipeline: str, stage: str, to: Run | str | None = None) -> Run:
        """Run a stage again with what an earlier execution had there, in a new execution.

        Args:
            pipeline: The pipeline's name.
            stage: The stage, any but the first.
            to: That execution or its id; when None the latest that succeeded there, other than
                the one whose work is there.

        Raises:
            UnableToRollback: The stage cannot be rolled back, or not to that execution.
            ExecutionOutdated: The execution ran on an older version of the definition.
        """
        target = to.id if isinstance(to, Run) else to or previous(self.store, pipeline, stage)
        execution = self.ask(RollbackRequested, pipeline, stage=stage, target=target)
        return Run(self, pipeline, execution)

    def disable(self, pipeline: str, stage: str, reason: str, *, outbound: bool = False) -> None:
        """Let no execution enter a stage from now on.

        Args:
            pipeline: The pipeline's name.
            stage: The stage.
            reason: 1 to 300 letters, digits, spaces and `! @ ( ) . * ? -`.
            outbound: Whether the way out of the stage is meant instead.
        """
        turned = {"stage": stage, "inbound": not outbound, "enabled": False, "reason": reason}
        self.ask(TransitionChanged, pipeline, **turned)

    def enable(self, pipeline: str, stage: str, *, outbound: bool = False) -> None:
        """Let executions enter a stage again; whoever waits goes on, unless it waited 30 days."""
        turned = {"stage": stage, "inbound": not outbound, "enabled": True}
        self.ask(TransitionChanged, pipeline, **turned)

    def delete(self, pipeline: str) -> None:
        """Delete a pipeline with its definitions, its state and its history.

        Executions under way are ended; artifacts and logs stay. A name that no pipeline bears is
        no fault, as with DeletePipeline.
        """
        self.ask(Deleted, pipeline)

    def run(self, execution: str) -> Run:
        """Give an execution by its id, or by the beginning of it.

        Raises:
            ExecutionNotFound: No execution has that id, or several begin so.
        """
        if not execution:
            raise ExecutionNotFound(
                "an execution was asked for by an empty id, with which all begin; give the "
                "beginning of its id"
            )
        query = Query(prefix=execution, limit=MOST_FITTING)
        rows = self.store.find(PipelineExecution, query)
        found = [row for row in rows if row.id.startswith(execution)]
        if not found:
            raise ExecutionNotFound(
                f"execution {execution!r} was asked for and no id in {self.home.folder} begins "
                f"so; there are the pipelines {self._names()}; give the beginning of an id, as "
                f"their history lists it"
            )
        if found[1:]:
            many = len(found) if len(found) < MOST_FITTING else "many"
            raise ExecutionNotFound(
                f"execution {execution!r} was asked for and fits {many}; give more letters of its "
                f"id"
            )
        return Run(self, found[0].pipeline, found[0].id)

    def runs(
        self,
        pipeline: str | None = None,
        limit: int | None = None,
        before: Run | None = None,
    ) -> list[Run]:
        """List executions, the newest first.

        Args:
            pipeline: A name; all pipelines when None.
            limit: The most that are listed; all when None.
            before: The last one of a page, whose next page is listed.
        """
        last = before.execution if before else None
        query = Query(pipeline=pipeline, limit=limit, before=last)
        return [
            Run(self, row.pipeline, row.id) for row in self.store.find(PipelineExecution, query)
        ]

    def history(
        self, pipeline: str | None = None, days: float = 90, limit: int | None = None
    ) -> "analytics.History":
        """Give what happened in the last days, as frames; see `analytics.Past.of`."""
        return analytics.History(analytics.Past.of(self.store, pipeline, days, now(), limit))

    def gc(
        self, older_than: timedelta = timedelta(days=90), *, keep: int = 10, dry_run: bool = False
    ) -> Removed:
        """Remove executions, logs, artifacts, caches and journal records that are old.

        What has not ended, was the last in a stage or is gone back to by itself stays, however
        old it is. Others may be at work meanwhile.

        Args:
            older_than: How long ago an execution has to have ended.
            keep: How many executions stay of those that each stage can be rolled back to, besides
                the one whose work is there.
            dry_run: Whether to tell only what would be removed.

        Raises:
            ValidationError: One of them is less than nothing.
            StoreError: The journal's chain is broken where it was to be cut.
        """
        from pipelinekit.kit.retention import tidy  # noqa: PLC0415 - no engine waits for it

        return tidy(self, older_than, keep, dry_run=dry_run)

    def client(self) -> Any:  # noqa: ANN401 - boto3 makes the class of a client at run time
        """Give a boto3 client of CodePipeline that is answered by this kit, in this process."""
        from pipelinekit.kit.client import client  # noqa: PLC0415 - only who asks waits for it

        return client(self)

    def subscribe(self, subscriber: Subscriber, name: str | None = None) -> None:
        """Have a function told every change of state, as CodePipeline tells EventBridge.

        It is called in a thread of its own, after the commit, at least once for each event and in
        order; when it raises, it is told the same event again later. What an event says besides
        the change is as it stands when it is told; what was not yet told of a pipeline goes when
        that is deleted.

        Args:
            subscriber: A function of one argument: `detail-type`, `detail` and so on, as a dict.
            name: By which the subscription goes on where it was in the next process; without one
                it begins with what happens from now on.
        """
        file = place_file(self.home.folder, name) if name else None
        self._couriers.append(Courier(self.store, subscriber, file, name or ""))

    def engine_alive(self) -> bool:
        """Tell whether some process is at work on this kit's store."""
        mine = self.worker is not None and self.worker.alive
        return mine or alive(self.home.engines, self.store.leases)

    def _start_other(
        self,
        pipeline: str,
        variables: Mapping[str, str],
        revisions: Mapping[str, str],
        token: str,
    ) -> str:
        run = self.start(pipeline, variables=variables, revisions=revisions, token=token)
        return run.id


def _refuse_others(asked: str, given: object, *kinds: type) -> None:
    if not isinstance(given, kinds):
        names = " or its name" if str in kinds else ""
        raise ValidationError(
            f"{asked}(...) was given {shown(given)}; give a Pipeline(...) of stages{names}"
        )
