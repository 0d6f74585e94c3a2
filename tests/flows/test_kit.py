"""From a definition to its history through the public face, each on a fresh store."""

import os
import pwd
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import pipelinekit as pk
from pipelinekit.engine.decide import replay
from pipelinekit.model.action import (
    Action,
    ActionTypeId,
    Category,
    EnvironmentVariable,
    Owner,
)
from pipelinekit.model.errors import (
    ActionNotFound,
    ApprovalAlreadyCompleted,
    CannotRunHere,
    DefinitionError,
    EngineClosed,
    ExecutionFailed,
    ExecutionNotFound,
    NotStoppable,
    PipelineNotFound,
    ValidationError,
)
from pipelinekit.runtime import hands
from pipelinekit.runtime.worker import BURY_SECONDS

WAIT = 20.0


@pk.action("Source", "KitFetch")
def fetch(job: pk.Job, text: str = "hello") -> pk.Outcome:
    """Write a file with a text into the artifact."""
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text(text, encoding="utf-8")
    job.write(folder)
    return pk.Succeeded({"CommitId": "c0ffee"})


@pk.action("Test", "KitLook")
def look(job: pk.Job, wanted: str, *, loud: bool = False) -> pk.Outcome:
    """Compare the artifact's text with what is wanted."""
    found = (job.read() / "file.txt").read_text(encoding="utf-8")
    job.say(f"found {found}")
    if found != wanted:
        return pk.Failed(f"{wanted!r} was wanted and {found!r} is there")
    return pk.Succeeded({"Found": found.upper() if loud else found})


@pk.action("Test", "KitRaise")
def explode(job: pk.Job) -> pk.Outcome:
    """Raise."""
    del job
    raise RuntimeError("the roof is on fire")


@pk.action("Test", "KitLong")
def long(job: pk.Job, file: str) -> pk.Outcome:
    """Wait until a file appears."""
    while not Path(file).exists():
        time.sleep(0.01)
    del job
    return pk.Succeeded()


@pk.action("Invoke", "KitElsewhere")
def elsewhere(job: pk.Job) -> pk.Outcome:
    """Be asked three times."""
    asked = int(job.order.token or "0")
    if asked < 2:
        return pk.Waiting(str(asked + 1), seconds=0.05, summary=f"asked {asked + 1} times")
    return pk.Succeeded({"Asked": str(asked)})


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    with pk.Kit(tmp_path / "home", settings=pk.Settings(folder=str(tmp_path)), by="ann") as made:
        yield made


def line(*stages: pk.Stage, text: str = "hello") -> pk.Pipeline:
    """Make a pipeline of a source and the stages that are given."""
    source = fetch("src", text=text).writes("code")
    pipeline = pk.Pipeline("shop") >> pk.Stage("Source", source)
    for stage in stages:
        pipeline = pipeline >> stage
    return pipeline


def test_artifacts_and_variables_go_from_action_to_action(kit: pk.Kit) -> None:
    first = look("first", wanted="hello", loud=True).reads("code")
    second = look("second", wanted="hello").reads("code")
    told = replace(second, configuration={**second.configuration, "Loud": "true"})
    run = kit.start(line(pk.Stage("Test", first >> told))).wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert [row.variables for row in run.actions][1:] == [{"Found": "HELLO"}] * 2
    assert "found hello" in run.logs("first")


