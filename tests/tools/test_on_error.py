"""What is half made is taken away whatever comes in between, and only then."""

import asyncio
from contextlib import ExitStack

import pytest

from pipelinekit.tools.on_error import on_error

KINDS = [
    OSError(28, "full"),
    KeyboardInterrupt(),
    SystemExit(3),
    GeneratorExit(),
    StopIteration(),
    asyncio.CancelledError(),
    BaseExceptionGroup("both", [KeyboardInterrupt()]),
]


@pytest.mark.parametrize("failure", KINDS, ids=lambda failure: type(failure).__name__)
def test_it_is_cleaned_up_once_whatever_is_raised_and_that_goes_on(
    failure: BaseException,
) -> None:
    done = list[str]()
    with pytest.raises(type(failure)) as caught, on_error(done.append, "cleaned"):
        raise failure
    assert caught.value is failure
    assert caught.value.__context__ is None
    assert done == ["cleaned"]


def test_nothing_is_cleaned_up_after_a_block_that_came_to_its_end() -> None:
    done = list[str]()

    def whole() -> str:
        with on_error(done.append, "cleaned"):
            return "whole"

    assert whole() == "whole"
    assert done == []


def test_what_was_begun_last_is_cleaned_up_first_and_before_what_is_held_is_let_go() -> None:
    done = list[str]()

    def work() -> None:
        with ExitStack() as held:
            held.callback(done.append, "let go")
            with on_error(done.append, "first"), on_error(done.append, "second"):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["second", "first", "let go"]


def test_what_fails_in_cleaning_up_goes_on_and_tells_what_was_before() -> None:
    def clean() -> None:
        raise OSError(28, "full")

    before = KeyboardInterrupt()
    with pytest.raises(OSError, match="full") as caught, on_error(clean):
        raise before
    assert caught.value.__context__ is before


def test_the_end_of_a_task_is_cleaned_up_after() -> None:
    done = list[str]()

    async def work() -> None:
        with on_error(done.append, "cleaned"):
            await asyncio.sleep(60)

    async def cancelled() -> bool:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancelled())
    assert done == ["cleaned"]
