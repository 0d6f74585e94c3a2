"""The checker finds each violation in a history that is sound but for it."""

import faulthandler
import hashlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import RULES, Findings, check
from tests.chaos.children import Child
from tests.chaos.facts import gather
from tests.chaos.ledger import VARIABLE, lines

LAYOUT = [["Source", [["code"]]], ["Work", [["first"], ["last"]]]]


@dataclass
class Story:
    """A history and a ledger, told step by step; each step takes a second."""

    events: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    ledger: list[dict[str, Any]] = field(default_factory=list)
    time: float = 1_000_000.0

    def __post_init__(self) -> None:
        self.note("layout", pipeline="p", stages=LAYOUT)
        self.happen("Defined", definition={"mode": "QUEUED"})

    def note(self, what: str, **members: Any) -> None:
        self.time += 1
        self.ledger.append({"what": what, "at": self.time, "pid": 1, **members})

    def happen(self, kind: str, *moves: dict[str, str], **members: Any) -> None:
        self.time += 1
        at = datetime.fromtimestamp(self.time, UTC).isoformat()
        event = {"is": kind, "at": at, "pipeline": "p", "id": f"event-{len(self.events)}"}
        self.events.append({**event, "moves": list(moves), **members})
        for move in moves:
            self._row(move)

    def start(self, execution: str) -> None:
        self.happen("Started", {"execution": execution, "status": "InProgress"}, id=execution)
        self.note("ack", call="start", execution=execution, token="", pipeline="p")

    def stage(self, execution: str, stage: str, status: str) -> None:
        move = {"execution": execution, "stage": stage, "status": status}
        self.happen("Reported", move, outcome={})

    def begin(self, execution: str, stage: str, action: str) -> None:
        self.happen("Reported", self.move(execution, stage, action, "InProgress"), outcome={})
        self.run(execution, stage, action)

    def run(self, execution: str, stage: str, action: str, **members: Any) -> None:
        name = f"{execution}-{action}"
        usual = {"order": name, "run": f"run-{name}", "kind": "detached", "inputs": {}}
        self.note("start", execution=execution, stage=stage, action=action, **(usual | members))
        self.note("end", order=name, run=members.get("run", f"run-{name}"))

    def succeed(self, execution: str, stage: str, action: str, **members: Any) -> None:
        run = {"run": f"run-{execution}-{action}"}
        self.happen(
            "Reported",
            self.move(execution, stage, action, "Succeeded"),
            **{"outcome": {"is": "Succeeded", "variables": run}, **members},
        )

    def move(self, execution: str, stage: str, action: str, status: str) -> dict[str, str]:
        place = {"execution": execution, "stage": stage, "action": action}
        return {**place, "id": f"{execution}-{action}", "status": status}

    def whole(self, execution: str) -> None:
        self.start(execution)
        for stage, groups in LAYOUT:
            self.stage(execution, str(stage), "InProgress")
            for (action,) in groups:
                self.begin(execution, str(stage), action)
                self.succeed(execution, str(stage), action)
            self.stage(execution, str(stage), "Succeeded")
        self.happen("Reported", {"execution": execution, "status": "Succeeded"}, outcome={})

    def checked(self) -> Findings:
        journal, digest = [], "0" * 64
        for number, event in enumerate(self.events, start=1):
            body = json.dumps(event)
            digest = hashlib.sha256((digest + body).encode()).hexdigest()
            journal.append({"table": "journal", "number": number, "body": body, "digest": digest})
        return check(gather([*journal, *self.rows.values()], self.ledger))

    def _row(self, move: dict[str, str]) -> None:
        kind = "action" if "id" in move else "stage" if "stage" in move else "pipeline"
        body = dict(move) if kind != "pipeline" else {**move, "id": move["execution"]}
        key = f"{kind}/{move.get('id', '')}/{move['execution']}/{move.get('stage', '')}"
        self.rows[key] = {"table": f"{kind}_executions", "body": json.dumps(body)}


Break = Callable[[Story], None]
BREAKS: dict[str, Break] = {}


def broken(rule: str) -> Callable[[Break], None]:
    return lambda break_it: BREAKS.__setitem__(rule, break_it)


@broken("durable")
def _(story: Story) -> None:
    story.note("ack", call="stop", execution="a")


@broken("everything_ends")
def _(story: Story) -> None:
    story.start("b")


@broken("start_once")
def _(story: Story) -> None:
    story.run("a", "Work", "first")


