"""Things fall due soonest first; a crew of threads does what it is told."""

import threading
import time

from pipelinekit.runtime.threads import Threads
from pipelinekit.runtime.timers import Timers


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_things_fall_due_soonest_first_and_once() -> None:
    clock = Hand()
    timers: Timers[str] = Timers(clock)
    timers.add(2, "late")
    timers.add(0, "now")
    timers.add(1, "soon")
    assert timers.due() == ["now"]
    assert timers.seconds(10) == 1
    clock.time += 5
    assert timers.due() == ["soon", "late"]
    assert timers.due() == []


def test_what_has_not_fallen_due_can_be_taken_out_all_the_same() -> None:
    timers: Timers[str] = Timers(Hand())
    timers.add(2, "late")
    timers.add(1, "soon")
    assert timers.rest() == ["soon", "late"]
    assert timers.rest() == []


def test_the_next_thing_is_never_waited_for_longer_than_is_said() -> None:
    clock = Hand()
    timers: Timers[str] = Timers(clock)
    assert timers.seconds(0.5) == 0.5
    timers.add(86_400, "x")
    assert timers.seconds(0.5) == 0.5
    clock.time += 172_800
    assert timers.seconds(0.5) == 0


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
    clock = Hand()
    timers: Timers[int] = Timers(clock)
    for number in range(3000):
        timers.add(number, number)
    timers.tidy(lambda number: number >= 2990)
    clock.time += 86_400
    assert timers.due() == list(range(2990, 3000))


def test_a_crew_that_was_sent_home_does_nothing_more() -> None:
    crew, done = Threads(most=2), []
    crew.close(1)
    crew.do(lambda: done.append(1))
    assert done == []
