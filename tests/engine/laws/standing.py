"""What is promised of how things stand once a decision is made."""

from tests.engine.laws.attempts import SIDE_BY_SIDE
from tests.engine.laws.ledger import OPEN, Data, Key, Ledger, Step, demand


def check(ledger: Ledger, step: Step) -> None:
    """Judge what a decision has left behind."""
    demand(step.orders.keys() <= {each["id"] for each in step.born}, "only attempts are started")
    demand(step.halted == step.cut, "what was cut off is ended, and nothing else", step.halted)
    for key, row in step.rows["StageExecution"].items():
        _stage(ledger, row, key)
    for key, row in step.rows["ConditionExecution"].items():
        _condition(ledger, step, row, key)
    for (run,), row in step.rows["PipelineExecution"].items():
        _execution(ledger, step, row, run)
    _lines(ledger, step)
    if step.kind == "RetryRequested":
        _retry(ledger, step)
    elif step.kind == "StopRequested":
        _stop(ledger, step)
    elif step.kind == "Defined":
        _cancelled(ledger)


# ------------------------------------------------------------------ stages


def _stage(ledger: Ledger, row: Data, key: Key) -> None:
    run, stage = key
    status, work = row["status"], ledger.open[key]
    demand(status == ledger.status[run, stage, ""], "a row says what was told", *key, status)
    demand(row["running"] == len(work), "what is under way is counted", *key, row["running"])
    demand(bool(work) == (status in OPEN), "a stage at work has work", *key, status)
    execution = ledger.runs[run,]
    if len(work) > 1:
        rules = sum((attempt,) in ledger.rules for attempt in work)
        demand(rules in {0, len(work)}, "a condition is checked between the actions", *key)
        alone = execution["mode"] != "PARALLEL"
        demand(alone or rules or len(work) <= SIDE_BY_SIDE, "few run side by side", len(work))
    if status in OPEN and execution["mode"] != "PARALLEL":
        demand(ledger.inside.get(stage) == run, "who is at work holds the stage", *key)
    if status == "Failed" and row["phase"] == "Actions" and execution["type"] == "STANDARD":
        due = ledger.stage_of(execution, stage).on_failure == "RETRY"
        demand(not due or key in ledger.by_itself, "a failed stage is retried by itself", *key)


def _condition(ledger: Ledger, step: Step, row: Data, key: Key) -> None:
    run, stage, place = key
    before = step.before["ConditionExecution"][key]
    declared = ledger.stage_of(ledger.runs[run,], stage).checks[place]
    ids = [ledger.latest.get((run, stage, place, rule["name"])) for rule in declared["rules"]]
    demand(None not in ids, "all rules of a condition are checked", *key)
    rules = {ledger.status[run, stage, each] for each in ids if each}
    number = before["attempt"] if before else 0
    if row["attempt"] != number:
        new = {each["attempt"] for each in step.checks[key]} - {number}
        demand(row["attempt"] == number + len(new), "checks are counted", *key, *new)
        _begun(ledger, key)
    wanted = {
        "InProgress": "InProgress" in rules,
        "Succeeded": rules == {"Succeeded"},
        "Failed": "Failed" in rules and "InProgress" not in rules,
        "Overridden": step.kind == "OverrideRequested" and step.event["execution"] == run,
        "Abandoned": step.kind == "StopRequested" and step.event["execution"] == run,
        "Cancelled": step.kind == "Defined",
    }
    demand(wanted[row["status"]], "a condition is what its rules are", row["status"], *rules)


def _begun(ledger: Ledger, key: Key) -> None:
    run, stage, place = key
    plan = ledger.stage_of(ledger.runs[run,], stage)
    outcomes = {ledger.outcome(run, stage, action) for action in plan.actions}
    if place == "ON_SUCCESS":
        demand(outcomes == {"Succeeded"}, "success is checked after it", *key, *outcomes)
    elif place == "ON_FAILURE":
        demand("Failed" in outcomes, "failure is checked after it", *key, *outcomes)


# ------------------------------------------------------------------ executions


def _execution(ledger: Ledger, step: Step, row: Data, run: str) -> None:
    demand(row["status"] == ledger.status[run, "", ""], "a row says what was told", row)
    before = step.before["PipelineExecution"][run,]
    if before is not None:
        _frozen(step, before, row)
    stage = row["stage"]
    line = ledger.lines.get((stage,))
    waits = line is not None and run in line["waiting"]
    works = ledger.status.get((run, stage, "")) in OPEN
    place = waits + works == int(run in ledger.live)
    demand(place, "who is under way is in one place", row["status"], stage, waits, works)
    if row["status"] == "Failed" and run in step.ended:
        _failed(ledger, step, row)


def _frozen(step: Step, before: Data, row: Data) -> None:
    for member in ("number", "version", "mode", "cause", "variables", "type", "target"):
        demand(before[member] == row[member], "an execution keeps what it began with", member)
    if before["revisions"] != row["revisions"]:
        event = step.event
        found = step.kind == "Reported" and event["execution"] == row["id"]
        wanted = {**before["revisions"]}
        if found:
            wanted[event["action"]] = event["outcome"]["revision"]
        demand(row["revisions"] == wanted, "only a source finds a revision", row["revisions"])