@broken("one_verdict")
def _(story: Story) -> None:
    story.succeed("a", "Work", "last")


@broken("approval_once")
def _(story: Story) -> None:
    for _time in range(2):
        story.happen("Answered", execution="a", action="ok", token="t")


@broken("token_once")
def _(story: Story) -> None:
    for execution in ("b", "c"):
        story.whole(execution)
    for event in story.events:
        if event["is"] == "Started":
            event["token"] = "t"


@broken("chain")
def _(story: Story) -> None:
    story.rows["more"] = {"table": "journal", "number": 99, "body": "{}", "digest": ""}
    story.rows["more"]["body"] = json.dumps(story.events[0] | {"id": "last"})


@broken("once_only")
def _(story: Story) -> None:
    story.events[3]["id"] = story.events[2]["id"]


@broken("success_means_done")
def _(story: Story) -> None:
    story.ledger = [line for line in story.ledger if line["what"] != "end"]


@broken("fenced")
def _(story: Story) -> None:
    story.whole("b")
    first = next(line for line in story.ledger if line.get("order") == "b-last")
    story.ledger.append({**first, "run": "another", "at": first["at"] + 0.5})


@broken("nothing_after_the_verdict")
def _(story: Story) -> None:
    story.run("a", "Work", "last", kind="inline-again")


@broken("legal_moves")
def _(story: Story) -> None:
    story.stage("a", "Work", "Failed")


@broken("order")
def _(story: Story) -> None:
    story.start("b")
    story.begin("b", "Work", "last")


@broken("stage_lock")
def _(story: Story) -> None:
    for execution in ("b", "c"):
        story.start(execution)
        story.stage(execution, "Source", "InProgress")


@broken("queue_order")
def _(story: Story) -> None:
    for execution in ("b", "c"):
        story.start(execution)
    for execution in ("c", "b"):
        story.stage(execution, "Source", "InProgress")
        story.stage(execution, "Source", "Succeeded")


@broken("inputs_fixed")
def _(story: Story) -> None:
    read = {"code": {"digest": "d", "run": "another"}}
    story.note("start", order="x", run="y", kind="inline-again", inputs=read, execution="a")


@broken("view_is_fold")
def _(story: Story) -> None:
    story.rows.pop("action/a-last/a/Work")


@broken("failure_has_a_cause")
def _(story: Story) -> None:
    story.start("b")
    story.begin("b", "Source", "code")
    lost = {"is": "Failed", "code": "RunnerLost"}
    story.happen("Reported", story.move("b", "Source", "code", "Failed"), outcome=lost)


@broken("synced")
def _(story: Story) -> None:
    story.note("renamed", target="/jobs/a/ctl/result.json")


@broken("as_witnessed")
def _(story: Story) -> None:
    story.note("violation", text="something was seen")


def test_a_sound_history_violates_nothing() -> None:
    story = Story()
    for execution in ("a", "b"):
        story.whole(execution)
    findings = story.checked()
    assert (dict(findings.violations), findings.actions) == ({}, 6)


def test_each_rule_has_an_example_that_violates_it() -> None:
    assert set(BREAKS) == {rule.__name__ for rule in RULES}


@pytest.mark.parametrize("rule", sorted(BREAKS))
def test_a_violation_is_found(rule: str) -> None:
    story = Story()
    story.whole("a")
    BREAKS[rule](story)
    assert rule in story.checked().violations


def test_an_attempt_of_a_process_that_is_gone_may_be_lost_and_a_repeatable_one_run_again() -> None:
    story = Story()
    story.start("a")
    story.stage("a", "Source", "InProgress")
    story.happen("Reported", story.move("a", "Source", "code", "InProgress"), outcome={})
    story.run("a", "Source", "code", kind="inline-again", run="early", pid=7)
    story.note("gone", gone=7)
    story.run("a", "Source", "code", kind="inline-again", pid=8)
    assert "start_once" not in story.checked().violations


def test_an_engine_that_crashes_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "ledger"))
    for number in (signal.SIGSEGV, signal.SIGKILL):
        pid = os.fork()
        if pid == 0:
            faulthandler.disable()  # which would tell the whole world
            os.kill(os.getpid(), number)
        Child(pid).wait(10)
    told = [line["text"] for line in lines(tmp_path / "ledger") if line["what"] == "violation"]
    assert len(told) == 1
    assert "SIGSEGV" in str(told[0])
