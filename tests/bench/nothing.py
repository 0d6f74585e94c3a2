"""Actions that do nothing, and pipelines of them."""

import pipelinekit as pk


@pk.action("Source", "BenchSource", repeatable=True)
def source(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


@pk.action("Test", "BenchStep", repeatable=True)
def nothing(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


def pipeline(name: str, stages: int, actions: int) -> pk.Pipeline:
    """Make a pipeline of a source and stages of no-op actions side by side."""
    line = pk.Pipeline(name) >> pk.Stage("Source", source("Fetch"))
    for stage in range(stages):
        side_by_side = [nothing(f"a{stage}-{number}") for number in range(actions)]
        line = line >> pk.Stage(f"S{stage}", *side_by_side)
    return line
