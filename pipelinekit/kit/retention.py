"""Housekeeping: what is older than somebody wants to keep goes, and nothing that is needed.

Rows go first, a few executions at a time, each few by an event in the journal; then the oldest
records of the journal; then whatever on the disk no row refers to. Whoever is killed in between
leaves only things that nobody refers to, and the next round removes them.
"""

import fcntl
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol

from pipelinekit.kit.home import Home
from pipelinekit.kit.previous import at_work_in, targets
from pipelinekit.kit.removed import Removed
from pipelinekit.kit.subscribers import FOLDER
from pipelinekit.kit.sweeper import Sweeper
from pipelinekit.model.errors import PipelineNotFound, ValidationError
from pipelinekit.model.event import Pruned
from pipelinekit.model.execution import Definition, PipelineExecution, PipelineRecord
from pipelinekit.ports.store import Query, Store
from pipelinekit.runtime.clock import new_id, now

BATCH = 100
"""How many executions go in one event: what others want to write comes in between."""


class Keeper(Protocol):
    """What housekeeping needs of a kit."""

    home: Home
    by: str
    store: Store

    def handle(self, event: Pruned) -> str:
        """Have an event decided."""
        ...


def tidy(kit: Keeper, older_than: timedelta, keep: int, *, dry_run: bool) -> Removed:
    """Remove what ended long ago and is not needed.

    Args:
        kit: Whose history and files they are.
        older_than: How long ago.
        keep: How many executions stay, for each stage, of those that succeeded in it on the
            current version of the definition, the newest.
        dry_run: Whether to tell only what would be removed.

    Raises:
        ValidationError: One of them is less than nothing.
    """
    if older_than < timedelta() or keep < 0:
        raise ValidationError(
            f"what is older than {older_than} was to be removed, keeping {keep} executions of "
            f"each stage; give a time from 0 days on, and a number from 0 on"
        )
    with _alone(kit.home, dry_run=dry_run):
        most = min(keep, sys.maxsize)  # as far as anything counts
        return _Round(kit, _before(older_than), most, dry_run=dry_run).go()


def _before(older_than: timedelta) -> datetime:
    try:
        return now() - older_than
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


class _Round:
    def __init__(self, kit: Keeper, before: datetime, keep: int, *, dry_run: bool) -> None:
        self._kit = kit
        self._past = kit.store.past
        self._keep = keep
        self._told = dict(_places(kit.home))
        self._held_by: tuple[str, ...] = ()
        self._removed = Removed(self._limit(before), dry_run, held_by=self._held_by)
        self._gone: set[str] = set()

    def go(self) -> Removed:
        removed = self._removed
        for record in self._kit.store.find(PipelineRecord, Query()):
            with suppress(PipelineNotFound):  # deleted in this moment
                self._prune(record.name)
        self._cut()
        sweeper = Sweeper(
            home=self._kit.home,
            past=self._past,
            before=removed.before.timestamp(),
            without=self._gone if removed.dry_run else (),
            dry=removed.dry_run,
        )
        if not removed.dry_run:
            sweeper.trash()
        removed.jobs = sweeper.jobs()
        removed.objects = sweeper.objects()
        removed.caches = sweeper.caches()
        left = self._past.count(PipelineExecution, Query())
        removed.executions_left = left - (removed.executions if removed.dry_run else 0)
        return removed

    def _limit(self, before: datetime) -> datetime:
        """Keep what a subscriber is still to be told of."""
        limit = before
        for name, number in self._told.items():
            untold = self._kit.store.tail(number, 1)
            if untold and untold[0].event.at < before:
                limit = min(limit, untold[0].event.at)
                self._held_by += (name,)
        return limit

    def _prune(self, pipeline: str) -> None:
        needed = set(self._needed(pipeline))
        old = self._old(pipeline)
        while page := list(islice(old, BATCH)):
            names = tuple(row.id for row in page if row.id not in needed)
            if names:
                self._forget(pipeline, names)

    def _forget(self, pipeline: str, executions: tuple[str, ...]) -> None:
        if self._removed.dry_run:
            self._gone.update(executions)
            self._removed.executions += len(executions)
            return
        event = Pruned(
            id=new_id(), pipeline=pipeline, at=now(), by=self._kit.by, executions=executions
        )
        self._removed.executions += int(self._kit.handle(event))

    def _old(self, pipeline: str) -> Iterator[PipelineExecution]:
        last: PipelineExecution | None = None
        limit = self._removed.before
        while True:
            query = Query(
                pipeline=pipeline, ended=True, until=limit, before=last, limit=10 * BATCH
            )
            rows = self._kit.store.find(PipelineExecution, query)
            yield from (row for row in rows if row.updated < limit)
            if not rows:
                return
            last = rows[-1]

    def _needed(self, pipeline: str) -> Iterator[str | None]:
        current = self._kit.store.find(Definition, Query(pipeline=pipeline, limit=1))
        for stage in current[0].body.stages if current else ():
            place = (self._kit.store, pipeline, stage.name)
            yield at_work_in(*place)
            yield from islice(targets(*place), self._keep)

    def _cut(self) -> None:
        removed = self._removed
        begin = self._past.first_since(removed.before)
        first = min([begin, *(number + 1 for number in self._told.values())])
        if removed.dry_run:
            removed.records = max(0, first - 1 - self._past.anchor().number)
        else:
            removed.records = self._past.cut(first, now(), self._kit.by)
        removed.anchor = self._past.anchor()


def _places(home: Home) -> Iterator[tuple[str, int]]:
    for file in (home.folder / FOLDER).glob("*.json"):
        yield file.stem, int(json.loads(file.read_text(encoding="utf-8")))


@contextmanager
def _alone(home: Home, *, dry_run: bool) -> Iterator[None]:
    """Let one round at a time remove things here; the next one waits."""
    if dry_run:
        yield
        return
    home.folder.mkdir(parents=True, exist_ok=True)
    with (home.folder / "gc.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
