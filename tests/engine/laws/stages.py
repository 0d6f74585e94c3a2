"""What is promised of stages: who enters, in which order, and what their end means."""

from collections.abc import Mapping

from tests.engine.laws.attempts import forget
from tests.engine.laws.ledger import OPEN, PASSED, Data, Ledger, StagePlan, Step, demand

LEGAL: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"InProgress"}),
    "InProgress": frozenset({"Succeeded", "Failed", "Skipped", "Stopping", "Cancelled"}),
    "Stopping": frozenset({"Stopped", "Cancelled"}),
    "Failed": frozenset({"InProgress"}),
    "Stopped": frozenset({"InProgress"}),
}


def stage_moved(ledger: Ledger, step: Step, move: Data) -> None:
    """Judge a change of status of a stage."""
    run, stage, status = move["execution"], move["stage"], move["status"]
    before = ledger.status.get((run, stage, ""))
    demand(status in LEGAL.get(before, ()), "a stage moves legally", before, status)
    demand((run, stage) in step.rows["StageExecution"], "a change of status is in a row", move)
    row = step.row(ledger, "PipelineExecution", run)
    serial = row["mode"] != "PARALLEL"
    if status == "InProgress":
        _lock(ledger, row, stage, serial=serial)
        if before is None:
            _entered(ledger, step, row, stage)
        else:
            _resumed(ledger, step, row, stage)
    elif status not in OPEN:
        demand(not ledger.open[run, stage], "a stage ends when its work has", run, stage)
        if serial:
            demand(ledger.inside.get(stage) == run, "who leaves a stage was in it", run, stage)
            del ledger.inside[stage]
        _ended(ledger, step, row, stage, status)
    ledger.status[run, stage, ""] = status


def _lock(ledger: Ledger, row: Data, stage: str, *, serial: bool) -> None:
    demand(not ledger.outdated(row), "nobody goes on by a replaced definition", row["id"])
    going = ledger.status[row["id"], "", ""] == "InProgress"
    demand(going, "who enters a stage is in progress", row["id"], stage)
    if not serial:
        return
    demand(stage not in ledger.inside, "one execution at a time is in a stage", row["id"], stage)
    ledger.inside[stage] = ledger.last[stage] = row["id"]


def _entered(ledger: Ledger, step: Step, row: Data, stage: str) -> None:
    run = row["id"]
    if row["type"] == "ROLLBACK":
        demand(run in step.begun and row["stage"] == stage, "a rollback is in one stage", stage)
        return
    demand(run not in ledger.stale, "who waited too long stays out", run, stage)
    names = ledger.plan_of(row).names
    place = names.index(stage)
    for earlier in names[:place]:
        done = ledger.status.get((run, earlier, "")) in {"Succeeded", "Skipped"}
        demand(done, "a stage follows those before it", run, stage, earlier)
    shut = (stage, True) in ledger.closed or (place and (names[place - 1], False) in ledger.closed)
    demand(not shut, "nobody passes a disabled transition", run, stage)
    if row["mode"] != "PARALLEL":
        order = ledger.entered.get(stage, 0) < row["number"]
        demand(order, "executions enter a stage in their order", run, stage)
        ledger.entered[stage] = row["number"]


def _resumed(ledger: Ledger, step: Step, row: Data, stage: str) -> None:
    key, event = (row["id"], stage), step.event
    by_hand = step.kind in {"RetryRequested", "OverrideRequested"} and key not in step.resumed
    known = ledger.stages.get(key)
    over = known is not None and known["status"] not in OPEN
    if known and by_hand and over and (event["execution"], event["stage"]) == key:
        step.resumed.add(key)
        whole = event.get("mode") == "ALL_ACTIONS" or known["phase"] == "Entry"
        if whole and step.kind == "RetryRequested":
            ledger.spent[key].clear()
        return
    plan = ledger.stage_of(row, stage)
    demand(plan.on_failure == "RETRY", "nothing runs again by itself that is not to", *key)
    demand(row["type"] == "STANDARD", "a rollback is not retried by itself", *key)
    demand(key not in ledger.by_itself, "a stage is retried once by itself", *key)
    ledger.by_itself.add(key)
    if plan.retries_all:
        ledger.spent[key].clear()


# ------------------------------------------------------------------ the end


def _ended(ledger: Ledger, step: Step, row: Data, stage: str, status: str) -> None:
    plan = ledger.stage_of(row, stage)
    outcomes = [ledger.outcome(row["id"], stage, action) for action in plan.actions]
    if status == "Succeeded":
        demand(set(outcomes) == {"Succeeded"}, "success is that of all actions", *outcomes)
        _approved(ledger, step, row, plan)
    elif status == "Failed":
        verdicts = [step.verdict(ledger, row["id"], stage, place) for place in plan.checks]
        failed = "Failed" in outcomes or "Failed" in verdicts
        demand(failed, "a stage fails when an action or a condition has", *outcomes, *verdicts)
    elif status == "Skipped":
        again = row["attempts"] > 1  # then there may be earlier attempts
        demand(again or set(outcomes) == {None}, "no action of a skipped stage runs", *outcomes)
        entry = plan.checks["BEFORE_ENTRY"]["result"]
        verdict = step.verdict(ledger, row["id"], stage, "BEFORE_ENTRY")
        skips = (entry, verdict) == ("SKIP", "Failed")
        demand(skips, "a stage is skipped when its entry condition says so", entry, verdict)
        for action in plan.actions.values():
            forget(ledger, row["id"], action)


def _approved(ledger: Ledger, step: Step, row: Data, plan: StagePlan) -> None:
    condition = plan.checks.get("ON_SUCCESS")
    verdict = step.verdict(ledger, row["id"], plan.name, "ON_SUCCESS")
    if condition and verdict == "Failed":
        back = condition["result"] == "ROLLBACK"
        demand(back, "a stage whose condition of success failed has failed", row["id"])
        return
    if condition:
        demand(verdict in PASSED, "the condition of success is checked", row["id"], verdict)
    if row["type"] == "STANDARD" and row["mode"] != "PARALLEL":
        ledger.good[plan.name].append(row["id"])
