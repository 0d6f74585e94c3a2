"""Where rows, the journal and open orders are kept."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from pipelinekit.model.command import Command
from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact
from pipelinekit.model.move import Move
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.model.state import State

R = TypeVar("R", bound=Row)


class ConflictError(Exception):
    """Another process has written to the pipeline since its state was loaded."""


class FenceError(Exception):
    """An order was answered by an engine that no longer holds it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one pipeline's part of a commit consists of.

    Attributes:
        pipeline: Its name.
        seen: How many records of this pipeline the journal held when its state was loaded.
        events: What happened, in order.
        moves: For each event the changes of status that it brought.
        deleted: Whether all rows of the pipeline that there were are to go.
        forgotten: The executions whose rows are to go.
        rows: The rows that are new or changed.
        commands: What is to be done outside.
        answered: Orders that are done with.
        released: Orders that the owner gives back as they are, since it has not begun them.
        owner: The engine that holds the answered orders; None for a process that only asks.
        able: The action types, as text, of which the owner takes new orders at once; those of
            other types are nobody's until an engine that is able takes them.
    """

    pipeline: str
    seen: int
    events: tuple[Event, ...] = ()
    moves: tuple[tuple[Move, ...], ...] = ()
    deleted: bool = False
    forgotten: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    commands: tuple[Command, ...] = ()
    answered: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    owner: str | None = None
    able: Collection[str] = ()

    @property
    def records(self) -> Iterator[tuple[Event, tuple[Move, ...]]]:
        """Go through the events, each with the changes of status that it brought."""
        return zip(self.events, self.moves or ((),) * len(self.events), strict=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """An open order that an engine has taken.

    Attributes:
        order: What to do.
        halt: Whether whatever runs for it is to be ended instead.
        inherited: Whether another engine, now dead, held it before.
    """

    order: Order
    halt: bool = False
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the journal.

    Attributes:
        number: Counts up over all pipelines; later records have greater ones.
        moves: The changes of status that the event brought, in order.
        digest: SHA-256 over the digest before and this record's body, hexadecimal.
    """

    number: int
    digest: str
    event: Event
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows are looked for; what is None does not matter.

    Attributes:
        prefix: The beginning of an id.
        since: The earliest start, UTC.
        until: The start of those that are looked for is before this time, UTC.
        before: The last row of a page: those are looked for that follow it, where all else of
            the query is the same.
        limit: The most rows.
    """

    pipeline: str | None = None
    execution: str | None = None
    stage: str | None = None
    version: int | None = None
    id: str | None = None
    prefix: str | None = None
    ended: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Row | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the journal was cut off.

    Attributes:
        number: Of the last record that is gone; 0 when none is.
        digest: Of that record: the next one is chained to it.
        at: When it was cut, UTC; None when it never was.
        by: Who did it.
    """

    number: int
    digest: str
    at: datetime | None = None
    by: str = ""


class Past(Protocol):
    """What housekeeping asks of a store, and does to it; executions are forgotten by `commit`."""

    def count(self, kind: type[Row], query: Query) -> int:
        """Count rows without reading them."""
        ...

    def strangers(self, ids: Collection[str], without: Collection[str] = ()) -> set[str]:
        """Tell which ids are those of no action or rule that was ever begun.

        Args:
            ids: The ids.
            without: Executions whose actions and rules do not count.
        """
        ...

    def objects(self, without: Collection[str] = ()) -> Iterator[Artifact]:
        """Go through the artifacts that are referred to, some of them many times.

        Args:
            without: Executions whose rows do not count.
        """
        ...

    def anchor(self) -> Anchor:
        """Tell what the journal's first record is chained to."""
        ...

    def first_since(self, at: datetime) -> int:
        """Give the number of the first record of a time, UTC, or later; else that of the last."""
        ...

    def check(self) -> int:
        """Check the journal's chain from its anchor to its end, and count its records.

        Raises:
            StoreError: It is broken; the message names the record.
        """
        ...

    def cut(self, first: int, at: datetime, by: str) -> int:
        """Remove the journal's records up to a number, many at a time, each batch whole.

        Args:
            first: The number of the record that is to be the first one.
            at: The present time, UTC.
            by: Who cuts.

        Returns:
            How many were removed.

        Raises:
            StoreError: The chain is broken there; the broken part is not removed.
        """
        ...


class Store(Protocol):
    """A store: one class, seven verbs.

    Attributes:
        past: For housekeeping.
    """

    @property
    def past(self) -> Past: ...  # noqa: D102 - see above

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        """Give a pipeline's rows and how many records of it the journal holds.

        Args:
            pipeline: Its name; a pipeline that is not there has no rows and no records.
            execution: An execution to include although it has ended.
        """
        ...

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all of it, durably, or nothing.

        Raises:
            ConflictError: A pipeline has other records than those that were seen.
            FenceError: An answered order is not held by the entry's owner.
        """
        ...

    def take(
        self, owner: str, dead: Collection[str], able: Collection[str], at: datetime
    ) -> Sequence[Claim]:
        """Hand out open orders: those that nobody living holds and that are for the taker.

        For it are orders of the types that it can carry out, and orders of any type that are to
        be halted or whose deadline is past. What a dead engine held and the taker does not take
        is nobody's from now on. Orders of the taker itself that another process wants halted are
        handed out too.

        Args:
            owner: Who takes them.
            dead: Engines that are known to be dead.
            able: The action types, as text, that the taker can carry out.
            at: The present time, UTC.
        """
        ...

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first."""
        ...

    def tail(self, after: int | None, limit: int | None = None) -> Sequence[Record]:
        """Read the journal's records with numbers greater than `after`, in order.

        Args:
            after: That number; when None only the very last record is read.
            limit: The most records to read.
        """
        ...

    def version(self) -> int:
        """Give a number that changes whenever another process has written."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
