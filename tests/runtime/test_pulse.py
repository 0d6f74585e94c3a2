"""Who waits is woken by what concerns it, and by nothing else."""

import threading
import time

from pipelinekit.runtime.pulse import Ear, Pulse

LONG = 30.0
SHORT = 0.02


def hears(ear: Ear) -> bool:
    """Tell whether something is heard at once."""
    began = time.monotonic()
    ear.wait(SHORT)
    return time.monotonic() - began < SHORT


def test_the_end_of_an_execution_is_heard_by_those_who_wait_for_it() -> None:
    pulse = Pulse()
    listening = pulse.listening
    with listening("mine") as mine, listening("other") as other, listening() as everything:
        pulse.beat({"mine"})
        assert hears(mine)
        assert not hears(other)
        assert hears(everything)


def test_a_change_that_is_no_turn_is_heard_by_those_who_want_all() -> None:
    pulse = Pulse()
    with pulse.listening("mine") as mine, pulse.listening() as everything:
        pulse.beat(())
        assert not hears(mine)
        assert hears(everything)


def test_what_nobody_knows_more_of_is_heard_by_all() -> None:
    pulse = Pulse()
    with pulse.listening("mine") as mine, pulse.listening() as everything:
        pulse.beat_for_all()
        assert hears(mine)
        assert hears(everything)


def test_one_call_tells_all_that_happened_before_it() -> None:
    pulse = Pulse()
    with pulse.listening("mine") as mine:
        pulse.beat({"mine"})
        pulse.beat({"mine"})
        assert hears(mine)
        assert not hears(mine)


def test_who_waits_is_woken_from_another_thread() -> None:
    pulse = Pulse()
    with pulse.listening("mine") as mine:
        waking = threading.Timer(SHORT, pulse.beat, [{"mine"}])
        waking.start()
        began = time.monotonic()
        mine.wait(LONG)
        assert time.monotonic() - began < LONG
        waking.join()
