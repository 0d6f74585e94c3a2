"""Has one thread do several things by turns: while one waits for the engine, the next goes on."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Final


def _nobody() -> None:
    """Let nobody go first: the thread does nothing else."""


_GIVE_WAY: Final[ContextVar[Callable[[], object]]] = ContextVar("give_way", default=_nobody)


def give_way() -> None:
    """Let everything else that this thread does go as far as it can, before waiting.

    Whoever calls this must hold no lock that the others may want: they are in the same thread.
    """
    _GIVE_WAY.get()()


def take_turns(
    things: Sequence[Callable[[], object]], went_on: Callable[[], object] = _nobody
) -> None:
    """Do things in this thread, each until it ends or gives way, over and over until all are done.

    Args:
        things: What is to be done; none of them raises.
        went_on: Called whenever one is begun and whenever one has ended.
    """
    from greenlet import getcurrent, greenlet  # noqa: PLC0415 - only who serves needs it

    back = getcurrent().switch

    def do(thing: Callable[[], object]) -> None:
        _GIVE_WAY.set(back)
        thing()
        went_on()

    turns = [greenlet(partial(do, thing)) for thing in things]
    for each in turns:
        went_on()
        each.switch()
    while turns := [each for each in turns if not each.dead]:
        for each in turns:
            each.switch()
