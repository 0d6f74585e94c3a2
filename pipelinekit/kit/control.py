"""What a run needs of the kit that it belongs to."""

from collections.abc import Callable
from typing import Protocol

from pipelinekit.kit.home import Home
from pipelinekit.model.event import Event
from pipelinekit.ports.store import Store
from pipelinekit.runtime.pulse import Pulse


class Engine(Protocol):
    """The engine of this process, as a kit and whoever waits for it know it.

    Attributes:
        pulse: Tells what turns.
    """

    pulse: Pulse

    @property
    def alive(self) -> bool:
        """Tell whether it is at work."""
        ...

    @property
    def idle(self) -> bool:
        """Tell whether nothing is under way but what waits for a person."""
        ...

    def handle(self, event: Event) -> str:
        """Have an event decided; give the answer once it is durable, or raise why not."""
        ...

    def close(self) -> None:
        """Stop taking work; what runs in runners goes on."""
        ...


class Control(Protocol):
    """What a run needs of its kit."""

    home: Home
    by: str
    store: Store
    worker: Engine | None

    def ask(self, wish: Callable[..., Event], pipeline: str, **members: object) -> str:
        """Have a wish of the person who acts through it decided."""
        ...

    def engine_alive(self) -> bool:
        """Tell whether some engine is at work."""
        ...
