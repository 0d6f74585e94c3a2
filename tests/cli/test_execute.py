"""Starting executions and following them, with the exit codes that scripts live by."""

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.cli.project import ACTIONS, CHECK, GATE, UNTIL, Project, Terminal, until

pytestmark = pytest.mark.slow


def test_an_approval_that_nobody_answers_ends_a_run_with_3_and_the_execution_stays(
    project: Project,
) -> None:
    done = project.call("run", project.write("demo.py", GATE))
    assert done.returncode == 3
    assert "⏸ Waiting for approval: Gate/ok" in done.stdout
    assert "pipelinekit approve" in done.stdout
    assert "\x1b" not in done.stdout
    assert project.waits()


def test_a_run_with_its_approval_given_beforehand_succeeds(project: Project) -> None:
    done = project.call("run", project.write("demo.py", GATE), "--approve", "ok")
    assert done.returncode == 0, done.stderr
    assert "✓ Succeeded: demo #1" in done.stdout


def test_yes_approves_everything_and_variables_reach_the_actions(project: Project) -> None:
    file = project.write("demo.py", GATE)
    done = project.call("run", file, "--yes", "--variable", "word=two")
    assert done.returncode == 0, done.stderr
    assert "Is two ready?" in done.stdout


def test_an_approval_that_the_pipeline_does_not_have_is_refused_before_anything_starts(
    project: Project,
) -> None:
    done = project.call("run", project.write("demo.py", GATE), "--approve", "okay")
    assert done.returncode == 2
    assert "its approvals are ok" in done.stderr
    assert project.answer("status") == []


def test_a_run_that_fails_ends_with_1_and_shows_the_log(project: Project) -> None:
    done = project.call("run", project.write("demo.py", CHECK))
    assert done.returncode == 1
    assert "✗ Failed: Test/look" in done.stdout
    assert "| looking for go" in done.stdout
    assert "go is missing" in done.stdout


def test_a_run_that_starts_another_pipeline_tells_how_that_one_goes_on(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    parent = """
pipeline = (
    pk.Pipeline("parent")
    >> pk.Stage("Source", take("take"))
    >> pk.Stage("Next", pk.invoke("next", "demo"))
)
"""
    done = project.call("run", project.write("parent.py", ACTIONS + parent))
    assert done.returncode == 0, done.stderr
    assert "demo #2 is under way too; go on with: pipelinekit watch" in done.stderr


def test_a_run_that_takes_too_long_ends_with_124_and_the_execution_stays(project: Project) -> None:
    done = project.call("run", project.write("demo.py", UNTIL), "--timeout", "0.5")
    assert done.returncode == 124
    assert "The time is over" in done.stderr
    assert project.answer("status", "demo")["status"] == "InProgress"


def test_json_is_alone_on_standard_output(project: Project) -> None:
    done = project.call("run", project.write("demo.py", GATE), "--yes", "--json")
    state = json.loads(done.stdout)
    assert state["status"] == "Succeeded"
    assert [stage["name"] for stage in state["stages"]] == ["Source", "Gate"]
    assert "✓ Succeeded: Gate/ok" in done.stderr


def test_what_actions_print_is_no_part_of_a_json_answer(project: Project) -> None:
    loud = CHECK.replace(
        'job.say("', 'print("aloud")\n    os.system("echo beside")\n    job.say("'
    )
    project.write("demo.py", f"import os\n{loud}")
    done = project.call("run", "demo.py", "--json")
    assert json.loads(done.stdout)["status"] == "Failed"
    assert {"aloud", "beside"} <= set(done.stderr.splitlines())
    project.call("retry", "demo")
    watched = project.call("--json", "watch", "demo")
    assert json.loads(watched.stdout)["attempts"] == 2
    refused = project.call("run", "demo.py", "--json", "--revision", "no=1")
    assert "error" in json.loads(refused.stdout)


def test_a_pipeline_is_run_again_by_its_name_with_the_functions_of_its_file(
    project: Project,
) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    done = project.call("run", "demo", "--yes")
    assert done.returncode == 0, done.stderr
    assert "demo #2" in done.stdout


def test_an_interrupted_run_ends_with_130_and_its_build_goes_on(shop: Project) -> None:
    running = shop.begin("run", "pipeline.py", "--yes")
    until((shop.folder / "begun").exists)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "pipelinekit watch" in said
    assert "Traceback" not in said
    shop.write("go", "")
    done = shop.call("watch", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row["attempt"] for row in shop.answer("history", "--actions")] == [1, 1, 1, 1]


@pytest.mark.parametrize("again", [True, False])
def test_an_interrupted_run_says_which_functions_end_with_it(
    project: Project, *, again: bool
) -> None:
    held = UNTIL if again else UNTIL.replace(", repeatable=True", "")
    running = project.begin("run", project.write("demo.py", held))
    until(lambda: "Test/rest" in running.stdout.readline() if running.stdout else False)
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert ("Of this process are the functions of Test/rest: what has not ended" in said) != again
    project.write("go", "")
    assert project.call("watch").returncode == (0 if again else 1)


def test_a_build_that_is_abandoned_after_its_engine_left_is_ended(shop: Project) -> None:
    running = shop.begin("run", "pipeline.py", "--yes")
    until((shop.folder / "begun").exists)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=30)
    assert list(builds_of(shop))
    stopped = shop.call("stop", "shop", "--abandon")
    assert stopped.returncode == 0, stopped.stderr
    until(lambda: not list(builds_of(shop)))


