"""Things fall due soonest first; a crew of threads does what it is told."""

import threading
import time
from datetime import UTC, datetime, timedelta

from pipelinekit.runtime.threads import Threads
from pipelinekit.runtime.timers import Timers

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_things_fall_due_soonest_first_and_once() -> None:
    timers: Timers[str] = Timers()
    timers.add(NOON + timedelta(seconds=2), "late")
    timers.add(NOON, "now")
    timers.add(NOON + timedelta(seconds=1), "soon")
    assert timers.due(NOON) == ["now"]
    assert timers.seconds(NOON, 10) == 1
    assert timers.due(NOON + timedelta(seconds=5)) == ["soon", "late"]
    assert timers.due(NOON + timedelta(seconds=5)) == []


def test_the_next_thing_is_never_waited_for_longer_than_is_said() -> None:
    timers: Timers[str] = Timers()
    assert timers.seconds(NOON, 0.5) == 0.5
    timers.add(NOON + timedelta(days=1), "x")
    assert timers.seconds(NOON, 0.5) == 0.5
    assert timers.seconds(NOON + timedelta(days=2), 0.5) == 0


def test_tasks_run_side_by_side_up_to_the_size_of_the_crew() -> None:
    crew = Threads(most=4)
    barrier = threading.Barrier(5)
    for _ in range(4):
        crew.do(barrier.wait)
    barrier.wait(timeout=5)
    crew.close(5)


def test_more_tasks_than_threads_are_all_done() -> None:
    crew, done, all_done = Threads(most=2), [], threading.Barrier(2)
    for number in range(100):
        crew.do(lambda number=number: done.append(number))
    crew.do(lambda: all_done.wait(timeout=5) and None)
    all_done.wait(timeout=5)
    assert sorted(done) == list(range(100))
    crew.close(5)


def test_what_waits_for_a_thread_when_the_crew_is_sent_home_is_never_done() -> None:
    crew, done, gate = Threads(most=1), [], threading.Event()
    crew.do(lambda: gate.wait(timeout=5) and None)
    crew.do(lambda: done.append(1))
    closing = threading.Thread(target=crew.close, args=(5,))
    closing.start()
    while not crew._closed:  # noqa: SLF001 - only then the order of things is sure
        time.sleep(0.001)
    gate.set()
    closing.join()
    crew.close(1)
    assert done == []


def test_things_that_nobody_wants_any_more_are_tidied_away() -> None:
    timers: Timers[int] = Timers()
    for number in range(3000):
        timers.add(NOON + timedelta(seconds=number), number)
    timers.tidy(lambda number: number >= 2990)
    assert timers.due(NOON + timedelta(days=1)) == list(range(2990, 3000))


def test_a_crew_that_was_sent_home_does_nothing_more() -> None:
    crew, done = Threads(most=2), []
    crew.close(1)
    crew.do(lambda: done.append(1))
    assert done == []
