"""The checker: asserts from the history and the ledger alone what must hold after any fault.

It imports nothing of the product, so that it cannot share its mistakes. Each rule is a function
that yields a sentence for each violation.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.chaos.facts import UNDER_WAY, Facts, Json, Move, gather

Rule = Callable[[Facts], Iterator[str]]

LEGAL: Mapping[str, frozenset[str]] = {
    "": frozenset({UNDER_WAY}),
    UNDER_WAY: frozenset(
        {"Succeeded", "Failed", "Stopping", "Stopped", "Superseded", "Cancelled", "Skipped"}
    ),
    "Stopping": frozenset({"Stopped", "Cancelled"}),
}
LEGAL_ATTEMPT: Mapping[str, frozenset[str]] = {
    "": frozenset({UNDER_WAY}),
    UNDER_WAY: frozenset({"Succeeded", "Failed", "Abandoned"}),
}
RESUMABLE = frozenset({"Failed", "Stopped"})
OPEN = frozenset({UNDER_WAY, "Stopping"})
ONCE = frozenset({"detached", "inline"})
LOST_CODE = "RunnerLost"
SLACK_SECONDS = 0.2
"""Between a process's last sign of life and the time at which its death is written down."""


def chain(facts: Facts) -> Iterator[str]:
    """Numbers without gaps, and each digest over the one before and the body."""
    digest = "0" * 64
    for expected, row in enumerate(facts.journal, start=1):
        if row["number"] != expected:
            yield f"record {row['number']} stands where {expected} was expected"
        digest = hashlib.sha256((digest + row["body"]).encode()).hexdigest()
        if row["digest"] != digest:
            yield f"record {row['number']} has digest {row['digest']}, not {digest}"
            digest = row["digest"]


def once_only(facts: Facts) -> Iterator[str]:
    """No event is in the journal twice."""
    seen: set[str] = set()
    for number, event in facts.events:
        if event["id"] in seen:
            yield f"record {number} repeats event {event['id']}"
        seen.add(event["id"])


def durable(facts: Facts) -> Iterator[str]:
    """What was acknowledged is in the history."""
    started = {event["id"] for _, event in facts.events if event["is"] == "Started"}
    answered = {
        (event["execution"], event["action"])
        for _, event in facts.events
        if event["is"] == "Answered"
    }
    stopped = {event["execution"] for _, event in facts.events if event["is"] == "StopRequested"}
    for line in facts.said("ack"):
        execution = line["execution"]
        kept = {
            "start": execution in started,
            "answer": (execution, line.get("action")) in answered,
            "stop": execution in stopped,
        }
        if not kept[line["call"]]:
            yield f"{line['call']} of execution {execution} was acknowledged and is not there"


def start_once(facts: Facts) -> Iterator[str]:
    """An attempt starts once; again only if it may, and what ran it before is gone."""
    for order, starts in facts.by("start", "order").items():
        for before, after in pairwise(starts):
            if after["kind"] in ONCE:
                yield f"attempt {order} ({after['kind']}) was started twice"
            elif not (_is_gone(facts, before, after["at"]) or _was_cut_off(facts, after)):
                yield f"attempt {order} was started again while process {before['pid']} had it"


def success_means_done(facts: Facts) -> Iterator[str]:
    """Who succeeded has started and come to an end, and it is that run that reported."""
    starts, ends = facts.by("start", "order"), facts.by("end", "run")
    for attempt, verdict in _reported(facts, "Succeeded"):
        run = verdict.event["outcome"].get("variables", {}).get("run")
        if run is None or run not in ends:
            yield f"attempt {attempt} ({verdict.action}) succeeded and no run of it came to an end"
        elif run not in {line["run"] for line in starts.get(attempt, [])}:
            yield f"attempt {attempt} succeeded by run {run}, which is not its own"


