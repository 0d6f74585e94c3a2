"""What is promised of the events that are accepted: each was due, and names what it may."""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from tests.engine.laws.ledger import OPEN, Data, Ledger, Step, demand

DAY = 24 * 3600.0
STALE = 30 * DAY
"""After how many seconds a disabled transition lets nobody in when it is enabled."""

LOST = frozenset({"Failed", "Abandoned"})


def check(ledger: Ledger, step: Step) -> None:
    """Judge whether an event could be accepted, and note what it says by itself."""
    judge = _JUDGES.get(step.kind)
    if judge is not None:
        judge(ledger, step)


def crowded(ledger: Ledger, mode: str, most: int) -> bool:
    """Tell whether one more execution in progress would be too many."""
    return mode != "SUPERSEDED" and len(ledger.live) >= most


def is_known(ledger: Ledger, event: Data) -> str | None:
    """Give the execution that an earlier start with the token made; None when there is none."""
    asked, run, at = ledger.tokens.get(event["token"] or "", ((), "", -STALE))
    fresh = event["at"] - at <= DAY
    return run if fresh and asked == what_is_asked(event) else None


def what_is_asked(event: Data) -> tuple[object, ...]:
    """Give what two starts with the same token have in common."""
    return event["variables"], event["revisions"], event["object_keys"]


def objections(ledger: Ledger, event: Data, row: Data) -> list[str]:
    """Say why an answer to an approval cannot count."""
    wanted, me = row["resolved"], event["by"].lower()
    found = []
    named = [name.strip().lower() for name in wanted.get("Approvers", "").split(",") if name]
    if named and me not in named:
        found.append("not entitled")
    if event["status"] == "Rejected":
        return found
    run = ledger.runs[row["execution"],]
    own = {ledger.editors[run["version"]], run["cause"]["detail"]}
    own |= {author for each in run["revisions"].values() for author in each["authors"]}
    if wanted.get("PreventSelfApproval") == "true" and me in {name.lower() for name in own}:
        found.append("their own")
    if me in ledger.approvers[row["id"]]:
        found.append("approved already")
    return found


# ------------------------------------------------------------------ events


def _started(ledger: Ledger, step: Step) -> None:
    event = step.event
    known = is_known(ledger, event)
    if known is not None:
        demand(step.answer == known, "a token stands for one execution", step.answer, known)
        demand(not step.moves, "a start that is known changes nothing", step.answer)
        return
    began = (event["id"],) in step.rows["PipelineExecution"]
    demand(began, "a start makes an execution", event["id"])
    if event["token"]:
        ledger.tokens[event["token"]] = (what_is_asked(event), event["id"], event["at"])
    mode = ledger.plans[ledger.version].mode
    asked = event["cause"]["type"] == "StartPipelineExecution"
    full = crowded(ledger, mode, event["most"])
    demand(not (full and asked), "more than the most is refused", mode, len(ledger.live))
    statuses = [move["status"] for move in step.moves if move["execution"] == event["id"]]
    failed = statuses == ["InProgress", "Failed"]
    demand(failed == full, "what is too much is recorded as failed, and nothing else", statuses)


def _reported(ledger: Ledger, step: Step) -> None:
    event = step.event
    attempt = event["action_execution"]
    under_way = attempt in ledger.open[event["execution"], event["stage"]]
    demand(under_way, "a report that comes late changes nothing", attempt)
    outcome = event.get("outcome", {"is": "Failed"})
    if outcome["is"] == "Waiting":
        demand(step.asked == {attempt} and not step.moves, "who waits is asked again", attempt)
    elif outcome["is"] == "Succeeded" and event["condition"] is None:
        _publish(ledger, event)


def _publish(ledger: Ledger, event: Data) -> None:
    run = event["execution"]
    for artifact in event["artifacts"]:
        ledger.written[run][artifact["name"]] = artifact
    action = ledger.stage_of(ledger.runs[run,], event["stage"]).actions[event["action"]]
    values = event["outcome"]["variables"]
    if action["namespace"] and values:
        ledger.values[run][action["namespace"]] = values


