"""Records what is renamed and which folders are synced, in the processes that want it recorded."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chaos.ledger import note

VARIABLE = "CHAOS_SYNCS"


def record_wanted() -> None:
    """Record from now on, if the environment wants it."""
    if os.environ.get(VARIABLE) and os.rename.__module__ != __name__:
        os.rename, os.replace = _renaming(os.rename), _renaming(os.replace)
        os.fsync = _syncing(os.fsync)


def _renaming(honest: Callable[..., None]) -> Callable[..., None]:
    def rename(source: Any, target: Any, **more: Any) -> None:
        honest(source, target, **more)
        path = Path(target)
        if path.name in {"result.json", "ctl"} or "artifacts" in path.parts:
            note("renamed", target=str(path))

    return rename


def _syncing(honest: Callable[[int], None]) -> Callable[[int], None]:
    def fsync(descriptor: int) -> None:
        honest(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        if path.is_dir():
            note("synced", folder=str(path))

    return fsync