def fenced(facts: Facts) -> Iterator[str]:
    """Only the owner's report counts: that of the run that started last before the verdict."""
    starts = facts.by("start", "order")
    for attempt, verdict in _reported(facts, "Succeeded"):
        run = verdict.event["outcome"].get("variables", {}).get("run")
        known = [line for line in starts.get(attempt, []) if not _was_cut_off(facts, line)]
        before = [line for line in known if line["at"] <= verdict.at]
        if facts.timed and before and before[-1]["run"] != run:
            yield f"attempt {attempt} succeeded by run {run}, which its owner had not started"


def nothing_after_the_verdict(facts: Facts) -> Iterator[str]:
    """No attempt starts after its end, but one of a process that was cut off meanwhile."""
    cut_off = set(facts.gone)
    for attempt, starts in facts.by("start", "order").items():
        verdict = next(iter(facts.verdicts.get(attempt, [])), None)
        if verdict is None or verdict.status == "Abandoned" or not facts.timed:
            continue
        for line in starts:
            if line["at"] > verdict.at and line["pid"] not in cut_off:
                yield f"attempt {attempt} was started after it was {verdict.status}"


def one_verdict(facts: Facts) -> Iterator[str]:
    """An attempt ends once."""
    for attempt, verdicts in facts.verdicts.items():
        if len(verdicts) > 1:
            yield f"attempt {attempt} ended {len(verdicts)} times"


def legal_moves(facts: Facts) -> Iterator[str]:
    """Statuses change as CodePipeline's do."""
    now: dict[tuple[str, ...], str] = {}
    for move in facts.moves:
        table = LEGAL_ATTEMPT if move.attempt else LEGAL
        before = now.get(move.what, "")
        resumed = move.resumed and before in RESUMABLE and move.status == UNDER_WAY
        if move.status not in table.get(before, ()) and not resumed:
            change = f"from {before or 'nothing'} to {move.status}"
            yield f"record {move.number}: {move.what} went {change}"
        now[move.what] = move.status


def order(facts: Facts) -> Iterator[str]:
    """An action starts after all of lower run order, a stage after the one before."""
    layouts = {line["pipeline"]: line["stages"] for line in facts.said("layout")}
    done: set[tuple[str, str, str]] = set()
    for move in facts.moves:
        place = (move.execution, move.stage)
        if move.action and move.status == UNDER_WAY:
            needed = _before(layouts.get(move.event["pipeline"], []), move)
            missing = [name for stage, name in needed if (move.execution, stage, name) not in done]
            if missing:
                yield f"record {move.number}: {place} started {move.action} before {missing}"
        if move.action and move.status == "Succeeded":
            done.add((*place, move.action))


def stage_lock(facts: Facts) -> Iterator[str]:
    """One execution at a time is in a stage, but in a PARALLEL pipeline."""
    parallel = {
        event["pipeline"]
        for _, event in facts.events
        if event["is"] == "Defined" and event["definition"].get("mode") == "PARALLEL"
    }
    inside: dict[tuple[str, str], set[str]] = {}
    for move in facts.moves:
        pipeline = move.event["pipeline"]
        if not move.stage or move.action or pipeline in parallel:
            continue
        those = inside.setdefault((pipeline, move.stage), set())
        (those.add if move.status in OPEN else those.discard)(move.execution)
        if len(those) > 1:
            yield f"record {move.number}: {sorted(those)} are all in {pipeline}/{move.stage}"


def queue_order(facts: Facts) -> Iterator[str]:
    """Executions of a QUEUED pipeline enter each stage in the order of their starts."""
    place = {event["id"]: number for number, event in facts.events if event["is"] == "Started"}
    queued = {
        event["pipeline"]
        for _, event in facts.events
        if event["is"] == "Defined" and event["definition"].get("mode") == "QUEUED"
    }
    latest: dict[tuple[str, str], int] = {}
    for move in facts.moves:
        entered = move.stage and not move.action and move.status == UNDER_WAY and not move.resumed
        if entered and move.event["pipeline"] in queued:
            stage = (move.event["pipeline"], move.stage)
            if place.get(move.execution, 0) < latest.get(stage, 0):
                yield f"record {move.number}: {move.execution} overtook another into {stage}"
            latest[stage] = place.get(move.execution, 0)


