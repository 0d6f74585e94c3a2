"""What every store must do, tried on each that there is."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.action import Category
from pipelinekit.model.check import ConditionExecution, RuleExecution
from pipelinekit.model.command import Ask, Command, Halt, Run
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import EngineOutdated, StoreError
from pipelinekit.model.event import Started
from pipelinekit.model.execution import ActionExecution, PipelineExecution, PipelineRecord
from pipelinekit.model.order import Order
from pipelinekit.model.pipeline import Stage
from pipelinekit.ports.store import ConflictError, Entry, FenceError, Query, Store, Taker
from pipelinekit.store.migrations import CURRENT
from pipelinekit.store.schema import EXECUTIONS, TABLES, columns
from pipelinekit.store.sql import open_store
from pipelinekit.store.sqlite import CHECKPOINT_EVERY, Gate, SQLite, file_system
from pipelinekit.store.writing import EMPTY_DIGEST, chained
from pipelinekit.wire.record import read, record_text
from tests import postgres
from tests.engine.world import NOON, World, approval, gate, line, step

MAKERS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'pipelinekit.db'}",
    "postgresql": lambda _folder: postgres.shared().url(),
}


DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return MAKERS[request.param](tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = open_store(url)
    yield made
    made.close()


ABLE = frozenset({"Source/Custom/Step/1", "Test/Custom/Step/1", "Approval/AWS/Manual/1"})


class Recorder(World):
    """A world that commits each decision to a store."""

    def __init__(self, store: Store, owner: str | None = "me") -> None:
        super().__init__()
        self.store, self.owner = store, owner

    def happen(self, event):  # noqa: ANN001, ANN201 - as in World
        seen = len(self.events)
        decision = super().happen(event)
        self.store.commit(
            [
                Entry(
                    pipeline=self.pipeline,
                    seen=seen,
                    events=(event,),
                    moves=(decision.moves,),
                    deleted=decision.deleted,
                    forgotten=decision.forgotten,
                    rows=decision.rows,
                    commands=decision.commands,
                    owner=self.owner,
                    able=ABLE,
                )
            ]
        )
        return decision


GATE = line(Stage("Gate", approval("ok") >> step("ship")))


def test_what_is_loaded_is_what_was_decided(store: Store) -> None:
    world = Recorder(store)
    run = world.started(GATE)
    world.fetched(run)
    world.answer(run, "ok")
    assert store.load("shop") == (world.state, len(world.events))


def test_a_pipeline_that_is_not_there_has_no_rows_and_no_records(store: Store) -> None:
    state, seen = store.load("nothing")
    assert (list(state.all(PipelineRecord)), seen) == ([], 0)


def test_pipelines_of_which_there_are_records_are_known(store: Store) -> None:
    Recorder(store).started(GATE)
    assert store.known(["shop", "nothing", "half \ud800"]) == {"shop"}
    assert store.known([]) == set()


def test_an_old_execution_is_loaded_only_when_it_is_asked_for(store: Store) -> None:
    world = Recorder(store)
    runs = [world.started(line(Stage("Ship", step("ship"))))]
    world.fetched(runs[0])
    world.succeed(runs[0], "ship")
    runs.append(world.start())
    world.fetched(runs[1])
    world.succeed(runs[1], "ship")
    loaded, _ = store.load("shop")
    assert {row.id for row in loaded.all(PipelineExecution)} == {runs[1]}
    loaded, _ = store.load("shop", runs[0])
    assert {row.id for row in loaded.all(PipelineExecution)} == set(runs)
    assert loaded == world.state


def test_a_commit_on_what_another_process_changed_is_a_conflict_and_writes_nothing(
    store: Store,
) -> None:
    world = Recorder(store)
    world.define(GATE)
    late = Entry(pipeline="shop", seen=0, events=(world.events[0],))
    with pytest.raises(ConflictError):
        store.commit([late])
    assert len(store.tail(0)) == 1


def test_all_entries_of_a_commit_are_written_or_none(store: Store) -> None:
    world = Recorder(store)
    world.define(GATE)
    good = replace_pipeline(world, "other")
    late = Entry(pipeline="shop", seen=0, events=(world.events[0],))
    with pytest.raises(ConflictError):
        store.commit([good, late])
    assert len(store.tail(0)) == 1
    store.commit([good])
    assert [record.event.pipeline for record in store.tail(0)] == ["shop", "other"]


def replace_pipeline(world: World, name: str) -> Entry:
    """Give the entry that defines a pipeline under another name."""
    event = replace(world.events[0], pipeline=name)
    return Entry(pipeline=name, seen=0, events=(event,))


def test_the_journal_is_a_chain_that_ends_in_the_last_digest(store: Store) -> None:
    world = Recorder(store)
    run = world.started(GATE)
    world.fetched(run)
    digest = EMPTY_DIGEST
    for number, record in enumerate(store.tail(0), start=1):
        digest = chained(digest, record_text(record.event, record.moves))
        assert (record.number, record.digest) == (number, digest)
    assert [record.event for record in store.tail(0)] == world.events
    assert [record.number for record in store.tail(2)] == [3]
    assert [record.number for record in store.tail(0, 2)] == [1, 2]
    assert [record.number for record in store.tail(None)] == [3]


def test_what_a_deleted_pipeline_had_is_gone_and_its_journal_stays(store: Store) -> None:
    world = Recorder(store)
    run = world.started(GATE)
    world.fetched(run)
    world.start()
    world.delete()
    assert list(store.load("shop")[0].all(PipelineExecution)) == []
    assert store.find(ActionExecution, Query(pipeline="shop")) == []
    assert [record.event for record in store.tail(0)] == world.events
    again = world.started(GATE)
    assert world.execution(again).number == 1


def test_an_order_of_the_committer_is_its_own_and_is_not_handed_out(store: Store) -> None:
    world = Recorder(store, "me")
    world.started(GATE)
    able = [str(order.type) for order in world.orders.values()]
    assert store.take(Taker("other", able), NOON) == []
    (claim,) = store.take(Taker("other", able, ["me"]), NOON)
    order = replace(next(iter(world.orders.values())), fence=2)
    assert (claim.order, claim.inherited) == (order, True)


def test_an_order_that_the_committer_cannot_carry_out_is_nobody_s(store: Store) -> None:
    world = Recorder(store, "me")
    world.started(GATE)
    order = replace(
        next(iter(world.orders.values())), id="o-9", type=step("x", Category.BUILD).type
    )
    commanded(store, Run(order))
    (claim,) = store.take(Taker("other", [str(order.type)]), NOON)
    assert (claim.order.id, claim.inherited) == ("o-9", False)


def test_an_order_of_nobody_is_handed_out_once_to_who_is_able(store: Store) -> None:
    world = Recorder(store, None)
    world.started(GATE)
    able = [str(order.type) for order in world.orders.values()]
    assert store.take(Taker("a", ["Build/AWS/CodeBuild/1"]), NOON) == []
    (claim,) = store.take(Taker("a", able), NOON)
    assert not claim.inherited
    assert store.take(Taker("b", able), NOON) == []


def test_an_answer_for_an_order_of_another_engine_is_refused_and_writes_nothing(
    store: Store,
) -> None:
    world = Recorder(store, "me")
    run = world.started(GATE)
    order = next(iter(world.orders))
    answer = Entry(
        pipeline="shop",
        seen=len(world.events),
        events=(started_event(run),),
        answered={order: 1},
        owner="other",
    )
    with pytest.raises(FenceError):
        store.commit([answer])
    assert len(store.tail(0)) == len(world.events)
    store.commit([replace(answer, owner="me")])
    with pytest.raises(FenceError):
        store.commit([Entry(pipeline="shop", seen=0, answered={order: 1}, owner="me")])


def started_event(run: str) -> Started:
    """Give some event."""
    from tests.engine.world import CAUSE

    return Started(id=run, pipeline="shop", at=NOON, by="ann", cause=CAUSE)


def commanded(store: Store, *commands: Command) -> None:
    """Commit commands alone."""
    entry = Entry(pipeline="shop", seen=0, commands=commands, owner="me", able=ABLE)
    store.commit([entry])


def test_what_is_asked_again_keeps_its_token_and_time(store: Store) -> None:
    order = Order("o-1", "shop", "e", "s", "a", step("a").type)
    commanded(store, Run(order))
    commanded(store, Ask("o-1", "t-1", NOON))
    (claim,) = store.take(Taker("other", [str(order.type)], ["me"]), NOON)
    assert claim.order == replace(order, token="t-1", due=NOON, fence=2)


def test_an_order_s_fence_rises_with_each_taker_and_an_answer_under_an_old_one_is_refused(
    store: Store,
) -> None:
    commanded(store, Run(Order("o-1", "shop", "e", "s", "a", step("a").type)))
    (claim,) = store.take(Taker("other", ABLE, ["me"]), NOON)
    (again,) = store.take(Taker("me", ABLE, ["other"]), NOON)
    assert (claim.order.fence, again.order.fence) == (2, 3)
    for fence in (1, 2, 4):
        with pytest.raises(FenceError, match="o-1"):
            store.commit([Entry(pipeline="shop", seen=0, answered={"o-1": fence}, owner="me")])
    store.commit([Entry(pipeline="shop", seen=0, answered={"o-1": 3}, owner="me")])


def test_who_is_unsure_is_told_all_that_it_holds_under_the_same_fence(store: Store) -> None:
    commanded(store, Run(Order("o-1", "shop", "e", "s", "a", step("a").type)))
    for _ in range(2):
        (claim,) = store.take(Taker("me", unsure=True), NOON)
        assert (claim.order.id, claim.order.fence, claim.inherited) == ("o-1", 1, False)
    assert store.take(Taker("other", ABLE, unsure=True), NOON) == []


def test_a_halted_order_is_handed_to_its_owner_to_be_ended(store: Store) -> None:
    order = Order("o-1", "shop", "e", "s", "a", step("a").type)
    commanded(store, Run(order))
    assert store.take(Taker("me", [str(order.type)]), NOON) == []
    commanded(store, Halt("o-1"))
    (claim,) = store.take(Taker("me", [str(order.type)]), NOON)
    assert claim.halt


def test_an_order_that_its_holder_has_not_begun_is_given_back_as_it_is(store: Store) -> None:
    order = Order("o-1", "shop", "e", "s", "a", step("a").type)
    commanded(store, Run(order))
    commanded(store, Ask("o-1", "t-1", NOON))
    commanded(store, Halt("o-1"))
    store.commit([Entry(pipeline="shop", seen=0, released=("o-1", "o-2"), owner="other")])
    assert store.take(Taker("other", ABLE), NOON) == []
    store.commit([Entry(pipeline="shop", seen=0, released=("o-1", "o-2"), owner="me")])
    (claim,) = store.take(Taker("other", ABLE), NOON)
    assert (claim.order.token, claim.halt, claim.inherited) == ("t-1", True, False)


def test_what_a_dead_engine_held_is_for_any_that_is_able_whoever_buried_it(store: Store) -> None:
    commanded(store, Run(Order("o-1", "shop", "e", "s", "a", step("a").type)))
    assert store.take(Taker("unable", [], ["me"]), NOON) == []
    (claim,) = store.take(Taker("able", ABLE), NOON)
    assert claim.inherited


def test_what_is_to_be_halted_or_is_late_is_for_anybody(store: Store) -> None:
    strange = step("a", Category.BUILD).type
    late = Order("late", "shop", "e", "s", "a", strange, deadline=NOON)
    commanded(store, Run(late), Run(replace(late, id="halted", deadline=None)), Halt("halted"))
    assert [each.order.id for each in store.take(Taker("a", ABLE), NOON)] == ["halted"]
    after = NOON + timedelta(seconds=1)
    assert [each.order.id for each in store.take(Taker("b", ABLE), after)] == ["late"]


def test_orders_are_late_once_their_time_is_over_or_they_are_to_be_asked_again(
    store: Store,
) -> None:
    order = Order("never", "shop", "e", "s", "a", step("a").type)
    over, again = NOON, NOON + timedelta(minutes=1)
    halted = replace(order, id="halted", deadline=over)
    ended, asked = replace(halted, id="over"), replace(order, id="again", due=again)
    commanded(store, *map(Run, (order, ended, asked, halted)), Halt("halted"))
    seconds = timedelta(seconds=1)
    assert store.past.late(NOON) == []
    assert [each.id for each in store.past.late(over + seconds)] == ["over"]
    assert {each.id for each in store.past.late(again + seconds)} == {"over", "again"}


def test_what_stands_beside_a_body_is_what_the_row_says(store: Store) -> None:
    world = Recorder(store)
    rule = gate("check", Value="1", Operator="EQ")
    run = world.started(line(Stage("Ship", step("ship"), before_entry=rule)), token="once")
    world.fetched(run)
    world.no(run, "check")
    world.retry(run, "Ship", RetryMode.ALL_ACTIONS)
    world.yes(run, "check")
    world.succeed(run, "ship")
    kinds = set()
    with store._database.reading() as connection:  # noqa: SLF001 - to look into the tables
        for kind, kept in TABLES.items():
            for found in connection.rows(f"SELECT * FROM {kept.table.name}"):  # noqa: S608
                *beside, body = found
                assert dict(zip(kept.table.names, beside, strict=False)) == columns(
                    read(body, kind)
                )
                kinds.add(kind)
    assert kinds >= {PipelineExecution, ActionExecution, RuleExecution, ConditionExecution}


def test_rows_are_found_newest_first_and_by_what_is_asked(store: Store) -> None:
    world = Recorder(store)
    first = world.started(line(Stage("Ship", step("ship"))))
    world.fetched(first)
    world.succeed(first, "ship")
    second = world.start()
    found = store.find(PipelineExecution, Query(pipeline="shop"))
    assert [row.id for row in found] == [second, first]
    assert store.find(PipelineExecution, Query(pipeline="shop", limit=1))[0].id == second
    assert store.find(PipelineExecution, Query(pipeline="other")) == []
    attempts = store.find(ActionExecution, Query(execution=first))
    assert {row.action for row in attempts} == {"Fetch", "ship"}
    later = world.execution(second).started
    assert len(store.find(PipelineExecution, Query(since=later))) == 1


def test_what_is_no_text_finds_nothing(store: Store) -> None:
    assert store.find(PipelineExecution, Query(prefix="\udcff")) == []
    assert store.find(PipelineRecord, Query(pipeline="\ud800")) == []
    assert store.load("\ud800")[1] == 0


def test_every_attempt_of_an_action_is_kept_and_the_last_one_is_loaded(store: Store) -> None:
    world = Recorder(store)
    run = world.started(line(Stage("Ship", step("ship"))))
    world.fetched(run)
    world.fail(run, "ship")
    world.retry(run, "Ship")
    attempts = store.find(ActionExecution, Query(execution=run))
    assert sorted(row.attempt for row in attempts if row.action == "ship") == [1, 2]
    loaded, _ = store.load("shop")
    assert loaded == world.state


def test_the_version_changes_only_when_another_process_writes(url: str) -> None:
    one, two = open_store(url), open_store(url)
    before = one.version()
    Recorder(one).define(GATE)
    assert one.version() == before
    Recorder(two).events  # noqa: B018 - two has written nothing yet
    two.commit([Entry(pipeline="other", seen=0, events=(started_event("e"),))])
    assert one.version() != before
    one.close()
    two.close()


def test_the_sqlite_file_is_set_up_for_durability(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'deep' / 'pipelinekit.db'}")
    with store._database.reading() as connection:  # noqa: SLF001 - the settings are the point
        found = {
            name: connection.rows(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }
    store.close()


def test_an_interrupt_that_comes_with_the_write_lock_lets_go_of_it(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'pipelinekit.db'}")
    writer = store._database._writer  # type: ignore[attr-defined]  # noqa: SLF001 - its driver
    honest = writer.handle

    class Interrupted:
        def execute(self, statement: str) -> None:
            honest.execute(statement)
            raise KeyboardInterrupt

        def rollback(self) -> None:
            honest.rollback()

    writer.handle = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        store.take(Taker("me", ABLE), NOON)
    writer.handle = honest
    assert not honest.in_transaction
    assert store.take(Taker("me", ABLE), NOON) == []
    store.close()


def test_the_journal_is_read_in_pages(store: Store) -> None:
    world = Recorder(store)
    world.started(GATE)
    assert [each.number for each in store.tail(0, 1)] == [1]
    assert store.tail(0, 0) == []
    assert len(store.tail(0)) == len(world.events)


def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    store = open_store(url)
    with store._database.writing() as connection:  # noqa: SLF001 - nobody else does this
        connection.run("UPDATE meta SET version = :newer", {"newer": CURRENT + 1})
    store.close()
    with pytest.raises(StoreError, match="newer"):
        open_store(url)


def test_a_store_that_a_newer_version_takes_over_is_written_by_older_ones_no_more(
    url: str,
) -> None:
    store, newer = open_store(url), open_store(url)
    order = Run(Order("o-1", "shop", "e", "s", "a", step("a").type))
    with newer._database.writing() as connection:  # noqa: SLF001 - as a newer one does
        connection.run("UPDATE writes SET needs = :newer", {"newer": CURRENT + 1})
    with pytest.raises(EngineOutdated, match="a newer pipelinekit works on it"):
        commanded(store, order)
    with pytest.raises(EngineOutdated, match="install the newer"):
        store.take(Taker("me", ABLE), NOON)
    assert not store.find(PipelineExecution, Query())
    for each in (store, newer):
        each.close()


@pytest.mark.parametrize(
    ("version", "later"),
    [
        (
            2,
            [
                "DROP TABLE journal_anchor",
                "DROP INDEX executions_by_end",
                "CREATE INDEX executions_under_way ON pipeline_executions (pipeline, ended)",
            ],
        ),
        (3, []),
    ],
)
def test_an_older_store_is_brought_up_to_date_with_the_orders_in_it(
    tmp_path: Path, version: int, later: list[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'pipelinekit.db'}"
    store = open_store(url)
    commanded(store, Run(Order("o-1", "shop", "e", "s", "a", step("a").type)))
    store.close()
    with sqlite3.connect(tmp_path / "pipelinekit.db") as connection:
        for change in (
            "ALTER TABLE orders DROP COLUMN fence",
            "ALTER TABLE orders DROP COLUMN place",
            "DROP TABLE engines",
            "DROP TABLE writes",
            *later,
        ):
            connection.execute(change)
        connection.execute("UPDATE meta SET version = ?", (version,))
    connection.close()
    store = open_store(url)
    (claim,) = store.take(Taker("other", ABLE, ["me"]), NOON)
    assert (claim.order.id, claim.order.fence) == ("o-1", 2)
    assert store.past.check() == store.past.anchor().number == 0
    with store._database.reading() as connection:  # noqa: SLF001 - to look into the file
        found = connection.rows(f"PRAGMA index_list({EXECUTIONS.name})")
    made = {name for _, name, _, origin, *_ in found if origin == "c"}
    assert made == EXECUTIONS.indices.keys()
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "pipelinekit.db"
    file.write_text("not a database" * 100, encoding="utf-8")
    with pytest.raises(StoreError, match=r"no database of pipelinekit, .*; restore it") as told:
        open_store(f"sqlite:///{file}")
    assert "disk has space" not in str(told.value)
    assert "sqlalche" not in str(told.value)


def test_a_store_that_is_damaged_behind_its_beginning_says_so_when_it_is_read(
    tmp_path: Path,
) -> None:
    file = tmp_path / "pipelinekit.db"
    open_store(f"sqlite:///{file}").close()
    with contextlib.closing(sqlite3.connect(file)) as opened:
        wanted = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
        pages = opened.execute(wanted, (EXECUTIONS.name,)).fetchall()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as content:
        for (page,) in pages:
            content.seek((page - 1) * size)
            content.write(b"\xff" * size)
    said = pytest.raises(
        StoreError, match="malformed; its file is damaged: restore it from a copy"
    )
    with contextlib.closing(open_store(f"sqlite:///{file}")) as store, said:
        store.find(PipelineExecution, Query())


def test_a_store_whose_file_was_replaced_refuses_to_write(tmp_path: Path) -> None:
    file = tmp_path / "pipelinekit.db"
    store = open_store(f"sqlite:///{file}")
    file.rename(tmp_path / "elsewhere.db")
    open_store(f"sqlite:///{file}").close()
    with pytest.raises(StoreError, match="replaced"):
        store.commit([])
    store.close()


@pytest.mark.parametrize("url", ["mysql://h/db", "sqlite://", "sqlite:///:memory:", "shop.db"])
def test_a_url_that_names_no_database_of_a_known_kind_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="postgresql://<user>"):
        open_store(url)


def test_a_network_file_system_is_seen_in_the_table_of_mounts(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:20 / / rw shared:1 - ext4 /dev/x rw\n"
        f"30 22 0:30 / {tmp_path} rw shared:2 - nfs4 host:/x rw\n",
        encoding="utf-8",
    )
    assert file_system(tmp_path / "deep", table) == "nfs4"
    assert file_system(Path("/"), table) == "ext4"


def test_a_store_in_a_process_that_was_forked_off_is_refused(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'pipelinekit.db'}")
    database = store._database  # noqa: SLF001 - as it looks to a child process
    assert isinstance(database, SQLite)
    database._same._pid += 1  # noqa: SLF001
    with pytest.raises(StoreError, match="forked"):
        store.load("shop")
    database._same._pid -= 1  # noqa: SLF001
    store.close()


class FullDisk:
    """A connection whose checkpoints fail, and which counts them."""

    total_changes = 0

    def __init__(self) -> None:
        self.tries = 0

    def execute(self, _statement: str) -> None:
        self.tries += 1
        raise sqlite3.OperationalError("database or disk is full")


def test_a_failed_checkpoint_fails_no_commit_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelinekit.store.sqlite.SAFE_VERSION", (999, 0, 0))
    gate, disk = Gate(tmp_path / "pipelinekit.db"), FullDisk()
    for _ in range(CHECKPOINT_EVERY + 2):
        gate.checkpoint(disk)  # type: ignore[arg-type]
    gate.close()
    assert disk.tries == 3
