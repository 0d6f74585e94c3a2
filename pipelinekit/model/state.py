"""The rows of one pipeline that decisions are made on."""

from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    OutputVariables,
    PipelineExecution,
    Produced,
    StageExecution,
)
from pipelinekit.model.job import WorkerJob
from pipelinekit.model.row import Row

R = TypeVar("R", bound=Row)
Key = tuple[str, ...]

PARTS = (
    StageExecution,
    ActionExecution,
    Produced,
    OutputVariables,
    ConditionExecution,
    RuleExecution,
    WorkerJob,
)
"""The kinds of rows that an execution consists of; the first part of their key is its id."""


class State:
    """Rows by kind and key; of an action only the latest attempt.

    A state may hold fewer executions than the store, since one that has ended is of no interest
    until somebody asks for it by name; a decision never depends on which of those are here.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: dict[type[object], dict[Key, Row]] = {}
        self.apply(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]  # it changes

    def apply(self, rows: Iterable[Row]) -> None:
        """Put rows in the places of those that they follow."""
        for row in rows:
            self._rows.setdefault(type(row), {})[row.key] = row

    def get(self, kind: type[R], key: Key) -> R | None:
        """Find a row."""
        row = self._rows.get(kind, {}).get(key)
        return row if isinstance(row, kind) else None

    def all(self, kind: type[R]) -> Iterator[R]:
        """Go through the rows of a kind, in no special order."""
        return (row for row in self._rows.get(kind, {}).values() if isinstance(row, kind))

    def count(self, kind: type[R]) -> int:
        """Count the rows of a kind."""
        return len(self._rows.get(kind, {}))

    def of(self, execution: str) -> Iterator[Row]:
        """Go through the rows of one execution, with the definition that it runs by."""
        run = self.get(PipelineExecution, (execution,))
        if run is None:
            return
        yield run
        definition = self.get(Definition, (str(run.version),))
        if definition is not None:
            yield definition
        for kind in PARTS:
            yield from (row for row in self.all(kind) if row.key[0] == execution)

    def forget(self, executions: Collection[str | None]) -> None:
        """Drop the rows of executions that have ended."""
        for kind in (PipelineExecution, *PARTS):
            held = self._rows.pop(kind, {})
            if left := {k: row for k, row in held.items() if k[0] not in executions}:
                self._rows[kind] = left