def everything_ends(facts: Facts) -> Iterator[str]:
    """Nothing is under way any more, and no order is open."""
    for table in ("pipeline_executions", "stage_executions", "action_executions"):
        for row in facts.rows.get(table, []):
            body = json.loads(row["body"])
            if body.get("status", UNDER_WAY) in OPEN:
                yield f"{table}: {body.get('action', '')} {body.get('id', '')} is still under way"
    for row in facts.rows.get("orders", []):
        yield f"order {row['id']} ({row['type']}) is still open"


def approval_once(facts: Facts) -> Iterator[str]:
    """A request for approval is decided once, and who decided it was told so."""
    decided: dict[str, str] = {}
    for _, event in facts.events:
        if event["is"] == "Answered":
            if event["token"] in decided:
                yield f"approval {event['action']} was decided by two events"
            decided[event["token"]] = event["id"]
    for race, lines in facts.by("vote", "race").items():
        won = sum(line["won"] for line in lines)
        if won != 1:
            yield f"of those who raced for approval {race}, {won} won"


def token_once(facts: Facts) -> Iterator[str]:
    """A client request token means one execution, and the same to all who use it."""
    started: dict[tuple[str, str], str] = {}
    for _, event in facts.events:
        if event["is"] == "Started" and event.get("token"):
            key = (event["pipeline"], event["token"])
            if key in started:
                yield f"token {key} started {started[key]} and {event['id']}"
            started[key] = event["id"]
    for line in facts.said("ack"):
        key = (line.get("pipeline", ""), line.get("token", ""))
        if line["call"] == "start" and started.get(key, line["execution"]) != line["execution"]:
            yield f"token {key} was told to mean {line['execution']}, and means {started[key]}"


def inputs_fixed(facts: Facts) -> Iterator[str]:
    """What is read is what the run that counted has written, byte for byte."""
    written: dict[tuple[str, str], tuple[str, str]] = {}
    for _, verdict in _reported(facts, "Succeeded"):
        run = verdict.event["outcome"].get("variables", {}).get("run", "")
        for artifact in verdict.event.get("artifacts", ()):
            written[verdict.execution, artifact["name"]] = (artifact["digest"], run)
    for line in facts.said("start"):
        for name, read in line["inputs"].items():
            if written.get((line["execution"], name)) != (read["digest"], read["run"]):
                yield f"attempt {line['order']} read {name} of run {read['run']}, which is another"


def view_is_fold(facts: Facts) -> Iterator[str]:
    """The rows say what the journal says."""
    fold = {move.what: move.status for move in facts.moves}
    kinds = {
        "pipeline_executions": lambda body: (body["id"], ""),
        "stage_executions": lambda body: (body["execution"], body["stage"]),
        "action_executions": lambda body: (body["id"],),
    }
    for table, key in kinds.items():
        for row in facts.rows.get(table, []):
            body = json.loads(row["body"])
            found, told = body.get("status", UNDER_WAY), fold.pop(key(body), "nothing")
            if found != told:
                yield f"{table}: {key(body)} is {found}, and the journal says {told}"
    for what, status in fold.items():
        yield f"the journal says that {what} is {status}, and no row is there"


def failure_has_a_cause(facts: Facts) -> Iterator[str]:
    """Nothing fails, is lost or is abandoned unless something was done to it."""
    starts = facts.by("start", "order")
    tolerated = {code for line in facts.said("tolerate") for code in line["codes"]}
    for attempt, verdict in _reported(facts, "Failed"):
        code = verdict.event["outcome"].get("code", "JobFailed")
        if code == LOST_CODE:
            last = starts.get(attempt, [{"pid": None}])[-1]
            if facts.timed and not _is_gone(facts, last, verdict.at):
                yield f"attempt {attempt} ({verdict.action}) was called lost while it was alive"
        elif code not in tolerated:
            message = verdict.event["outcome"].get("message", "")
            yield f"attempt {attempt} ({verdict.action}) failed for no cause: {code} {message}"
    expired = (move for moves in facts.verdicts.values() for move in moves)
    for move in expired:
        if move.event["is"] == "Expired":
            yield f"attempt {move.attempt} ({move.action}) ran out of time before its time"


