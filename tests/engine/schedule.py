"""What is tried on a pipeline, as data: drawn from a seed, made up, or cut down to what fails."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from tests.engine.plans import POOL

LENGTH = 29
"""How many throws a schedule has; letting everything end makes further events."""

KINDS: Mapping[str, int] = {
    "report": 48,
    "start": 16,
    "answer": 9,
    "retry": 7,
    "turn": 5,
    "rollback": 4,
    "stop": 3,
    "expire": 2,
    "override": 3,
    "again": 3,
    "define": 1,
    "wait": 1,
}
"""What can be tried, and how often it is."""

T = TypeVar("T")


class Throw(NamedTuple):
    """What is tried next, and a number from which everything else about it is drawn."""

    kind: str
    number: int


class Schedule(NamedTuple):
    """Everything that is tried on one pipeline, which is drawn from a number too."""

    plan: int
    throws: tuple[Throw, ...]


def draw(seed: int) -> Schedule:
    """Draw a schedule; the same for the same seed."""
    random = Random(seed)
    kinds = random.choices(tuple(KINDS), tuple(KINDS.values()), k=LENGTH)
    bits = random.getrandbits
    number = bits(30) % POOL
    throws = [Throw(kind, bits(60)) for kind in kinds]
    if bits(6) == 0:  # seldom, since whatever went before is gone then
        throws[LENGTH // 2] = Throw("delete", 0)
    return Schedule(number, tuple(throws))


class Luck:
    """Draws from a number; a small number draws what comes first."""

    __slots__ = ("_left",)

    def __init__(self, number: int) -> None:
        self._left = number

    def below(self, end: int) -> int:
        """Draw a whole number from 0."""
        self._left, drawn = divmod(self._left, end)
        return drawn

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of several."""
        return options[self.below(len(options))]

    def seldom(self, percent: int) -> bool:
        """Draw a yes as often as said."""
        return self.below(100) >= 100 - percent
