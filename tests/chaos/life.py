"""What an engine of the harness does with its life: it starts, tends, and perhaps settles."""

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from pipelinekit.kit.run import Run
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.pipeline import Pipeline
from pipelinekit.model.status import ActionStatus
from tests.chaos.ledger import note
from tests.chaos.rig import Parts, Rig, Site

LOOK_SECONDS = 0.05
NOT_SETTLED = 3
LASTING = frozenset({"long", "longer"})
"""The actions that end only when they are abandoned; one of the two may fail on a bad disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an engine is to do.

    Attributes:
        pipelines: What it writes down.
        starts: What it starts: a pipeline's name and a token.
        settle: Whether it ends once nothing is under way.
        seconds: How long it lives at most.
        parts: What a fault has put in the place of the usual parts.
        answers: Whether it approves what waits for somebody.
        meanwhile: Called now and then with the rig.
        doomed: Names of pipelines whose executions are abandoned once their actions are at work.
    """

    pipelines: tuple[Pipeline, ...] = ()
    starts: Sequence[tuple[str, str]] = ()
    settle: bool = False
    seconds: float = 60.0
    parts: Parts = field(default_factory=Parts)
    answers: bool = True
    meanwhile: Callable[[Rig], None] | None = None
    doomed: frozenset[str] = frozenset({"doomed"})


def live(site: Site, plan: Plan) -> int:
    """Be an engine at a site; give the exit code of its process."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    signal.signal(signal.SIGTERM, end)
    with Rig(site, plan.parts) as rig:
        _begin(rig, plan)
        limit = time.monotonic() + plan.seconds
        while time.monotonic() < limit and not ended:
            if plan.settle and _tend(rig, plan) == 0:
                return 0
            if not plan.settle:
                _tend(rig, plan)
            time.sleep(LOOK_SECONDS)
    return NOT_SETTLED if plan.settle else 0


def _begin(rig: Rig, plan: Plan) -> None:
    todo: list[Callable[[], object]] = [lambda: rig.define(plan.pipelines)]
    for name, token in plan.starts:
        todo.append(lambda name=name, token=token: rig.start(name, token))
    for task in todo:
        while not _done(task):
            time.sleep(LOOK_SECONDS)


def _done(task: Callable[[], object]) -> bool:
    try:
        task()
    except PipelineKitError as error:
        note("refused", error=f"{type(error).__name__}: {error}")
        return False
    return True


def _tend(rig: Rig, plan: Plan) -> int:
    try:
        runs = rig.under_way()
        if plan.meanwhile is not None:
            plan.meanwhile(rig)
        for run in runs:
            if plan.answers:
                _answer(rig, run)
            if run.pipeline in plan.doomed:
                _abandon(rig, run)
    except PipelineKitError as error:
        note("refused", error=f"{type(error).__name__}: {error}")
        return -1
    return len(runs)


def _answer(rig: Rig, run: Run) -> None:
    for row in run.waiting:
        rig.approve(run, row.action)


def _abandon(rig: Rig, run: Run) -> None:
    at_work = [row for row in run.actions if row.action in LASTING]
    if any(row.status is ActionStatus.IN_PROGRESS for row in at_work) and not run.execution.stop:
        rig.abandon(run)
