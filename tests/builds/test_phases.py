"""Phases and commands in real shells, and the sentences in which they fail."""

import json
import time
from pathlib import Path

import pytest

from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Project, Settings
from tests.builds.sites import ID, Site, phases


def test_a_build_runs_its_phases_in_one_shell(site: Site) -> None:
    built = site.build(
        phases(
            post_build=["echo post >> $TRACE"],
            install=[
                "export TRACE=$PWD/trace",
                "mkdir deep; cd deep",
                "f() { echo $1 >> $TRACE; }",
            ],
            pre_build=["f pre"],
            build=["f ${PWD##*/}", "f line1\nf line2"],
        )
    )
    assert built.text("trace") == "pre\ndeep\nline1\nline2\npost\n"
    assert built.succeeded.external_id == f"shop:{ID}"
    assert built.succeeded.summary.startswith("Build succeeded in 0.")


def test_the_log_names_phases_and_commands(site: Site) -> None:
    said = site.build(phases(pre_build=["true"], build=["false"])).job.said
    assert said[:3] == ["Build of shop, which runs in: host", "-- phase pre_build --", "$ true"]
    assert said[3].startswith("-- phase pre_build succeeded, 0.")
    assert said[-1].startswith("-- phase build failed, 0.")


@pytest.mark.parametrize(
    ("failing", "ran"),
    [
        ("install", "install"),
        ("pre_build", "install pre_build"),
        ("build", "install pre_build build post_build"),
        ("post_build", "install pre_build build post_build"),
    ],
)
def test_what_runs_after_a_failure_is_as_in_codebuild(site: Site, failing: str, ran: str) -> None:
    names = ["install", "pre_build", "build", "post_build"]
    commands = {
        name: [f"echo {name} >> $CODEBUILD_SRC_DIR/trace"] + ["exit 3"] * (name == failing)
        for name in names
    }
    built = site.build(phases(**commands))
    assert built.text("trace").split() == ran.split()
    assert built.failed.code == FailureType.JOB_FAILED
    assert built.failed.message == (
        f"command `exit 3` of phase {failing} exited with 3; see the log"
    )
    assert built.failed.external_id == f"shop:{ID}"


@pytest.mark.parametrize(
    ("phase", "word", "ran"),
    [
        ("build", "ABORT", ""),
        ("install", "CONTINUE", "build post_build"),
        ("build", "CONTINUE", "post_build"),
    ],
)
def test_on_failure_decides_but_the_build_has_failed(
    site: Site, phase: str, word: str, ran: str
) -> None:
    text = json.loads(phases(install=["true"], build=["echo build >> trace"]))
    text["phases"]["post_build"] = {"commands": ["echo post_build >> trace"]}
    text["phases"][phase] = {"commands": ["touch trace; false"], "on-failure": word}
    built = site.build(json.dumps(text))
    assert built.text("trace").split() == ran.split()
    assert built.failed.message.startswith("command `touch trace; false` of phase")


def test_finally_always_runs_and_knows_how_it_went(site: Site) -> None:
    told = "echo $CODEBUILD_BUILD_SUCCEEDING >> trace"
    built = site.build(
        phases(
            pre_build=["true"],
            pre_build_finally=[told],
            build=["false", "echo skipped >> trace"],
            build_finally=[told],
            post_build=[told],
        )
    )
    assert built.text("trace").split() == ["1", "0", "0"]
    assert "`false` of phase build" in built.failed.message


def test_a_failing_finally_fails_the_build(site: Site) -> None:
    built = site.build(phases(build=["true"], build_finally=["false", "touch reached"]))
    assert "`false` of phase build exited with 1" in built.failed.message
    assert built.text("reached") == ""


def test_exit_zero_ends_its_command_alone(site: Site) -> None:
    built = site.build(phases(build=["exit 0", "touch reached"]))
    assert built.succeeded.summary
    assert built.text("reached") == ""


def test_set_e_fails_the_command_and_post_build_still_runs(site: Site) -> None:
    built = site.build(
        phases(build=["set -e", "false; touch never"], post_build=["touch reached"])
    )
    assert "`false; touch never` of phase build exited with 1" in built.failed.message
    assert built.text("reached") == ""
    assert not (built.job.folder / "in/app/never").exists()


def test_a_syntax_error_names_the_command(site: Site) -> None:
    built = site.build(phases(build=["if true; then echo", "touch never"]))
    assert "`if true; then echo` of phase build exited with" in built.failed.message


def test_reading_input_and_background_processes_do_not_hang(site: Site) -> None:
    began = time.monotonic()
    built = site.build(phases(build=["cat", "sleep 50 &", "sleep 51 & sleep 52 &\ntrue"]))
    assert built.succeeded.summary
    assert time.monotonic() - began < 5


def test_version_0_1_gives_each_command_its_own_shell(site: Site) -> None:
    text = phases(build=["mkdir deep; cd deep; export LEVEL=info", 'echo "$LEVEL" > out'])
    built = site.build(text.replace("0.2", "0.1"))
    assert built.succeeded.summary
    assert built.text("out") == "\n"


@pytest.mark.slow
def test_the_time_of_the_project_ends_the_build(site: Site) -> None:
    # A minute is the least that pipelinekit.toml can say; none at all is enough for a test.
    site.settings = Settings(projects={"shop": Project(timeout_minutes=0)})
    began = time.monotonic()
    built = site.build(phases(build=["sleep 60"], post_build=["touch never"]))
    assert time.monotonic() - began < 5
    assert "within 0 minutes" in built.failed.message
    assert "timeout_minutes in [codebuild.shop]" in built.failed.message
    assert not (built.job.folder / "in/app/never").exists()


@pytest.mark.parametrize("shell", ["bash", "sh", "/bin/sh"])
def test_the_shell_of_the_buildspec_is_used(site: Site, shell: str) -> None:
    text = json.loads(phases(build=["echo ${BASH_VERSION:+bash} > out"]))
    built = site.build(json.dumps({**text, "env": {"shell": shell}}))
    assert built.succeeded.summary
    if Path("/bin/sh").resolve().name != "bash":
        assert built.text("out").strip() == ("bash" if shell == "bash" else "")
