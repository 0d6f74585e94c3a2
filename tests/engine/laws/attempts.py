"""What is promised of attempts: started once, in order, with the right things, ended once."""

import re
from collections.abc import Iterator, Mapping

from tests.engine.laws.ledger import PASSED, Data, Ledger, Step, demand

REFERENCE = re.compile(r"#\{([\w@-]+)\.([\w@-]+)\}")
SIDE_BY_SIDE = 5
"""How many actions of one execution of a PARALLEL pipeline may run at once."""


def action_moved(ledger: Ledger, step: Step, move: Data) -> None:
    """Judge a change of status of an action."""
    run, stage, attempt, status = move["execution"], move["stage"], move["id"], move["status"]
    before = ledger.status.get((run, stage, attempt))
    row = step.rows["ActionExecution"].get((attempt,))
    demand(row, "every attempt is kept", move)
    assert row is not None
    if before is None:
        demand(status in {"InProgress", "Failed"}, "an action begins", status)
        _born(ledger, step, row, status)
        _action_born(ledger, step, row)
        ledger.latest[run, stage, row["action"]] = attempt
    else:
        demand(before == "InProgress", "an attempt has one verdict", attempt, before, status)
        _ended(ledger, step, row, status)
        if status == "Succeeded":
            ledger.spent[run, stage].add(row["action"])
    ledger.status[run, stage, attempt] = status


def rules_ended(ledger: Ledger, step: Step) -> None:
    """Judge the rules of conditions that ended."""
    for (attempt,), row in step.rows["RuleExecution"].items():
        key = (row["execution"], row["stage"], attempt)
        before, status = ledger.status.get(key), row["status"]
        if before is not None and before != status:
            demand(before == "InProgress", "a rule has one verdict", attempt, before, status)
            _ended(ledger, step, row, status)
            ledger.status[key] = status


def rules_began(ledger: Ledger, step: Step) -> None:
    """Judge the rules of conditions that began."""
    for (attempt,), row in step.rows["RuleExecution"].items():
        key = (row["execution"], row["stage"], attempt)
        if key not in ledger.status:
            _born(ledger, step, row, row["status"])
            ledger.latest[row["execution"], row["stage"], row["condition"], row["rule"]] = attempt
            ledger.status[key] = row["status"]


# ------------------------------------------------------------------ birth


def _born(ledger: Ledger, step: Step, row: Data, status: str) -> None:
    attempt = row["id"]
    demand(attempt not in ledger.seen, "an attempt has an id of its own", attempt)
    ledger.seen.add(attempt)
    step.born.append(row)
    run = step.row(ledger, "PipelineExecution", row["execution"])
    demand(row["version"] == run["version"], "an attempt is of its execution's version", attempt)
    key = (row["execution"], row["stage"])
    if status == "InProgress":
        demand(attempt in step.orders, "what is in progress was started", attempt)
        _ordered(ledger, step.orders[attempt], row)
        ledger.open[key].add(attempt)
    else:
        demand(attempt not in step.orders, "what failed before it began is not started", attempt)
    _given(ledger, run, row, status)


def _ordered(ledger: Ledger, order: Data, row: Data) -> None:
    same = (order["configuration"], order["inputs"]) == (row["resolved"], row["inputs"])
    demand(same, "the order is what the row says", row["id"])
    for output in order["outputs"]:
        place = output["object_key"]
        demand(place not in ledger.objects, "no published object is overwritten", place)
        ledger.objects.add(place)


def _action_born(ledger: Ledger, step: Step, row: Data) -> None:
    run, stage, action = row["execution"], row["stage"], row["action"]
    key = (run, stage)
    execution = step.row(ledger, "PipelineExecution", run)
    going = ledger.status[run, "", ""] == ledger.status.get((*key, "")) == "InProgress"
    demand(going, "an action starts in a stage in progress", *key, action)
    demand(not ledger.outdated(execution), "nothing starts by a replaced definition", *key)
    serial = execution["mode"] != "PARALLEL"
    demand(not serial or ledger.inside[stage] == run, "who works in a stage holds it", *key)
    demand(action not in ledger.spent[key], "what succeeded is not run again", *key, action)
    plan = ledger.stage_of(execution, stage)
    for earlier in plan.groups[: plan.place[action]]:
        outcomes = {ledger.outcome(run, stage, each) for each in earlier}
        demand(outcomes == {"Succeeded"}, "an action follows those before it", *key, *outcomes)
    if "BEFORE_ENTRY" in plan.checks and execution["type"] == "STANDARD":
        known = ledger.checks.get((*key, "BEFORE_ENTRY"))
        checks = [*step.checks[*key, "BEFORE_ENTRY"], *([known] if known else [])]
        passed = any(each["status"] in PASSED for each in checks)
        demand(passed, "the entry is checked before an action starts", *key)
    before = ledger.latest.get((run, stage, action))
    number = 1
    if before is not None:
        number += step.row(ledger, "ActionExecution", before)["attempt"]
        forget(ledger, run, plan.actions[action])
    demand(row["attempt"] == number, "attempts are counted", *key, action, row["attempt"])


