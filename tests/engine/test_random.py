"""Random events in any order: whatever happens, the engine's promises hold."""

import random
from collections import Counter

import pytest

from pipelinekit.engine.decide import replay
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import PipelineKitError
from pipelinekit.model.execution import (
    ActionExecution,
    ApprovalStatus,
    PipelineExecution,
    PipelineStatus,
    StageExecution,
    StageState,
    StageStatus,
)
from pipelinekit.model.order import Waiting
from pipelinekit.model.pipeline import Pipeline, Stage
from tests.engine.world import World, approval, line, step

PIPELINE = line(
    Stage("Build", (step("a", namespace="x") + step("b")) >> step("c")),
    Stage("Gate", approval("ok") >> step("ship", configuration={"V": "#{x.V}"})),
    Stage("Live", step("live") + step("check")),
)
FINAL = {PipelineStatus.SUCCEEDED, PipelineStatus.SUPERSEDED, PipelineStatus.CANCELLED}


class Dice:
    """Throws events at a world."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World()
        self.world.define(PIPELINE)
        self.final: dict[str, PipelineStatus] = {}
        self.runs: list[str] = []

    def throw(self) -> None:
        """Let something happen; a refusal must change nothing."""
        moves = [self.report] * 6 + [self.start] * 2
        moves += [self.answer, self.stop, self.retry, self.expire, self.update]
        try:
            self.random.choice(moves)()
        except PipelineKitError:
            assert replay(self.world.events) == self.world.state

    def start(self) -> None:
        self.runs.append(self.world.start())

    def order(self) -> tuple[str, str] | None:
        orders = list(self.world.orders.values())
        if not orders:
            return None
        chosen = self.random.choice(orders)
        return chosen.execution, chosen.action

    def report(self) -> None:
        chosen = self.order()
        if chosen is None or chosen[1] == "ok":
            return
        luck = self.random.random()
        if luck < 0.1:
            self.world.report(*chosen, Waiting("t", 1.0))
        elif luck < 0.3:
            self.world.fail(*chosen)
        elif chosen[1] == "a" and luck < 0.9:
            self.world.succeed(*chosen, V="1")
        else:
            self.world.succeed(*chosen)

    def answer(self) -> None:
        waiting = [o.execution for o in self.world.orders.values() if o.action == "ok"]
        for execution in waiting[:1]:
            self.world.answer(execution, "ok", self.random.choice(list(ApprovalStatus)))

    def stop(self) -> None:
        if self.runs and self.random.random() < 0.4:
            run = self.random.choice(self.runs[-5:])
            self.world.stop(run, abandon=self.random.random() < 0.5)

    def retry(self) -> None:
        for run in reversed(self.runs[-8:]):
            execution = self.world.execution(run)
            if execution.status in {PipelineStatus.FAILED, PipelineStatus.STOPPED}:
                self.world.retry(run, execution.stage, self.random.choice(list(RetryMode)))
                return

    def expire(self) -> None:
        chosen = self.order()
        if chosen is not None and self.random.random() < 0.2:
            self.world.expire(*chosen)

    def update(self) -> None:
        if self.random.random() < 0.05:
            self.world.define(PIPELINE)


def check(dice: Dice, pipeline: Pipeline) -> None:
    """Hold what must be true between any two events."""
    state = dice.world.state
    executions = {row.id: row for row in state.all(PipelineExecution)}
    locks = {row.stage: row for row in state.all(StageState)}
    inside = Counter(lock.holder for lock in locks.values() if lock.holder)
    assert all(count == 1 for count in inside.values()), "an execution holds two stages"
    for lock in locks.values():
        assert len(lock.waiting) <= 1, "more than one waits in front of a stage"
        assert all(not executions[run].ended for run in lock.waiting)
    under_way = Counter(
        (row.execution, row.stage)
        for row in state.all(ActionExecution)
        if row.status == "InProgress"
    )
    for row in state.all(StageExecution):
        assert row.running == under_way[row.key], "the counter is not what is under way"
        if row.status in {StageStatus.IN_PROGRESS, StageStatus.STOPPING}:
            assert locks[row.stage].holder == row.execution, "at work without the lock"
            assert row.running > 0, "nothing goes on in a stage that is in progress"
    for execution in executions.values():
        known = dice.final.get(execution.id)
        assert known is None or execution.status is known, "an ended execution moved"
        if execution.status in FINAL:
            dice.final[execution.id] = execution.status
        if execution.ended:
            assert execution.id not in inside
    orders = {order.id for order in dice.world.orders.values()}
    assert orders == {r.id for r in state.all(ActionExecution) if r.status == "InProgress"}
    check_order(dice, pipeline)


def check_order(dice: Dice, pipeline: Pipeline) -> None:
    """Hold that nothing begins before what it comes after has succeeded."""
    rows = {row.key: row for row in dice.world.state.all(ActionExecution)}
    for (execution, stage_name, action_name), row in rows.items():
        stage = pipeline.stage(stage_name)
        action = stage.action(action_name)
        for other in stage.actions:
            if other.run_order < action.run_order and row.status == "InProgress":
                assert rows[execution, stage_name, other.name].status == "Succeeded"
        position = pipeline.stages.index(stage)
        for before in pipeline.stages[:position]:
            found = dice.world.stage(execution, before.name).status
            assert found is StageStatus.SUCCEEDED, "a stage was jumped over"


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happens_the_promises_hold(seed: int) -> None:
    dice = Dice(seed)
    for _ in range(120):
        dice.throw()
        check(dice, PIPELINE)
    assert replay(dice.world.events) == dice.world.state


def test_everything_that_is_let_alone_ends() -> None:
    for seed in range(10):
        dice = Dice(seed)
        for _ in range(60):
            dice.throw()
        for _ in range(2000):
            chosen = dice.order()
            if chosen is None:
                break
            if chosen[1] == "ok":
                dice.world.answer(chosen[0], "ok")
            else:
                dice.world.succeed(*chosen)
        assert not dice.world.orders
        assert all(row.ended for row in dice.world.state.all(PipelineExecution))
