"""Deployments to several targets: waves, health, whose turn it is, and what the log says of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup
from pipelinekit.providers.codedeploy import codedeploy
from tests.providers.deployments import ACTION, HEAD, HOOKS, Project, attempt, failed, scripts

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, DeploymentGroup(targets=NAMES, config="HalfAtATime"))


def only(targets: str, body: str = "exit 1") -> str:
    """Give a script body that does something on some targets, such as `a|b`."""
    cases = "|".join(f"*/{name}" for name in targets.split("|"))
    return f'case "$PIPELINEKIT_TARGET" in {cases}) {body};; esac\n'


def release(project: Project, **bodies: str) -> Outcome:
    return project.deploy(HEAD + HOOKS, scripts("x", **bodies))


def waves(project: Project) -> list[str]:
    return [line.strip("= ") for line in project.said if line.startswith(("== Wave", "== Stop"))]


def order_of(project: Project) -> list[str]:
    """The targets in the order in which they were last deployed to."""
    said = [line for line in project.said if line.endswith(" ==") and " | == d-" in line]
    return [line.partition(" | ")[0] for line in said]


# ------------------------------------------------------------------ waves


def test_half_of_the_targets_are_deployed_to_at_once_and_then_the_other_half(
    project: Project,
) -> None:
    meet = (
        'touch "$PIPELINEKIT_TARGET/here"\n'
        'case "$PIPELINEKIT_TARGET" in */a) other=b;; */b) other=a;; */c) other=d;; *) other=c;; '
        "esac\n"
        'for _ in $(seq 100); do [ -e "$PIPELINEKIT_TARGET/../$other/here" ] && exit 0; '
        "sleep 0.1; done\nexit 1\n"
    )
    early = (
        'case "$PIPELINEKIT_TARGET" in */a|*/b) [ ! -e "$PIPELINEKIT_TARGET/../c/here" ];; esac'
    )
    outcome = release(project, ApplicationStart=meet, BeforeInstall=early)
    assert isinstance(outcome, Succeeded), outcome
    assert outcome.summary == "Deployment Succeeded: 4 of 4 targets"
    assert waves(project) == ["Wave 1 (HalfAtATime): a, b", "Wave 2 (HalfAtATime): c, d"]


@pytest.mark.parametrize(
    ("changes", "broken", "summary"),
    [
        ({"config": "OneAtATime"}, "d", "Deployment Succeeded: 3 of 4 targets"),
        ({"config": "OneAtATime"}, "a", "Deployment Failed: 0 of 4 targets succeeded"),
        ({"config": "OneAtATime"}, "c", "Deployment Failed: 2 of 4 targets succeeded"),
        ({"config": "HalfAtATime"}, "a|d", "Deployment Succeeded: 2 of 4 targets"),
        ({"config": "HalfAtATime"}, "a|b", "Deployment Failed: 0 of 4 targets succeeded"),
        ({"config": "AllAtOnce"}, "a|b|c", "Deployment Succeeded: 1 of 4 targets"),
        ({"config": "AllAtOnce"}, "a|b|c|d", "Deployment Failed: 0 of 4 targets succeeded"),
        ({"minimum_healthy": "3"}, "b", "Deployment Failed: 1 of 4 targets succeeded"),
        ({"minimum_healthy": "50%"}, "b|c", "Deployment Failed: 1 of 4 targets succeeded"),
    ],
)
def test_a_deployment_succeeds_or_fails_by_the_minimum_of_healthy_targets(
    project: Project, changes: Mapping[str, str], broken: str, summary: str
) -> None:
    project.group = replace(
        project.group,
        config=changes.get("config", "OneAtATime"),
        minimum_healthy=changes.get("minimum_healthy"),
    )
    outcome = release(project, ApplicationStart=only(broken))
    assert isinstance(outcome, Succeeded | Failed)
    assert outcome.summary == summary
    assert isinstance(outcome, Succeeded) == summary.startswith("Deployment Succeeded")


def test_targets_that_must_stay_healthy_are_not_tried_and_named(project: Project) -> None:
    outcome = failed(release(project, ApplicationStart=only("a|b")))
    assert waves(project)[-1] == (
        "Stopped: 2 of 4 targets must stay healthy (HalfAtATime); not tried: c, d"
    )
    assert "0 of 4 targets succeeded, 2 failed, 2 were not tried" in outcome.message
    assert not project.ids("c")


def test_what_failed_is_left_where_the_deployment_as_a_whole_succeeded(project: Project) -> None:
    project.group = replace(project.group, config="AllAtOnce")
    release(project)
    assert isinstance(release(project, ApplicationStart=only("a")), Succeeded)
    assert project.last("a") == attempt(1)
    assert project.last("b") == attempt(2)
    assert project.ledger("a")[-1] == "ApplicationStart x"


# ------------------------------------------------------------------ whose turn it is


def test_unhealthy_targets_come_first_then_old_ones_then_current_ones(project: Project) -> None:
    project.group = replace(project.group, config="OneAtATime", rollback=False)
    assert isinstance(release(project), Succeeded)
    failed(release(project, ApplicationStart=only("c")))
    project.said.clear()
    project.group = replace(project.group, targets=("d", "c", "b", "a"))
    assert isinstance(release(project), Succeeded)
    # c failed; b and a have what became no revision of the group; d has the group's last one.
    assert order_of(project) == ["c", "b", "a", "d"]


def test_after_a_rollback_every_target_is_healthy_and_current_again(project: Project) -> None:
    project.group = replace(project.group, config="OneAtATime")
    release(project)
    failed(release(project, ApplicationStart=only("c")))
    project.said.clear()
    release(project)
    assert order_of(project) == ["a", "b", "c", "d"]


# ------------------------------------------------------------------ the log


def test_every_line_of_the_log_names_its_target(project: Project) -> None:
    release(project, ApplicationStart='echo "I am $PIPELINEKIT_TARGET"\n')
    for name in NAMES:
        assert f"{name} | I am {project.folder / name}" in project.said
        assert f"{name} | -- ApplicationStart: scripts/ApplicationStart --" in project.said


def test_the_log_ends_with_every_event_of_every_target_and_how_long_it_took(
    project: Project,
) -> None:
    release(project, AfterInstall=only("d", "sleep 1.2; exit 1"))
    end = project.said[project.said.index(f"== {project.folder / 'd'}: Failed ==") :]
    rows = [line.split() for line in end[1:]]
    assert [(row[0], row[1]) for row in rows] == [
        ("ApplicationStop", "Skipped"),
        ("DownloadBundle", "Succeeded"),
        ("BeforeInstall", "Succeeded"),
        ("Install", "Succeeded"),
        ("AfterInstall", "Failed"),
    ]
    assert float(rows[-1][2]) >= 1.2
    assert rows[-1][3:] == ["s", attempt(1)]
    assert f"== {project.folder / 'a'}: Succeeded ==" in project.said


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (DeploymentGroup(("a",), config="HalfAtATime"), "none can be deployed to"),
        (DeploymentGroup(("a",), config="Slowly"), "no deployment configuration Slowly"),
        (DeploymentGroup(("a", "b"), minimum_healthy="many"), "such as 3 or 75%"),
        (DeploymentGroup(("a",), blue=("b",)), "targets and blue or green"),
        (DeploymentGroup(blue=("a",), green=("b",)), "traffic"),
        (DeploymentGroup(blue=("a",), traffic="true"), "needs blue, green and traffic"),
        (DeploymentGroup(blue=("a",), green=("./a",), traffic="true"), "a target twice"),
        (DeploymentGroup(("ssh://host",)), "ssh://user@host:port/folder"),
        (DeploymentGroup(("ssh://me:secret@host/srv",)), "keep passwords out of it"),
    ],
)
def test_a_group_that_cannot_be_used_is_told_before_anything_runs(
    project: Project, group: DeploymentGroup, words: str
) -> None:
    project.group = group
    assert codedeploy.traits.check is not None
    assert words in (codedeploy.traits.check(ACTION, project.settings) or "")
    assert failed(project.deploy(HEAD)).code == FailureType.CONFIGURATION_ERROR
