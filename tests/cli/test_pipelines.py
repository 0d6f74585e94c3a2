"""What people decide about whole pipelines: rollback, transitions, deletion."""

from typing import Any

import pytest

from tests.cli.project import GATE, Project, Terminal, until

pytestmark = pytest.mark.slow

COUNT = """
import pipelinekit as pk


@pk.action("Source", "Take")
def take(job: pk.Job) -> pk.Outcome:
    return pk.Succeeded({"NUMBER": str(job.order.number)})


@pk.action("Deploy", "Put")
def put(job: pk.Job, number: str) -> pk.Outcome:
    return pk.Succeeded(summary=f"number {number} is live")


source = take("take")
pipeline = (
    pk.Pipeline("demo")
    >> pk.Stage("Source", source)
    >> pk.Stage("Live", put("put", number=source["NUMBER"]))
)
"""
REASON = "Freeze until Monday"


def live(state: Any) -> Any:
    return next(stage for stage in state["stages"] if stage["name"] == "Live")


def test_a_stage_is_rolled_back_to_what_was_there_before(project: Project) -> None:
    project.write("demo.py", COUNT)
    for _ in range(2):
        project.call("run", "demo.py")
    rolled = project.call("rollback", "demo", "Live")
    assert rolled.returncode == 0, rolled.stderr
    assert "rolls Live back to #1" in rolled.stdout
    assert "pipelinekit watch" in rolled.stderr  # its actions are functions of a file
    assert project.call("watch").returncode == 0
    state = project.answer("status", "demo")
    assert (state["type"], state["target"]["number"]) == ("ROLLBACK", 1)
    assert "number 1 is live" in project.call("status", "demo").stdout
    assert "rolls Live back to #1" in project.call("status").stdout


def test_a_stage_is_rolled_back_to_an_execution_by_its_id(project: Project) -> None:
    project.write("demo.py", COUNT)
    for _ in range(3):
        project.call("run", "demo.py")
    first = project.answer("history", "demo")[-1]["execution"]
    state = project.answer("rollback", "demo", "Live", "--to", first[:8])
    assert state["target"] == {"id": first, "number": 1}


def test_the_first_stage_is_not_rolled_back(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    refused = project.call("rollback", "demo", "Source", "--to", "demo")
    assert refused.returncode == 2
    assert "first one" in refused.stderr


def test_a_disabled_transition_holds_an_execution_until_it_is_enabled(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    closed = project.call("transition", "disable", "demo", "Live", "--reason", REASON)
    assert closed.returncode == 0, closed.stderr
    assert closed.stdout == f"The transition into Live of pipeline demo is disabled: {REASON}\n"
    held = project.call("run", "demo.py")
    assert held.returncode == 3, held.stdout
    assert f": {REASON}" in held.stdout
    assert "pipelinekit transition enable demo Live" in held.stdout
    state = project.answer("status", "demo")
    (switch,) = live(state)["disabled"]
    assert (switch["leaving"], switch["by"], switch["reason"]) == (None, state["by"], REASON)
    opened = project.call("transition", "enable", "demo", "Live")
    assert "#2" in opened.stdout
    assert "pipelinekit watch" in opened.stderr
    assert project.call("watch").returncode == 0


def test_the_way_out_of_a_stage_is_turned_too(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    turn = ("demo", "Source", "--outbound")
    project.call("transition", "disable", *turn, "--reason", REASON)
    held = project.call("run", "demo.py")
    assert (held.returncode, "way out of Source disabled" in held.stdout) == (3, True)
    assert "transition enable demo Source --outbound" in held.stdout
    assert project.answer("transition", "enable", *turn)["enabled"]


@pytest.mark.parametrize("given", [("disable",), ("enable", "--reason", "why")])
def test_only_disabling_takes_a_reason(project: Project, given: tuple[str, ...]) -> None:
    project.call("run", project.write("demo.py", COUNT))
    refused = project.call("transition", given[0], "demo", "Live", *given[1:])
    assert (refused.returncode, "--reason" in refused.stderr) == (2, True)


def test_an_enabled_transition_brings_an_engine_to_life(shop: Project) -> None:
    shop.write("go", "")
    shop.call("run", "pipeline.py")
    shop.call("reject")
    shop.call("transition", "disable", "shop", "Live", "--reason", REASON)
    assert shop.call("run", "shop").returncode == 3
    assert shop.call("transition", "enable", "shop", "Live").returncode == 0
    until(lambda: shop.waits("shop"))


def test_a_pipeline_is_deleted_with_its_history(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    done = project.answer("delete", "demo", "--yes")
    assert done == {"pipeline": "demo", "deleted": True, "ended": 1}
    assert "No pipelines here yet" in project.call("status").stdout
    again = project.call("delete", "demo", "--yes")
    assert (again.returncode, "There is no pipeline demo" in again.stdout) == (0, True)


def test_nothing_is_deleted_where_nobody_can_be_asked(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    refused = project.call("delete", "demo")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert project.call("status", "demo").returncode == 0


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("y", 0)])
def test_on_a_terminal_somebody_is_asked_before_a_pipeline_is_deleted(
    project: Project, answer: str, code: int
) -> None:
    project.call("run", project.write("demo.py", COUNT))
    terminal = Terminal(project, "delete", "demo")
    terminal.read_until("Delete pipeline demo with 1 execution, 0 of them under way?")
    terminal.type(answer)
    assert terminal.end()[0] == code
    assert project.call("status", "demo").returncode == (2 if code == 0 else 0)


def test_who_interrupts_the_question_deletes_nothing(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    terminal = Terminal(project, "delete", "demo")
    terminal.read_until("under way?")
    terminal.interrupt()
    assert terminal.end()[0] == 130
    assert project.call("status", "demo").returncode == 0


def test_a_stage_of_no_pipeline_is_not_rolled_back(project: Project) -> None:
    project.call("run", project.write("demo.py", COUNT))
    refused = project.answer("rollback", "nope", "Live")
    assert refused["error"]["code"] == "PipelineNotFoundException"


def test_what_runs_for_a_deleted_pipeline_is_ended(shop: Project) -> None:
    started = shop.call("start", "pipeline.py")
    assert started.returncode == 0, started.stderr
    until((shop.folder / "begun").exists)
    assert shop.answer("delete", "shop", "--yes")["ended"] == 1
    job = next((shop.folder / ".pipelinekit" / "jobs").glob("*/private"), None)
    until(lambda: job is None or not job.exists())
