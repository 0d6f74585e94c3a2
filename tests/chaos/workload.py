"""What the engines are given to do: pipelines whose stages hold parallel actions of all kinds."""

from msgspec.structs import replace

from pipelinekit.model.action import Action
from pipelinekit.model.pipeline import ExecutionMode, Pipeline, Stage
from tests.chaos import deeds

QUICK = 0.02
LONG = 3_600.0


def sturdy(seconds: float = QUICK) -> Pipeline:
    """Make a pipeline that must succeed whatever happens to the engine."""
    code = deeds.found("code").writes("code")
    data = deeds.seen("data").writes("data")
    build = (
        deeds.detached("make", seconds).reads("code").writes("program")
        + deeds.detached_again("test", seconds).reads("code")
        + deeds.inline_again("lint", seconds).reads("code", "data")
    )
    join = deeds.polled("poll", seconds).reads("program")
    ship = deeds.detached("east", seconds).reads("program") + deeds.detached(
        "west", seconds
    ).reads("program")
    return _queued(
        Pipeline("sturdy")
        >> Stage("Source", code + data)
        >> Stage("Build", build >> join)
        >> Stage("Gate", deeds.APPROVAL("ok"))
        >> Stage("Ship", ship >> deeds.inline_again("smoke", seconds).reads("data"))
    )


def frail(seconds: float = QUICK) -> Pipeline:
    """Make a pipeline whose actions are lost with the engine, and never run twice."""
    twice = deeds.inline("left", seconds).reads("code") + deeds.inline("right", seconds)
    return _queued(
        Pipeline("frail")
        >> Stage("Source", deeds.seen("code").writes("code"))
        >> Stage("Work", twice >> deeds.inline("last", seconds))
    )


def doomed() -> Pipeline:
    """Make a pipeline that is stopped while its actions are under way."""
    return _queued(
        Pipeline("doomed")
        >> Stage("Source", deeds.seen("code").writes("code"))
        >> Stage("Work", deeds.detached("long", LONG) + deeds.detached_again("longer", LONG)),
        ExecutionMode.PARALLEL,
    )


def brittle() -> Pipeline:
    """Make a pipeline with an action whose runner is killed once, and which runs again then."""
    return _queued(
        Pipeline("brittle")
        >> Stage("Source", deeds.seen("code").writes("code"))
        >> Stage("Work", deeds.fragile("weak").reads("code"))
    )


def slow(seconds: float) -> Pipeline:
    """Make a pipeline whose work takes a while, and whose result is read some time later."""
    work = deeds.inline_again("work", seconds).reads("code").writes("result")
    later = (
        work
        >> deeds.detached("meanwhile", seconds)
        >> deeds.inline_again("reader").reads("result")
    )
    return _queued(
        Pipeline("slow")
        >> Stage("Source", deeds.seen("code").writes("code"))
        >> Stage("Work", later),
        ExecutionMode.PARALLEL,
    )


def voted(approvals: int) -> Pipeline:
    """Make a pipeline with so many approvals side by side."""
    asked = [deeds.APPROVAL(f"ok{number}") for number in range(approvals)]
    return single("voted", *asked)


def single(name: str, *actions: Action) -> Pipeline:
    """Make a pipeline whose second stage holds some actions, with the run orders they bear."""
    stage = Stage("Work", actions=actions)
    source = Stage("Source", deeds.seen("code").writes("code"))
    return _queued(Pipeline(name) >> source >> stage)


def standard() -> tuple[Pipeline, ...]:
    """Give the workload that reaches every failpoint."""
    return (sturdy(), frail(), doomed(), brittle())


def layout(pipeline: Pipeline) -> list[list[object]]:
    """Tell the checker in which order a pipeline's actions may run: stages of groups of names."""
    stages: list[list[object]] = []
    for stage in pipeline.stages:
        orders = sorted({action.run_order for action in stage.actions})
        groups = [[a.name for a in stage.actions if a.run_order == order] for order in orders]
        stages.append([stage.name, groups])
    return stages


def _queued(pipeline: Pipeline, mode: ExecutionMode = ExecutionMode.QUEUED) -> Pipeline:
    return replace(pipeline, mode=mode)
