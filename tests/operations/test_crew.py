"""Calls that come together share a thread, and none of them suffers from another."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

import pipelinekit as pk
from pipelinekit.endpoint.callers import Caller
from pipelinekit.endpoint.crew import STUCK_SECONDS, Crew, Together
from pipelinekit.endpoint.gate import Admitted
from pipelinekit.endpoint.replays import Done, Replays
from pipelinekit.endpoint.server import Server
from pipelinekit.model.event import Deleted
from pipelinekit.operations.table import OPERATIONS, SLOW
from pipelinekit.runtime.turns import give_way, take_turns
from pipelinekit.tools.aws.loopback import Reply
from tests.operations.conftest import KEY, over_http
from tests.operations.declarations import usual

CALL = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.1\r\n"
    "X-Amz-Target: CodePipeline_20150709.{operation}\r\nContent-Length: {size}\r\n\r\n{body}"
)


class Doing:
    """A task that does something."""

    def __init__(self, service: Callable[[], None], target: str = "x.ListPipelines") -> None:
        self.service = service
        self.cancelled = False
        self.requests = [self]
        self.headers = {"X_AMZ_TARGET": target}

    def cancel(self) -> None:
        self.cancelled = True


@contextmanager
def crew(*, together: bool = True) -> Iterator[Crew]:
    made = Crew(4, together=together)
    try:
        yield made
    finally:
        made.shutdown()


def test_calls_that_came_together_are_answered_by_one_thread() -> None:
    threads: list[int] = []
    with crew() as made:
        for _ in range(3):
            made.add_task(Doing(lambda: threads.append(threading.get_ident())))
        made.begin()
    assert len(threads) == 3
    assert len(set(threads)) == 1


class Meeting:
    """Tasks that go on only when they are two, at the same time."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2, timeout=10)
        self._met = threading.Semaphore(0)

    def task(self, target: str) -> Doing:
        return Doing(self._meet, target)

    def _meet(self) -> None:
        self._both.wait()
        self._met.release()

    def took_place(self) -> bool:
        return all(self._met.acquire(timeout=10) for _ in range(2))


@pytest.mark.parametrize("slow", sorted(SLOW))
def test_a_call_that_may_take_long_has_a_thread_of_its_own(slow: str) -> None:
    assert slow in OPERATIONS
    meeting = Meeting()
    with crew() as made:
        made.add_task(meeting.task(f"x.{slow}"))
        made.add_task(meeting.task(f"x.{slow}"))
        made.begin()
        assert meeting.took_place()


def test_where_a_look_at_the_store_costs_something_each_call_has_a_thread() -> None:
    meeting = Meeting()
    with crew(together=False) as made:
        made.add_task(meeting.task("x.ListPipelines"))
        made.add_task(meeting.task("x.ListPipelines"))
        made.begin()
        assert meeting.took_place()


def test_a_call_that_fails_is_told_and_the_others_are_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answered: list[int] = []

    def fail() -> None:
        raise RuntimeError("no")

    Together([Doing(fail), Doing(lambda: answered.append(1)), Doing(fail)]).service()
    assert answered == [1]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


def test_calls_that_are_stuck_hold_up_nobody_who_comes_later() -> None:
    free, answered = threading.Event(), threading.Event()
    with crew() as made:
        made.add_task(Doing(lambda: finish(free)))
        made.add_task(Doing(lambda: None))
        began = time.monotonic()
        made.begin()
        assert STUCK_SECONDS <= time.monotonic() - began < 100 * STUCK_SECONDS
        made.add_task(Doing(answered.set))
        made.begin()
        assert answered.wait(10)
        free.set()


def finish(free: threading.Event) -> None:
    assert free.wait(10)