def synced(facts: Facts) -> Iterator[str]:
    """What took its name for good is followed by a sync of its folder, where that was watched."""
    for pid, renames in facts.by("renamed", "pid").items():
        syncs = [line for line in facts.said("synced") if line["pid"] == pid]
        for line in renames:
            folder = str(Path(line["target"]).parent)
            later = (each["at"] >= line["at"] for each in syncs if each["folder"] == folder)
            if pid not in facts.gone and not any(later):
                yield f"process {pid} named {line['target']} and did not sync its folder"


def as_witnessed(facts: Facts) -> Iterator[str]:
    """What the harness itself saw going wrong."""
    for line in facts.said("violation"):
        yield str(line["text"])


LOSING = (durable, everything_ends)
DOUBLING = (start_once, one_verdict, approval_once, token_once)
RULES: tuple[Rule, ...] = (
    *LOSING,
    *DOUBLING,
    chain,
    once_only,
    success_means_done,
    fenced,
    nothing_after_the_verdict,
    legal_moves,
    order,
    stage_lock,
    queue_order,
    inputs_fixed,
    view_is_fold,
    failure_has_a_cause,
    synced,
    as_witnessed,
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checker found.

    Attributes:
        actions: How many attempts of actions there were.
        violations: Sentences by the name of the rule.
    """

    actions: int
    violations: Mapping[str, list[str]]

    def count(self, rules: tuple[Rule, ...]) -> int:
        """Count the violations of some rules."""
        return sum(len(self.violations.get(rule.__name__, ())) for rule in rules)


def check(facts: Facts) -> Findings:
    """Try every rule."""
    found = {rule.__name__: list(rule(facts)) for rule in RULES}
    actions = {move.attempt for move in facts.moves if move.attempt}
    return Findings(len(actions), {name: those for name, those in found.items() if those})


def check_files(history: Path, ledger: Path) -> Findings:
    """Try every rule on files of JSON lines."""
    return check(gather(_lines(history), _lines(ledger)))


def _lines(file: Path) -> Iterator[Json]:
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _reported(facts: Facts, status: str) -> Iterator[tuple[str, Move]]:
    for attempt, verdicts in facts.verdicts.items():
        for verdict in verdicts:
            if verdict.status == status and verdict.event["is"] == "Reported":
                yield attempt, verdict


def _is_gone(facts: Facts, start: Json, at: float) -> bool:
    """Tell whether the process of a start was gone at a time; if there was none, any process."""
    gone = facts.gone
    pids = [start["pid"]] if start["pid"] else list(gone)
    if any(gone.get(pid, at + 1) <= at + SLACK_SECONDS for pid in pids):
        return True
    # Of a process that a failing disk has ended nobody writes down the time.
    later = (line["at"] > at for line in facts.said("end") if line["run"] == start.get("run"))
    return bool(facts.said("tolerate")) and not any(later)


def _was_cut_off(facts: Facts, start: Json) -> bool:
    """Tell whether the process of a start did not know that others had its work already."""
    return facts.gone.get(start["pid"], start["at"]) < start["at"]


def _before(stages: list[list[object]], move: Move) -> Iterator[tuple[str, str]]:
    for name, groups in stages:
        assert isinstance(groups, list)
        for group in groups:
            if name == move.stage and move.action in group:
                return
            yield from ((str(name), action) for action in group)


if __name__ == "__main__":
    found = check_files(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(json.dumps(found.violations, indent=1) + "\n")
    sys.exit(bool(found.violations))
