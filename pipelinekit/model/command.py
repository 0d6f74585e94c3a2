"""What a decision wants done by the world outside."""

from dataclasses import dataclass
from datetime import datetime

from pipelinekit.model.order import Order


@dataclass(frozen=True, slots=True)
class Run:
    """Carry out an order."""

    order: Order


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the provider of an order again, with the token that it gave.

    Attributes:
        action_execution: The order's id.
        token: The provider's continuation token.
        due: When to ask, UTC; never by itself when None.
    """

    action_execution: str
    token: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nobody wants the order any more: end whatever runs for it.

    Attributes:
        action_execution: The order's id.
    """

    action_execution: str


Command = Run | Ask | Halt
