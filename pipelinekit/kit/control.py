"""What a run needs of the kit that it belongs to."""

from collections.abc import Callable
from typing import Protocol

from pipelinekit.kit.home import Home
from pipelinekit.model.event import Event
from pipelinekit.ports.store import Store
from pipelinekit.runtime.worker import Worker


class Control(Protocol):
    """What a run needs of its kit."""

    home: Home
    by: str
    store: Store
    worker: Worker | None

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Have a wish of the person who acts through it decided."""
        ...

    def engine_alive(self) -> bool:
        """Tell whether some engine is at work."""
        ...
