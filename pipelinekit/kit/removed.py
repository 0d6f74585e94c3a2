"""What housekeeping has removed, or would, and how that is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pipelinekit.ports.store import Anchor
from pipelinekit.wire.words import SHORT_ID

MEGABYTE = 1_000_000


@dataclass(slots=True)
class Heap:
    """Things on the disk that were removed, or would be.

    Attributes:
        count: How many.
        bytes: How much room they took.
        left: Those that could not be removed, each with the reason.
    """

    count: int = 0
    bytes: int = 0
    left: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Removed:
    """What was removed, or would be; its text says so in lines.

    Attributes:
        before: What ended before this time was looked at, UTC.
        dry_run: Whether nothing was removed.
        executions: How many executions were forgotten, with their stages, actions and products.
        executions_left: How many there are now, or would be.
        records: How many records of the journal.
        anchor: What the journal's first record is chained to; of a dry run what it is now.
        jobs: The folders of jobs, with their logs.
        objects: The objects of artifacts.
        caches: The caches of builds.
        held_by: Subscribers that are told of old records first, so that these stay.
    """

    before: datetime
    dry_run: bool
    executions: int = 0
    executions_left: int = 0
    records: int = 0
    anchor: Anchor = field(default_factory=lambda: Anchor(0, ""))
    jobs: Heap = field(default_factory=Heap)
    objects: Heap = field(default_factory=Heap)
    caches: Heap = field(default_factory=Heap)
    held_by: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Give the room on the disk that is free now; that in the database is not counted."""
        return self.jobs.bytes + self.objects.bytes + self.caches.bytes

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verb = "Would remove" if self.dry_run else "Removed"
        yield f"{verb} what ended before {self.before:%Y-%m-%d %H:%M} UTC:"
        yield f"{self.executions:>12,} executions; {self.executions_left:,} are left"
        yield _heap(self.jobs, "folders of jobs, with their logs")
        yield _heap(self.objects, "artifacts")
        yield _heap(self.caches, "caches of builds")
        yield f"{self.records:>12,} records of the journal{_beginning(self.anchor)}"
        yield f"{self.bytes / MEGABYTE:>12,.1f} MB in all"
        for name in self.held_by:
            yield (
                f"Subscriber {name} is to be told of older records first, so they stayed; where "
                f"there is no such subscriber any more, remove subscribers/{name}.json"
            )
        yield from (f"Not removed: {each}" for each in self.jobs.left)


def _heap(heap: Heap, what: str) -> str:
    return f"{heap.count:>12,} {what}: {heap.bytes / MEGABYTE:,.1f} MB"


def _beginning(anchor: Anchor) -> str:
    if not anchor.number:
        return ""
    return f"; it begins after record {anchor.number:,}, digest {anchor.digest[: 2 * SHORT_ID]}"
