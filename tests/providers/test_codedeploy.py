"""Deployments to folders: real scripts, real files, real servers, as CodeDeploy orders them."""

import contextlib
import dataclasses
import os
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.order import FailureType, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup, Settings
from pipelinekit.providers.codedeploy import codedeploy, deployment_id
from pipelinekit.tools.deployments.deployment import Target
from pipelinekit.tools.jobs.proctree import processes
from tests.providers.deployments import (
    ACTION,
    HEAD,
    HOOKS,
    Project,
    attempt,
    failed,
    scripts,
)

NOBODY = 65534


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


# ------------------------------------------------------------------ what it declares


def test_the_type_is_the_one_that_validation_knows() -> None:
    declared, known = codedeploy.type, TYPES[ACTION.type]
    assert {each.name: each.required for each in declared.properties} == {
        each.name: each.required for each in known.properties
    }
    assert (declared.inputs, declared.outputs) == (known.inputs, known.outputs)
    assert (declared.variables, declared.timeout) == (known.variables, known.timeout)
    assert ACTION.configuration == {
        "ApplicationName": "shop",
        "DeploymentGroupName": "production",
    }


def test_an_attempt_has_always_the_same_deployment_id() -> None:
    ids = {deployment_id(f"order {number}") for number in range(1000)}
    assert len(ids) == 1000
    assert all(each.startswith("d-") and len(each) == 11 and each[2:].isalnum() for each in ids)
    assert deployment_id("order 7") == deployment_id("order 7")


# ------------------------------------------------------------------ the order of things


def test_events_come_in_codedeploys_order_and_stop_comes_from_the_revision_that_runs(
    project: Project,
) -> None:
    first = project.deploy(HEAD + HOOKS, scripts("one"))
    assert first == Succeeded(
        summary="Deployment Succeeded: 1 of 1 targets", external_id=attempt(1)
    )
    skipped = "-- ApplicationStop: skipped, for no deployment to this target has succeeded before"
    assert any(line.startswith(skipped) for line in project.said)
    assert isinstance(project.deploy(HEAD + HOOKS, scripts("two")), Succeeded)
    assert project.ledger() == [
        "BeforeInstall one",
        "AfterInstall one",
        "ApplicationStart one",
        "ValidateService one",
        "ApplicationStop one",
        "BeforeInstall two",
        "AfterInstall two",
        "ApplicationStart two",
        "ValidateService two",
    ]
    assert project.last() == attempt(2)


def test_a_script_runs_in_the_archive_with_a_clean_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "do not tell")
    monkeypatch.setenv("TZ", "UTC")
    project.group = replace(
        project.group, environment={"PORT": "8002", "DEPLOYMENT_ID": "not this"}
    )
    body = 'env > "$PIPELINEKIT_TARGET/env"; pwd > "$PIPELINEKIT_TARGET/pwd"; cat\n'
    project.deploy(HEAD + HOOKS, scripts("one", ApplicationStart=body))
    lines = (project.live / "env").read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines)
    assert {
        "APPLICATION_NAME": "shop",
        "DEPLOYMENT_ID": attempt(1),
        "DEPLOYMENT_GROUP_NAME": "production",
        "LIFECYCLE_EVENT": "ApplicationStart",
        "PIPELINEKIT_TARGET": str(project.live),
        "PIPELINEKIT_ACTION_EXECUTION_ID": "attempt-1",
        "PORT": "8002",
        "TZ": "UTC",
        "PATH": os.environ["PATH"],
    }.items() <= found.items()
    assert len(found["DEPLOYMENT_GROUP_ID"]) == 36
    assert "SECRET" not in found
    archive = project.live / ".codedeploy" / attempt(1) / "deployment-archive"
    assert (project.live / "pwd").read_text(encoding="utf-8").strip() == str(archive)


def test_the_log_has_a_heading_for_each_script_and_its_bare_output(
    project: Project,
) -> None:
    body = "echo out; echo err >&2\n"
    project.deploy(HEAD + HOOKS, scripts("one", ApplicationStart=body))
    assert "-- ApplicationStart: scripts/ApplicationStart --" in project.said
    at = project.said.index("-- ApplicationStart: scripts/ApplicationStart --")
    assert project.said[at + 1 : at + 3] == ["out", "err"]
    log = project.live / ".codedeploy" / attempt(1) / "logs" / "scripts.log"
    assert log.read_text(encoding="utf-8") == "out\nerr\n"


