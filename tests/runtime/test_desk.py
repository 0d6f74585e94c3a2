"""The desk remembers only what is committed."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pipelinekit.model.errors import (
    PipelineKitError,
    PipelineNameInUse,
    StoreError,
    ValidationError,
)
from pipelinekit.model.event import Defined, Deleted, Reported, Started
from pipelinekit.model.execution import ActionExecution, PipelineExecution
from pipelinekit.model.order import Succeeded
from pipelinekit.model.pipeline import Stage, Variable
from pipelinekit.model.state import State
from pipelinekit.ports.store import ConflictError, Entry, Query
from pipelinekit.runtime.desk import Asked, Desk
from pipelinekit.store.sql import SqlStore
from pipelinekit.store.sqlite import SQLite
from tests.engine.world import CAUSE, NOON, line, step

DEFINED = Defined(
    id=str(UUID(int=1)),
    pipeline="shop",
    at=NOON,
    by="ann",
    definition=line(Stage("Build", step("make"))),
)
STARTED = Started(id=str(UUID(int=2)), pipeline="shop", at=NOON, by="ann", cause=CAUSE)


class Stumbling(SqlStore):
    """A store whose next commits fail in the ways that are listed; it tells what was loaded."""

    def __init__(self, path: Path) -> None:
        super().__init__(SQLite(path))
        self.failures: list[BaseException] = []
        self.loaded: list[str] = []

    def load(self, pipeline: str, execution: str | None = None) -> tuple[State, int]:
        self.loaded.append(pipeline)
        return super().load(pipeline, execution)

    def commit(self, entries: Sequence[Entry]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        super().commit(entries)


@pytest.fixture
def store(tmp_path: Path):  # noqa: ANN201 - a fixture
    made = Stumbling(tmp_path / "pipelinekit.db")
    yield made
    made.close()


@pytest.mark.parametrize("failure", [StoreError("full"), KeyboardInterrupt(), TypeError()])
def test_what_could_not_be_committed_is_forgotten(
    store: Stumbling, failure: BaseException
) -> None:
    desk = Desk(store)
    desk.settle([Asked(DEFINED)])
    store.failures = [failure]
    with pytest.raises(type(failure)):
        desk.settle([Asked(STARTED)])
    second = replace(STARTED, id=str(UUID(int=3)))
    assert desk.settle([Asked(second)]).answers == (second.id,)
    (run,) = store.find(PipelineExecution, Query())
    assert (run.id, run.number) == (second.id, 1)


def test_nothing_comes_back_of_a_pipeline_that_is_deleted_in_the_same_batch(
    store: Stumbling,
) -> None:
    desk = Desk(store)
    desk.settle([Asked(DEFINED)])
    desk.settle([Asked(STARTED)])
    (row,) = store.find(ActionExecution, Query())
    deleted = Deleted(id=str(UUID(int=3)), pipeline="shop", at=NOON, by="ann")
    late = Reported(
        id=str(UUID(int=4)),
        pipeline="shop",
        at=NOON,
        by="ann",
        execution=row.execution,
        stage=row.stage,
        action=row.action,
        action_execution=row.id,
        outcome=Succeeded(),
    )
    *_, answer = desk.settle([Asked(deleted), Asked(late)]).answers
    assert isinstance(answer, PipelineKitError)
    assert store.find(PipelineExecution, Query()) == []
    again = replace(DEFINED, id=str(UUID(int=5)), definition=line(Stage("Other", step("make"))))
    assert desk.settle([Asked(again)]).answers == ("1",)
    desk.settle([Asked(replace(STARTED, id=str(UUID(int=6))))])
    assert [each.number for each in store.find(PipelineExecution, Query())] == [1]


def test_a_conflict_is_decided_again_on_what_is_there_now(store: Stumbling) -> None:
    desk, other = Desk(store), Desk(store)
    desk.settle([Asked(DEFINED)])
    other.settle([Asked(STARTED)])
    second = replace(STARTED, id=str(UUID(int=3)))
    assert desk.settle([Asked(second)]).answers == (second.id,)
    store.failures = [ConflictError(), ConflictError()]
    third = replace(STARTED, id=str(UUID(int=4)))
    assert desk.settle([Asked(third)]).answers == (third.id,)
    rows = store.find(PipelineExecution, Query())
    assert [row.number for row in rows] == [3, 2, 1]


def test_nothing_is_refused_because_of_what_was_true_before(tmp_path: Path) -> None:
    one, two = (SqlStore(SQLite(tmp_path / "pipelinekit.db")) for _ in range(2))
    mine, other = Desk(one), Desk(two)
    mine.settle([Asked(DEFINED)])
    with_variable = replace(DEFINED.definition, variables=(Variable("v", "1"),))
    wanted = replace(STARTED, id=str(UUID(int=5)), variables={"v": "2"})
    assert isinstance(mine.settle([Asked(wanted)]).answers[0], ValidationError)
    other.settle([Asked(replace(DEFINED, id=str(UUID(int=6)), definition=with_variable))])
    assert mine.settle([Asked(wanted)]).answers == (wanted.id,)
    one.close()
    two.close()


def test_new_pipelines_of_a_batch_are_looked_up_at_once_and_nothing_is_loaded_of_them(
    store: Stumbling,
) -> None:
    Desk(store).settle([Asked(created("old", 1))])
    store.loaded.clear()
    mine = Desk(store)
    asked = [Asked(created(name, at)) for at, name in enumerate(("one", "old", "two"), 2)]
    one, old, two = mine.settle(asked).answers
    assert (one, two) == ("1", "1")
    assert isinstance(old, PipelineNameInUse)
    assert store.loaded == ["old"]
    Desk(store).settle([Asked(replace(created("one", 5), there=True))])
    *_, changed = mine.settle([Asked(replace(created("one", 6), there=True))]).answers
    assert changed == "3"


def created(name: str, number: int) -> Defined:
    return replace(DEFINED, id=str(UUID(int=number)), pipeline=name, there=False)
