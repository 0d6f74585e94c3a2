"""Traffic: out and in again for each target in place, and from one set to the other."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.order import Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup
from pipelinekit.providers.codedeploy import codedeploy
from tests.providers.deployments import EVENTS, HEAD, Project, failed

HOOKS = "hooks:\n" + "".join(f"  {event}:\n    - location: scripts/{event}\n" for event in EVENTS)
COMMAND = """\
if [ -n "$TRAFFIC_TO" ]; then
  echo "$LIFECYCLE_EVENT $TRAFFIC_FROM>$TRAFFIC_TO $VERSION" >> ledger
  echo "$TRAFFIC_TO_TARGETS" > to; echo "$TRAFFIC_FROM_TARGETS" > from
else
  echo "$LIFECYCLE_EVENT ${TRAFFIC_TARGET##*/}" >> ledger
fi
"""
INSTALLED = ("BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService")


@pytest.fixture
def in_place(tmp_path: Path) -> Project:
    return Project(tmp_path, DeploymentGroup(targets=("live",), traffic=COMMAND))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, DeploymentGroup(blue=("b1",), green=("g1",), traffic=COMMAND))


def scripts(version: str, **bodies: str) -> dict[str, str]:
    """Give scripts that write down event, target and version into one ledger for all."""
    note = (
        "#!/bin/sh\n"
        f'echo "$LIFECYCLE_EVENT ${{PIPELINEKIT_TARGET##*/}} {version}" '
        '>> "$PIPELINEKIT_TARGET/../ledger"\n'
    )
    return {f"scripts/{event}": note + bodies.get(event, "") for event in EVENTS}


def release(project: Project, version: str, **bodies: str) -> Outcome:
    (project.folder / "ledger").unlink(missing_ok=True)
    return project.deploy(HEAD + HOOKS, scripts(version, **bodies))


def ledger(project: Project) -> list[str]:
    path = project.folder / "ledger"
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]


# ------------------------------------------------------------------ in place


def test_in_place_a_target_is_out_of_the_traffic_while_it_is_deployed_to(
    in_place: Project,
) -> None:
    assert isinstance(release(in_place, "one"), Succeeded)
    assert isinstance(release(in_place, "two"), Succeeded)
    assert ledger(in_place) == [
        "BeforeBlockTraffic live one",
        "BlockTraffic live",
        "AfterBlockTraffic live one",
        "ApplicationStop live one",
        "BeforeInstall live two",
        "AfterInstall live two",
        "ApplicationStart live two",
        "ValidateService live two",
        "BeforeAllowTraffic live two",
        "AllowTraffic live",
        "AfterAllowTraffic live two",
    ]


def test_in_place_a_target_that_is_put_back_has_traffic_again(in_place: Project) -> None:
    release(in_place, "one")
    failed(release(in_place, "two", ValidateService="exit 1"))
    assert ledger(in_place)[-3:] == [
        "BeforeAllowTraffic live one",
        "AllowTraffic live",
        "AfterAllowTraffic live one",
    ]


def test_in_place_a_target_that_stays_broken_gets_no_traffic(in_place: Project) -> None:
    in_place.group = replace(in_place.group, rollback=False)
    failed(release(in_place, "one", ValidateService="exit 1"))
    assert "BlockTraffic live" in ledger(in_place)
    assert "AllowTraffic live" not in ledger(in_place)


def test_the_traffic_of_several_targets_is_changed_one_after_the_other(
    in_place: Project,
) -> None:
    alone = "mkdir busy || exit 1; sleep 0.2; rmdir busy"
    in_place.group = replace(
        in_place.group, targets=("a", "b", "c"), config="AllAtOnce", traffic=alone
    )
    outcome = release(in_place, "one")
    assert isinstance(outcome, Succeeded)
    assert outcome.summary == "Deployment Succeeded: 3 of 3 targets"


def test_a_traffic_command_that_fails_is_told_with_what_it_printed(in_place: Project) -> None:
    in_place.group = replace(in_place.group, traffic="echo no such balancer; exit 4")
    outcome = failed(release(in_place, "one"))
    assert "BlockTraffic: the traffic command" in outcome.message
    assert "exit code 4" in outcome.message
    assert "no such balancer" in in_place.said


@pytest.mark.slow
def test_a_traffic_command_that_hangs_is_killed_with_its_processes(in_place: Project) -> None:
    in_place.group = replace(
        in_place.group, traffic="sleep 300 & echo $! > pid; sleep 300", traffic_seconds=1
    )
    outcome = failed(release(in_place, "one"))
    assert outcome.code == "ScriptTimedOut"
    assert "traffic_seconds" in outcome.message
    pid = int((in_place.folder / "pid").read_text(encoding="utf-8"))
    assert not Path(f"/proc/{pid}/cmdline").exists() or is_zombie(pid)


def is_zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")


# ------------------------------------------------------------------ blue and green


def test_the_set_without_traffic_is_deployed_to_and_then_gets_the_traffic(
    project: Project,
) -> None:
    assert isinstance(release(project, "one"), Succeeded)
    assert ledger(project) == [
        *(f"{event} g1 one" for event in INSTALLED),
        "BeforeAllowTraffic g1 one",
        "AllowTraffic blue>green",
        "AfterAllowTraffic g1 one",
    ]
    outcome = release(project, "two")
    assert isinstance(outcome, Succeeded)
    assert outcome.summary == "Deployment Succeeded: 1 of 1 targets"
    assert ledger(project) == [
        *(f"{event} b1 two" for event in INSTALLED),
        "BeforeAllowTraffic b1 two",
        "AllowTraffic green>blue",
        "AfterAllowTraffic b1 two",
        "BeforeBlockTraffic g1 one",
        "AfterBlockTraffic g1 one",
    ]
    assert (project.folder / "to").read_text(encoding="utf-8") == f"{project.folder}/b1\n"
    assert (project.folder / "from").read_text(encoding="utf-8") == f"{project.folder}/g1\n"
    release(project, "three")
    assert "AllowTraffic blue>green" in ledger(project)
    assert ledger(project)[0] == "ApplicationStop g1 one"


def test_a_failed_install_leaves_the_traffic_where_it_was(project: Project) -> None:
    release(project, "one")
    outcome = failed(release(project, "two", ApplicationStart="exit 1"))
    assert outcome.message.endswith("The traffic stays with green")
    assert not any("Traffic" in line for line in ledger(project))
    assert isinstance(release(project, "three"), Succeeded)
    assert "AllowTraffic green>blue" in ledger(project)


def test_targets_of_the_set_that_failed_get_no_traffic(project: Project) -> None:
    project.group = replace(project.group, green=("g1", "g2"), config="AllAtOnce")
    broken = 'case "$PIPELINEKIT_TARGET" in */g1) exit 1;; esac\n'
    outcome = release(project, "one", ApplicationStart=broken)
    assert isinstance(outcome, Succeeded)
    assert outcome.summary == "Deployment Succeeded: 1 of 2 targets"
    assert (project.folder / "to").read_text(encoding="utf-8") == f"{project.folder}/g2\n"


def test_a_failed_switch_is_switched_back(project: Project) -> None:
    release(project, "one")
    project.group = replace(project.group, traffic=COMMAND + '[ "$TRAFFIC_TO" != blue ]')
    outcome = failed(release(project, "two"))
    assert outcome.code == "ScriptFailed"
    assert outcome.message.endswith("The traffic was switched back to green")
    assert ledger(project)[-2:] == ["AllowTraffic green>blue", "AllowTraffic blue>green"]
    project.group = replace(project.group, traffic=COMMAND)
    release(project, "three")
    assert "AllowTraffic green>blue" in ledger(project)


def test_a_replacement_that_fails_with_traffic_loses_it_again(project: Project) -> None:
    release(project, "one")
    outcome = failed(release(project, "two", AfterAllowTraffic="exit 1"))
    assert outcome.message.endswith("The traffic was switched back to green")
    at = ledger(project).index("AfterAllowTraffic b1 two")
    assert ledger(project)[at + 1 :] == [
        "BeforeAllowTraffic g1 one",
        "AllowTraffic blue>green",
        "AfterAllowTraffic g1 one",
    ]


def test_an_original_that_cannot_be_blocked_fails_the_deployment(project: Project) -> None:
    release(project, "one", BeforeBlockTraffic="exit 1")
    outcome = failed(release(project, "two"))
    assert "BeforeBlockTraffic: the script" in outcome.message
    assert outcome.message.endswith("The traffic was switched back to green")
    assert ledger(project)[-2:] == ["BeforeBlockTraffic b1 two", "AfterBlockTraffic b1 two"]


def test_an_original_that_is_out_of_reach_holds_no_release_up(project: Project) -> None:
    project.group = replace(project.group, blue=("b1", "ssh://127.0.0.1:1/srv"))
    assert isinstance(release(project, "one"), Succeeded)
    assert "AllowTraffic blue>green" in ledger(project)
    outcome = failed(release(project, "two"))
    assert "could not be reached" in outcome.message
    assert outcome.message.endswith("The traffic stays with green")


def test_without_rollback_the_traffic_stays_where_it_was_switched_to(project: Project) -> None:
    project.group = replace(project.group, rollback=False)
    outcome = failed(release(project, "one", AfterAllowTraffic="exit 1"))
    assert "the traffic stays with green" in outcome.message
    release(project, "two")
    assert "AllowTraffic green>blue" in ledger(project)


def test_traffic_that_nobody_knows_the_place_of_is_settled_first(project: Project) -> None:
    release(project, "one")
    project.group = replace(project.group, traffic="exit 1")
    outcome = failed(release(project, "two"))
    assert "To switch the traffic back to green failed too" in outcome.message
    project.group = replace(project.group, traffic=COMMAND)
    assert isinstance(release(project, "three"), Succeeded)
    assert ledger(project)[0] == "AllowTraffic blue>green"
    assert "AllowTraffic green>blue" in ledger(project)


@pytest.fixture
def child() -> Iterator[None]:
    """Let a fork of this process be killed without a word."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.slow
@pytest.mark.usefixtures("child")
def test_a_switch_that_the_engine_died_in_is_settled_by_the_next_deployment(
    project: Project,
) -> None:
    release(project, "one")
    project.group = replace(project.group, traffic=COMMAND + "kill -9 $PPID")
    job = project.job(HEAD + HOOKS, scripts("two"))
    if (pid := os.fork()) == 0:
        codedeploy.carry_out(job)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    note = json.loads((project.folder / "b1" / ".codedeploy" / "group.json").read_text())
    assert (note["live"], note["towards"]) == ("green", "blue")
    project.group = replace(project.group, traffic=COMMAND)
    assert isinstance(release(project, "three"), Succeeded)
    assert ledger(project)[0] == "AllowTraffic blue>green"
    assert "The last switch of the traffic was cut off; it is put back to green" in project.said
