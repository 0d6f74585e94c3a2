"""What every store must do with what is the account's, and with what waits for job workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.engine.decide import decide
from pipelinekit.model.account import ACCOUNT, Authentication, CustomType, Tags, Webhook
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.model.command import Halt, Run
from pipelinekit.model.event import Event, Tagged, TypeCreated, WebhookPut
from pipelinekit.model.job import JobStatus, WorkerJob
from pipelinekit.model.order import Order
from pipelinekit.ports.store import Entry, Query, Store, Taker
from pipelinekit.store.sql import open_store
from tests.contracts.test_store import DATABASES, MAKERS
from tests.engine.world import NOON

OVEN = ActionTypeId(Category.BUILD, Owner.CUSTOM, "Oven")
TYPE = CustomType(OVEN, NOON, urls={"entityUrlTemplate": "https://oven"})
HOOK = Webhook("hook", "shop", "Fetch", "path", Authentication.IP, allowed="192.0.2.0/24")
JOB = WorkerJob("j", "shop", "e", "Bake", "Bread", "a", OVEN, "nonce", NOON)
ORDER = Order("a", "shop", "e", "Bake", "Bread", OVEN)


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = open_store(MAKERS[request.param](tmp_path))
    yield made
    made.close()


def happen(store: Store, event: Event) -> None:
    """Have an event decided on what is stored, and commit what follows."""
    state, seen = store.load(event.pipeline)
    rows = decide(state, event).rows
    store.commit([Entry(pipeline=event.pipeline, seen=seen, events=(event,), rows=rows)])


def bear(number: int) -> dict[str, object]:
    """Give what every event bears."""
    identity = f"00000000-0000-4000-8000-{number:012}"
    return {"id": identity, "pipeline": ACCOUNT, "at": NOON, "by": "ann"}


def test_what_is_the_accounts_is_kept_and_loaded(store: Store) -> None:
    happen(store, TypeCreated(**bear(1), type=TYPE, tags={"a": "b"}))
    happen(store, WebhookPut(**bear(2), webhook=HOOK))
    happen(store, Tagged(**bear(3), resource="webhook:hook", values={"c": "d"}))
    assert store.find(CustomType, Query(pipeline=ACCOUNT)) == [TYPE]
    assert store.find(Webhook, Query(id="hook")) == [HOOK]
    kept = {row.resource: row.values for row in store.find(Tags, Query(pipeline=ACCOUNT))}
    assert kept == {"actiontype:Custom/Build/Oven/1": {"a": "b"}, "webhook:hook": {"c": "d"}}
    state, seen = store.load(ACCOUNT)
    assert (state.get(Webhook, ("hook",)), seen) == (HOOK, 3)


def test_a_job_is_found_by_its_id_and_by_its_execution(store: Store) -> None:
    taken = replace(JOB, status=JobStatus.IN_PROGRESS)
    store.commit([Entry(pipeline="shop", seen=0, rows=(JOB,))])
    store.commit([Entry(pipeline="shop", seen=0, rows=(taken,))])
    assert store.find(WorkerJob, Query(id="j")) == [taken]
    assert store.find(WorkerJob, Query(execution="e")) == [taken]
    assert store.find(WorkerJob, Query(execution="another")) == []


def test_orders_that_no_engine_takes_are_found_until_they_are_halted(store: Store) -> None:
    store.commit([Entry(pipeline="shop", seen=0, commands=(Run(ORDER),), owner="me")])
    assert store.take(Taker("me", able=["Test/Custom/Other/1"]), NOON) == []
    assert store.find(Order, Query(type=str(OVEN))) == [ORDER]
    assert store.find(Order, Query(type="Test/Custom/Other/1")) == []
    assert store.find(Order, Query(id="a")) == [ORDER]
    store.commit([Entry(pipeline="shop", seen=0, commands=(Halt("a"),))])
    assert store.find(Order, Query(type=str(OVEN))) == []


def test_an_order_that_an_engine_holds_is_its_own_business(store: Store) -> None:
    able = [str(OVEN)]
    store.commit([Entry(pipeline="shop", seen=0, commands=(Run(ORDER),), owner="me", able=able)])
    assert store.find(Order, Query(type=str(OVEN))) == []
