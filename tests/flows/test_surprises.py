"""What providers, clocks and closings may do to an engine, and what it makes of it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import EngineClosed
from pipelinekit.runtime import clock

WAIT = 20.0
STARTS: Counter[str] = Counter()


@pk.action("Source", "SurpriseSource", repeatable=True)
def source(job: pk.Job) -> pk.Outcome:
    """Do nothing."""
    del job
    return pk.Succeeded()


@pk.action("Source", "SurpriseFiles")
def files(job: pk.Job, folder: str) -> pk.Outcome:
    """Give the files of a folder."""
    job.write(Path(folder))
    return pk.Succeeded()


def leave() -> object:
    sys.exit(1)


SURPRISES: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "a number": lambda: pk.Succeeded({"n": 3}),  # type: ignore[dict-item]
    "half a character": lambda: pk.Succeeded({"file": "\udcff"}),
    "a path as summary": lambda: pk.Succeeded(summary=Path("/x")),  # type: ignore[arg-type]
    "an endless wait": lambda: pk.Waiting("t", seconds=float("inf")),
    "an exit": leave,
}


@pk.action("Test", "Surprise")
def surprise(job: pk.Job, kind: str) -> pk.Outcome:
    """Answer something that no engine can keep."""
    job.say(kind)
    return SURPRISES[kind]()  # type: ignore[return-value]


@pk.action("Test", "SurpriseCount")
def count(job: pk.Job, seconds: float = 0.0) -> pk.Outcome:
    """Count one's starts."""
    STARTS[job.order.id] += 1
    time.sleep(seconds)
    return pk.Succeeded()


def line(*actions: pk.Action, name: str = "p") -> pk.Pipeline:
    pipeline = pk.Pipeline(name) >> pk.Stage("Source", source("s"))
    return pipeline >> pk.Stage("Test", *actions)


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    with pk.Kit(tmp_path / "home", settings=pk.Settings(), by="ann") as made:
        yield made


@pytest.mark.parametrize("kind", sorted(SURPRISES))
def test_an_answer_that_cannot_be_kept_fails_its_action_and_nothing_else(
    kit: pk.Kit, kind: str
) -> None:
    run = kit.start(line(surprise("a", kind=kind))).wait(timeout=WAIT)
    assert (run.status, run.actions[-1].status) == ("Failed", "Failed")
    assert kit.start(line(count("b"), name="q")).wait(timeout=WAIT).status == "Succeeded"
    assert kit.worker is not None
    assert kit.worker.idle


def test_more_calls_than_threads_are_begun_once_each_although_the_engine_closes(
    tmp_path: Path,
) -> None:
    STARTS.clear()
    calls = [count(f"a{number}", seconds=1.0) for number in range(90)]
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        run = kit.start(line(*calls))
        while len(STARTS) < 64:
            time.sleep(0.01)
    begun = len(STARTS)
    assert begun < 90
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        again = kit.run(run.id).wait(timeout=WAIT)
        assert again.status == "Succeeded"
    assert len(STARTS) == 90
    assert set(STARTS.values()) == {1}


def test_nobody_waits_in_vain_for_an_engine_that_closes(tmp_path: Path) -> None:
    for number in range(10):
        kit = pk.Kit(tmp_path / str(number), settings=pk.Settings())
        kit.define(line(count("a")))
        ends: list[str] = []

        def ask(kit: pk.Kit = kit, ends: list[str] = ends) -> None:
            while True:
                try:
                    kit.worker.handle(start(kit))  # type: ignore[union-attr]
                except EngineClosed:
                    ends.append("closed")
                    return

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        time.sleep(0.02)
        kit.close()
        for asker in askers:
            asker.join(timeout=5)
        assert ends == ["closed"] * 4