def test_events_of_a_load_balancer_and_unknown_keys_are_passed_over_aloud(
    project: Project,
) -> None:
    spec = HEAD + "hooks:\n  AfterAllowTraffic:\n    - location: tell\n      arguments: [x]\n"
    assert isinstance(project.deploy(spec), Succeeded)
    told = "\n".join(project.said)
    assert "-- AfterAllowTraffic: skipped, for the group has no traffic command --" in told
    assert "appspec.yml, line 6: hooks.AfterAllowTraffic[0].arguments" in told


def test_a_script_without_a_first_line_for_the_system_is_run_by_the_shell(
    project: Project,
) -> None:
    spec = HEAD + "hooks:\n  AfterInstall:\n    - location: go\n"
    assert isinstance(
        project.deploy(spec, {"go": 'echo went > "$PIPELINEKIT_TARGET/ledger"\n'}), Succeeded
    )
    assert project.ledger() == ["went"]


# ------------------------------------------------------------------ files


def test_files_are_placed_beneath_the_target_and_leftovers_of_the_last_one_removed(
    project: Project,
) -> None:
    spec = HEAD + (
        "files:\n  - source: app\n    destination: /srv/shop\n"
        "  - source: /conf/shop.ini\n    destination: /etc/shop/\n"
    )
    project.deploy(spec, {"app/a": "1", "app/old/b": "1", "conf/shop.ini": "1"})
    (project.live / "srv/shop/kept").write_text("mine", encoding="utf-8")
    project.deploy(spec, {"app/a": "2", "app/new/c": "2", "conf/shop.ini": "2"})
    found = {
        str(path.relative_to(project.live)): path.read_text(encoding="utf-8")
        for path in project.live.rglob("*")
        if path.is_file() and ".codedeploy" not in path.parts
    }
    assert found == {
        "etc/shop/shop.ini": "2",
        "srv/shop/a": "2",
        "srv/shop/kept": "mine",
        "srv/shop/new/c": "2",
    }
    assert not (project.live / "srv/shop/old").exists()


def test_what_a_failed_deployment_installed_is_not_in_the_way_of_the_next(
    project: Project,
) -> None:
    spec = HEAD + "files:\n  - source: app\n    destination: /srv\n" + HOOKS
    first = project.deploy(spec, {"app/a": "1", **scripts("one", AfterInstall="exit 1")})
    assert failed(first).code == "ScriptFailed"
    assert (project.live / "srv/a").exists()
    assert isinstance(project.deploy(spec, {"app/b": "2", **scripts("two")}), Succeeded)
    assert [path.name for path in (project.live / "srv").iterdir()] == ["b"]


def test_permissions_reach_what_their_object_pattern_and_type_mean(project: Project) -> None:
    spec = HEAD + (
        "files:\n  - source: app\n    destination: /srv\npermissions:\n"
        "  - object: /srv\n    mode: 640\n    type: [file]\n"
        "  - object: /srv\n    mode: 0750\n    type: [directory]\n"
        '  - object: /srv\n    pattern: "*.sh"\n    except: ["no*"]\n    mode: 755\n'
        f"  - object: /srv/one\n    mode: 4711\n    owner: {os.geteuid()}\n"
        f"    group: {os.getegid()}\n"
    )
    names = ("one", "go.sh", "no.sh", "in/deep.sh")
    assert isinstance(project.deploy(spec, {f"app/{name}": "" for name in names}), Succeeded)
    modes = {
        name: stat.S_IMODE((project.live / "srv" / name).stat().st_mode) for name in (*names, "in")
    }
    assert modes == {
        "one": 0o4711,
        "go.sh": 0o755,
        "no.sh": 0o640,
        "in/deep.sh": 0o640,
        "in": 0o750,
    }


@pytest.mark.parametrize(
    ("behavior", "content"),
    [("DISALLOW", "theirs"), ("OVERWRITE", "ours"), ("RETAIN", "theirs")],
)
def test_a_foreign_file_in_the_way_is_refused_replaced_or_kept(
    project: Project, behavior: str, content: str
) -> None:
    spec = HEAD + "files:\n  - source: app\n    destination: /srv\n"
    spec += f"file_exists_behavior: {behavior}\n"
    foreign = project.live / "srv" / "b"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("theirs", encoding="utf-8")
    outcome = project.deploy(spec, {"app/a": "ours", "app/b": "ours"})
    assert foreign.read_text(encoding="utf-8") == content
    assert (foreign.parent / "a").exists() == (behavior != "DISALLOW")
    if behavior == "DISALLOW":
        assert f"already exists at this location: {foreign}" in failed(outcome).message
        return
    assert isinstance(project.deploy(spec, {"app/c": "ours"}), Succeeded)
    assert foreign.exists() == (behavior == "RETAIN")


