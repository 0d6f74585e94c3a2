"""What a decision wants done by the world outside."""

from datetime import datetime

from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Order


class Run(Noun):
    """Carry out an order."""

    order: Order


class Ask(Noun):
    """Ask the provider of an order again, with the token that it gave.

    Attributes:
        action_execution: The order's id.
        token: The provider's continuation token.
        due: When to ask, UTC; never by itself when None.
    """

    action_execution: str
    token: str
    due: datetime | None


class Halt(Noun):
    """Nobody wants the order any more: end whatever runs for it.

    Attributes:
        action_execution: The order's id.
    """

    action_execution: str


Command = Run | Ask | Halt
