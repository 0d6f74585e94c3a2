"""Detached jobs: started at most once, seen truly, outliving the engine, halted with their kin."""

import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from pipelinekit.tools.jobs import gate, proctree
from pipelinekit.tools.jobs.halting import halt, sweep
from pipelinekit.tools.jobs.process import (
    JSON,
    Sighting,
    Spawner,
    SpawnError,
    Standing,
    Watch,
    look,
)

HERE = __name__


# ------------------------------------------------------------------ what the jobs do


def double(payload: dict[str, JSON]) -> dict[str, JSON]:
    number = payload["number"]
    assert isinstance(number, int)
    return {"number": 2 * number}


def enter_in_ledger(payload: dict[str, JSON]) -> dict[str, JSON]:
    ledger = os.open(str(payload["ledger"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(ledger, b"started\n")
    return {}


def talk(_payload: dict[str, JSON]) -> dict[str, JSON]:
    sys.stdout.write("the target\n")
    subprocess.run(["sh", "-c", "echo the child; sh -c 'echo the grandchild >&2'"], check=True)
    return {}


def tell_where(_payload: dict[str, JSON]) -> dict[str, JSON]:
    return {"cwd": str(Path.cwd()), "job": os.environ["PIPELINEKIT_JOB"], "of": os.environ["OF"]}


def stumble(_payload: dict[str, JSON]) -> dict[str, JSON]:
    raise LookupError("no such shelf")


def leave(_payload: dict[str, JSON]) -> dict[str, JSON]:
    sys.exit(3)


def answer_with_a_set(_payload: dict[str, JSON]) -> dict[str, JSON]:
    return {"set": {1}}  # type: ignore[dict-item]  # wrong on purpose


def answer_at_length(_payload: dict[str, JSON]) -> dict[str, JSON]:
    return {"long": "x" * 5_000_000}


def run_true(_payload: dict[str, JSON]) -> dict[str, JSON]:
    subprocess.run(["true"], check=True)
    return {}


def wait_for_file(payload: dict[str, JSON]) -> dict[str, JSON]:
    Path("waiting").touch()
    while not Path(str(payload["file"])).exists():
        time.sleep(0.01)
    return {"saw": str(payload["file"])}


def sleep_long(_payload: dict[str, JSON]) -> dict[str, JSON]:
    Path("pids").write_text(f"{os.getpid()}\n", encoding="utf-8")
    time.sleep(60)
    return {}


def start_server(_payload: dict[str, JSON]) -> dict[str, JSON]:
    server = subprocess.Popen(["sleep", "60"], start_new_session=True)
    return {"pid": server.pid}


def fork_without_exec(_payload: dict[str, JSON]) -> dict[str, JSON]:
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    return {"pid": child}


def fork_and_return_twice(_payload: dict[str, JSON]) -> dict[str, JSON]:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return {"written by the child": Path(gate.CONTROL, gate.RESULT).exists()}


def breed(_payload: dict[str, JSON]) -> dict[str, JSON]:
    for _ in range(2000):
        subprocess.Popen(["sleep", "30"])
        time.sleep(0.001)
    return {}


def go_on_in_a_thread(_payload: dict[str, JSON]) -> dict[str, JSON]:
    def go_on() -> None:
        subprocess.run(["sh", "-c", "touch pids; exec sleep 60"], check=False)
        Path("afterwards").touch()

    with ThreadPoolExecutor(1) as threads:
        threads.submit(go_on).result()
    return {}


def grow_a_tree(payload: dict[str, JSON]) -> dict[str, JSON]:
    subprocess.run(["sh", "-c", str(payload["script"])], check=False)
    return {}


# ------------------------------------------------------------------ what the tests share


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    with Spawner([HERE]) as spawner:
        yield spawner


def job(function: Callable[[dict[str, JSON]], dict[str, JSON]]) -> str:
    return f"{HERE}:{function.__name__}"


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def end_of(folder: Path) -> Sighting:
    until(lambda: look(folder).standing is not Standing.RUNNING)
    return look(folder)


def runner_pid(folder: Path) -> int:
    owner = gate.owner_of(folder)
    assert owner
    return owner.pid


def error_of(sighting: Sighting) -> dict[str, str]:
    assert sighting.result
    error = sighting.result["error"]
    assert isinstance(error, dict)
    return error


def lives(pid: int) -> bool:
    return any(process.pid == pid for process in proctree.processes())


# ------------------------------------------------------------------ running


def test_a_job_runs_and_its_result_is_read(spawner: Spawner, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    assert look(folder) == Sighting(Standing.NOT_STARTED)
    assert spawner.start(folder, job(double), {"number": 21})
    assert end_of(folder) == Sighting(Standing.DONE, {"number": 42})


def test_a_job_started_twice_runs_once(spawner: Spawner, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    assert spawner.start(tmp_path / "job", job(enter_in_ledger), {"ledger": str(ledger)})
    assert not spawner.start(tmp_path / "job", job(enter_in_ledger), {"ledger": str(ledger)})
    end_of(tmp_path / "job")
    assert ledger.read_text(encoding="utf-8") == "started\n"


def test_the_log_holds_what_children_and_grandchildren_print(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, job(talk), {})
    end_of(tmp_path)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert log.splitlines() == ["the target", "the child", "the grandchild"]


def test_a_job_has_the_engines_environment_of_its_start_and_works_in_its_folder(
    spawner: Spawner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF", "this moment")
    spawner.start(tmp_path, job(tell_where), {})
    assert end_of(tmp_path).result == {
        "cwd": str(tmp_path.resolve()),
        "job": str(tmp_path.resolve()),
        "of": "this moment",
    }


def test_a_target_that_raises_gives_its_error_with_the_traceback(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, job(stumble), {})
    error = error_of(end_of(tmp_path))
    assert error["type"] == "LookupError"
    assert error["message"] == "no such shelf"
    assert "in stumble" in error["traceback"]


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (job(leave), "SystemExit"),
        (job(answer_with_a_set), "TypeError"),
        (job(answer_at_length), "ValueError"),
        ("no_such_module:run", "ModuleNotFoundError"),
        (f"{HERE}:no_such_function", "AttributeError"),
    ],
)
def test_a_target_without_a_proper_answer_gives_an_error(
    spawner: Spawner, tmp_path: Path, target: str, kind: str
) -> None:
    spawner.start(tmp_path, target, {})
    assert error_of(end_of(tmp_path))["type"] == kind


def test_a_server_left_behind_survives_a_normal_end(spawner: Spawner, tmp_path: Path) -> None:
    spawner.start(tmp_path, job(start_server), {})
    result = end_of(tmp_path).result
    assert result
    server = result["pid"]
    assert isinstance(server, int)
    halt(tmp_path)  # of a job that is done: nothing to halt
    assert lives(server)
    os.kill(server, signal.SIGKILL)


def test_a_child_forked_without_exec_does_not_keep_the_job_running(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, job(fork_without_exec), {})
    result = end_of(tmp_path).result
    assert result
    child = result["pid"]
    assert isinstance(child, int)
    assert lives(child)
    os.kill(child, signal.SIGKILL)


def test_a_fork_of_the_target_does_not_write_its_result(spawner: Spawner, tmp_path: Path) -> None:
    spawner.start(tmp_path, job(fork_and_return_twice), {})
    assert end_of(tmp_path).result == {"written by the child": False}


# ------------------------------------------------------------------ at most once


@pytest.mark.slow
def test_of_two_spawners_that_start_a_job_at_once_one_does(
    spawner: Spawner, tmp_path: Path
) -> None:
    with Spawner([HERE]) as other:
        for trial in range(50):
            folder, ledger = tmp_path / str(trial), tmp_path / f"ledger{trial}"
            barrier = threading.Barrier(4)
            won: list[bool] = []

            def race(
                racer: Spawner,
                folder: Path = folder,
                ledger: Path = ledger,
                barrier: threading.Barrier = barrier,
                won: list[bool] = won,
            ) -> None:
                barrier.wait()
                won.append(racer.start(folder, job(enter_in_ledger), {"ledger": str(ledger)}))

            threads = [threading.Thread(target=race, args=[s]) for s in (spawner, other) * 2]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(won) == [False, False, False, True]
            assert end_of(folder).standing is Standing.DONE
            assert ledger.read_text(encoding="utf-8") == "started\n"


def test_an_empty_control_directory_left_by_a_loss_of_power_lets_the_job_start(
    spawner: Spawner, tmp_path: Path
) -> None:
    (tmp_path / gate.CONTROL).mkdir()
    assert spawner.start(tmp_path, job(double), {"number": 1})


def test_a_runner_that_fails_before_the_gate_is_told_at_once(
    spawner: Spawner, tmp_path: Path
) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(SpawnError, match="Is a directory"):
        spawner.start(tmp_path, job(double), {"number": 1})
    assert look(tmp_path).standing is Standing.NOT_STARTED
    (tmp_path / "log").rmdir()
    assert spawner.start(tmp_path, job(double), {"number": 1})


def helper_of_a_new(spawner: Spawner, folder: Path) -> int:
    before = {process.pid for process in proctree.processes()}
    spawner.start(folder, job(double), {"number": 1})
    end_of(folder)
    (helper,) = {
        process.pid for process in proctree.processes() if process.parent == os.getpid()
    } - before
    return helper


def test_a_helper_that_is_warm_starts_the_first_job(tmp_path: Path) -> None:
    with Spawner([HERE]) as spawner:
        before = {process.pid for process in proctree.processes()}
        spawner.warm()
        (helper,) = {
            each.pid for each in proctree.processes() if each.parent == os.getpid()
        } - before
        spawner.warm()
        assert spawner.start(tmp_path, job(double), {"number": 4})
        assert end_of(tmp_path).result == {"number": 8}
        children = {each.pid for each in proctree.processes() if each.parent == os.getpid()}
        assert children - before == {helper}
    assert not lives(helper)


@pytest.mark.slow
def test_a_killed_helper_is_replaced_and_its_jobs_go_on(tmp_path: Path) -> None:
    with Spawner([HERE]) as spawner:
        helper = helper_of_a_new(spawner, tmp_path / "first")
        spawner.start(tmp_path / "second", job(wait_for_file), {"file": str(tmp_path / "go")})
        os.kill(helper, signal.SIGKILL)
        assert spawner.start(tmp_path / "third", job(double), {"number": 4})
        assert end_of(tmp_path / "third").result == {"number": 8}
        (tmp_path / "go").touch()
        assert end_of(tmp_path / "second").standing is Standing.DONE
    assert not lives(helper)


@pytest.mark.slow
def test_a_job_is_never_lost_when_its_helper_is_killed_as_it_starts(tmp_path: Path) -> None:
    with Spawner([HERE]) as spawner:
        for trial in range(30):
            helper = helper_of_a_new(spawner, tmp_path / f"first{trial}")
            killer = threading.Timer(trial * 0.00015, os.kill, [helper, signal.SIGKILL])
            killer.start()
            ledger = tmp_path / f"ledger{trial}"
            folder = tmp_path / str(trial)
            spawner.start(folder, job(enter_in_ledger), {"ledger": str(ledger)})
            killer.join()
            assert end_of(folder).standing is Standing.DONE
            assert ledger.read_text(encoding="utf-8") == "started\n"
            spawner.close()


def test_a_helper_that_never_comes_up_is_an_error_and_no_hang(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise SystemExit", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    try:
        with (
            Spawner(["broken"]) as spawner,
            pytest.raises(SpawnError, match="helper process"),
        ):
            spawner.start(tmp_path / "job", job(double), {"number": 1})
    finally:
        sys.path.remove(str(tmp_path))


@pytest.mark.slow
def test_a_fork_of_the_engine_gets_a_helper_of_its_own(tmp_path: Path) -> None:
    with Spawner([HERE]) as spawner:
        spawner.start(tmp_path / "first", job(double), {"number": 1})
        child = os.fork()
        if child == 0:
            try:
                helper_of_a_new(spawner, tmp_path / "child")
                spawner.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert end_of(tmp_path / "child").result == {"number": 2}
        spawner.start(tmp_path / "parent", job(double), {"number": 3})
        assert end_of(tmp_path / "parent").result == {"number": 6}


# ------------------------------------------------------------------ noticing ends


def watched(ends: "queue.SimpleQueue[tuple[Path, Sighting]]") -> Watch:
    return Watch(lambda folder, sighting: ends.put((folder, sighting)))


def test_a_job_that_is_watched_twice_is_told_once(spawner: Spawner, tmp_path: Path) -> None:
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    file, folder = tmp_path / "go", tmp_path / "job"
    with watched(ends) as watch:
        spawner.start(folder, job(wait_for_file), {"file": str(file)})
        watch.add(folder)
        watch.add(folder)
        file.touch()
        ends.get(timeout=5)
        with pytest.raises(queue.Empty):
            ends.get(timeout=0.2)


@pytest.mark.slow
def test_a_hundred_quick_jobs_are_told_done_once_each(spawner: Spawner, tmp_path: Path) -> None:
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    folders = [tmp_path / str(number) for number in range(100)]
    with watched(ends) as watch:
        for number, folder in enumerate(folders):
            spawner.start(folder, job(double), {"number": number})
            watch.add(folder)
        told = [ends.get(timeout=5) for _ in folders]
        time.sleep(0.1)
    once = {(folder, sighting.standing) for folder, sighting in told}
    assert once == {(folder, Standing.DONE) for folder in folders}


def test_a_killed_runner_is_told_lost_within_two_seconds(spawner: Spawner, tmp_path: Path) -> None:
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    with watched(ends) as watch:
        spawner.start(tmp_path, job(sleep_long), {})
        watch.add(tmp_path)
        os.kill(runner_pid(tmp_path), signal.SIGKILL)
        assert ends.get(timeout=2) == (tmp_path, Sighting(Standing.LOST))


def test_without_pidfd_ends_are_noticed_too(
    spawner: Spawner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    with watched(ends) as watch:
        spawner.start(tmp_path, job(wait_for_file), {"file": str(tmp_path / "go")})
        watch.add(tmp_path)
        (tmp_path / "go").touch()
        assert ends.get(timeout=2)[1].standing is Standing.DONE


def test_a_job_that_was_not_started_is_told_so(tmp_path: Path) -> None:
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    with watched(ends) as watch:
        watch.add(tmp_path)
        assert ends.get(timeout=2) == (tmp_path, Sighting(Standing.NOT_STARTED))


def test_a_closed_watch_refuses_jobs(tmp_path: Path) -> None:
    watch = Watch(lambda _folder, _sighting: None)
    watch.close()
    with pytest.raises(RuntimeError, match="Make a new one"):
        watch.add(tmp_path)


ENGINE = """
import sys, time
from pathlib import Path
from pipelinekit.tools.jobs.process import Spawner
spawner = Spawner(["tests.tools.jobs.test_process"])
target = "tests.tools.jobs.test_process:wait_for_file"
spawner.start(Path(sys.argv[1]), target, {"file": sys.argv[2]})
print("started", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_job_outlives_its_killed_engine_and_the_next_one_notices_its_end(tmp_path: Path) -> None:
    folder, go = tmp_path / "job", tmp_path / "go"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", ENGINE, str(folder), str(go)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as engine:
        assert engine.stdout
        assert engine.stdout.readline() == b"started\n"
        engine.kill()
        assert engine.stdout.read() == b""  # neither helper nor runner holds the engine's pipe
    ends: queue.SimpleQueue[tuple[Path, Sighting]] = queue.SimpleQueue()
    with watched(ends) as watch:
        watch.add(folder)
        with pytest.raises(queue.Empty):
            ends.get(timeout=0.3)
        go.touch()
        assert ends.get(timeout=2) == (folder, Sighting(Standing.DONE, {"saw": str(go)}))


# ------------------------------------------------------------------ halting


TREES = {
    "plain": "sleep 60 & echo $! >> pids; echo $$ >> pids; wait",
    "setsid": "setsid sh -c 'echo $$ >> pids; sleep 60' & wait; sleep 60",
    "double fork": "(sh -c 'echo $$ >> pids; sleep 60' &) ; sleep 60",
    "double fork into a session without environment": (
        "(env -i PATH=$PATH setsid sh -c 'echo $$ >> pids; sleep 60' &) ; sleep 60"
    ),
    "deaf to SIGTERM": "trap '' TERM; echo $$ >> pids; while :; do sleep 1; done",
    "deaf, apart and orphaned": (
        "(setsid sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 1; done' &) ; sleep 60"
    ),
}


def pids_in(folder: Path) -> list[int]:
    try:
        return [int(line) for line in (folder / "pids").read_text(encoding="utf-8").split()]
    except FileNotFoundError:
        return []


def fill_the_disk(_payload: dict[str, JSON]) -> dict[str, JSON]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    free = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
    threading.Timer(0.5, free).start()
    return {"done": True}


def test_a_result_that_finds_the_disk_full_is_written_when_there_is_space(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, f"{HERE}:fill_the_disk", {})
    limit = time.monotonic() + 10
    while look(tmp_path).standing is Standing.RUNNING and time.monotonic() < limit:
        time.sleep(0.02)
    assert look(tmp_path) == Sighting(Standing.DONE, {"done": True})


@pytest.mark.slow
@pytest.mark.parametrize("script", TREES.values(), ids=TREES.keys())
def test_a_halt_ends_every_process_of_the_job(
    spawner: Spawner, tmp_path: Path, script: str
) -> None:
    spawner.start(tmp_path, job(grow_a_tree), {"script": script})
    until(lambda: pids_in(tmp_path))
    pids = [*pids_in(tmp_path), runner_pid(tmp_path)]
    members = {*pids, *proctree.family(runner_pid(tmp_path), proctree.processes())}
    assert len(members) > 1
    assert halt(tmp_path, grace=0.5) == Sighting(Standing.DONE, {"halted": True})
    until(lambda: not any(map(lives, members)), seconds=2)


def test_what_a_thread_of_a_halted_job_waits_for_is_the_last_thing_that_it_does(
    spawner: Spawner, tmp_path: Path
) -> None:
    for number in range(5):
        folder = tmp_path / str(number)
        spawner.start(folder, job(go_on_in_a_thread), {})
        until((folder / "pids").exists)
        assert halt(folder).result == {"halted": True}
        assert not (folder / "afterwards").exists()


@pytest.mark.slow
@pytest.mark.parametrize("script", TREES.values(), ids=TREES.keys())
def test_a_runner_that_cannot_hear_is_killed_with_every_process_of_the_job(
    spawner: Spawner, tmp_path: Path, script: str
) -> None:
    spawner.start(tmp_path, job(grow_a_tree), {"script": script})
    until(lambda: pids_in(tmp_path))
    members = {runner_pid(tmp_path), *proctree.family(runner_pid(tmp_path), proctree.processes())}
    os.kill(runner_pid(tmp_path), signal.SIGSTOP)
    assert halt(tmp_path, grace=0.1) == Sighting(Standing.LOST)
    until(lambda: not any(map(lives, members)), seconds=2)


HALT_TWICE = """
import sys
from pathlib import Path
from pipelinekit.tools.jobs.halting import halt
for _ in range(2):
    print(halt(Path(sys.argv[1])).standing)
"""


def test_who_halts_what_never_started_may_do_it_again_and_lives(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HALT_TWICE, str(tmp_path / "job")]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=20
    )
    assert (ended.returncode, ended.stdout.split()) == (0, ["Done", "Done"])


def test_a_halt_before_the_start_prevents_it(spawner: Spawner, tmp_path: Path) -> None:
    assert halt(tmp_path / "job") == Sighting(Standing.DONE, {"halted": True})
    ledger = tmp_path / "ledger"
    assert not spawner.start(tmp_path / "job", job(enter_in_ledger), {"ledger": str(ledger)})
    assert look(tmp_path / "job").result == {"halted": True}
    assert not ledger.exists()


@pytest.mark.slow
def test_a_sweep_ends_what_a_lost_runner_left_and_nothing_of_other_jobs(
    spawner: Spawner, tmp_path: Path
) -> None:
    lost, other = tmp_path / "lost", tmp_path / "lost-too"
    for folder in (lost, other):
        spawner.start(folder, job(grow_a_tree), {"script": TREES["deaf, apart and orphaned"]})
    until(lambda: pids_in(lost) and pids_in(other))
    os.kill(runner_pid(lost), signal.SIGKILL)
    assert end_of(lost).standing is Standing.LOST
    assert lives(pids_in(lost)[0])
    sweep(lost)
    until(lambda: not lives(pids_in(lost)[0]), seconds=2)
    assert lives(pids_in(other)[0])
    halt(other, grace=0)


@pytest.mark.slow
def test_a_sweep_ends_a_job_that_keeps_starting_processes(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, job(breed), {})
    until(lambda: proctree.family(runner_pid(tmp_path), proctree.processes()))
    sweep(tmp_path)
    assert end_of(tmp_path).standing is Standing.LOST
    assert not proctree.family(runner_pid(tmp_path), proctree.processes())


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(
    spawner: Spawner, tmp_path: Path
) -> None:
    spawner.start(tmp_path, job(sleep_long), {})
    os.kill(runner_pid(tmp_path), signal.SIGKILL)
    assert end_of(tmp_path).standing is Standing.LOST
    command = ["sh", "-c", "sleep 60 & wait"]
    time.sleep(0.05)  # a process is known by its pid and the hundredth of a second of its birth
    with subprocess.Popen(command, start_new_session=True) as stranger:
        until(lambda: proctree.family(stranger.pid, proctree.processes()))
        (child,) = proctree.family(stranger.pid, proctree.processes())
        owner = gate.owner_of(tmp_path)
        assert owner
        signature = f"{stranger.pid} {owner.born} {owner.boot}"
        (tmp_path / gate.CONTROL / gate.OWNER).write_text(signature, encoding="utf-8")
        sweep(tmp_path)
        halt(tmp_path)
        assert lives(child)
        assert stranger.poll() is None
        os.kill(child, signal.SIGKILL)


# ------------------------------------------------------------------ the price