def test_symbolic_links_inside_the_revision_are_installed_as_links(project: Project) -> None:
    spec = HEAD + "files:\n  - source: app\n    destination: /srv\n"
    job = project.job(spec, {"app/v1/x": "1"})
    (job.inputs["app"] / "app" / "current").symlink_to("v1")
    assert isinstance(codedeploy.carry_out(job), Succeeded)
    assert (project.live / "srv/current").readlink() == Path("v1")


@pytest.mark.parametrize("link", ["/etc/passwd", "../../secret", "x/../../secret"])
def test_a_link_that_leads_out_of_the_revision_is_refused(project: Project, link: str) -> None:
    job = project.job(HEAD, {"app/x/y": ""})
    (job.inputs["app"] / "app" / "evil").symlink_to(link)
    outcome = failed(codedeploy.carry_out(job))
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert "app/evil is a symbolic link" in outcome.message
    assert link in outcome.message
    assert not project.live.exists()


def test_a_link_that_would_lead_out_of_the_target_is_refused(project: Project) -> None:
    job = project.job(HEAD + "files:\n  - source: a/b\n    destination: /\n", {"a/b/x": ""})
    (job.inputs["app"] / "a" / "b" / "up").symlink_to("../../appspec.yml")
    assert "leads out of the folder" in failed(codedeploy.carry_out(job)).message
    assert not (project.live / "up").is_symlink()


@pytest.mark.parametrize("destination", ["/.codedeploy", "/.CodeDeploy/x", "/out/x"])
def test_a_destination_in_our_own_folder_or_out_of_the_target_is_refused(
    project: Project, destination: str
) -> None:
    project.live.mkdir()
    (project.live / "out").symlink_to(project.folder)
    spec = HEAD + f"files:\n  - source: app\n    destination: {destination}\n"
    outcome = failed(project.deploy(spec, {"app/last-successful": "d-AAAAAAAAA"}))
    assert "give it another destination" in outcome.message
    assert not (project.folder / "x").exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("  - {source: gone, destination: /srv}\n", "is not in the revision"),
        (
            "  - {source: app, destination: /srv}\n  - {source: app/a, destination: /srv}\n",
            "Two entries",
        ),
        (
            "  - {source: app/a, destination: /srv}\n  - {source: app, destination: /srv/a}\n",
            "a file is there",
        ),
    ],
)
def test_files_that_cannot_be_installed_are_told_before_any_is_copied(
    project: Project, files: str, words: str
) -> None:
    outcome = failed(project.deploy(HEAD + "files:\n" + files, {"app/a": ""}))
    assert words in outcome.message
    assert not (project.live / "srv").exists()


# ------------------------------------------------------------------ failures


def test_a_script_that_fails_is_named_with_its_event_and_exit_code(project: Project) -> None:
    outcome = failed(project.deploy(HEAD + HOOKS, scripts("one", AfterInstall="exit 7")))
    assert (outcome.code, outcome.external_id) == ("ScriptFailed", attempt(1))
    told = "AfterInstall: the script scripts/AfterInstall failed with exit code 7"
    assert outcome.message.startswith(told)
    assert f"{project.live} had no good revision to put back" in outcome.message
    assert project.ledger() == ["BeforeInstall one", "AfterInstall one"]


def test_a_script_that_is_not_there_is_named_with_the_line_that_asks_for_it(
    project: Project,
) -> None:
    spec = HEAD + "hooks:\n  AfterInstall:\n    - location: scripts/no.sh\n"
    outcome = failed(project.deploy(spec))
    assert outcome.code == "ScriptMissing"
    assert "scripts/no.sh is not in the revision" in outcome.message
    assert "line 5 of the appspec" in outcome.message


def test_a_script_with_a_missing_interpreter_is_told_as_such(project: Project) -> None:
    outcome = failed(
        project.deploy(HEAD + HOOKS, scripts("one") | {"scripts/BeforeInstall": "#!/no/sh\n"})
    )
    assert "scripts/BeforeInstall cannot be started" in outcome.message