def test_a_failed_action_says_why_in_the_run_its_log_and_the_history(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Test", look("a", wanted="bye").reads("code"))))
    assert run.wait(timeout=WAIT).status == "Failed"
    assert "'bye' was wanted and 'hello' is there" in run.execution.summary
    assert "JobFailed" in run.logs()
    frame = kit.history("shop").actions
    assert frame.loc[frame.action == "a", "error"].item().startswith("JobFailed: 'bye'")


def test_an_action_that_raises_fails_with_its_traceback_in_the_log(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Test", explode("boom")))).wait(timeout=WAIT)
    assert run.status == "Failed"
    assert "RuntimeError: the roof is on fire" in run.execution.summary
    assert "Traceback" in run.logs("boom")


def test_a_waiting_action_is_asked_again_with_its_token(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Go", elsewhere("far")))).wait(timeout=WAIT)
    assert run.actions[-1].variables == {"Asked": "2"}


def test_an_approval_is_waited_for_answered_and_recorded(kit: pk.Kit) -> None:
    gate = pk.approval("ok", note="go?") >> look("after", wanted="hello").reads("code")
    run = kit.start(line(pk.Stage("Gate", gate))).wait(until="approval", timeout=WAIT)
    (asked,) = run.waiting
    assert asked.resolved == {"CustomData": "go?"}
    run.approve("fine").wait(timeout=WAIT)
    assert run.status == "Succeeded"
    with pytest.raises(ActionNotFound):
        run.approve()
    row = kit.history("shop").approvals.iloc[0]
    assert (row.decision, row.by, row.comment) == ("Approved", "ann", "fine")


def test_a_rejected_approval_fails_the_run_and_a_retry_asks_again(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Gate", pk.approval("ok")))).wait("approval", WAIT)
    assert run.reject("not yet").wait(timeout=WAIT).status == "Failed"
    run.retry().wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert [row.attempt for row in run.attempts if row.action == "ok"] == [1, 2]


def test_of_many_who_answer_at_once_one_decides(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Gate", pk.approval("ok")))).wait("approval", WAIT)
    barrier, outcomes = threading.Barrier(8), []

    def answer(number: int) -> None:
        barrier.wait()
        try:
            (run.approve if number % 2 else run.reject)(str(number))
            outcomes.append("decided")
        except (ApprovalAlreadyCompleted, ActionNotFound):
            outcomes.append("refused")

    people = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["decided"] + ["refused"] * 7


def test_only_the_failed_action_is_retried(kit: pk.Kit, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"

    @pk.action("Test", "KitOnce")
    def once(job: pk.Job) -> pk.Outcome:
        """Fail the first time."""
        with ledger.open("a", encoding="utf-8") as file:
            file.write(f"{job.order.action}\n")
        seen = ledger.read_text(encoding="utf-8").split()
        bad = job.order.action == "bad" and seen.count("bad") == 1
        return pk.Failed("not yet") if bad else pk.Succeeded()

    run = kit.start(line(pk.Stage("Test", once("good") + once("bad")))).wait(timeout=WAIT)
    assert run.status == "Failed"
    run.retry().wait(timeout=WAIT)
    assert run.status == "Succeeded"
    assert sorted(ledger.read_text(encoding="utf-8").split()) == ["bad", "bad", "good"]


def test_stop_and_wait_lets_the_action_end(kit: pk.Kit, tmp_path: Path) -> None:
    file = tmp_path / "go"
    run = kit.start(line(pk.Stage("Wait", long("w", file=str(file)))))
    while len(run.actions) < 2:
        time.sleep(0.01)
    assert run.stop("enough").status == "Stopping"
    file.touch()
    run.wait(timeout=WAIT)
    assert (run.status, run.actions[-1].status) == ("Stopped", "Succeeded")
    with pytest.raises(NotStoppable):
        run.stop()


def test_a_newer_run_supersedes_the_one_that_waits(kit: pk.Kit) -> None:
    pipeline = line(pk.Stage("Gate", pk.approval("ok")))
    runs = [kit.start(pipeline)]
    runs[0].wait("approval", WAIT)
    for _ in range(2):
        runs.append(kit.start(pipeline))
        while runs[-1].execution.stage != "Gate":
            time.sleep(0.01)
    assert [run.status for run in runs] == ["InProgress", "Superseded", "InProgress"]
    runs[0].approve()
    runs[2].wait("approval", WAIT).approve()
    assert runs[2].wait(timeout=WAIT).status == "Succeeded"


def test_the_same_definition_is_not_defined_twice_and_a_changed_one_is(kit: pk.Kit) -> None:
    pipeline = line(pk.Stage("Gate", pk.approval("ok")))
    assert [kit.define(pipeline).version for _ in range(3)] == [1, 1, 1]
    assert kit.define(line(pk.Stage("Gate", pk.approval("other")))).version == 2
    assert kit.definition("shop").stages[1].actions[0].name == "other"


def test_a_definition_with_faults_is_refused_with_all_of_them_and_nothing_is_kept(
    kit: pk.Kit,
) -> None:
    broken = pk.Pipeline("shop") >> pk.Stage("Gate", pk.approval("ok"), pk.approval("ok"))
    with pytest.raises(DefinitionError) as refusal:
        kit.start(broken)
    assert len(refusal.value.faults) >= 3
    assert kit.pipelines() == []


def test_a_type_that_cannot_run_here_is_refused_with_what_to_configure(kit: pk.Kit) -> None:
    stack = Action(
        "stack",
        ActionTypeId(Category.DEPLOY, Owner.AWS, "CloudFormation"),
        {"ActionMode": "DELETE_ONLY", "StackName": "s", "RoleArn": "arn:aws:iam::1:role/r"},
    )
    live = pk.codedeploy("live", application="shop", group="production").reads("code")
    with pytest.raises(CannotRunHere) as refusal:
        kit.start(line(pk.Stage("Deploy", stack + live)))
    assert "Deploy/stack" in str(refusal.value)
    assert "CloudFormation" in str(refusal.value)
    assert "[codedeploy.shop.production]" in str(refusal.value)
    assert kit.runs() == []


def test_unknown_names_are_refused(kit: pk.Kit) -> None:
    with pytest.raises(PipelineNotFound):
        kit.start("nothing")
    with pytest.raises(ExecutionNotFound):
        kit.run("00000000")


def test_the_beginning_of_an_id_is_enough(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Gate", pk.approval("ok"))))
    assert kit.run(run.id[:8]).id == run.id


def test_a_wait_that_takes_too_long_says_so_and_the_run_goes_on(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Gate", pk.approval("ok"))))
    with pytest.raises(TimeoutError, match="goes on"):
        run.wait(timeout=0.3)
    assert run.status == "InProgress"


def test_replaying_the_journal_equals_the_stored_state(kit: pk.Kit) -> None:
    gate = line(pk.Stage("Gate", pk.approval("ok") >> look("l", wanted="bye").reads("code")))
    run = kit.start(gate).wait("approval", WAIT).approve().wait(timeout=WAIT)
    run.retry().wait(timeout=WAIT)
    stored, _ = kit.store.load("shop")
    assert replay([record.event for record in kit.store.tail(0)]) == stored


def test_a_closed_kit_refuses_events(tmp_path: Path) -> None:
    kit = pk.Kit(tmp_path / "home", settings=pk.Settings())
    kit.close()
    with pytest.raises(EngineClosed):
        kit.worker.handle(None)  # type: ignore[union-attr, arg-type]


def test_another_process_answers_and_this_engine_goes_on(kit: pk.Kit, tmp_path: Path) -> None:
    gate = pk.approval("ok") >> look("after", wanted="hello").reads("code")
    run = kit.start(line(pk.Stage("Gate", gate))).wait("approval", WAIT)
    script = (
        "import sys, pipelinekit as pk\n"
        "with pk.Kit(sys.argv[1], settings=pk.Settings(), work=False, by='bob') as kit:\n"
        "    kit.run(sys.argv[2]).approve('from afar')\n"
    )
    home = str(tmp_path / "home")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, home, run.id], check=True, env=environment)
    assert run.wait(timeout=WAIT).status == "Succeeded"
    assert kit.history().approvals.by.item() == "bob"


def test_a_run_of_a_closed_kit_is_carried_on_by_the_next_one(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", pk.Settings()
    gate = pk.approval("ok") >> look("after", wanted="hello").reads("code")
    with pk.Kit(home, settings=settings) as kit:
        run = kit.start(line(pk.Stage("Gate", gate))).wait("approval", WAIT)
    with pk.Kit(home, settings=settings) as kit:
        again = kit.run(run.id)
        assert again.waiting
        assert again.approve().wait(timeout=WAIT).status == "Succeeded"


def test_what_goes_on_in_a_closed_kit_is_begun_again_only_when_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    go_on = threading.Event()

    @pk.action("Build", "KitLasting", repeatable=True)
    def lasting(job: pk.Job) -> pk.Outcome:
        del job
        told.put("begun")
        go_on.wait(WAIT)
        told.put("ended")
        return pk.Succeeded()

    monkeypatch.setattr(hands, "CLOSING_SECONDS", 0.05)
    home, settings = tmp_path / "home", pk.Settings()
    with pk.Kit(home, settings=settings) as kit:
        run = kit.start(line(pk.Stage("Work", lasting("last"))))
        assert told.get(timeout=WAIT) == "begun"
    assert "1 functions go on" in caplog.text
    with pk.Kit(home, settings=settings, work=False) as kit:
        assert not kit.engine_alive()
    with pk.Kit(home, settings=settings) as kit:
        with pytest.raises(queue.Empty):
            told.get(timeout=2 * BURY_SECONDS)
        go_on.set()
        assert kit.run(run.id).wait(timeout=WAIT).status == "Succeeded"
    assert [told.get_nowait() for _ in range(3)] == ["ended", "begun", "ended"]


ELSEWHERE = """
import sys, time, pipelinekit as pk
with pk.Kit(sys.argv[1], settings=pk.Settings(), by="bob") as kit:  # knows no KitLook
    print("working", flush=True)
    run = kit.run(sys.argv[2]).wait("approval", 20).approve()
    time.sleep(float(sys.argv[3]))
"""


def test_an_engine_leaves_orders_alone_that_it_cannot_carry_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    gate = pk.approval("ok") >> look("after", wanted="hello").reads("code")
    with pk.Kit(home, settings=pk.Settings()) as kit:
        run = kit.start(line(pk.Stage("Gate", gate))).wait("approval", WAIT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", ELSEWHERE, str(home), run.id, "1.5"]
    with subprocess.Popen(command, env=environment) as other:
        while other.poll() is None:
            time.sleep(0.05)
    assert other.returncode == 0
    with pk.Kit(home, settings=pk.Settings()) as kit:
        assert kit.run(run.id).wait(timeout=WAIT).status == "Succeeded"


def test_two_kits_on_one_store_share_the_work(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", pk.Settings()
    with pk.Kit(home, settings=settings) as one, pk.Kit(home, settings=settings) as two:
        runs = []
        for kit in (one, two) * 3:
            pipeline = replace(line(pk.Stage("Go", elsewhere("far"))), name=f"p{len(runs)}")
            runs.append(kit.start(pipeline))
        assert {run.wait(timeout=WAIT).status for run in runs} == {"Succeeded"}
        assert {len(run.attempts) for run in runs} == {2}


def test_a_refused_start_leaves_the_definition_and_the_run_under_way_alone(kit: pk.Kit) -> None:
    pipeline = line(pk.Stage("Gate", pk.approval("ok")))
    run = kit.start(pipeline).wait("approval", WAIT)
    changed = line(pk.Stage("Gate", pk.approval("other")))
    with pytest.raises(ValidationError):
        kit.start(changed, variables={"unknown": "x"})
    with pytest.raises(ValidationError):
        kit.start(changed, revisions={"ok": "c0ffee"})
    assert kit.definition("shop").version == 1
    assert run.approve().wait(timeout=WAIT).status == "Succeeded"


def test_variables_that_no_provider_reads_are_refused(kit: pk.Kit) -> None:
    action = replace(look("a", wanted="x"), environment=(EnvironmentVariable("A", "b"),))
    with pytest.raises(CannotRunHere, match="environmentVariables"):
        kit.start(line(pk.Stage("Test", action.reads("code"))))


def test_the_same_token_gives_the_same_run(kit: pk.Kit) -> None:
    pipeline = line(pk.Stage("Gate", pk.approval("ok")))
    first = kit.start(pipeline, token="t-1")
    assert kit.start(pipeline, token="t-1").id == first.id
    assert len(kit.runs("shop")) == 1


def test_a_whole_stage_can_be_run_again(kit: pk.Kit) -> None:
    steps = look("a", wanted="hello").reads("code") >> look("b", wanted="bye").reads("code")
    run = kit.start(line(pk.Stage("Test", steps))).wait(timeout=WAIT)
    run.retry("Test", all_actions=True).wait(timeout=WAIT)
    assert [row.action for row in run.attempts] == ["src", "a", "b", "a", "b"]


def test_a_run_that_did_not_succeed_raises_with_the_reason(kit: pk.Kit) -> None:
    run = kit.start(line(pk.Stage("Test", look("a", wanted="bye").reads("code"))))
    with pytest.raises(ExecutionFailed, match="'bye' was wanted"):
        run.wait(timeout=WAIT).raise_for_status()


def test_an_id_that_fits_several_runs_is_refused(kit: pk.Kit) -> None:
    pipeline = line(pk.Stage("Gate", pk.approval("ok")))
    seen: set[str] = set()
    while (first := kit.start(pipeline).id[0]) not in seen:  # of 16 letters
        seen.add(first)
    with pytest.raises(ExecutionNotFound, match="fits 2; give more letters"):
        kit.run(first)
    with pytest.raises(ExecutionNotFound, match="by an empty id, with which all begin"):
        kit.run("")


def test_an_id_that_nothing_has_is_refused_with_the_pipelines_that_there_are(kit: pk.Kit) -> None:
    kit.define(line(pk.Stage("Gate", pk.approval("ok"))))
    with pytest.raises(ExecutionNotFound, match="begins so; there are the pipelines shop; give t"):
        kit.run("nosuch")


def test_a_kit_that_does_not_work_can_wait_for_one_that_does(kit: pk.Kit, tmp_path: Path) -> None:
    with pk.Kit(tmp_path / "home", settings=kit.settings, work=False, by="bob") as asking:
        run = asking.start(line(pk.Stage("Gate", pk.approval("ok"))))
        run.wait("approval", WAIT).approve().wait(timeout=WAIT)
        assert run.status == "Succeeded"
        assert repr(asking).endswith("only asking)")
    assert list(kit.history().stages.stage) == ["Gate", "Source"]


def test_who_acts_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPELINEKIT_USER", "eve")
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), work=False) as kit:
        run = kit.start(line(pk.Stage("Gate", pk.approval("ok"))))
        assert run.execution.cause.detail == "eve"


def test_who_acts_is_the_owner_of_the_process_where_the_environment_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPELINEKIT_USER", raising=False)
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "boss")
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), work=False) as kit:
        assert kit.by == pwd.getpwuid(os.getuid()).pw_name
