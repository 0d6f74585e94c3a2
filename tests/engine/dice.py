"""Throws events at a pipeline, likely and unlikely ones, late ones and wrong ones."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec.structs import replace

from pipelinekit.model.action import Category
from pipelinekit.model.check import ConditionExecution
from pipelinekit.model.condition import ConditionType, RetryMode
from pipelinekit.model.event import (
    Answered,
    Deleted,
    Expired,
    OverrideRequested,
    Reported,
    RetryRequested,
    RollbackRequested,
    Started,
    StopRequested,
    TransitionChanged,
)
from pipelinekit.model.execution import (
    ActionExecution,
    Artifact,
    Cause,
    PipelineExecution,
    Revision,
    StageExecution,
    StageState,
)
from pipelinekit.model.order import Failed, Order, Outcome, Succeeded, Waiting
from pipelinekit.model.status import ApprovalStatus, PipelineStatus, StageStatus, TriggerType
from tests.engine.plans import POOL
from tests.engine.schedule import Luck, Schedule, Throw
from tests.engine.table import Table

MOST = 4
"""How many executions of a QUEUED or PARALLEL pipeline may be in progress here."""

PATIENCE = 300
"""After how many further events everything has to have ended."""

PEOPLE = ("ann", "bob", "cid", "dan", "BOB")
CAUSES = (
    TriggerType.START_PIPELINE_EXECUTION,
    TriggerType.START_PIPELINE_EXECUTION,
    TriggerType.CLOUD_WATCH_EVENT,
    TriggerType.WEBHOOK_V2,
)
_OVER = frozenset({PipelineStatus.FAILED, PipelineStatus.STOPPED})


def play(schedule: Schedule, *, to_the_end: bool = True) -> Table:
    """Try all of a schedule, and let what is under way then come to its end, if that is wanted."""
    table = Table()
    table.define(schedule.plan)
    for throw in schedule.throws:
        cast(table, throw)
    if to_the_end:
        finish(table)
    return table


def cast(table: Table, throw: Throw) -> None:
    """Try one thing; where there is no pipeline, define one, where nothing comes of it, start."""
    before = table.events
    kind = "define" if table.plan is None else throw.kind
    _TRIES[kind](table, Luck(throw.number))
    if table.events == before:
        _try_start(table, Luck(throw.number))


def finish(table: Table) -> None:
    """Open every gate and let all work end; then nothing may be under way."""
    for line in list(table.state.all(StageState)):
        _open_gates(table, line)
    for row in [each for each in table.state.all(PipelineExecution) if each.stale]:
        table.happen(StopRequested(**table.common(), execution=row.id))
    for _ in range(PATIENCE):
        if not table.open:
            break
        _end(table, next(iter(table.open.values())))
    table.judge.all_ended()


def _open_gates(table: Table, line: StageState) -> None:
    declared = table.pipeline.stage(line.stage) is not None
    for inbound, switch in ((True, line.inbound), (False, line.outbound)):
        if declared and not switch.enabled:
            _switch(table, line.stage, inbound=inbound, enabled=True)


def _end(table: Table, order: Order) -> None:
    if order.type.category is not Category.APPROVAL:
        _report(table, order, _success(order, Luck(0)))
    elif not any(_answer(table, order, by) for by in ("bob", "cid", "dan")):
        _expire(table, order)


# ------------------------------------------------------------------ work


def _try_report(table: Table, luck: Luck) -> None:
    orders = [o for o in table.open.values() if o.type.category is not Category.APPROVAL]
    if orders:
        order = luck.pick(orders)
        _report(table, order, _outcome(order, luck))


def _try_again(table: Table, luck: Luck) -> None:
    """Report, expire or answer what has ended."""
    if not table.gone:
        return
    order = luck.pick(table.gone)
    if order.type.category is Category.APPROVAL and luck.seldom(60):
        _answer(table, order, luck.pick(PEOPLE), luck.pick(tuple(ApprovalStatus)))
    elif luck.seldom(20):
        _expire(table, order)
    else:
        _report(table, order, _outcome(order, luck))


def _outcome(order: Order, luck: Luck) -> Outcome:
    drawn = luck.below(100)
    if drawn >= 92:
        return Waiting("t", None if drawn == 99 else 30.0)
    if drawn >= (62 if order.condition else 76):
        return Failed("no")
    return _success(order, luck)


def _success(order: Order, luck: Luck) -> Succeeded:
    if order.type.category is not Category.SOURCE:
        value = luck.pick(("1", "#{variables.v}", "two", "1", ""))
        return Succeeded({"V": value} if value else {})
    found = Revision(order.revision or f"c{luck.below(1000)}", authors=(luck.pick(PEOPLE),))
    return Succeeded({"V": found.id}, revision=found)


def _report(table: Table, order: Order, outcome: Outcome) -> None:
    written: tuple[Artifact, ...] = ()
    if isinstance(outcome, Succeeded) and outcome.variables:  # else it wrote nothing at all
        written = tuple(replace(each, digest=order.id, size=1) for each in order.outputs)
    table.happen(
        Reported(
            **table.common("worker"),
            execution=order.execution,
            stage=order.stage,
            action=order.action,
            action_execution=order.id,
            outcome=outcome,
            artifacts=written,
            condition=order.condition,
        )
    )


def _try_expire(table: Table, luck: Luck) -> None:
    if table.open:
        _expire(table, luck.pick(list(table.open.values())))


def _expire(table: Table, order: Order) -> None:
    table.happen(
        Expired(
            **table.common("clock"),
            execution=order.execution,
            stage=order.stage,
            action=order.action,
            action_execution=order.id,
            condition=order.condition,
        )
    )


def _try_wait(table: Table, luck: Luck) -> None:
    table.at += timedelta(hours=luck.pick((1, 25, 24 * 8, 24 * 31)))


# ------------------------------------------------------------------ people


def _try_answer(table: Table, luck: Luck) -> None:
    orders = [o for o in table.open.values() if o.type.category is Category.APPROVAL]
    if not orders:
        _try_report(table, luck)
        return
    order = luck.pick(orders)
    status = ApprovalStatus.REJECTED if luck.seldom(20) else ApprovalStatus.APPROVED
    racing = luck.seldom(20)
    _answer(table, order, luck.pick(PEOPLE), status, wrong=luck.seldom(5))
    if racing:
        _answer(table, order, luck.pick(PEOPLE), status)


def _answer(
    table: Table,
    order: Order,
    by: str,
    status: ApprovalStatus = ApprovalStatus.APPROVED,
    *,
    wrong: bool = False,
) -> bool:
    row = table.state.get(ActionExecution, (order.execution, order.stage, order.action))
    token = row.token if row is not None and row.id == order.id and not wrong else order.id
    decision = table.happen(
        Answered(
            **table.common(by),
            execution=order.execution,
            stage=order.stage,
            action=order.action,
            token=token or "",
            status=status,
        )
    )
    return decision is not None and decision.refusal is None


def _try_start(table: Table, luck: Luck) -> None:
    by = luck.pick(PEOPLE)
    cause = luck.pick(CAUSES)
    variables = {"v": luck.pick(("1", "#{src.V}", "2"))} if luck.seldom(30) else {}
    if any(variable.name == "w" for variable in table.pipeline.variables):
        variables |= {} if luck.seldom(10) else {"w": "w"}
    token = luck.pick(("t1", "t2")) if luck.seldom(20) else None
    chosen = luck.seldom(10) and cause is TriggerType.START_PIPELINE_EXECUTION
    decision = table.happen(
        Started(
            **table.common(by),
            cause=Cause(cause, by),
            variables=variables,
            revisions={"Fetch": "chosen"} if chosen else {},
            token=token,
            most=MOST,
        )
    )
    if decision is not None and decision.answer not in table.runs:
        table.runs.append(decision.answer)


def _try_stop(table: Table, luck: Luck) -> None:
    under_way = [row.id for row in table.state.all(PipelineExecution) if not row.ended]
    runs = table.runs if luck.seldom(10) else under_way
    if runs:
        run = luck.pick(runs)
        abandon = luck.seldom(50)
        table.happen(StopRequested(**table.common(), execution=run, abandon=abandon))


def _try_retry(table: Table, luck: Luck) -> None:
    rows = list(table.state.all(PipelineExecution))
    latest = {line.latest for line in table.state.all(StageState)}
    failed = {row.execution for row in table.state.all(StageExecution) if row.failed}
    likely = [row for row in rows if row.status in _OVER or row.id in failed]
    likely = [row for row in likely if row.id in latest] or likely
    if luck.seldom(10):
        likely = rows
    if likely:
        run = luck.pick(likely)
        stage = luck.pick(table.pipeline.stages).name if luck.seldom(10) else run.stage
        mode = luck.pick(tuple(RetryMode))
        event = RetryRequested(
            **table.common(), execution=run.id, stage=stage, mode=mode, most=MOST
        )
        table.happen(event)


def _try_rollback(table: Table, luck: Luck) -> None:
    done = [
        (row.execution, row.stage)
        for row in table.state.all(StageExecution)
        if row.status is StageStatus.SUCCEEDED and (row.stage != "Source" or luck.seldom(5))
    ]
    if luck.seldom(20):
        done = [(run, stage.name) for run in table.runs for stage in table.pipeline.stages]
    if done:
        target, stage_name = luck.pick(done)
        event = RollbackRequested(**table.common(), stage=stage_name, target=target)
        table.happen(event)


def _try_override(table: Table, luck: Luck) -> None:
    checks = list(table.state.all(ConditionExecution))
    if checks:
        check = luck.pick(checks)
        condition = luck.pick(tuple(ConditionType)) if luck.seldom(10) else check.condition
        event = OverrideRequested(
            **table.common(),
            execution=check.execution,
            stage=check.stage,
            condition=condition,
            most=MOST,
        )
        table.happen(event)


# ------------------------------------------------------------------ the pipeline


def _try_turn(table: Table, luck: Luck) -> None:
    lines = [
        line
        for stage in table.pipeline.stages
        if (line := table.state.get(StageState, (stage.name,))) is not None
    ]
    shut = [(line.stage, True) for line in lines if not line.inbound.enabled]
    shut += [(line.stage, False) for line in lines if not line.outbound.enabled]
    if shut and luck.seldom(60):
        if luck.seldom(25):
            table.at += timedelta(days=31)
        stage, inbound = luck.pick(shut)
        _switch(table, stage, inbound=inbound, enabled=True)
    else:
        stage = luck.pick(table.pipeline.stages).name
        _switch(table, stage, inbound=not luck.seldom(30), enabled=luck.seldom(10))


def _switch(table: Table, stage: str, *, inbound: bool, enabled: bool) -> None:
    table.happen(
        TransitionChanged(
            **table.common(),
            stage=stage,
            inbound=inbound,
            enabled=enabled,
            reason="" if enabled else "closed",
        )
    )


def _try_define(table: Table, luck: Luck) -> None:
    same = table.plan is not None and luck.seldom(30)
    number = table.plan if same and table.plan is not None else luck.below(POOL)
    table.define(number, unless_same=luck.seldom(40))


def _try_delete(table: Table, _: Luck) -> None:
    table.happen(Deleted(**table.common()))


_TRIES: Mapping[str, Callable[[Table, Luck], None]] = {
    "report": _try_report,
    "again": _try_again,
    "expire": _try_expire,
    "wait": _try_wait,
    "answer": _try_answer,
    "start": _try_start,
    "stop": _try_stop,
    "retry": _try_retry,
    "rollback": _try_rollback,
    "override": _try_override,
    "turn": _try_turn,
    "define": _try_define,
    "delete": _try_delete,
}