def test_a_revision_without_an_appspec_is_refused_with_what_is_there(project: Project) -> None:
    job = project.job(HEAD, {"README.md": "", "src/x": ""})
    (job.inputs["app"] / "appspec.yml").unlink()
    outcome = failed(codedeploy.carry_out(job))
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert "there is only README.md, src/;" in outcome.message


def test_appspec_yaml_is_as_good_a_name(project: Project) -> None:
    job = project.job(HEAD, {})
    (job.inputs["app"] / "appspec.yml").rename(job.inputs["app"] / "appspec.yaml")
    assert isinstance(codedeploy.carry_out(job), Succeeded)


def test_an_appspec_that_is_wrong_is_refused_before_anything_is_touched(
    project: Project,
) -> None:
    outcome = failed(project.deploy("version: 0.0\nos: windows\n"))
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert "appspec.yml, line 2: found" in outcome.message
    assert not project.live.exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("hooks:\n  AfterInstall:\n    - {location: x, runas: no-such-user}\n", "no such user"),
        ("permissions:\n  - {object: /x, owner: no-such-user}\n", "no user 'no-such-user'"),
        ("permissions:\n  - {object: /x, group: no-such-group}\n", "no group 'no-such-group'"),
        ("permissions:\n  - {object: /x, acls: ['u:a:rw']}\n", "use owner, group and mode"),
        ("permissions:\n  - {object: /x, context: {user: a}}\n", "use owner, group and mode"),
    ],
)
def test_what_this_machine_cannot_give_is_refused_before_anything_is_touched(
    project: Project, spec: str, words: str
) -> None:
    outcome = failed(project.deploy(HEAD + spec))
    assert outcome.code == FailureType.CONFIGURATION_ERROR
    assert words in outcome.message
    assert not project.live.exists()


