"""The courier: reads the journal after the commits, and tells subscribers what has changed.

Each subscriber gets every event at least once and in the order of the journal. One that raises is
told the same event again, later and later, and holds nobody else up.
"""

import fcntl
import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pipelinekit.model.errors import StoreError
from pipelinekit.model.execution import ActionExecution, PipelineExecution, StageExecution
from pipelinekit.model.move import Move
from pipelinekit.ports.store import Query, Record, Store
from pipelinekit.tools.durable import replaced
from pipelinekit.wire.eventbridge import Changed, Member, Subscriber, bus_event

LOG = logging.getLogger("pipelinekit")

LOOK_SECONDS = 0.1
CLOSING_SECONDS = 5.0
MANY = 500
"""How many records are read at once."""

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0


@dataclass(slots=True)
class Place:
    """How far a subscriber has got: the number of the last record that it has been told of.

    Attributes:
        number: That number.
        file: Where it is kept; None for a subscriber that begins anew with every process.
    """

    number: int
    file: Path | None = None
    _lock: IO[str] | None = field(default=None, repr=False)

    @staticmethod
    def kept(file: Path, now: int) -> "Place | None":
        """Take a kept place, from now on if there is none; None while another process has it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.with_suffix(".lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        number = json.loads(file.read_text(encoding="utf-8")) if file.exists() else now
        place = Place(number, file, lock)
        place.move(number)
        return place

    def move(self, number: int) -> None:
        """Note that everything up to a record has been told."""
        self.number = number
        if self.file is not None:
            with replaced(self.file, "place") as file:
                file.write(json.dumps(number).encode())

    def close(self) -> None:
        """Let another process have the place."""
        if self._lock is not None:
            self._lock.close()


class Courier:
    """Tells one subscriber, in a thread of its own, until it is closed.

    Args:
        store: Whose journal is read.
        subscriber: Who is told.
        file: Where the place is kept; without one it is told what happens from now on.
        name: What it is called in the log.
    """

    def __init__(
        self, store: Store, subscriber: Subscriber, file: Path | None = None, name: str = ""
    ) -> None:
        self._store = store
        self._subscriber = subscriber
        self._file = file
        self._name = name or getattr(subscriber, "__name__", type(subscriber).__name__)
        self._beginning = end_of(store)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell what can be told at once, then end."""
        self._closing.set()
        self._thread.join(CLOSING_SECONDS)

    def _work(self) -> None:
        place = self._place()
        pause = FIRST_PAUSE
        while place is not None:
            ended = self._closing.is_set()
            try:
                self._tell(place)
            except StoreError as error:
                LOG.warning("%s", error)
            except Exception as error:  # noqa: BLE001 - a subscriber is foreign code
                LOG.warning("subscriber %s is told again in %g s: %s", self._name, pause, error)
                self._closing.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                self._closing.wait(LOOK_SECONDS)
            if ended:
                place.close()
                return

    def _place(self) -> Place | None:
        if self._file is None:
            return Place(self._beginning)
        while True:
            place = Place.kept(self._file, self._beginning)
            if place is not None or self._closing.wait(1.0):
                return place

    def _tell(self, place: Place) -> None:
        while records := self._store.tail(place.number, MANY):
            for record in records:
                for event in events_of(self._store, record):
                    self._subscriber(event)
                place.move(record.number)


def end_of(store: Store) -> int:
    """Give the number of the journal's last record; 0 when it is empty."""
    return next((record.number for record in store.tail(None)), 0)


def events_of(store: Store, record: Record) -> Iterator[Member]:
    """Give the events of a record of the journal, in their order."""
    for position, move in enumerate(record.moves):
        found = store.find(PipelineExecution, Query(id=move.execution))
        row = _row(store, move) if found else None
        if row is not None:
            name = f"{record.digest}/{position}"
            event = bus_event(move, name, record.event.at, row, found[0])
            if event is not None:
                yield event


def _row(store: Store, move: Move) -> Changed | None:
    if move.id:
        return next(iter(store.find(ActionExecution, Query(id=move.id))), None)
    if move.stage:
        rows = store.find(StageExecution, Query(execution=move.execution))
        return next((row for row in rows if row.stage == move.stage), None)
    return next(iter(store.find(PipelineExecution, Query(id=move.execution))), None)
