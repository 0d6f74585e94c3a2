"""What is new in an environment: the commits since what was released there before."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from pipelinekit.kit.promotion import released_to
from pipelinekit.kit.report_facts import Change, Since
from pipelinekit.kit.run import Run
from pipelinekit.model.execution import ActionExecution, StageExecution
from pipelinekit.model.noun import Noun
from pipelinekit.model.pipeline import Stage
from pipelinekit.model.status import ActionStatus, StageStatus
from pipelinekit.ports.store import Query, Store
from pipelinekit.tools.git.working_tree import TreeError, commits

PAGE = 100
MOST = 200
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

Row = TypeVar("Row", StageExecution, ActionExecution)


class Repositories(Noun):
    """Where commits can be looked up.

    Attributes:
        folder: The project's folder.
        clones: The folder of our own clones.
    """

    folder: Path
    clones: Path

    def changes(self, run: Run, source: str, since: str, until: str) -> tuple[Change, ...] | None:
        """List the commits of a source between two revisions; None where they are not reachable.

        Args:
            run: The execution, whose definition says where the source is.
            source: The source action.
            since: The revision of the release before.
            until: The revision of this one.
        """
        first, last = since.partition("+")[0], until.partition("+")[0]
        if not COMMIT.fullmatch(first) or not COMMIT.fullmatch(last):
            return None
        for place in self._places(run, source):
            try:
                found = commits(place, first, last, MOST)
            except TreeError:
                continue
            return tuple(Change(*each) for each in found)
        return None

    def _places(self, run: Run, source: str) -> Iterator[Path]:
        actions = chain.from_iterable(stage.actions for stage in run.definition.stages)
        given = next((each.configuration for each in actions if each.name == source), {})
        for key in ("Folder", "RepositoryUrl"):
            if key in given and (place := Path(self.folder, given[key])).is_dir():
                yield place
        if self.clones.is_dir():
            yield from (each for each in sorted(self.clones.iterdir()) if each.is_dir())


def since(store: Store, run: Run, repositories: Repositories) -> Iterator[Since]:
    """Tell for each environment that was reached what is new there.

    An environment of a release is what its notebook is named after; elsewhere it is a stage.
    """
    entered = {row.stage: row for row in run.stages}
    reached = {(row.stage, row.action): row for row in run.actions}
    for stage in run.definition.stages[1:]:
        released = released_to(stage)
        for name in released:
            if (row := reached.get((stage.name, name))) is not None:
                yield _compared(run, repositories, name, _last_action(store, row))
        if not released and stage.name in entered:
            before = _last_stage(store, stage, entered[stage.name])
            yield _compared(run, repositories, stage.name, before)


def _compared(run: Run, repositories: Repositories, place: str, before: str | None) -> Since:
    if before is None:
        return Since(place, "nothing was released there before")
    earlier = run.other(before).execution
    told = f"since #{earlier.number} of {earlier.started:%Y-%m-%d %H:%M} UTC"
    changes: list[Change] = []
    for source, revision in run.execution.revisions.items():
        old = earlier.revisions.get(source)
        if old is None or old.id == revision.id:
            continue
        found = repositories.changes(run, source, old.id, revision.id)
        if found is None:
            told += f"; the history of {source} cannot be reached here, which was at {old.id}"
        else:
            changes += found
    if earlier.revisions == run.execution.revisions:
        told += ": the same revision"
    return Since(place, told, tuple(changes))


def _last_action(store: Store, this: ActionExecution) -> str | None:
    def fits(row: ActionExecution) -> bool:
        same = row.action == this.action and row.execution != this.execution
        return same and row.status is ActionStatus.SUCCEEDED

    query = Query(pipeline=this.pipeline, until=this.started, limit=PAGE)
    return _last(store, ActionExecution, query, fits)


def _last_stage(store: Store, stage: Stage, this: StageExecution) -> str | None:
    def fits(row: StageExecution) -> bool:
        return row.execution != this.execution and row.status is StageStatus.SUCCEEDED

    query = Query(pipeline=this.pipeline, stage=stage.name, until=this.started, limit=PAGE)
    return _last(store, StageExecution, query, fits)


def _last(store: Store, kind: type[Row], query: Query, fits: Callable[[Row], bool]) -> str | None:
    page: Sequence[Row] = store.find(kind, query)
    while page:
        if (found := next(filter(fits, page), None)) is not None:
            return found.execution
        page = store.find(kind, replace(query, before=page[-1]))
    return None
