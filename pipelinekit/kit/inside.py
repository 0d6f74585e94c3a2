"""What a runner calls to carry out an order in a process of its own."""

from collections.abc import Mapping
from pathlib import Path

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.kit.registry import discover
from pipelinekit.model.order import Order
from pipelinekit.model.settings import Settings
from pipelinekit.runtime.bench import Bench, carry_out
from pipelinekit.wire.record import answer_data, read, text

TARGET = f"{__name__}:work"

PROVIDERS = discover()  # once, before a runner is forked off


def payload(jobs: Path, artifacts: Path, settings: Settings) -> dict[str, str]:
    """Write down what `work` needs besides the order."""
    return {"jobs": str(jobs), "artifacts": str(artifacts), "settings": text(settings)}


def work(given: Mapping[str, str]) -> dict[str, object]:
    """Carry out an order; what it prints is the action's log."""
    order = read(given["order"], Order)
    bench = Bench(
        order=order,
        settings=read(given["settings"], Settings),
        folder=Path(given["jobs"]) / order.id,
        artifacts=FolderArtifacts(Path(given["artifacts"])),
        aloud=True,
    )
    report = carry_out(PROVIDERS[order.type], bench)
    return answer_data(report.outcome, report.artifacts)
