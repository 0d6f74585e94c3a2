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
    other = project.call("approve", "other", "--action", "no")
    assert "and 'no' waits for none; those that wait are: ok; name one of them" in other.stderr
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


def test_an_unknown_execution_is_refused_with_the_pipelines_that_may_be_meant(
    project: Project,
) -> None:
    project.call("run", project.write("demo.py", GATE))
    assert "by an empty id" in project.call("stop", "").stderr
    for command in ("status", "reject", "watch"):
        refused = project.call(command, "nosuch")
        assert refused.returncode == 2
        assert "there are the pipelines demo; give the beginning of an id" in refused.stderr
        assert "or a pipeline, of which the latest execution is meant" in refused.stderr


def test_what_has_not_failed_is_not_retried(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("retry", "demo")
    assert refused.returncode == 2
    number = project.answer("status", "demo")["execution"][:8]
    told = f"execution {number} of demo was to be retried, but none of its stages failed or was"
    assert told in refused.stderr
    assert "it is Succeeded, in Gate; start a new one" in refused.stderr
    assert "was to be resumed, but none" in project.call("resume", "demo").stderr
    for command in ("approve", "open"):
        refused = project.call(command, "demo")
        assert f"of execution {number} of demo was to be" in refused.stderr
        assert "Run(" not in refused.stderr


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
