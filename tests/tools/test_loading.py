"""Nothing is looked through while modules are loaded, and nothing is lost by that."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from pipelinekit.tools.loading import keep_loaded, loading

MANY = 5_000


class Thing:
    """What can be in a circle of its own."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_loaded_is_looked_through_at_the_next_whole_look_only() -> None:
    looks = list[int]()
    gc.callbacks.append(lambda _phase, info: looks.append(info["generation"]))
    try:
        with loading():
            things = [Thing() for _ in range(MANY)]
        assert looks == []
        gone = weakref.ref(things[0])
        del things
        gc.collect(1)
        assert gone() is not None
        gc.collect()
        assert gone() is None
    finally:
        gc.callbacks.pop()
    assert gc.isenabled()


def test_who_has_set_up_the_collector_finds_it_as_it_was() -> None:
    gc.disable()
    with loading():
        pass
    assert not gc.isenabled()
    gc.enable()
    gc.freeze()
    held = gc.get_freeze_count()
    with loading():
        assert gc.isenabled()
    assert gc.get_freeze_count() == held


def test_the_collector_is_at_work_again_after_a_failure() -> None:
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert gc.isenabled()


def test_what_is_kept_is_never_looked_through_again() -> None:
    keep_loaded()
    things = [Thing() for _ in range(MANY)]
    before = weakref.ref(things[0])
    keep_loaded()
    after = Thing()
    later = weakref.ref(after)
    del things, after
    gc.collect()
    assert before() is not None
    assert later() is None