def _answered(ledger: Ledger, step: Step) -> None:
    event = step.event
    run, stage = event["execution"], event["stage"]
    attempt = ledger.latest.get((run, stage, event["action"]), "")
    demand(attempt in ledger.open[run, stage], "an approval is decided once", attempt)
    row = ledger.actions[attempt,]
    demand(row["token"] == event["token"], "an approval is answered with its token", attempt)
    demand(event["at"] < row["deadline"], "an approval is answered in its time", attempt)
    wrong = objections(ledger, event, row)
    refused = step.refusal == "NotEntitled"
    demand(refused == bool(wrong), "who may not approve is refused", event["by"], wrong)
    after = step.rows["ActionExecution"][attempt,]
    votes = len(after["votes"]) - len(row["votes"])
    demand(votes == 1, "every answer is kept", after["votes"])
    wanted = "InProgress"
    if not wrong and event["status"] == "Rejected":
        wanted = "Failed"
    elif not wrong:
        ledger.approvers[attempt].add(event["by"].lower())
        if len(ledger.approvers[attempt]) >= int(row["resolved"].get("RequiredApprovals", "1")):
            wanted = "Succeeded"
    demand(after["status"] == wanted, "so many people decide as it takes", after["status"], wanted)


def _stopped(ledger: Ledger, step: Step) -> None:
    run = step.event["execution"]
    status = ledger.status[run, "", ""]
    escalates = step.event["abandon"] and not (ledger.runs[run,]["stop"] or {}).get("abandon")
    may = status == "InProgress" or (status == "Stopping" and escalates)
    demand(may, "only what is in progress is stopped", run, status)


def _retried(ledger: Ledger, step: Step) -> None:
    event = step.event
    key = run, stage = event["execution"], event["stage"]
    row, before = ledger.runs[run,], ledger.stages[key]
    status = ledger.status[run, stage, ""]
    plan = ledger.stage_of(row, stage)
    groups = (
        [name for name in group if ledger.outcome(run, stage, name) in LOST]
        for group in plan.groups
    )
    lost = next(filter(None, groups), [])
    beside = status == "InProgress" and before["phase"] == "Actions" and bool(lost)
    if beside:
        demand(event["mode"] == "FAILED_ACTIONS", "only failed actions run again beside others")
        step.resumed.add(key)
    else:
        demand(status in {"Failed", "Stopped"}, "only what failed or was stopped is retried")
        full = ledger.status[run, "", ""] not in OPEN and crowded(
            ledger, row["mode"], event["most"]
        )
        demand(not full, "a retry adds nothing to the most", len(ledger.live))
    current = row["version"] == ledger.version
    demand(current, "nothing is retried by a replaced definition", *key)
    latest = row["mode"] == "PARALLEL" or ledger.last[stage] == run
    demand(latest, "only the latest execution in a stage is retried", *key)
    if event["mode"] == "FAILED_ACTIONS" and before["phase"] != "Entry":
        step.lost = lost


def _overridden(ledger: Ledger, step: Step) -> None:
    event = step.event
    run, stage, place = event["execution"], event["stage"], event["condition"]
    row, check = ledger.runs[run,], ledger.checks[run, stage, place]
    may = place != "ON_FAILURE" and check["result"] != "SKIP"
    demand(may and check["status"] in {"InProgress", "Failed"}, "it can be overridden", check)
    latest = row["mode"] == "PARALLEL" or ledger.last[stage] == run
    demand(latest, "only the latest execution in a stage is overridden", run, stage)
    full = ledger.status[run, "", ""] not in OPEN and crowded(ledger, row["mode"], event["most"])
    demand(not full, "an override adds nothing to the most", len(ledger.live))
    demand(not ledger.outdated(row), "nothing is overridden by a replaced definition", run)
    succeeded = ledger.status[run, stage, ""] == "Succeeded"  # and was to be rolled back
    if succeeded and row["type"] == "STANDARD" and row["mode"] != "PARALLEL":
        ledger.good[stage].append(run)


def _turned(ledger: Ledger, step: Step) -> None:
    event = step.event
    switch = (event["stage"], event["inbound"])
    if not event["enabled"]:
        ledger.closed.setdefault(switch, event["at"])
        return
    since = ledger.closed.pop(switch, None)
    if since is not None and event["at"] - since > STALE:
        ledger.stale.update(_held(ledger, *switch))


def _held(ledger: Ledger, stage: str, inbound: bool) -> Iterator[str]:  # noqa: FBT001 - of a pair
    for (ahead,), line in ledger.lines.items():
        for run in line["waiting"]:
            names = ledger.plan_of(ledger.runs[run,]).names
            before = [name for name, after in pairwise(names) if after == ahead]
            if stage in ([ahead] if inbound else before):
                yield run


_JUDGES: Mapping[str, Callable[[Ledger, Step], None]] = {
    "Started": _started,
    "Reported": _reported,
    "Expired": _reported,
    "Answered": _answered,
    "StopRequested": _stopped,
    "RetryRequested": _retried,
    "OverrideRequested": _overridden,
    "TransitionChanged": _turned,
}
