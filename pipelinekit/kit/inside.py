"""What a runner calls to carry out an order in a process of its own."""

from collections.abc import Mapping

from pipelinekit.kit.errand import bench
from pipelinekit.kit.registry import provider
from pipelinekit.runtime.bench import carry_out
from pipelinekit.wire.record import answer_data


def work(given: Mapping[str, str]) -> dict[str, object]:
    """Carry out an order; what it prints is the action's log."""
    job = bench(given)
    report = carry_out(provider(job.order.type, given["module"]), job)
    return answer_data(report.outcome, report.artifacts)
