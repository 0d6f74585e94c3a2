"""Prepares to run orders in processes of their own, of which a helper takes its time to start."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipelinekit.model.settings import Settings, Where
from pipelinekit.tools.jobs.process import Spawner

MODULE: Final = "pipelinekit.kit.inside"
TARGET: Final = f"{MODULE}:work"
"""What a runner calls."""

TRIAL: Final = "pipelinekit.builds.sandbox_trial"
"""What is loaded besides where commands may run in a sandbox."""


def needed(settings: Settings) -> tuple[str, ...]:
    """Name the modules that all runners need, to be loaded before they are forked off."""
    usual = settings.compute.where
    own = (each.compute.where for each in settings.projects.values() if each.compute)
    places = {usual, *(where or usual for where in own)}
    return (MODULE, TRIAL) if places & {None, Where.SANDBOX} else (MODULE,)


def prepared(jobs: Path, needed: Sequence[str], likely: Sequence[str] = ()) -> Spawner:
    """Prepare to start runners; its helper comes up at once where there were runners before.

    Args:
        jobs: The folder that holds a folder for each job.
        needed: Modules that all runners need.
        likely: Modules that they are likely to need, loaded too where there were some.
    """
    if not _has_worked(jobs):
        return Spawner(needed)
    spawner = Spawner((*needed, *likely))
    spawner.warm()
    return spawner


def _has_worked(jobs: Path) -> bool:
    with suppress(FileNotFoundError), os.scandir(jobs) as folders:
        return any(folders)
    return False
