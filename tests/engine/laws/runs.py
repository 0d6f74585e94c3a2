"""What is promised of executions: where they come from, what becomes of them."""

from collections.abc import Mapping

from tests.engine.laws.ledger import OPEN, Data, Ledger, Step, demand

LEGAL: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"InProgress"}),
    "InProgress": frozenset(
        {"Succeeded", "Failed", "Superseded", "Stopping", "Stopped", "Cancelled"}
    ),
    "Stopping": frozenset({"Stopped", "Cancelled"}),
    "Failed": frozenset({"InProgress"}),
    "Stopped": frozenset({"InProgress"}),
}


def run_moved(ledger: Ledger, step: Step, move: Data) -> None:
    """Judge a change of status of an execution."""
    run, status = move["execution"], move["status"]
    before = ledger.status.get((run, "", ""))
    demand(status in LEGAL.get(before, ()), "an execution moves legally", before, status)
    row = step.rows["PipelineExecution"].get((run,))
    demand(row, "a change of status is in a row", move)
    assert row is not None
    if before is None:
        _born(ledger, step, row)
    elif status not in OPEN:
        _ended(ledger, step, row, status)
    elif status == "Stopping":
        asked = step.kind == "StopRequested" and step.event["execution"] == run
        demand(asked, "an execution stops when it was asked to", run)
    elif before != "Stopping":
        _resumed(step, row)
    ledger.status[run, "", ""] = status


def _resumed(step: Step, row: Data) -> None:
    by_hand = step.kind in {"RetryRequested", "OverrideRequested"}
    named = by_hand and step.event["execution"] == row["id"]
    demand(named or row["id"] in step.ended, "what has ended goes on when it was asked to", row)


# ------------------------------------------------------------------ birth


def _born(ledger: Ledger, step: Step, row: Data) -> None:
    ledger.executions += 1
    demand(row["number"] == ledger.executions, "executions are counted", row["number"])
    step.begun.append(row["id"])
    if step.kind == "Started":
        _started(ledger, step, row)
    else:
        demand(row["type"] == "ROLLBACK", "a start makes an execution", step.kind)
        _rolled_back(ledger, step, row)


def _started(ledger: Ledger, step: Step, row: Data) -> None:
    event, plan = step.event, ledger.plans[ledger.version]
    demand(row["id"] == event["id"] == step.answer, "a start makes one execution", row["id"])
    demand(row["type"] == "STANDARD", "a start runs the pipeline", row["type"])
    frozen = (row["version"], row["mode"], row["cause"]) == (
        ledger.version,
        plan.mode,
        event["cause"],
    )
    demand(frozen, "an execution begins by the current definition", row)
    demand(row["variables"] == {**plan.variables, **event["variables"]}, "variables are frozen")
    chosen = {name: each["id"] for name, each in row["revisions"].items()}
    demand(chosen == event["revisions"], "the revisions are those that were asked for", chosen)


def _rolled_back(ledger: Ledger, step: Step, row: Data) -> None:
    target, stage = ledger.runs[row["target"],], row["stage"]
    if step.kind == "RollbackRequested":
        wanted = (row["id"], target["id"], stage, row["cause"]["type"])
        asked = (step.event["id"], step.event["target"], step.event["stage"], "ManualRollback")
        demand(wanted == asked == (step.answer, *asked[1:]), "a rollback is as asked for", wanted)
    else:
        demand(row["cause"]["type"] == "AutomatedRollback", "somebody wanted it", row)
        demand(row["cause"]["detail"] in step.ended, "a rollback follows a failure", row)
    fit = row["target"] in ledger.good[stage] and not ledger.outdated(target)
    demand(fit, "a rollback goes to what succeeded in the stage on this definition", row)
    demand(target["type"] == "STANDARD", "a rollback goes to no rollback", target)
    plan = ledger.plans[ledger.version]
    serial = plan.mode != "PARALLEL" and row["mode"] != "PARALLEL"
    demand(serial, "a PARALLEL pipeline does not roll back", row)
    demand(stage != plan.names[0], "the first stage does not roll back", stage)
    demand(stage not in ledger.inside, "a stage at work does not roll back", stage)
    for member in ("version", "mode", "variables", "revisions", "object_keys"):
        demand(row[member] == target[member], "a rollback takes what the target had", member)
    _hand_over(ledger, row)


def _hand_over(ledger: Ledger, row: Data) -> None:
    plan, source = ledger.plan_of(row), row["target"]
    for name in plan.names[: plan.names.index(row["stage"])]:
        for action in plan.stages[name].actions.values():
            for output in action["outputs"]:
                if output["name"] in ledger.written[source]:
                    found = ledger.written[source][output["name"]]
                    ledger.written[row["id"]][output["name"]] = found
            namespace = action["namespace"]
            if namespace in ledger.values[source]:
                ledger.values[row["id"]][namespace] = ledger.values[source][namespace]


# ------------------------------------------------------------------ the end


def _ended(ledger: Ledger, step: Step, row: Data, status: str) -> None:
    run, stage = row["id"], ledger.runs.get((row["id"],), row)["stage"]
    step.ended.append(run)
    inside = any(ledger.status.get((run, name, "")) in OPEN for name in ledger.plan_of(row).stages)
    demand(not inside, "an execution ends outside of its stages", run, stage)
    if status == "Succeeded":
        _succeeded(ledger, row)
    elif status == "Superseded":
        _superseded(ledger, step, row)
    elif status == "Cancelled":
        demand(ledger.outdated(row), "only a new definition cancels", run)
    elif status == "Stopped":
        asked = step.kind == "StopRequested" and step.event["execution"] == run
        stopping = ledger.status[run, "", ""] == "Stopping"
        demand(asked or stopping, "stopping is asked for", run)


def _succeeded(ledger: Ledger, row: Data) -> None:
    plan, run = ledger.plan_of(row), row["id"]
    names = plan.names if row["type"] == "STANDARD" else [row["stage"]]
    done = [ledger.status.get((run, name, "")) for name in names]
    demand(set(done) <= {"Succeeded", "Skipped"}, "success is that of all stages", done)


def _superseded(ledger: Ledger, step: Step, row: Data) -> None:
    demand(row["mode"] == "SUPERSEDED", "only SUPERSEDED executions are superseded", row["mode"])
    line = step.row(ledger, "StageState", row["stage"])
    rivals = {*line["waiting"], line["holder"]} - {None}
    rivals |= {move["execution"] for move in step.moves if move["stage"] == row["stage"]}
    numbers = [step.row(ledger, "PipelineExecution", each)["number"] for each in rivals]
    newer = any(number > row["number"] for number in numbers)
    demand(newer, "an execution is superseded by a newer one that goes on", row["id"], rivals)
