"""Short calls go on side by side where they block, and share few threads where they do not."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial

import pytest

from pipelinekit.runtime.threads import Threads

MOST = 8
SOON = 10.0


@pytest.fixture
def crew() -> Iterator[Threads]:
    threads = Threads(MOST)
    yield threads
    threads.close(SOON)


def test_tasks_that_block_go_on_side_by_side(crew: Threads) -> None:
    meeting = threading.Barrier(MOST + 1)
    for _ in range(MOST):
        crew.do(partial(meeting.wait, SOON))
    meeting.wait(SOON)  # else it is broken, and raises


def test_no_more_tasks_go_on_than_there_may_be_threads(crew: Threads) -> None:
    go_on, begun = threading.Event(), threading.Semaphore(0)

    def task() -> None:
        begun.release()
        go_on.wait(SOON)

    for _ in range(MOST + 1):
        crew.do(task)
    for _ in range(MOST):
        assert begun.acquire(timeout=SOON)
    assert not begun.acquire(timeout=0.1)
    go_on.set()
    assert begun.acquire(timeout=SOON)


def test_a_task_waits_for_no_other_while_a_thread_is_free(crew: Threads) -> None:
    go_on, done = threading.Event(), threading.Event()
    crew.do(partial(go_on.wait, SOON))
    crew.do(done.set)
    assert done.wait(SOON)
    go_on.set()


def test_many_tasks_without_waiting_are_done_by_few_threads() -> None:
    crew, seen, over = Threads(64), set[int](), Future[None]()
    tasks = 500

    def task(number: int) -> None:
        seen.add(threading.get_ident())
        if number == tasks - 1:
            over.set_result(None)

    for number in range(tasks):
        crew.do(partial(task, number))
    over.result(SOON)
    crew.close(SOON)
    assert len(seen) < 64 / 2


def test_a_task_that_raises_leaves_its_place_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[threading.ExceptHookArgs]()
    monkeypatch.setattr(threading, "excepthook", told.append)
    crew, done = Threads(1), threading.Event()

    def broken() -> None:
        raise KeyError

    crew.do(broken)
    crew.do(done.set)
    assert done.wait(SOON)
    crew.close(SOON)
    assert [each.exc_type for each in told] == [KeyError]


@pytest.mark.parametrize("finish", [True, False])
def test_who_is_sent_home_does_what_waits_only_where_that_is_wished(*, finish: bool) -> None:
    crew, go_on, late = Threads(1), threading.Event(), threading.Event()
    begun = threading.Event()

    def first() -> None:
        begun.set()
        go_on.wait(SOON)

    crew.do(first)
    assert begun.wait(SOON)
    crew.do(late.set)
    threading.Timer(0.1, go_on.set).start()
    crew.close(SOON, finish=finish)
    assert late.is_set() is finish
    crew.do(late.clear)  # is not done any more
    assert late.is_set() is finish