def test_calls_gather_as_long_as_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that takes longer in all than nothing may go on."""
    stuck = 0.4
    monkeypatch.setattr("pipelinekit.endpoint.crew.STUCK_SECONDS", stuck)
    seen: list[int] = []

    def go(number: int) -> None:
        time.sleep(stuck / 5)
        give_way()
        time.sleep(stuck / 5)
        seen.append(number)

    with crew() as made:
        for number in range(4):
            made.add_task(Doing(lambda number=number: go(number)))
        made.begin()
        assert seen == [0, 1, 2, 3]


def test_who_waits_by_turns_holds_up_nobody_who_comes_later() -> None:
    free = threading.Event()

    def wait() -> None:
        while not free.is_set():
            give_way()
            time.sleep(STUCK_SECONDS / 10)

    with crew() as made:
        made.add_task(Doing(wait))
        made.add_task(Doing(wait))
        made.begin()  # comes back although they take turns all the time
        free.set()


def test_what_was_not_begun_is_cancelled_as_a_whole() -> None:
    tasks = [Doing(lambda: None), Doing(lambda: None)]
    Together(tasks).cancel()
    assert all(each.cancelled for each in tasks)


def test_while_a_call_waits_for_the_engine_the_next_one_asks_too(kit: pk.Kit) -> None:
    trace: list[str] = []

    def ask(name: str) -> None:
        trace.append(f"{name} asks")
        kit.ask(Deleted, name)
        trace.append(f"{name} is answered")

    take_turns([lambda: ask("one"), lambda: ask("two")])
    assert trace == ["one asks", "two asks", "one is answered", "two is answered"]


def test_equal_calls_of_one_thread_are_done_once_and_both_answered() -> None:
    """The second one waits for the first, which only the same thread can go on with."""
    replays = Replays(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    done: list[Done] = []
    replies: list[Reply] = []
    times: list[int] = []

    def do() -> Reply:
        times.append(1)
        for _ in range(3):
            give_way()
        return Reply(body=b"once")

    def call() -> None:
        admitted = Admitted(Caller("ben", "s"), "one", datetime(2026, 1, 1, tzinfo=UTC), "same")
        found = replays.once(admitted, do)
        assert found is not None
        done.append(found)
        replies.append(found.answer())

    take_turns([call, call])
    assert (times, [each.body for each in replies]) == ([1], [b"once", b"once"])
    assert done[0] is done[1]


def test_many_calls_at_once_over_http_are_all_answered_rightly(kit: pk.Kit) -> None:
    """Each on a connection of its own, sent before any answer is read."""
    with Server(kit, None, "127.0.0.1", 0) as server:
        place = urlsplit(server.url)
        connections = [
            socket.create_connection((str(place.hostname), place.port or 0)) for _ in range(24)
        ]
        for number, each in enumerate(connections):
            name = f"shop-{number % 20}"  # four names come twice
            each.sendall(request("CreatePipeline", f'{{"pipeline": {declared(name)}}}'))
        statuses = sorted(answer(each)[0] for each in connections)
        assert statuses == [200] * 20 + [400] * 4
        assert len(kit.pipelines()) == 20
        for number, each in enumerate(connections):
            operation = "GetPipeline" if number % 2 else "NoSuchOperation"
            each.sendall(request(operation, f'{{"name": "shop-{number % 20}"}}'))
        told = [answer(each) for each in connections]
        assert [status for status, _ in told] == [400, 200] * 12
        assert all(f'"shop-{at % 20}"' in text for at, (_, text) in enumerate(told) if at % 2)
        for each in connections:
            each.close()


def test_an_answer_is_sent_in_one_piece_and_one_without_a_body_too(kit: pk.Kit) -> None:
    with Server(kit, None, "127.0.0.1", 0) as server:
        place = urlsplit(server.url)
        with socket.create_connection((str(place.hostname), place.port or 0)) as connection:
            connection.sendall(request("ListPipelines", "{}"))
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert (head.split()[1], body) == (b"200", b'{"pipelines":[]}')
            connection.sendall(b"HEAD /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert (head.split()[1], body) == (b"200", b"")
            connection.sendall(request("ListPipelines", "{}"))
            assert answer(connection) == (200, '{"pipelines":[]}')


def test_a_call_that_takes_long_in_the_store_does_not_stop_the_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free = threading.Event(), threading.Event()

    def slow(*_: object) -> dict[str, object]:
        begun.set()
        assert free.wait(20)
        return {"pipelines": []}

    client = over_http(server.url, KEY)
    client.create_pipeline(pipeline=usual())
    monkeypatch.setitem(OPERATIONS, "ListPipelines", slow)  # type: ignore[arg-type]
    waiting = threading.Thread(target=over_http(server.url, KEY).list_pipelines)
    waiting.start()
    assert begun.wait(10)
    assert client.get_pipeline(name="shop")["pipeline"]["name"] == "shop"
    free.set()
    waiting.join()


def request(operation: str, body: str) -> bytes:
    return CALL.format(operation=operation, size=len(body.encode()), body=body).encode()


def declared(name: str) -> str:
    return json.dumps(usual(name=name))


def answer(connection: socket.socket) -> tuple[int, str]:
    """Read one answer."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, rest = text.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    size = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length"))
    while len(rest) < size:
        rest += connection.recv(65536)
    return int(lines[0].split()[1]), rest.decode()