@pytest.mark.slow
@pytest.mark.parametrize("stubborn", ["", 'trap "" TERM; '])
def test_what_is_abandoned_while_the_engine_closes_is_ended(tmp_path: Path, stubborn: str) -> None:
    home, pid = tmp_path / "home", tmp_path / "pid"
    on_host = pk.Settings(compute=pk.Compute(where=pk.Where.HOST))
    told = json.dumps(f"{stubborn}echo $$ > {pid}; sleep 60")
    spec = f"version: 0.2\nphases: {{build: {{commands: [{told}]}}}}"
    given = files("s", folder=str(tmp_path / "empty")).writes("src")
    build = pk.codebuild("make", project="p", buildspec=spec).reads(given)
    (tmp_path / "empty").mkdir()
    with pk.Kit(home, settings=on_host) as kit:
        run = kit.start(pk.Pipeline("p") >> pk.Stage("Source", given) >> pk.Stage("Test", build))
        limit = time.monotonic() + WAIT
        while not (pid.exists() and pid.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < limit
            time.sleep(0.01)
        with pk.Kit(home, settings=on_host, work=False) as other:
            other.run(run.id).stop(abandon=True)
    number = int(pid.read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def start(kit: pk.Kit):  # noqa: ANN201 - an event
    """Give the event that starts the pipeline."""
    from pipelinekit.model.event import Started
    from tests.engine.world import CAUSE

    return Started(id=clock.new_id(), pipeline="p", at=clock.now(), by=kit.by, cause=CAUSE)


FORK = """
import os, sys, time, pipelinekit as pk
from tests.flows.test_surprises import line
kit = pk.Kit(sys.argv[1], settings=pk.Settings())
run = kit.start(line(pk.approval("ok"))).wait("approval", 20)
child = os.fork()
if child == 0:
    time.sleep(60)
print(child, run.id, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_process_that_was_forked_off_keeps_no_dead_engine_alive(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "home")]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        child, run = victim.stdout.readline().split()
    try:
        with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
            assert kit.run(run).wait("approval", WAIT).approve().wait(timeout=WAIT)
            assert kit.worker is not None
            end = time.monotonic() + WAIT
            while not kit.worker.idle:  # what waited for the answer is let go of soon after it
                assert time.monotonic() < end
                time.sleep(0.01)
    finally:
        os.kill(int(child), 9)


def test_the_latest_attempt_is_the_one_with_the_greatest_number_whatever_the_clock_said(
    kit: pk.Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = kit.start(line(surprise("a", kind="nothing"))).wait(timeout=WAIT)
    past = datetime.now(UTC) - timedelta(hours=2)
    monkeypatch.setattr("pipelinekit.kit.kit.now", lambda: past)
    run.retry().wait(timeout=WAIT)
    assert [row.attempt for row in run.actions if row.action == "a"] == [2]


KILLED_IN_A_CALL = """
import os, sys, threading, time, pipelinekit as pk
from tests.flows.test_surprises import line

begun = threading.Event()

@pk.action("Test", "OnlyThere")
def only_there(job: pk.Job) -> pk.Outcome:
    begun.set()
    time.sleep(60)
    return pk.Succeeded()

kit = pk.Kit(sys.argv[1], settings=pk.Settings())
print(kit.start(line(only_there("a"))).id, flush=True)
begun.wait(20)
os.kill(os.getpid(), 9)
"""


def test_whoever_waits_for_a_function_that_nobody_has_is_told_which(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED_IN_A_CALL, str(tmp_path / "home")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    with pk.Kit(tmp_path / "home", settings=pk.Settings()) as kit:
        run = kit.run(done.stdout.strip())
        with pytest.raises(
            TimeoutError, match=r"nothing in this process carries out Test/a: .* cell"
        ):
            run.wait(timeout=1)

        @pk.action("Test", "OnlyThere")
        def only_there(job: pk.Job) -> pk.Outcome:
            """Do nothing."""
            del job
            return pk.Succeeded()

        (row,) = [each for each in run.wait(timeout=WAIT).actions if each.action == "a"]
        assert row.error is not None
        assert row.error.code == "RunnerLost"


def test_paths_of_settings_begin_where_the_kit_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.txt").write_text("a", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pk.Kit("home", settings=pk.Settings()) as kit:
        reader = pk.commands("read", "cat a.txt")
        source = pk.files("files", "shop")
        pipeline = pk.Pipeline("p") >> pk.Stage("Source", source)
        run = kit.start(pipeline >> pk.Stage("Read", reader.reads(source))).wait(timeout=WAIT)
        assert (run.status, [row.error for row in run.actions]) == ("Succeeded", [None, None])
