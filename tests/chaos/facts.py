"""What the checker knows: the exported history and the ledger, read without the engine's code."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

UNDER_WAY = "InProgress"


@dataclass(frozen=True, slots=True)
class Move:
    """A change of status of an execution, of a stage in it, or of an action's attempt.

    Attributes:
        number: Of the record in the journal.
        event: The event that brought it.
        status: The new one.
    """

    number: int
    event: Json
    execution: str
    stage: str
    action: str
    attempt: str
    status: str
    resumed: bool

    @property
    def what(self) -> tuple[str, ...]:
        """Name what changed."""
        return (self.attempt,) if self.attempt else (self.execution, self.stage)

    @property
    def at(self) -> float:
        """Give the time of the event, seconds since 1970."""
        return seconds(self.event)


@dataclass(slots=True)
class Facts:
    """The history and the ledger.

    Attributes:
        journal: The rows of the journal, in order.
        rows: The rows of the other tables, by table.
        ledger: The ledger's lines by what they say.
        events: The journal's events, with their numbers.
        moves: All changes of status, in order.
        verdicts: The moves by which attempts ended, by attempt.
        gone: When each process that was killed, or cut off, was last known to be there.
    """

    journal: list[Json]
    rows: Mapping[str, list[Json]]
    ledger: Mapping[str, list[Json]]
    events: list[tuple[int, Json]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    verdicts: dict[str, list[Move]] = field(default_factory=dict)
    gone: dict[int, float] = field(default_factory=dict)

    def said(self, what: str) -> list[Json]:
        """Give the ledger's lines of a kind, in order of time."""
        return sorted(self.ledger.get(what, []), key=lambda line: float(line["at"]))

    def by(self, what: str, member: str) -> dict[str, list[Json]]:
        """Group the ledger's lines of a kind by one of their members, each in order of time."""
        found: dict[str, list[Json]] = {}
        for line in self.said(what):
            found.setdefault(line[member], []).append(line)
        return found

    @property
    def timed(self) -> bool:
        """Tell whether the times of the journal can be compared with those of the ledger."""
        return not self.ledger.get("clock")


def seconds(event: Json) -> float:
    """Give an event's time, seconds since 1970."""
    return datetime.fromisoformat(event["at"]).timestamp()


def gather(history: Iterable[Json], ledger: Iterable[Json]) -> Facts:
    """Read the lines of a history and of a ledger."""
    tables = _grouped(history, "table")
    facts = Facts(tables.pop("journal", []), tables, _grouped(ledger, "what"))
    for row in facts.journal:
        event = json.loads(row["body"])
        moves = list(_moves(row["number"], event))
        facts.events.append((row["number"], event))
        facts.moves.extend(moves)
        for move in moves:
            if move.attempt and move.status != UNDER_WAY:
                facts.verdicts.setdefault(move.attempt, []).append(move)
    for line in facts.said("gone"):
        facts.gone.setdefault(line["gone"], line["at"])
    return facts


def _grouped(lines: Iterable[Json], member: str) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for line in lines:
        found.setdefault(line[member], []).append(line)
    return found


def _moves(number: int, event: Json) -> Iterator[Move]:
    for move in event.pop("moves", ()):
        yield Move(
            number,
            event,
            move["execution"],
            move.get("stage", ""),
            move.get("action", ""),
            move.get("id", ""),
            move["status"],
            move.get("resumed", False),
        )