@contextlib.contextmanager
def open_project() -> Iterator[Project]:
    """Give a project folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Project(Path(folder))


@pytest.mark.root
def test_root_runs_a_script_as_the_user_that_it_names() -> None:
    with open_project() as project:
        project.live.mkdir()
        project.live.chmod(0o777)
        body = '#!/bin/sh\necho "$(id -u) $USER" > "$PIPELINEKIT_TARGET/ledger"\n'
        spec = HEAD + "hooks:\n  AfterInstall:\n    - {location: go, runas: nobody}\n"
        assert isinstance(project.deploy(spec, {"go": body}), Succeeded)
        assert project.ledger() == [f"{NOBODY} nobody"]


@pytest.mark.root
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("hooks:\n  AfterInstall:\n    - {location: x, runas: root}\n", "remove runas"),
        ("permissions:\n  - {object: /x, owner: root}\n", "remove owner and group"),
    ],
)
def test_whoever_is_not_root_cannot_become_another(spec: str, words: str) -> None:
    with open_project() as project:
        job = project.job(HEAD + spec, {"x": ""})
        job.read()
        job.folder.chmod(0o777)
        os.seteuid(NOBODY)
        try:
            outcome = failed(codedeploy.carry_out(job))
        finally:
            os.seteuid(0)
    assert outcome.code == FailureType.PERMISSION_ERROR
    assert words in outcome.message


def test_a_target_that_is_a_file_fails_with_its_path(project: Project) -> None:
    project.live.write_text("", encoding="utf-8")
    assert str(project.live) in failed(project.deploy(HEAD)).message


@pytest.mark.slow
def test_a_script_that_takes_too_long_is_killed_with_all_that_it_started(
    project: Project,
) -> None:
    pids = '"$PIPELINEKIT_TARGET/pids"'
    stubborn = "trap : TERM; while :; do sh -c 'echo \\$\\$ >> \\$PIDS; exec sleep 300'; done"
    body = (
        f"#!/bin/sh\nexport PIDS={pids}\n"
        f'setsid sh -c "{stubborn}" &\necho $! >> {pids}\n'
        f"(trap '' TERM; sleep 300) &\necho $! >> {pids}\n"
        f"(sleep 300 & echo $! >> {pids})\n"
        f"echo $$ >> {pids}\nsleep 300\n"
    )
    spec = HEAD + "hooks:\n  AfterInstall:\n    - {location: go, timeout: 1}\n"
    outcome = failed(project.deploy(spec, {"go": body}))
    assert outcome.code == "ScriptTimedOut"
    assert "the script go did not end within 1 seconds" in outcome.message
    started = {int(pid) for pid in (project.live / "pids").read_text().split()}
    assert len(started) >= 6  # one of them twice, for it began anew when it was asked to end
    assert not started & {process.pid for process in processes()}


# ------------------------------------------------------------------ rollback


def test_a_failed_deployment_puts_the_last_good_revision_back(project: Project) -> None:
    spec = HEAD + "files:\n  - source: app\n    destination: /srv\n" + HOOKS
    project.deploy(spec, {"app/a": "1", **scripts("one")})
    outcome = project.deploy(spec, {"app/b": "2", **scripts("two", ValidateService="exit 1")})
    assert failed(outcome).code == "ScriptFailed"
    told = failed(outcome).message
    assert "ValidateService failed with exit code 1" in told
    assert told.endswith(f"Revision {attempt(1)} was put back on {project.live}")
    assert [path.name for path in (project.live / "srv").iterdir()] == ["a"]
    assert project.last() == attempt(1)
    assert project.ledger()[-5:] == [
        "ApplicationStop one",
        "BeforeInstall one",
        "AfterInstall one",
        "ApplicationStart one",
        "ValidateService one",
    ]


def test_without_rollback_the_target_stays_as_it_is(project: Project) -> None:
    project.group = replace(project.group, rollback=False)
    project.deploy(HEAD + HOOKS, scripts("one"))
    outcome = project.deploy(HEAD + HOOKS, scripts("two", ValidateService="exit 1"))
    assert "Rollback is off" in failed(outcome).message
    assert project.ledger()[-1] == "ValidateService two"
    assert project.last() == attempt(1)


def test_a_stop_script_that_fails_fails_the_deployment_and_says_how_to_go_on(
    project: Project,
) -> None:
    project.deploy(HEAD + HOOKS, scripts("one", ApplicationStop="exit 3"))
    outcome = failed(project.deploy(HEAD + HOOKS, scripts("two")))
    assert "ApplicationStop: the script" in outcome.message
    assert f"To put revision {attempt(1)} back on {project.live} failed too" in outcome.message
    last = project.live / ".codedeploy" / "last-successful"
    assert f"remove {last} to deploy without it" in outcome.message
    last.unlink()
    assert isinstance(project.deploy(HEAD + HOOKS, scripts("three")), Succeeded)


def test_a_group_whose_second_target_fails_is_put_back_as_a_whole(project: Project) -> None:
    project.group = replace(project.group, targets=("live", "other", "third"))
    assert isinstance(project.deploy(HEAD + HOOKS, scripts("one")), Succeeded)
    body = 'case "$PIPELINEKIT_TARGET" in */other) exit 1;; esac\n'
    outcome = failed(project.deploy(HEAD + HOOKS, scripts("two", ApplicationStart=body)))
    for target in ("live", "other"):
        assert f"put back on {project.folder / target}" in outcome.message
        assert project.last(target) == attempt(1)
        assert project.ledger(target)[-1] == "ValidateService one"
    assert "ApplicationStop two" in project.ledger("live")
    assert "ApplicationStop two" not in project.ledger("other")
    assert len(project.ledger("third")) == 4
    assert project.last("third") == attempt(1)


def test_old_revisions_are_removed_but_never_the_last_good_one(project: Project) -> None:
    project.group = replace(project.group, keep=2, rollback=False)
    for _ in range(3):
        project.deploy(HEAD)
    assert project.ids() == {attempt(2), attempt(3)}
    for _ in range(3):
        project.deploy(HEAD + HOOKS, scripts("bad", BeforeInstall="exit 1"))
    assert project.ids() == {attempt(3), attempt(5), attempt(6)}
    assert project.last() == attempt(3)


# ------------------------------------------------------------------ servers


SERVER = {
    "scripts/ApplicationStart": (
        '#!/bin/sh\ncd "$PIPELINEKIT_TARGET/srv" || exit 1\n'
        'nohup "$PYTHON" -m http.server "$PORT" --bind 127.0.0.1 &\n'
        'echo $! > "$PIPELINEKIT_TARGET/pid"\n'
    ),
    "scripts/ApplicationStop": '#!/bin/sh\nkill "$(cat "$PIPELINEKIT_TARGET/pid")"\n',
    "scripts/ValidateService": (
        "#!/bin/sh\nfor _ in $(seq 100); do\n"
        '  "$PYTHON" -c "import urllib.request as u; '
        "u.urlopen('http://127.0.0.1:$PORT/version', timeout=5)\" 2>/dev/null && exit 0\n"
        "  sleep 0.1\ndone\nexit 1\n"
    ),
}
SERVED = (
    HEAD
    + "files:\n  - source: app\n    destination: /srv\n"
    + "hooks:\n"
    + "".join(
        f"  {event}:\n    - location: scripts/{event}\n"
        for event in ("ApplicationStop", "ApplicationStart", "ValidateService")
    )
)


@pytest.fixture
def shop(project: Project) -> Iterator[Project]:
    """Give a project whose group has a port, and end the server that is left."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = str(chosen.getsockname()[1])
    project.group = replace(project.group, environment={"PORT": port, "PYTHON": sys.executable})
    yield project
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(server(project), signal.SIGKILL)


