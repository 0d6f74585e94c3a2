"""How a run is waited for without asking again and again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pipelinekit.kit.control import Control
from pipelinekit.kit.waits import Asked, called
from pipelinekit.model.errors import EngineClosed


@contextmanager
def dozing(kit: Control, run: Asked) -> Iterator[Callable[[float], None]]:
    """Give what waits up to so many seconds until something happens to a run.

    Where this process does not work, nobody tells it, and it waits for as long as it is told.

    Raises:
        EngineClosed: While waiting: this kit's engine is no longer at work, and no other is.
    """
    worker = kit.worker
    if worker is None:
        yield time.sleep
        return
    with worker.pulse.listening(run.id) as ear:

        def doze(seconds: float) -> None:
            if not kit.engine_alive():
                raise EngineClosed(
                    f"{called(run)} was waited for and no engine is at work; open a new Kit to go "
                    f"on"
                )
            ear.wait(seconds)

        yield doze