def _failed(ledger: Ledger, step: Step, row: Data) -> None:
    run, stage = row["id"], row["stage"]
    state = ledger.stages.get((run, stage))
    if state is None:
        demand(step.kind == "Started", "an execution fails in a stage", run)
        return
    plan = ledger.stage_of(row, stage)
    phase = {"Success": "ON_SUCCESS", "Failure": "ON_FAILURE"}.get(state["phase"], "")
    verdict = step.verdict(ledger, run, stage, phase)
    if phase:
        due = verdict == "Failed" and plan.checks[phase]["result"] == "ROLLBACK"
    else:
        due = state["phase"] == "Actions" and plan.on_failure == "ROLLBACK"
    first = stage == ledger.plans[ledger.version].names[0]
    due = due and not first and row["type"] == "STANDARD" and row["mode"] != "PARALLEL"
    fit = [each for each in ledger.good[stage] if not ledger.outdated(ledger.runs[each,])]
    wanted = [fit[-1]] if due and fit else []
    rows = [ledger.runs[each,] for each in step.begun]
    targets = [each["target"] for each in rows if each["cause"]["detail"] == run]
    if step.kind in {"RollbackRequested", "Started"}:
        targets = [each["target"] for each in rows if each["cause"]["type"] == "AutomatedRollback"]
    demand(targets == wanted, "a failure is rolled back to the last success", targets, wanted)


# ------------------------------------------------------------------ lines


def _lines(ledger: Ledger, step: Step) -> None:
    for (stage,), row in step.rows["StageState"].items():
        before = step.before["StageState"][stage,] or {"waiting": [], "holder": None}
        demand(row["holder"] == ledger.inside.get(stage), "the lock is his who is inside", row)
        left = [each for each in before["waiting"] if each not in row["waiting"]]
        known = all((each,) in step.rows["PipelineExecution"] for each in left)
        demand(known, "nobody is lost from a line", *left)
        _in_order(ledger, row["waiting"])
        _moving(ledger, stage)
    if step.kind == "TransitionChanged":
        names = ledger.plans[ledger.version].names
        for stage in names[names.index(step.event["stage"]) :][:2]:
            _moving(ledger, stage)


def _in_order(ledger: Ledger, waiting: list[str]) -> None:
    rows = [ledger.runs[each,] for each in waiting]
    serial = [row["number"] for row in rows if row["mode"] != "PARALLEL"]
    demand(serial == sorted(serial), "a line is in the order of the starts", *serial)
    modes = [row["mode"] for row in rows]
    demand(modes.count("SUPERSEDED") <= 1, "one waits in front of a stage", *waiting)


def _moving(ledger: Ledger, stage: str) -> None:
    row = ledger.lines.get((stage,))
    if row is None or (stage, True) in ledger.closed:
        return
    for each in row["waiting"]:
        if each in ledger.stale:
            continue
        run = ledger.runs[each,]
        names = ledger.plan_of(run).names
        place = names.index(stage)
        shut = place and (names[place - 1], False) in ledger.closed
        busy = run["mode"] != "PARALLEL" and stage in ledger.inside
        demand(shut or busy, "nobody waits in front of an open and free stage", stage, each)


# ------------------------------------------------------------------ what was asked


def _retry(ledger: Ledger, step: Step) -> None:
    event = step.event
    key = run, stage = event["execution"], event["stage"]
    row, plan = ledger.runs[run,], ledger.stage_of(ledger.runs[run,], stage)
    demand(step.answer == run and run not in step.begun, "a retry keeps the execution", run)
    before = step.before["PipelineExecution"][run,]
    demand(before is not None and row["attempts"] > before["attempts"], "a retry is counted", run)
    state = ledger.stages[key]
    old = step.before["StageExecution"][key]
    demand(old and state["retries"] == old["retries"] + 1, "a retry by hand is counted", *key)
    begun = {each.get("action") for each in step.born if each["execution"] == run}
    for action in step.lost:
        again = action in begun or action in state["pending"]
        demand(again, "all that failed is run again", *key, action)
    if event["mode"] == "ALL_ACTIONS":
        entry = "BEFORE_ENTRY" in plan.checks and row["type"] == "STANDARD"
        checked = (*key, "BEFORE_ENTRY") in step.rows["ConditionExecution"]
        demand(entry == checked, "a retry of the whole checks the entry", *key)
        whole = entry or set(plan.groups[0]) <= begun | set(state["pending"])
        demand(whole, "a retry of the whole begins with its first group", *key, *begun)


def _stop(ledger: Ledger, step: Step) -> None:
    run = step.event["execution"]
    status = ledger.status[run, "", ""]
    begun = [each["id"] for each in step.born if each["execution"] == run]
    demand(not begun, "a stop starts nothing", *begun)
    open_work = ledger.open[run, ledger.runs[run,]["stage"]]
    wanted = "Stopping" if open_work else ("Stopped", "Cancelled")
    demand(status in wanted, "who has nothing under way stops at once", run, status)
    demand(not (step.event["abandon"] and open_work), "abandoned work is not waited for", run)


def _cancelled(ledger: Ledger) -> None:
    for run in ledger.live:
        row = ledger.runs[run,]
        if ledger.outdated(row):
            work = ledger.open[run, row["stage"]]
            demand(work, "who has no action under way is cancelled at once", run, row["stage"])
            asking = [each for each in work if (ledger.actions.get((each,)) or {}).get("token")]
            demand(not asking, "a pending approval is dropped by a new definition", *asking)
