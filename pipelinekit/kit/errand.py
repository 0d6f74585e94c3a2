"""What a runner is given: everything that an order needs, as plain JSON texts."""

from collections.abc import Mapping
from pathlib import Path

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings
from pipelinekit.runtime.bench import Bench
from pipelinekit.wire.record import read, text


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
