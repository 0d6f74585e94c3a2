"""A store that fails by chance: before it has done anything, after it has, or late."""

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pipelinekit.model.errors import StoreError
from tests.chaos.ledger import note
from tests.chaos.rig import Parts
from tests.chaos.trial import Trial

CHANCE = 0.1
SPARED = 8
"""The first calls do not fail, so that an engine comes to life."""

VERBS = frozenset({"load", "commit", "take", "find", "tail", "version"})
LATE_SECONDS = 0.05
LIFE_SECONDS = 3.0


class Failing:
    """A store round another one, each of whose verbs fails one time in five."""

    def __init__(self, inner: Any, dice: random.Random) -> None:
        self._inner, self._dice, self._calls = inner, dice, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return partial(self._maybe, found) if name in VERBS else found

    def _maybe(self, verb: Callable[..., object], *args: Any, **kwargs: Any) -> object:
        self._calls += 1
        number = self._dice.random() if self._calls > SPARED else 0.5
        if number < CHANCE:
            raise StoreError("the store was asked for something and did nothing")
        if number < 2 * CHANCE:
            time.sleep(LATE_SECONDS)
        answer = verb(*args, **kwargs)
        if number > 1 - CHANCE:
            raise StoreError("the store did it and said that it did not")
        return answer


def failing(trial: Trial, count: int) -> None:
    """Let engines live so often on a store that fails.

    What an engine could not write down until it ended is run again, or is lost.
    """
    note("tolerate", codes=[])
    for _ in range(count):
        dice = random.Random(trial.dice.random())
        parts = Parts(wrap=lambda store, dice=dice: Failing(store, dice))
        trial.live(starts=trial.starts(), parts=parts, seconds=LIFE_SECONDS).wait(30)
    trial.settle()
