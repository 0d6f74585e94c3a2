"""Where rows, the journal and open orders are kept."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec import field

from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.event import Event
from pipelinekit.model.execution import Artifact
from pipelinekit.model.move import Move
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Order
from pipelinekit.model.row import Row
from pipelinekit.model.state import State

R = TypeVar("R", bound=Row | Order)


class ConflictError(Exception):
    """Another process has written to the pipeline since its state was loaded."""


class FenceError(Exception):
    """An order was answered by an engine that no longer holds it."""


class Entry(Noun):
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
        answered: Orders that are done with, each with the fence under which it was held.
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
    answered: Mapping[str, int] = field(default_factory=dict)
    released: tuple[str, ...] = ()
    owner: str | None = None
    able: Collection[str] = ()

    @property
    def for_others(self) -> bool:
        """Tell whether there is something in it for engines other than the owner."""
        return bool(self.released) or any(map(self._is_for_others, self.commands))

    def _is_for_others(self, command: Command) -> bool:
        match command:
            case Run(order):
                return self.owner is None or str(order.type) not in self.able
            case Halt():
                return True
            case Ask():
                return self.owner is None

    @property
    def records(self) -> Iterator[tuple[Event, tuple[Move, ...]]]:
        """Go through the events, each with the changes of status that it brought."""
        return zip(self.events, self.moves or ((),) * len(self.events), strict=True)


class Claim(Noun):
    """An open order that an engine has taken.

    Attributes:
        order: What to do, with the fence of this claim.
        halt: Whether whatever runs for it is to be ended instead.
        inherited: Whether another engine, now dead, held it before.
        elsewhere: Whether that engine worked at another place, whose runners nobody here sees.
    """

    order: Order
    halt: bool = False
    inherited: bool = False
    elsewhere: bool = False


class Taker(Noun):
    """An engine that takes orders.

    Attributes:
        owner: Its id.
        able: The action types, as text, that it can carry out.
        dead: Engines that are known to be dead.
        unsure: Whether it wants all that it holds, since it missed an answer of the store.
    """

    owner: str
    able: Collection[str] = ()
    dead: Collection[str] = ()
    unsure: bool = False


class Record(Noun):
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


class Query(Noun, kw_only=True):
    """Which rows are looked for; what is None does not matter.

    Attributes:
        prefix: The beginning of an id.
        type: The action type, as text, of open orders.
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
    type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: Row | None = None
    limit: int | None = None


class Anchor(Noun):
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

    def holders(self) -> Collection[str]:
        """Name the engines that hold orders."""
        ...

    def late(self, at: datetime) -> Sequence[Order]:
        """Give the orders that are to be dealt with by now: to be asked again, or out of time."""
        ...

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


class Leases(Protocol):
    """Who is alive of engines that cannot see each other, by the clock of the store.

    An engine renews its lease; whoever does so no longer counts as dead, and the others may take
    over what it held.
    """

    def renew(self, engine: str, place: str, seconds: float, *, at_work: bool = True) -> None:
        """Let an engine count as alive for so many seconds from now.

        Args:
            engine: Its id.
            place: Where it works: engines of one place see each other's runners.
            seconds: The length of the lease.
            at_work: Whether it takes orders; if not, what it left running is kept for an engine
                of its place until the lease ends.

        Raises:
            StoreError: The store cannot be written; the lease may be renewed all the same.
        """
        ...

    def dead(self) -> list[str]:
        """List the engines that hold orders and whose leases have ended."""
        ...

    def alive(self) -> bool:
        """Tell whether some engine is at work."""
        ...


class Hints(Protocol):
    """Lets engines that wait know soon that another process has written something for them."""

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have something called soon after each such commit, in another thread.

        A hint may be lost, and some are of no use: whoever listens has to look by itself too.

        Returns:
            What ends the listening.
        """
        ...


class Store(Protocol):
    """A store: one class, seven verbs.

    Attributes:
        past: For housekeeping.
        leases: Who is alive; None where all engines are on one host and see each other by locks.
        hints: Tells who waits that there is something; None where looking costs next to nothing.
    """

    @property
    def past(self) -> Past: ...  # noqa: D102 - see above

    @property
    def leases(self) -> Leases | None: ...  # noqa: D102 - see above

    @property
    def hints(self) -> Hints | None: ...  # noqa: D102 - see above

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        """Give a pipeline's rows and how many records of it the journal holds.

        Args:
            pipeline: Its name; a pipeline that is not there has no rows and no records.
            execution: An execution to include although it has ended.
        """
        ...

    def known(self, pipelines: Collection[str]) -> AbstractSet[str]:
        """Name those of some pipelines of which the journal holds records.

        Args:
            pipelines: Their names; no more than a commit has entries.
        """
        ...

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all of it, durably, or nothing.

        Raises:
            ConflictError: A pipeline has other records than those that were seen, or another
                process was in the way.
            StoreError: The store cannot be written, or its answer was lost: all or nothing of it
                is written, and only reading tells.
            FenceError: An answered order is not held by the entry's owner, or under another fence.
        """
        ...

    def take(self, taker: Taker, at: datetime) -> Sequence[Claim]:
        """Hand out open orders: those that nobody living holds and that are for the taker.

        For it are orders of the types that it can carry out, and orders of any type that are to
        be halted or whose deadline is past. What a dead engine held and the taker does not take
        is nobody's from now on; it waits for an engine of the dead one's place as long as one
        lives. Orders of the taker itself that another process wants halted are handed out too.
        An order's fence rises with each change of its owner.

        Args:
            taker: Who takes them.
            at: The present time, UTC.

        Raises:
            StoreError: The store cannot be written; the orders may be the taker's all the same.
        """
        ...

    def find(self, kind: type[R], query: Query) -> Sequence[R]:
        """Look up rows of a kind, the newest first; of orders those that no engine holds."""
        ...

    def tail(self, after: int | None, limit: int | None = None) -> Sequence[Record]:
        """Read the journal's records with numbers greater than `after`, in order.

        Args:
            after: That number; when None only the very last record is read.
            limit: The most records to read.
        """
        ...

    def version(self, *, own: bool = False) -> int:
        """Give a number that changes whenever another process has written.

        Args:
            own: Whether it changes with what this process writes too.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
