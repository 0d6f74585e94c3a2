"""What is promised of refusals: whoever asks for what can be done is not refused."""

from collections.abc import Callable, Mapping

from tests.engine.laws.causes import crowded, is_known
from tests.engine.laws.ledger import Data, Ledger, demand

NEVER = frozenset({"IllegalMove", "PipelineVersionNotFound"})
"""Errors that say that the engine is wrong, and not the one who asked."""


def check(ledger: Ledger, event: Data, error: str) -> None:
    """Judge a refusal."""
    demand(error not in NEVER, "the engine does not trip over itself", error, event)
    if not ledger.plans:
        demand(error == "PipelineNotFound" or event["is"] == "Reported", "it is gone", error)
        return
    judge = _JUDGES.get(event["is"])
    demand(judge is not None, "this is never refused", event, error)
    could = judge is not None and judge(ledger, event)
    demand(not could, "what can be done is done", error, event)


def _report(ledger: Ledger, event: Data) -> bool:
    return event["action_execution"] in ledger.open[event["execution"], event["stage"]]


def _start(ledger: Ledger, event: Data) -> bool:
    plan = ledger.plans[ledger.version]
    if is_known(ledger, event) is not None:
        return True
    values = {**plan.variables, **event["variables"]}
    whole = None not in values.values() and event["token"] not in ledger.tokens
    asked = event["cause"]["type"] == "StartPipelineExecution"
    return whole and not (asked and crowded(ledger, plan.mode, event["most"]))


def _answer(ledger: Ledger, event: Data) -> bool:
    run, stage = event["execution"], event["stage"]
    attempt = ledger.latest.get((run, stage, event["action"]), "")
    if attempt not in ledger.open[run, stage]:
        return False
    row = ledger.actions[attempt,]
    return bool(row["token"] == event["token"] and event["at"] < row["deadline"])


def _stop(ledger: Ledger, event: Data) -> bool:
    return ledger.status.get((event["execution"], "", "")) == "InProgress"


def _retry(ledger: Ledger, event: Data) -> bool:
    run, stage = event["execution"], event["stage"]
    row = ledger.runs[run,]
    if ledger.status.get((run, stage, "")) != "Failed" or row["version"] != ledger.version:
        return False
    if ledger.status[run, "", ""] != "Failed" or crowded(ledger, row["mode"], event["most"]):
        return False
    outcomes = [ledger.outcome(run, stage, each) for each in ledger.stage_of(row, stage).actions]
    failed = event["mode"] == "ALL_ACTIONS" or "Failed" in outcomes
    latest = row["mode"] == "PARALLEL" or ledger.last[stage] == run
    return failed and latest


def _roll_back(ledger: Ledger, event: Data) -> bool:
    stage, target = event["stage"], event["target"]
    plan = ledger.plans[ledger.version]
    if plan.mode == "PARALLEL" or target not in ledger.good[stage] or stage in ledger.inside:
        return False
    current: bool = ledger.runs[target,]["version"] == ledger.version
    return current and stage != plan.names[0]


def _override(ledger: Ledger, event: Data) -> bool:
    key = (event["execution"], event["stage"], event["condition"])
    check = ledger.checks.get(key)
    if check is None or check["status"] != "InProgress" or check["result"] == "SKIP":
        return False
    return bool(event["condition"] != "ON_FAILURE")


_JUDGES: Mapping[str, Callable[[Ledger, Data], bool]] = {
    "Started": _start,
    "Reported": _report,
    "Expired": _report,
    "Answered": _answer,
    "StopRequested": _stop,
    "RetryRequested": _retry,
    "RollbackRequested": _roll_back,
    "OverrideRequested": _override,
}
