"""Looking at executions: status, logs and history, and what that costs."""

import json
import subprocess
import sys

import pytest

import pipelinekit as pk
from tests.cli.project import CHECK, GATE, UNTIL, Project, until
from tests.kit.test_release import notebook

pytestmark = pytest.mark.slow

HEAVY = "pandas papermill boto3 git plotly IPython nbformat"


def loads_of(project: Project, heavy: str, *commands: list[str]) -> tuple[str, str]:
    """Give which of some modules commands load, and what they show."""
    calls = "".join(f"cli({each!r}, standalone_mode=False)\n" for each in commands)
    code = (
        f"import sys\nfrom pipelinekit.cli.commands import cli\n{calls}"
        f"sys.exit(' '.join(set({heavy.split()}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip(), done.stdout


def test_status_loads_nothing_heavy(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    loaded, shown = loads_of(project, f"{HEAVY} rich sqlalchemy", ["status"], ["status", "demo"])
    assert loaded == ""
    assert "⏸ Waiting for approval" in shown


def test_history_makes_no_frames(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    loaded, shown = loads_of(project, HEAVY, ["history"], ["history", "--actions"])
    assert loaded == ""
    assert "take" in shown


def test_status_shows_what_waits_with_its_note_made_harmless(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    shown = project.call("status", "demo").stdout
    assert "⏸ ok" in shown
    assert "Is one ready?" in shown
    assert "waits since" in shown
    assert "pipelinekit approve" in shown
    assert "\x1b" not in shown


def test_status_of_a_pipeline_that_never_ran_says_how_to_start_it(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    with pk.Kit(project.folder / ".pipelinekit", settings=pk.Settings(), work=False) as kit:
        source = pk.files("files", "src").writes("code")
        kit.define(
            pk.Pipeline("never")
            >> pk.Stage("Source", source)
            >> pk.Stage("Gate", pk.approval("ok"))
        )
    refused = project.call("status", "never")
    assert refused.returncode != 0
    assert "it has not run yet; start it with `pipelinekit start never`" in refused.stderr
    assert "Usage" not in refused.stderr


def test_status_lists_all_pipelines_in_a_line_each(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    project.call("run", project.write("other.py", GATE.replace('"demo"', '"other"')), "--yes")
    demo, other = project.call("status").stdout.splitlines()
    assert demo.startswith("demo #1")
    assert "Gate/ok" in demo
    assert "✓ Succeeded" in other


def test_status_of_something_unknown_is_refused_without_a_traceback(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    refused = project.call("status", "nothing")
    assert refused.returncode == 2
    assert "nothing" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_looking_where_nothing_is_makes_nothing(project: Project) -> None:
    assert "No pipelines here yet" in project.call("status").stdout
    assert project.call("watch").returncode == 2
    assert list(project.folder.iterdir()) == []


def test_another_home_and_directory_are_taken_from_the_options(project: Project) -> None:
    project.write("demo.py", GATE)
    outside = Project(project.folder.parent)
    done = outside.call("-C", "project", "run", "demo.py", "--home", "state", "--yes")
    assert done.returncode == 0, done.stderr
    assert (project.folder / "state" / "pipelinekit.db").exists()
    (row,) = outside.answer("status", "-C", str(project.folder), "--home", "state")
    assert row["status"] == "Succeeded"


def test_logs_are_printed_action_by_action_without_what_a_terminal_would_obey(
    project: Project,
) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    logs = project.call("logs").stdout
    assert "== Source/take: Succeeded ==\ntaking [bold]it[/bold]" in logs
    only = project.call("logs", "demo", "--action", "ok").stdout
    assert "== Gate/ok" in only
    assert "taking" not in only


def test_logs_of_an_action_that_is_not_there_are_refused(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("logs", "--action", "okay")
    assert refused.returncode == 2
    assert "its actions are take, ok" in refused.stderr


def test_logs_are_followed_until_the_execution_ends(project: Project) -> None:
    running = project.begin("run", project.write("demo.py", UNTIL))
    until(lambda: "Test/rest" in running.stdout.readline() if running.stdout else False)
    following = project.begin("logs", "--follow")
    project.write("go", "")
    shown, _ = following.communicate(timeout=30)
    running.communicate(timeout=30)
    assert following.returncode == 0
    assert shown.count("waiting\n") == 1
    assert "== Test/rest, attempt 1 ==\nwaiting\n== Test/rest, attempt 1: Succeeded ==\n" in shown


def test_who_follows_logs_is_told_how_each_attempt_ended_and_why(project: Project) -> None:
    project.call("run", project.write("demo.py", CHECK))
    assert project.call("logs", "--follow").stdout.endswith(
        "== Test/look, attempt 1 ==\nlooking for go\n== Test/look, attempt 1: Failed ==\n"
        "JobFailed: go is missing\n"
    )
    project.call("run", project.write("gate.py", GATE.replace('"demo"', '"gate"')))
    project.call("reject", "gate", "--comment", "not today")
    told = project.call("logs", "gate", "--follow", "--action", "ok").stdout
    assert "== Gate/ok, attempt 1: Failed ==\nJobFailed: rejected by" in told
    assert told.endswith(": not today\n")


def test_a_place_that_cannot_be_written_is_told_in_a_line(project: Project) -> None:
    project.call("run", project.write("demo.py", CHECK))
    notebook(project.folder, "1")
    for command in (
        "report demo --out demo.py/told",
        "open demo --to demo.py/told",
        "notebook report.ipynb --out demo.py/told",
        "notebook report.ipynb --out demo.py",
    ):
        done = project.call(*command.split(), "--json")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "was to be read or written, and that failed: " in done.stderr
        error = json.loads(done.stdout)["error"]
        assert error["code"] in {"NotADirectoryError", "FileExistsError"}


def test_history_has_a_table_for_people_and_json_for_programs(project: Project) -> None:
    for _ in range(2):
        project.call("run", project.write("demo.py", GATE), "--yes")
    assert [row["number"] for row in project.answer("history", "demo")] == [2, 1]
    assert len(project.answer("history", "--limit", "1")) == 1
    assert {row["stage"] for row in project.answer("history", "--stages")} == {"Source", "Gate"}
    table = project.call("history").stdout
    assert "✓ Succeeded" in table
    assert "StartPipelineExecution" in table


def test_on_a_terminal_history_has_the_columns_that_fit(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    shown = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m pipelinekit history", "/dev/null"],
        cwd=project.folder,
        env={**project.environment, "COLUMNS": "80", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (row,) = [line.split() for line in shown.splitlines() if "✓" in line]
    identity = project.answer("history")[0]["execution"]
    assert row[:5] == ["demo", "1", identity[:8], "✓", "Succeeded"]
    assert "StartPipelineExecution" not in shown


def test_programs_get_json_whatever_they_ask(project: Project) -> None:
    notebook(project.folder, "1")
    assert "pk.notebook" in project.answer("notebook", "report.ipynb")["text"]
    assert project.answer("-C", "nowhere", "status")["error"]["code"] == "Usage"
    running = project.begin("run", project.write("demo.py", UNTIL))
    until(lambda: "Test/rest" in running.stdout.readline() if running.stdout else False)
    following = project.begin("logs", "--follow", "--json")
    project.write("go", "")
    rows = json.loads(following.communicate(timeout=30)[0])
    running.communicate(timeout=30)
    assert [row["status"] for row in rows] == ["Succeeded", "Succeeded"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_a_run_goes_on_where_standard_streams_are_closed(project: Project, closed: str) -> None:
    file = project.write("demo.py", GATE)
    command = f"{sys.executable} -m pipelinekit run {file} --yes {closed}"
    done = subprocess.run(
        ["sh", "-c", command], cwd=project.folder, env=project.environment, check=False
    )
    assert done.returncode == 0
    assert project.answer("status", "demo")["status"] == "Succeeded"


def test_history_of_an_unknown_pipeline_is_refused(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE), "--yes")
    refused = project.call("history", "shop")
    assert refused.returncode == 2
    assert "there are demo" in refused.stderr


def test_no_color_is_respected_on_a_terminal(project: Project) -> None:
    project.call("run", project.write("demo.py", GATE))
    script = ["script", "-qec", f"{sys.executable} -m pipelinekit status", "/dev/null"]
    shown = {}
    for colour in ("", "1"):
        shown[colour] = subprocess.run(
            script,
            cwd=project.folder,
            env={**project.environment, "NO_COLOR": colour},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert "\x1b[33m" in shown[""]
    assert "\x1b" not in shown["1"]