def forget(ledger: Ledger, run: str, action: Data) -> None:
    """Note that nobody can take what an action wrote."""
    for output in action["outputs"]:
        ledger.written[run].pop(output["name"], None)
    if action["namespace"] in ledger.values[run]:
        ledger.values[run][action["namespace"]] = {}


def _given(ledger: Ledger, run: Data, row: Data, status: str) -> None:
    declared = _declared(ledger, run, row)
    written = ledger.written[run["id"]]
    inputs = [written[name] for name in declared["inputs"] if name in written]
    demand(row["inputs"] == inputs, "the inputs are what their producers wrote", row["id"])
    missing = len(inputs) < len(declared["inputs"])
    resolved = {}
    for name, text in declared["configuration"].items():
        resolved[name], lacking = _resolved(ledger, run, text)
        missing |= lacking
    demand(row["resolved"] == resolved, "variables are put in once", row["resolved"], resolved)
    failed = status == "Failed"
    demand(failed == missing, "what lacks something fails before it starts", row["id"])


def _declared(ledger: Ledger, run: Data, row: Data) -> Data:
    plan = ledger.stage_of(run, row["stage"])
    if "rule" not in row:
        return plan.actions[row["action"]]
    rules: list[Data] = plan.checks[row["condition"]]["rules"]
    return next(each for each in rules if each["name"] == row["rule"])


def _resolved(ledger: Ledger, run: Data, text: str) -> tuple[str, bool]:
    if "#{" not in text:
        return text, False
    lacking = False

    def value(found: re.Match[str]) -> str:
        nonlocal lacking
        known = _values(ledger, run, found[1]).get(found[2])
        lacking |= known is None
        return found[0] if known is None else known

    return REFERENCE.sub(value, text), lacking


def _values(ledger: Ledger, run: Data, namespace: str) -> Mapping[str, str]:
    if namespace == "codepipeline":
        return {"PipelineExecutionId": run["id"]}
    known: Mapping[str, Mapping[str, str]] = ledger.values[run["id"]]
    given: Mapping[str, str] = run["variables"]
    return given if namespace == "variables" else known.get(namespace, {})


# ------------------------------------------------------------------ the end


def _ended(ledger: Ledger, step: Step, row: Data, status: str) -> None:
    attempt, event = row["id"], step.event
    ledger.open[row["execution"], row["stage"]].remove(attempt)
    if event.get("action_execution") == attempt:
        wanted = event["outcome"]["is"] if step.kind == "Reported" else "Failed"
        demand(status == wanted, "the verdict is what was reported", attempt, status, wanted)
        if step.kind == "Expired":
            step.cut.add(attempt)
        return
    step.cut.add(attempt)
    if status == "Abandoned":
        allowed = any(_reasons(ledger, step, row))
        demand(allowed, "nothing is abandoned that nobody gave up", attempt, step.kind)
    else:
        token = step.kind == "Answered" and event["token"] == row.get("token")
        demand(token, "an attempt ends by its own report or answer", attempt, step.kind, status)


def _reasons(ledger: Ledger, step: Step, row: Data) -> Iterator[bool]:
    event, rule = step.event, "rule" in row
    named = event.get("execution") == row["execution"]
    yield step.kind == "StopRequested" and named and (rule or event["abandon"])
    yield step.kind == "OverrideRequested" and named and rule
    approval = row["type"]["category"] == "Approval"
    run = ledger.runs[row["execution"],]
    yield step.kind == "Defined" and ledger.outdated(run) and (rule or approval)
