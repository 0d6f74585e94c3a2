"""What people decide from the command line: approve, reject, stop, retry."""

import pytest

from tests.cli.project import CHECK, GATE, UNTIL, Project, until

pytestmark = pytest.mark.slow


def test_a_rejection_fails_the_execution_and_keeps_the_comment(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    assert project.answer("reject", "--comment", "not yet")["status"] == "Failed"
    assert project.call("watch", "demo").returncode == 1
    (row,) = project.answer("history", "demo", "--approvals")
    assert (row["decision"], row["comment"]) == ("Rejected", "not yet")


def test_where_several_approvals_wait_one_has_to_be_named(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    project.call("run", project.write("other.py", GATE.replace('"demo"', '"other"')))
    refused = project.call("approve")
    assert refused.returncode == 2
    assert "(demo, stage Gate)" in refused.stderr
    assert "(other, stage Gate)" in refused.stderr
    assert project.answer("approve", "other")["status"] == "Succeeded"
    assert project.waits("demo")


def test_there_is_nothing_to_approve_where_nothing_waits(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("approve")
    assert refused.returncode == 2
    assert "none waits" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_failed_stage_is_retried_and_watch_carries_its_functions_out(project: Project) -> None:
    project.call("run", project.write("demo.py", CHECK))
    project.write("go", "")
    retried = project.call("retry", "demo")
    assert retried.returncode == 0
    assert "Test/look" in retried.stderr
    assert "pipelinekit watch" in retried.stderr
    assert project.call("watch").returncode == 0
    attempts = project.answer("history", "demo", "--actions")
    assert [row["attempt"] for row in attempts if row["action"] == "look"] == [2, 1]


def test_what_has_not_failed_is_not_retried(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("retry", "demo")
    assert refused.returncode == 2
    assert "none of its stages failed" in refused.stderr


def test_an_abandoned_execution_is_stopped_and_its_run_ends_with_1(project: Project) -> None:
    running = project.begin("run", project.write("demo.py", UNTIL))
    until(lambda: "Test/rest" in running.stdout.readline() if running.stdout else False)
    stopped = project.call("stop", "demo", "--abandon", "--reason", "wrong version")
    assert stopped.returncode == 0, stopped.stderr
    shown, _ = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "■ Stopped: demo #1" in shown
    project.write("go", "")


def test_an_approval_in_the_background_brings_an_engine_to_life(shop: Project) -> None:
    shop.write("go", "")
    assert shop.call("run", "pipeline.py").returncode == 3
    assert shop.answer("approve")["engine"]
    until(lambda: shop.answer("status", "shop")["status"] == "Succeeded")
