"""What is old and nobody needs goes; what somebody needs stays, however old it is."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.kit.removed import Heap, Removed
from pipelinekit.model.condition import RetryMode
from pipelinekit.model.errors import ExecutionNotFound, StoreError, ValidationError
from pipelinekit.model.event import Pruned, RetryRequested
from pipelinekit.model.execution import (
    ActionExecution,
    OutputVariables,
    PipelineExecution,
    Produced,
    StageExecution,
    StageState,
    StartToken,
)
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import new_id, now
from pipelinekit.tools.jobs.gate import MARKER

WAIT = 30.0
NOTHING = timedelta()


@pk.action("Source", "KeepFetch", repeatable=True)
def fetch(job: pk.Job) -> pk.Outcome:
    """Write a file."""
    folder = job.folder / "written"
    folder.mkdir(parents=True)
    (folder / "file.txt").write_text(job.order.id, encoding="utf-8")
    job.write(folder)
    job.say("fetched")
    return pk.Succeeded({"CommitId": "c0ffee"})


@pk.action("Test", "KeepShip", repeatable=True)
def ship(job: pk.Job) -> pk.Outcome:
    """Read the file, and say so in the log."""
    job.say((job.read() / "file.txt").read_text(encoding="utf-8"))
    return pk.Succeeded()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def kit(home: Path) -> Iterator[pk.Kit]:
    with pk.Kit(home, settings=pk.Settings(), by="ann") as made:
        yield made


def line(*stages: pk.Stage, name: str = "shop") -> pk.Pipeline:
    """Make a pipeline of a source, a stage that ships it, and others."""
    source = fetch("Fetch").writes("code")
    made = pk.Pipeline(name) >> pk.Stage("Source", source)
    for stage in (pk.Stage("Live", ship("ship").reads("code")), *stages):
        made = made >> stage
    return made


def released(kit: pk.Kit, count: int, made: pk.Pipeline | None = None) -> list[str]:
    """Run a pipeline several times, one after the other; give the executions."""
    runs = [kit.start(made or line()).wait(timeout=WAIT) for _ in range(count)]
    assert {run.status for run in runs} == {"Succeeded"}
    return [run.id for run in runs]


def known(kit: pk.Kit) -> set[str]:
    """Give the executions that are left."""
    return {run.id for run in kit.runs()}


def logs(home: Path) -> set[str]:
    """Give the jobs that have a folder."""
    return {each.name for each in (home / "jobs").iterdir()}


def files(home: Path) -> list[Path]:
    """Give the objects of artifacts."""
    return [each for each in (home / "artifacts").rglob("*") if each.is_file()]


def test_what_ended_long_ago_goes_with_rows_logs_and_artifacts(kit: pk.Kit, home: Path) -> None:
    old = released(kit, 3)
    kit.start("shop", token="a-token").wait(timeout=WAIT)
    released(kit, 1)
    removed = kit.gc(NOTHING, keep=0)
    assert (removed.executions, removed.executions_left) == (4, 1)
    assert (removed.jobs.count, removed.objects.count) == (8, 4)
    assert removed.jobs.bytes > 0 < removed.objects.bytes
    assert known(kit).isdisjoint(old)
    for kind in (StageExecution, ActionExecution, Produced, OutputVariables):
        assert kit.store.find(kind, Query(execution=old[0])) == []
    assert kit.store.find(StartToken, Query(pipeline="shop")) == []
    (last,) = kit.runs()
    assert logs(home) == {row.id for row in last.attempts}
    assert len(files(home)) == 1
    assert "fetched" in last.logs()


def test_what_is_younger_stays(kit: pk.Kit, home: Path) -> None:
    released(kit, 3)
    removed = kit.gc(timedelta(hours=1), keep=0)
    assert (removed.executions, removed.jobs.count, removed.objects.count) == (0, 0, 0)
    assert (removed.records, removed.executions_left) == (0, 3)
    assert len(logs(home)) == 6


def test_the_newest_that_a_stage_can_be_rolled_back_to_stay_and_can_be_gone_back_to(
    kit: pk.Kit,
) -> None:
    runs = released(kit, 5)
    kit.gc(NOTHING, keep=2)  # besides the one that is there
    assert known(kit) == set(runs[2:])
    back = kit.rollback("shop", "Live", runs[2]).wait(timeout=WAIT)
    assert back.status == "Succeeded"
    assert back.execution.target == runs[2]
    with pytest.raises(ExecutionNotFound):
        kit.rollback("shop", "Live", runs[0])


def test_with_one_to_keep_there_is_one_to_go_back_to(kit: pk.Kit) -> None:
    runs = released(kit, 3)
    kit.gc(NOTHING, keep=1)
    assert kit.rollback("shop", "Live").execution.target == runs[1]


def test_the_last_of_each_stage_stays_whatever_is_to_be_kept(kit: pk.Kit) -> None:
    gated = line(pk.Stage("Gate", pk.approval("ok")))
    first = kit.start(gated).wait("approval", WAIT).approve().wait(timeout=WAIT)
    kit.start(gated).wait("approval", WAIT).reject().wait(timeout=WAIT)
    third = kit.start(gated).wait("approval", WAIT).reject().wait(timeout=WAIT)
    kit.gc(NOTHING, keep=0)
    assert known(kit) == {first.id, third.id}
    states = kit.store.find(StageState, Query(pipeline="shop"))
    assert {each.latest for each in states} == {third.id}
    third.retry().wait("approval", WAIT).approve().wait(timeout=WAIT)
    assert third.status == "Succeeded"


def test_what_has_not_ended_stays_and_so_does_what_it_goes_back_to(kit: pk.Kit) -> None:
    gated = line(pk.Stage("Gate", pk.approval("ok")))
    first, second = (
        kit.start(gated).wait("approval", WAIT).approve().wait(timeout=WAIT) for _ in range(2)
    )
    back = kit.rollback("shop", "Gate", first).wait("approval", WAIT)
    removed = kit.gc(NOTHING, keep=0)
    assert removed.executions == 0
    assert known(kit) == {first.id, second.id, back.id}
    assert back.approve().wait(timeout=WAIT).status == "Succeeded"


def test_a_dry_run_tells_the_same_and_removes_nothing(kit: pk.Kit, home: Path) -> None:
    released(kit, 4)
    before = (known(kit), logs(home), files(home), len(kit.store.tail(0)))
    told = kit.gc(NOTHING, keep=1, dry_run=True)
    assert (known(kit), logs(home), files(home), len(kit.store.tail(0))) == before
    done = kit.gc(NOTHING, keep=1)
    assert (told.dry_run, done.dry_run) == (True, False)
    assert counts(told) == counts(done)


def counts(removed: Removed) -> tuple[int, ...]:
    """Give the counts of files and executions; a round adds records to the journal itself."""
    heaps = (removed.jobs, removed.objects, removed.caches)
    files = (number for heap in heaps for number in (heap.count, heap.bytes))
    return (removed.executions, removed.executions_left, *files)


def test_a_second_round_finds_nothing_more(kit: pk.Kit) -> None:
    released(kit, 3)
    kit.gc(NOTHING, keep=1)
    again = kit.gc(NOTHING, keep=1)
    assert (again.executions, again.jobs.count, again.objects.count) == (0, 0, 0)


def test_the_journal_is_cut_and_stays_a_chain_to_which_more_is_added(kit: pk.Kit) -> None:
    released(kit, 2)
    digests = {record.number: record.digest for record in kit.store.tail(0)}
    removed = kit.gc(NOTHING, keep=0)
    anchor = removed.anchor
    assert removed.records == anchor.number > len(digests) - 1
    assert kit.store.tail(0)[0].number == anchor.number + 1
    assert anchor.by == "ann"
    released(kit, 1)
    assert kit.store.past.check() == len(kit.store.tail(0))
    kit.gc(NOTHING, keep=1)
    assert kit.store.past.check() == len(kit.store.tail(0)) >= 1


def test_the_journal_tells_who_removed_what(kit: pk.Kit) -> None:
    old, _ = released(kit, 2)
    kit.gc(NOTHING, keep=0)
    (last,) = kit.store.tail(None)
    assert isinstance(last.event, Pruned)
    assert (last.event.by, last.event.executions) == ("ann", (old,))


def test_a_broken_journal_is_not_cut(kit: pk.Kit) -> None:
    released(kit, 2)
    with kit.store._database.writing() as connection:  # type: ignore[attr-defined]  # noqa: SLF001
        connection.run("UPDATE journal SET body = '{}' WHERE number = 3")
    with pytest.raises(StoreError, match="record 3"):
        kit.gc(NOTHING)
    assert kit.store.past.anchor().number == 0
    with pytest.raises(StoreError, match="record 3"):
        kit.store.past.check()


def test_what_a_subscriber_is_still_to_be_told_of_stays(kit: pk.Kit, home: Path) -> None:
    released(kit, 2)
    place = home / "subscribers" / "slow.json"
    place.parent.mkdir()
    place.write_text(json.dumps(2), encoding="utf-8")
    removed = kit.gc(NOTHING, keep=0)
    assert removed.held_by == ("slow",)
    assert (removed.executions, removed.anchor.number) == (0, 2)
    place.write_text(json.dumps(kit.store.tail(None)[0].number), encoding="utf-8")
    assert kit.gc(NOTHING, keep=0).executions == 1


def test_a_folder_whose_runner_or_server_is_alive_stays(kit: pk.Kit, home: Path) -> None:
    released(kit, 1)
    locked, served, dead = (home / "jobs" / f"job-{number}" for number in range(3))
    for folder in (locked, served, dead):
        (folder / "ctl").mkdir(parents=True)
        (folder / "ctl" / "lock").touch()
    server = subprocess.Popen(["sleep", "60"], env={**os.environ, MARKER: str(served)})
    with (locked / "ctl" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kit.gc(NOTHING, keep=1)
    server.kill()
    server.wait()
    assert (locked.exists(), served.exists(), dead.exists()) == (True, True, False)
    kit.gc(NOTHING, keep=1)
    assert (locked.exists(), served.exists()) == (False, False)


def test_a_folder_without_the_right_to_write_goes_too(kit: pk.Kit, home: Path) -> None:
    released(kit, 1)
    folder = home / "jobs" / "strange" / "modules"
    folder.mkdir(parents=True)
    (folder / "file").touch(mode=0o400)
    folder.chmod(0o500)
    assert kit.gc(NOTHING, keep=1).jobs.count == 1
    assert not folder.exists()


def test_caches_that_no_build_has_used_go(kit: pk.Kit, home: Path) -> None:
    released(kit, 1)
    shelf = home / "cache" / "builds" / "shop"
    shelf.mkdir(parents=True)
    old, young = shelf / "a.cache", shelf / "b.cache"
    for path in (old, young):
        path.write_bytes(b"x" * 5000)
    os.utime(old, (1, 1))
    removed = kit.gc(timedelta(days=1))
    assert (removed.caches.count, old.exists(), young.exists()) == (1, False, True)
    assert removed.caches.bytes >= 5000


def test_what_a_deleted_pipeline_left_goes(kit: pk.Kit, home: Path) -> None:
    released(kit, 2)
    kit.delete("shop")
    kit.gc(NOTHING)
    assert (logs(home), files(home)) == (set(), [])


def test_an_execution_that_is_retried_in_the_same_moment_is_whole_or_gone(
    kit: pk.Kit, home: Path
) -> None:
    gated = line(pk.Stage("Gate", pk.approval("ok")))
    runs = [kit.start(gated).wait("approval", WAIT).reject().wait(timeout=WAIT) for _ in range(2)]
    with pk.Kit(home, settings=pk.Settings(), work=False, by="bob") as other:
        other.gc(NOTHING, keep=0)
    with pytest.raises(ExecutionNotFound):
        kit.handle(retry(runs[0]))
    assert kit.store.find(PipelineExecution, Query(id=runs[0].id)) == []
    assert runs[1].retry().wait("approval", WAIT).status == "InProgress"


def retry(run: pk.Run) -> RetryRequested:
    """Ask for a retry of a stage, as somebody does who does not look first."""
    return RetryRequested(
        id=new_id(),
        pipeline=run.pipeline,
        at=now(),
        by="ann",
        execution=run.id,
        stage="Gate",
        mode=RetryMode.FAILED_ACTIONS,
    )


@pytest.mark.slow
def test_two_rounds_at_once_while_an_engine_works_remove_each_thing_once(
    kit: pk.Kit, home: Path
) -> None:
    old = released(kit, 20)
    command = [sys.executable, "-m", "pipelinekit", "gc", "--older-than", "0d", "--keep", "2"]
    rounds = [
        subprocess.Popen(
            [*command, "--home", str(home), "--json"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    worker = threading.Thread(target=lambda: released(kit, 5))
    worker.start()
    said = [json.loads(each.communicate(timeout=120)[0]) for each in rounds]
    worker.join()
    assert [each.returncode for each in rounds] == [0, 0]
    assert sum(each["executions"] for each in said) >= 18
    assert known(kit).isdisjoint(old[:18])
    last = kit.runs()[0]
    assert "fetched" in last.logs()
    kit.gc(NOTHING, keep=2)
    assert kit.store.past.check() >= 1
    assert logs(home) == {row.id for run in kit.runs() for row in run.attempts}


@pytest.mark.parametrize(("age", "keep"), [(timedelta(days=-1), 1), (NOTHING, -1)])
def test_less_than_nothing_is_refused(kit: pk.Kit, age: timedelta, keep: int) -> None:
    with pytest.raises(ValidationError):
        kit.gc(age, keep=keep)


@pytest.mark.parametrize(("age", "keep"), [(timedelta.max, 1), (NOTHING, 10**20)])
def test_more_than_there_is_may_be_kept(kit: pk.Kit, age: timedelta, keep: int) -> None:
    released(kit, 2)
    for dry_run in (True, False):
        assert kit.gc(age, keep=keep, dry_run=dry_run).executions == 0
    assert len(kit.runs()) == 2


def test_what_was_removed_is_told_in_a_notebook_as_on_a_terminal() -> None:
    removed = Removed(
        datetime(2026, 3, 1, tzinfo=UTC),
        dry_run=True,
        executions=1200,
        jobs=Heap(3, 5_000_000, ["a: busy"]),
    )
    assert repr(removed).splitlines()[:3] == [
        "Would remove what ended before 2026-03-01 00:00 UTC:",
        "       1,200 executions; 0 are left",
        "           3 folders of jobs, with their logs: 5.0 MB",
    ]
    assert repr(removed).endswith("5.0 MB in all\nNot removed: a: busy")