def builds_of(shop: Project) -> Iterator[Path]:
    """Find the processes of its builds, which have its settings in their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"HERE={shop.folder}".encode() in (process / "environ").read_bytes():
                yield process


def test_watch_carries_on_what_a_killed_engine_left(project: Project) -> None:
    running = project.begin("run", project.write("demo.py", UNTIL))
    until(lambda: "Test/rest" in running.stdout.readline() if running.stdout else False)
    running.kill()
    running.communicate()
    assert "No engine is at work" in project.call("status", "demo").stdout
    project.write("go", "")
    done = project.call("watch")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ Succeeded: demo #1" in done.stdout
    for told in ("started 2", "✓ Succeeded: Source/take"):  # by whichever engine's follower
        assert done.stdout.count(told) == 1


def test_an_execution_in_the_background_is_approved_by_another_process(shop: Project) -> None:
    shop.write("go", "")
    started = shop.call("start", "pipeline.py")
    assert started.returncode == 0, started.stderr
    execution = started.stdout.strip()
    until(lambda: shop.waits("shop"))
    approved = shop.call("approve", "--comment", "well done")
    assert approved.returncode == 0, approved.stderr
    watched = shop.call("watch", execution[:8])
    assert watched.returncode == 0, watched.stdout + watched.stderr
    (row,) = shop.answer("history", "--approvals")
    assert (row["decision"], row["comment"]) == ("Approved", "well done")


def test_an_engine_in_the_background_leaves_when_there_is_nothing_to_do(shop: Project) -> None:
    shop.write("go", "")
    shop.call("start", "pipeline.py")
    until(lambda: shop.waits("shop"))
    until(lambda: not shop.answer("status", "shop")["engine"])


def test_functions_of_a_file_are_not_started_in_the_background(project: Project) -> None:
    done = project.call("start", project.write("demo.py", GATE))
    assert done.returncode == 2
    assert "use `pipelinekit run demo.py`" in done.stderr
    assert project.answer("status") == []
    project.call("run", "demo.py")
    again = project.call("start", "demo")
    assert again.returncode == 2
    file = project.folder / "demo.py"
    assert "Source/take are functions of that file, which an engine in the background" in (
        again.stderr
    )
    assert f"use `pipelinekit run {file}`" in again.stderr
    file.unlink()
    gone = project.call("start", "demo")
    assert gone.returncode == 2


def test_a_run_that_waits_is_approved_by_another_process(project: Project) -> None:
    running = project.begin("run", project.write("demo.py", GATE), "--wait")
    until(lambda: "Gate/ok" in running.stdout.readline() if running.stdout else False)
    assert project.call("approve").returncode == 0
    shown, said = running.communicate(timeout=30)
    assert running.returncode == 0, said
    assert "approved by" in shown


@pytest.mark.parametrize("asked", [("watch",), ("approve", "demo"), ("retry", "demo")])
def test_an_approval_whose_time_is_over_fails_also_where_no_engine_was_there(
    project: Project, asked: tuple[str, ...]
) -> None:
    assert project.call("run", project.write("demo.py", GATE)).returncode == 3
    with closing(sqlite3.connect(project.folder / ".pipelinekit" / "pipelinekit.db")) as store:
        store.execute(
            "UPDATE orders SET body = json_set(body, '$.deadline', '2020-01-01T00:00:00Z')"
        )
        store.execute(
            "UPDATE action_executions SET body = json_set(body, '$.deadline', "
            "'2020-01-01T00:00:00Z') WHERE body LIKE '%token%'"
        )
        store.commit()
    told = project.call("status", "demo").stdout
    assert "No engine is at work; go on with: pipelinekit watch" in told
    project.call(*asked)
    watched = project.call("watch", "demo")
    assert watched.returncode == 1, watched.stdout + watched.stderr
    assert "timed out" in watched.stdout


def test_somebody_at_the_terminal_is_asked_and_sees_details(project: Project) -> None:
    terminal = Terminal(project, "run", project.write("demo.py", GATE))
    shown = terminal.read_until("[a]pprove")
    assert "Is one ready?" in shown
    terminal.type("details")
    terminal.read_until("| taking [bold]it[/bold]")
    terminal.type("a looks good")
    code, shown = terminal.end()
    assert code == 0, shown
    assert "✓ Succeeded" in shown
    assert "looks good" in shown


def test_somebody_at_the_terminal_rejects_and_the_run_fails(project: Project) -> None:
    terminal = Terminal(project, "run", project.write("demo.py", GATE))
    terminal.read_until("[a]pprove")
    terminal.type("reject not today")
    code, shown = terminal.end()
    assert code == 1, shown
    assert "not today" in shown


def test_somebody_at_the_terminal_leaves_and_the_execution_stays(project: Project) -> None:
    terminal = Terminal(project, "run", project.write("demo.py", GATE))
    terminal.read_until("[a]pprove")
    terminal.type("leave")
    assert terminal.end()[0] == 3
    assert project.waits()


def test_a_question_is_called_off_when_somebody_else_has_answered(project: Project) -> None:
    terminal = Terminal(project, "run", project.write("demo.py", GATE))
    terminal.read_until("[a]pprove")
    assert project.call("approve").returncode == 0
    terminal.read_until("answered elsewhere")
    assert terminal.end()[0] == 0


def test_an_execution_behind_one_that_waits_for_people_says_whom_it_waits_for(
    project: Project,
) -> None:
    file = project.write("demo.py", GATE)
    project.call("run", file)
    second = project.call("run", file)
    assert second.returncode == 3
    assert "○ Waiting to enter: Gate  waits for #1" in second.stdout
    assert "and waits for approval" in project.call("status", "demo").stdout


def test_an_object_key_is_handed_to_the_source_it_is_for(project: Project) -> None:
    file = project.write("demo.py", GATE)
    refused = project.call("run", file, "--object-key", "take=releases/2.zip")
    assert refused.returncode == 2
    assert "on another object for take, which is no S3 source" in refused.stderr
    wrong = project.call("start", file, "--object-key", "take")
    assert (wrong.returncode, "ACTION=KEY" in wrong.stderr) == (2, True)
