"""What PostgreSQL brings besides the contract: settings, leases, several processes at once."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from pipelinekit.model.command import Run
from pipelinekit.model.errors import StoreError
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Entry, Leases, Query, Store, Taker
from pipelinekit.store import patience
from pipelinekit.store.sql import open_store
from tests import postgres
from tests.engine.world import NOON, step

pytestmark = pytest.mark.postgres

KIND = step("a").type
ABLE = [str(KIND)]


@pytest.fixture
def url() -> str:
    return postgres.shared().url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = open_store(url)
    yield made
    made.close()


@pytest.fixture
def leases(store: Store) -> Leases:
    assert store.leases is not None
    return store.leases


def ordered(store: Store, owner: str, name: str = "o-1") -> None:
    """Commit an order that an engine holds."""
    order = Run(Order(name, "shop", "e", "s", "a", KIND))
    store.commit([Entry("shop", 0, commands=(order,), owner=owner, able=ABLE)])


def test_the_session_is_set_up_for_durability_and_waits_for_nothing_without_end(
    store: Store,
) -> None:
    with store._database.reading() as connection:  # type: ignore[attr-defined]  # noqa: SLF001
        found = {
            name: connection.rows(f"SHOW {name}")[0][0]
            for name in (
                "synchronous_commit",
                "lock_timeout",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "tcp_user_timeout",
            )
        }
    assert found == {
        "synchronous_commit": "on",
        "lock_timeout": "5s",
        "statement_timeout": "1min",
        "idle_in_transaction_session_timeout": "15s",
        "tcp_user_timeout": "0",  # of this socket, which is no network's
    }


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_url_is_taken_as_it_is_commonly_written(url: str, scheme: str) -> None:
    store = open_store(url.replace("postgresql", scheme, 1))
    assert store.version() == 0
    store.close()


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(StoreError, match="cannot be opened") as told:
        open_store("postgresql://ann:secret@127.0.0.1:1/shop")
    assert "secret" not in str(told.value)


def test_a_connection_whose_server_has_hung_up_is_noticed_before_it_is_used(
    store: Store, url: str
) -> None:
    store.version()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        while other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL"
        ).fetchone() != (1,):
            pass
    ordered(store, "me")
    assert len(store.take(Taker("me", unsure=True), NOON)) == 1


def test_processes_that_open_a_new_database_at_once_make_its_tables_once(url: str) -> None:
    opened: list[Store] = []
    threads = [threading.Thread(target=lambda: opened.append(open_store(url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.version() for store in opened] == [0] * 6
    for store in opened:
        store.close()


def test_an_order_is_handed_out_once_however_many_take_at_once(url: str, store: Store) -> None:
    for number in range(200):
        order = Run(Order(f"o-{number}", "shop", "e", "s", "a", KIND))
        store.commit([Entry("shop", 0, commands=(order,))])
    taken: list[str] = []

    def take(name: str) -> None:
        mine = open_store(url)
        claims = mine.take(Taker(name, ABLE), NOON)
        taken.extend(claim.order.id for claim in claims)
        mine.close()

    threads = [threading.Thread(target=take, args=(f"e-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(f"o-{number}" for number in range(200))


def test_an_engine_is_dead_when_its_lease_has_ended_and_it_holds_something(
    store: Store, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelinekit.store.leases.RETURN_SECONDS", 0)
    for engine, seconds in (("gone", -1), ("idle", -1), ("living", 60)):
        leases.renew(engine, "place", seconds)
    ordered(store, "gone", "o-1")
    ordered(store, "living", "o-2")
    assert leases.dead() == ["gone"]
    leases.renew("gone", "place", 60)
    assert leases.dead() == []


def test_nobody_is_dead_in_the_first_moments_of_the_server(
    store: Store, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases.renew("gone", "place", -1)
    ordered(store, "gone")
    monkeypatch.setattr("pipelinekit.store.leases.RETURN_SECONDS", 3600)
    assert leases.dead() == []
    monkeypatch.setattr("pipelinekit.store.leases.RETURN_SECONDS", 0)
    assert leases.dead() == ["gone"]


def test_an_engine_is_at_work_until_its_lease_ends_or_it_says_goodbye(leases: Leases) -> None:
    assert not leases.alive()
    leases.renew("one", "place", 60)
    assert leases.alive()
    leases.renew("one", "place", 60, at_work=False)
    assert not leases.alive()
    leases.renew("two", "place", -1)
    assert not leases.alive()


def test_what_a_dead_engine_held_waits_for_its_place_while_an_engine_lives_there(
    store: Store, leases: Leases
) -> None:
    leases.renew("dead", "here", -1)
    leases.renew("neighbour", "here", 60)
    leases.renew("stranger", "there", 60)
    ordered(store, "dead")
    assert store.take(Taker("stranger", ABLE, ["dead"]), NOON) == []
    (claim,) = store.take(Taker("neighbour", ABLE), NOON)
    assert (claim.inherited, claim.elsewhere) == (True, False)
    leases.renew("neighbour", "here", -1)
    (claim,) = store.take(Taker("stranger", ABLE, ["neighbour"]), NOON)
    assert (claim.inherited, claim.elsewhere, claim.order.fence) == (True, True, 3)


def hinted(store: Store) -> tuple[threading.Event, Callable[[], None]]:
    """Listen for hints; give what is set by one, once all is set up, and what ends it."""
    assert store.hints is not None
    heard = threading.Event()
    deafen = store.hints.listen(heard.set)
    assert heard.wait(10)  # the first is for what was missed before
    heard.clear()
    return heard, deafen


def test_who_listens_is_told_at_once_of_what_nobody_has_taken(store: Store, url: str) -> None:
    heard, deafen = hinted(store)
    other = open_store(url)
    ordered(other, "its-own", "o-1")
    assert not heard.wait(0.3)
    order = Run(Order("o-2", "shop", "e", "s", "a", KIND))
    other.commit([Entry("shop", 0, commands=(order,))])
    assert heard.wait(10)
    other.close()
    deafen()


def test_a_store_in_another_schema_tells_nothing(store: Store) -> None:
    heard, deafen = hinted(store)
    other = open_store(postgres.shared().url())
    order = Run(Order("o-1", "shop", "e", "s", "a", KIND))
    other.commit([Entry("shop", 0, commands=(order,))])
    assert not heard.wait(0.3)
    other.close()
    deafen()


def test_who_listens_does_so_again_after_its_connection_was_lost(store: Store, url: str) -> None:
    heard, deafen = hinted(store)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        )
    assert heard.wait(10)
    heard.clear()
    order = Run(Order("o-1", "shop", "e", "s", "a", KIND))
    store.commit([Entry("shop", 0, commands=(order,))])
    assert heard.wait(10)
    deafen()
    assert not [each for each in threading.enumerate() if each.name == "hints"]


def test_a_server_that_hangs_is_hung_up_on_and_the_store_goes_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 1.0)
    store = open_store(url)
    with store._database.reading() as connection:  # type: ignore[attr-defined]  # noqa: SLF001
        ((backend,),) = connection.rows("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)  # its host still acknowledges what is sent to it
    began = time.monotonic()
    try:
        with pytest.raises(StoreError, match="was to be read and that failed"):
            store.find(Order, Query())
        assert 1.0 <= time.monotonic() - began < 5.0
        assert store.find(Order, Query()) == []  # over another connection
    finally:
        os.kill(backend, signal.SIGCONT)
        store.close()


def test_a_store_that_lies_behind_on_the_search_path_is_found_again(url: str) -> None:
    schema = url.rpartition("%3D")[2]
    store = open_store(url)
    ordered(store, "me")
    store.close()
    address = url.partition("&options=")[0]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}_first")  # type: ignore[call-overload]
    store = open_store(f"{address}&options=-csearch_path%3D{schema}_first,{schema}")
    assert store.past.holders() == ["me"]
    store.close()
