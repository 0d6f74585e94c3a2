"""What is done when a block is left by an exception of whatever kind."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import ParamSpec

P = ParamSpec("P")


@contextmanager
def on_error(clean: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Iterator[None]:
    """Clean up when the block is left by an exception, which then goes on.

    Every kind counts, also an interrupt by the user, the end of the process, and of a task.

    Args:
        clean: Takes away what was half made; what it raises goes on in place of the exception.
        args: What it is called with.
        kwargs: The same by name.
    """
    with ExitStack() as failing:
        failing.callback(clean, *args, **kwargs)
        yield
        failing.pop_all()
