"""What the engine costs: no-op actions in this process, SQLite with WAL and synchronous FULL."""

import statistics
import tempfile
import time
from collections.abc import Callable

import pipelinekit as pk
from pipelinekit.model.event import Defined
from pipelinekit.runtime.clock import new_id, now
from tests.bench.nothing import pipeline

Pick = Callable[[list[float]], float]


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def per_action(kit: pk.Kit, stages: int, actions: int, rounds: int) -> list[float]:
    """Give the milliseconds per action of each round, starts and ends recorded."""
    made = pipeline(f"b{stages}x{actions}", stages, actions)
    define = Defined(id=new_id(), pipeline=made.name, at=now(), by="bench", definition=made)
    kit.handle(define)  # straight in: 500 side by side are more than CodePipeline allows
    kit.start(made.name).wait()
    seconds = [timed(lambda: kit.start(made.name).wait()) for _ in range(rounds)]
    return [each * 1000 / (stages * actions + 1) for each in seconds]


def measure(rounds: int = 15, pick: Pick = statistics.median) -> dict[str, float]:
    """Measure, in one process and on one store.

    Args:
        rounds: How many executions of the smallest.
        pick: Which of several measurements counts.

    Returns:
        `narrow` and `wide` in milliseconds per action (3 x 10, and 500 side by side), `ratio` of
        500 to 10 side by side, `long` of 49 x 20 to 3 x 10.
    """
    with (
        tempfile.TemporaryDirectory() as home,
        pk.Kit(home, settings=pk.Settings()) as kit,
    ):
        narrow = pick(per_action(kit, 3, 10, rounds))
        ten = pick(per_action(kit, 1, 10, rounds))
        wide = pick(per_action(kit, 1, 500, max(3, rounds // 3)))
        long = pick(per_action(kit, 49, 20, max(3, rounds // 5)))
    ratios = {"ratio": wide / ten, "long": long / narrow}
    return {"narrow": narrow, "ten": ten, "wide": wide, **ratios}


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:8} {value:8.3f}")
