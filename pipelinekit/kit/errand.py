"""What a runner is given: everything that an order needs, as plain JSON texts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings, Where
from pipelinekit.runtime.bench import Bench
from pipelinekit.wire.record import read, text

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


def written(jobs: Path, artifacts: Path, settings: Settings) -> dict[str, str]:
    """Write down what is the same for all orders of a kit."""
    return {"jobs": str(jobs), "artifacts": str(artifacts), "settings": text(settings)}


def bench(given: Mapping[str, str]) -> Bench:
    """Make the bench for what was written down together with an order."""
    order = read(given["order"], Order)
    return Bench(
        order=order,
        settings=read(given["settings"], Settings),
        folder=Path(given["jobs"]) / order.id,
        artifacts=FolderArtifacts(Path(given["artifacts"])),
        aloud=True,
    )
