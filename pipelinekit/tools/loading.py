"""How modules are loaded, and kept, without looking for garbage among them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Load what the block loads without looking for garbage, of which modules make none.

    Looking through what grows all the while takes a tenth of the time. In the end all counts as
    old, as if it had been looked through; what is garbage among it is found when the old is next
    looked through. Nothing is changed for a process that has set up its collector in its own way.
    """
    if not gc.isenabled() or gc.get_freeze_count():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # which puts all that was young among the old
        gc.enable()


def keep_loaded() -> None:
    """Let the garbage collector never again look at what there is by now.

    For a process that serves for long: to look through its modules takes a tenth of a second, in
    which nobody is answered. What is garbage by now stays: modules make none. Only whoever owns
    the process may say so, as a program does.
    """
    gc.freeze()
