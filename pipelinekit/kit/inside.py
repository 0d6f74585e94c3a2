"""What a runner calls to carry out an order in a process of its own."""

from collections.abc import Mapping

from pipelinekit.kit.errand import bench
from pipelinekit.kit.registry import discover
from pipelinekit.runtime.bench import carry_out
from pipelinekit.tools.commands.sandbox import sandbox_obstacle
from pipelinekit.wire.record import answer_data

# Both once, before a runner is forked off; a sandbox that failed is tried again by each.
PROVIDERS = discover()
if sandbox_obstacle():
    sandbox_obstacle.cache_clear()


def work(given: Mapping[str, str]) -> dict[str, object]:
    """Carry out an order; what it prints is the action's log."""
    job = bench(given)
    report = carry_out(PROVIDERS[job.order.type], job)
    return answer_data(report.outcome, report.artifacts)