def server(project: Project) -> int:
    return int((project.live / "pid").read_text(encoding="utf-8"))


def version(project: Project) -> str:
    url = f"http://127.0.0.1:{project.group.environment['PORT']}/version"
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


@pytest.mark.slow
def test_a_server_in_the_background_survives_until_the_next_deployment_stops_it(
    shop: Project,
) -> None:
    assert isinstance(shop.deploy(SERVED, {"app/version": "one", **SERVER}), Succeeded)
    first = server(shop)
    assert version(shop) == "one"
    assert isinstance(shop.deploy(SERVED, {"app/version": "two", **SERVER}), Succeeded)
    assert first not in {process.pid for process in processes()}
    assert version(shop) == "two"


@pytest.mark.slow
def test_after_a_rollback_the_old_version_is_in_place_and_answers(shop: Project) -> None:
    shop.deploy(SERVED, {"app/version": "one", **SERVER})
    refuse = {"scripts/ValidateService": "#!/bin/sh\nexit 1\n"}
    outcome = shop.deploy(SERVED, {"app/version": "two", **SERVER, **refuse})
    assert f"Revision {attempt(1)} was put back" in failed(outcome).message
    assert (shop.live / "srv/version").read_text(encoding="utf-8") == "one"
    assert version(shop) == "one"


# ------------------------------------------------------------------ the group


def test_a_second_deployment_to_a_target_waits_for_the_first(project: Project) -> None:
    outcomes: list[Outcome] = []
    job = project.job(HEAD, {})
    second = threading.Thread(target=lambda: outcomes.append(codedeploy.carry_out(job)))
    with Target(project.live).locked(lambda: None):
        second.start()
        deadline = time.monotonic() + 10
        while not any("is under way; waiting" in line for line in list(project.said)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not project.ids()
    second.join(10)
    assert isinstance(outcomes[0], Succeeded)


def test_a_group_that_is_not_configured_is_told_with_the_lines_to_add(
    project: Project,
) -> None:
    assert codedeploy.traits.check is not None
    told = codedeploy.traits.check(ACTION, Settings()) or ""
    assert tomllib.loads(told.partition("\n")[2]) == {
        "codedeploy": {"shop": {"production": {"targets": ["deploy/production"]}}}
    }
    assert codedeploy.traits.check(ACTION, project.settings) is None
    odd = codedeploy("live", application="my.shop", group="eu #1")
    told = codedeploy.traits.check(odd, Settings()) or ""
    assert "my.shop" in tomllib.loads(told.partition("\n")[2])["codedeploy"]
    job = dataclasses.replace(project.job(HEAD, {}), settings=Settings())
    assert failed(codedeploy.carry_out(job)).code == FailureType.CONFIGURATION_ERROR


def test_a_name_that_a_variable_will_give_is_not_judged_before_it_is_known() -> None:
    later = codedeploy("live", application="shop", group="#{Source.BranchName}")
    assert codedeploy.traits.check is not None
    assert codedeploy.traits.check(later, Settings()) is None


def test_a_target_belongs_to_one_group_and_stands_in_it_once(project: Project) -> None:
    assert codedeploy.traits.check is not None
    groups = {"shop/production": project.group, "blog/web": DeploymentGroup(("./live",))}
    shared = codedeploy.traits.check(ACTION, replace(project.settings, groups=groups))
    assert shared is not None
    assert "shop/production and blog/web share the target" in shared
    groups = {"shop/production": DeploymentGroup(("live", "./live"))}
    twice = codedeploy.traits.check(ACTION, replace(project.settings, groups=groups))
    assert twice is not None
    assert "names a target twice" in twice
