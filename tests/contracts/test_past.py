"""What every store must do with a long past, tried on each that there is."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import ExecutionNotFound
from pipelinekit.model.event import Pruned, RetryRequested
from pipelinekit.model.execution import (
    ActionExecution,
    Definition,
    PipelineExecution,
    Produced,
    StageExecution,
    StartToken,
)
from pipelinekit.model.pipeline import Stage
from pipelinekit.ports.store import Entry, Query, Store
from pipelinekit.runtime.desk import Asked, Desk
from pipelinekit.store.sql import open_store
from tests.contracts.test_store import DATABASES, MAKERS, Recorder
from tests.engine.world import NOON, line, step

SHIP = line(Stage("Ship", step("ship")))


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = open_store(MAKERS[request.param](tmp_path))
    yield made
    made.close()


@pytest.fixture
def world(store: Store) -> Recorder:
    made = Recorder(store)
    made.define(SHIP)
    return made


def shipped(world: Recorder, **members: object) -> str:
    """Let an execution succeed."""
    run = world.start(**members)
    world.fetched(run)
    world.succeed(run, "ship")
    return run


def done_with(store: Store, run: str) -> None:
    """Let go of the orders of an execution."""
    orders = {row.id: 1 for row in store.find(ActionExecution, Query(execution=run))}
    store.commit([Entry(pipeline="shop", seen=0, answered=orders, owner="me")])


def test_page_by_page_everything_is_found_once_and_in_order(store: Store, world: Recorder) -> None:
    runs = [shipped(world) for _ in range(5)]
    for kind, count in ((PipelineExecution, 5), (ActionExecution, 10), (StageExecution, 10)):
        whole = store.find(kind, Query(pipeline="shop"))
        paged = list(pages(store, kind, Query(pipeline="shop", limit=2)))
        assert (len(paged), paged) == (count, list(whole))
    everywhere = list(pages(store, PipelineExecution, Query(limit=2)))
    assert [row.id for row in everywhere] == runs[::-1]


def pages(store: Store, kind: type, query: Query) -> Iterator[object]:
    while rows := store.find(kind, query):
        yield from rows
        query = replace(query, before=rows[-1])


def test_what_began_at_one_moment_is_paged_without_a_gap(store: Store, world: Recorder) -> None:
    world.define(line(Stage("Ship", *(step(f"s{number}") for number in range(7)))))
    run = world.start()
    world.fetched(run)
    found = list(pages(store, ActionExecution, Query(pipeline="shop", limit=3)))
    assert sorted(row.action for row in found) == ["Fetch", *(f"s{n}" for n in range(7))]  # type: ignore[attr-defined]  # of any kind


def test_an_execution_is_found_by_the_beginning_of_its_id(store: Store, world: Recorder) -> None:
    runs = [shipped(world) for _ in range(3)]
    for length in (33, 36):
        (row,) = [
            row
            for row in store.find(PipelineExecution, Query(prefix=runs[1][:length], limit=50))
            if row.id == runs[1]
        ]
        assert row.id == runs[1]
    assert len(store.find(PipelineExecution, Query(prefix=""))) == 3
    for strange in ("shop", "%", "_", runs[0] + "0", "zz"):
        assert store.find(PipelineExecution, Query(prefix=strange)) == []


def test_rows_are_found_by_stage_version_and_time(store: Store, world: Recorder) -> None:
    runs = [shipped(world) for _ in range(2)]
    ships = store.find(StageExecution, Query(pipeline="shop", stage="Ship"))
    assert [row.execution for row in ships] == runs[::-1]
    world.define(line(Stage("Other", step("ship"))))
    (second,) = store.find(Definition, Query(pipeline="shop", version=2))
    assert second.body.stages[1].name == "Other"
    later = world.execution(runs[1]).started
    query = Query(pipeline="shop", ended=True, until=later)
    assert [row.id for row in store.find(PipelineExecution, query)] == [runs[0]]
    assert len(store.find(ActionExecution, Query(since=later))) == 2


def test_rows_are_counted_without_pages_and_limits(store: Store, world: Recorder) -> None:
    last = [shipped(world) for _ in range(3)][-1]
    assert store.past.count(PipelineExecution, Query(pipeline="shop", limit=1)) == 3
    assert store.past.count(ActionExecution, Query(execution=last)) == 2
    assert store.past.count(PipelineExecution, Query(ended=False)) == 0


def test_a_forgotten_execution_leaves_no_row_and_no_token(store: Store, world: Recorder) -> None:
    first, second = shipped(world, token="one"), shipped(world, token="two")
    assert world.prune(first) == "1"
    for kind in (StageExecution, ActionExecution, Produced):
        assert store.find(kind, Query(execution=first)) == []
        assert store.past.count(kind, Query(execution=second))
    assert store.find(PipelineExecution, Query(id=first)) == []
    (token,) = store.find(StartToken, Query(pipeline="shop"))
    assert token.execution == second
    loaded, seen = store.load("shop")
    assert [row.id for row in loaded.all(PipelineExecution)] == [second]
    assert seen == len(world.events)


def test_an_execution_that_is_retried_after_it_was_forgotten_in_one_batch_stays_forgotten(
    store: Store, world: Recorder
) -> None:
    failed = world.start()
    world.fetched(failed)
    world.fail(failed, "ship")
    shipped(world)
    common = {"pipeline": "shop", "at": NOON, "by": "ann"}
    prune = Pruned(id=failed, executions=(failed,), **common)
    mode = RetryMode.FAILED_ACTIONS
    retry = RetryRequested(id=failed, execution=failed, stage="Ship", mode=mode, **common)
    pruned, refused = Desk(store).settle([Asked(prune), Asked(retry)]).answers
    assert pruned == "1"
    assert isinstance(refused, ExecutionNotFound)
    assert store.find(ActionExecution, Query(execution=failed)) == []


def test_strangers_are_ids_of_no_action_that_is_known(store: Store, world: Recorder) -> None:
    run = shipped(world)
    done_with(store, run)
    under_way = world.start()
    ids = {row.id for row in store.find(ActionExecution, Query())}
    assert store.past.strangers({*ids, "nobody"}) == {"nobody"}
    without = store.past.strangers(ids, {run, under_way})
    assert without == {row.id for row in store.find(ActionExecution, Query(execution=run))}


def test_objects_are_those_of_rows_and_of_open_orders(store: Store, world: Recorder) -> None:
    run = shipped(world)
    done_with(store, run)
    under_way = world.start()
    keys = {each.object_key for each in store.past.objects()}
    (produced,) = store.find(Produced, Query(execution=run))
    (order,) = [order for order in world.orders.values() if order.execution == under_way]
    assert {produced.artifact.object_key, order.outputs[0].object_key} <= keys
    left = {each.object_key for each in store.past.objects({run})}
    assert produced.artifact.object_key not in left
    assert order.outputs[0].object_key in left


def test_the_journal_begins_where_it_was_cut_and_its_last_record_stays(
    store: Store, world: Recorder
) -> None:
    shipped(world)
    records = store.tail(0)
    past = store.past
    assert (past.anchor().number, past.check()) == (0, len(records))
    assert past.first_since(records[2].event.at) == 3
    assert past.first_since(NOON - timedelta(days=1)) == 1
    assert past.first_since(world.at + timedelta(days=1)) == len(records)
    assert past.cut(3, NOON, "ann") == 2
    assert (past.anchor().number, past.anchor().digest) == (2, records[1].digest)
    assert [record.number for record in store.tail(0)] == [3, *range(4, len(records) + 1)]
    assert past.cut(999, NOON, "bob") == len(records) - 3
    assert (past.anchor().at, past.anchor().by) == (NOON, "bob")
    assert past.cut(999, NOON, "bob") == 0
    world.start()
    assert past.check() == len(store.tail(0)) == 2
