"""Deployments to hosts over SSH: a real sshd, the semantics of a folder, clear failures."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.model.order import FailureType, Outcome, Succeeded
from pipelinekit.model.settings import DeploymentGroup
from pipelinekit.providers.codedeploy import codedeploy
from pipelinekit.tools.deployments.deployment import Target
from pipelinekit.tools.deployments.remote import RemoteHost
from pipelinekit.tools.deployments.revision import UNREACHABLE, DeploymentError
from pipelinekit.tools.deployments.ssh_address import Address
from pipelinekit.tools.jobs.proctree import family, processes
from tests import sshd
from tests.providers.deployments import HEAD, HOOKS, Project, attempt, failed, scripts

pytestmark = [pytest.mark.sshd, pytest.mark.slow]

FILES = "files:\n  - source: app\n    destination: /srv\n"
SPEC = HEAD + FILES + HOOKS


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Sshd]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def host(server: sshd.Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[sshd.Sshd]:
    """Be the user of the server, and put back what a test changes of the files."""
    monkeypatch.setenv("HOME", str(server.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    before = {path: path.read_bytes() for path in (server.known_hosts, server.authorized)}
    yield server
    for path, content in before.items():
        path.write_bytes(content)


@pytest.fixture
def project(tmp_path: Path, host: sshd.Sshd) -> Project:
    return Project(tmp_path, DeploymentGroup(targets=(host.url(tmp_path / "live"),)))


def release(project: Project, version: str, **bodies: str) -> Outcome:
    return project.deploy(SPEC, {f"app/{version}": version, **scripts(version, **bodies)})


def until(is_so: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ------------------------------------------------------------------ the same as in a folder


def test_a_host_goes_through_the_same_as_a_folder(project: Project) -> None:
    assert isinstance(
        release(project, "one", ApplicationStart="echo out; echo err >&2"), Succeeded
    )
    assert isinstance(release(project, "two"), Succeeded)
    assert project.ledger()[4:] == [
        "ApplicationStop one",
        "BeforeInstall two",
        "AfterInstall two",
        "ApplicationStart two",
        "ValidateService two",
    ]
    assert [path.name for path in (project.live / "srv").iterdir()] == ["two"]
    assert project.last() == attempt(2)
    at = project.said.index("-- ApplicationStart: scripts/ApplicationStart --")
    assert project.said[at + 1 : at + 3] == ["out", "err"]
    assert not (project.live / ".codedeploy" / "bundle.zip").exists()


def test_a_host_is_put_back_from_the_revision_that_it_has_kept(project: Project) -> None:
    release(project, "one")
    outcome = failed(release(project, "two", ValidateService="exit 1"))
    assert outcome.code == "ScriptFailed"
    assert f"Revision {attempt(1)} was put back on ssh://" in outcome.message
    assert [path.name for path in (project.live / "srv").iterdir()] == ["one"]
    archive = project.live / ".codedeploy" / attempt(1) / "deployment-archive"
    assert f"-- DownloadBundle: skipped, for {archive} was kept --" in project.said


def test_a_script_on_a_host_sees_the_group_and_not_the_engine(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Mars/Olympus")
    project.group = replace(project.group, environment={"COLOUR": "red 'n' blue"})
    release(project, "one", AfterInstall='env > "$PIPELINEKIT_TARGET/env"')
    lines = (project.live / "env").read_text(encoding="utf-8").splitlines()
    assert "COLOUR=red 'n' blue" in lines
    assert f"PIPELINEKIT_TARGET={project.live}" in lines
    assert "DEPLOYMENT_GROUP_NAME=production" in lines
    assert "TZ=Mars/Olympus" not in lines


def test_a_second_deployment_to_a_host_waits_for_the_first(project: Project) -> None:
    outcomes: list[Outcome] = []
    job = project.job(HEAD, {})
    second = threading.Thread(target=lambda: outcomes.append(codedeploy.carry_out(job)))
    with Target(project.live).locked(lambda: None):
        second.start()
        until(lambda: any("is under way; waiting" in line for line in list(project.said)))
        assert not project.ids()
    second.join(20)
    assert isinstance(outcomes[0], Succeeded)


def test_hosts_and_folders_share_a_group(project: Project) -> None:
    project.group = replace(
        project.group, targets=(*project.group.targets, "folder"), config="AllAtOnce"
    )
    outcome = release(project, "one")
    assert isinstance(outcome, Succeeded)
    assert outcome.summary == "Deployment Succeeded: 2 of 2 targets"
    assert project.ledger() == project.ledger("folder")


def test_a_target_that_is_named_twice_by_two_names_does_not_wait_for_itself(
    project: Project,
) -> None:
    project.group = replace(project.group, targets=(*project.group.targets, "live"))
    assert "twice, by two names" in failed(release(project, "one")).message


def test_what_a_host_lacks_is_refused_before_it_is_touched(project: Project) -> None:
    spec = HEAD + "hooks:\n  AfterInstall:\n    - {location: x, runas: no-such-user}\n"
    assert "no such user" in failed(project.deploy(spec)).message
    assert not project.live.exists()


# ------------------------------------------------------------------ who is let in where


def test_a_host_whose_key_is_unknown_is_refused_with_the_line_that_adds_it(
    project: Project, host: sshd.Sshd
) -> None:
    line = host.known_hosts.read_text(encoding="utf-8").strip()
    host.known_hosts.write_text("", encoding="utf-8")
    outcome = failed(release(project, "one"))
    assert outcome.code == FailureType.SYSTEM_UNAVAILABLE
    assert "is not known, and nothing was sent there" in outcome.message
    assert "SHA256:" in outcome.message
    told = next(each for each in outcome.message.splitlines() if each.startswith("[127.0.0.1]"))
    assert told == line
    assert not project.live.exists()
    host.known_hosts.write_text(f"{told}\n", encoding="utf-8")
    assert isinstance(release(project, "two"), Succeeded)


def test_a_host_that_shows_another_key_than_before_is_refused(
    project: Project, host: sshd.Sshd
) -> None:
    other = (host.home / ".ssh" / "id_ed25519.pub").read_text(encoding="utf-8").split()[1]
    name, kind, _ = host.known_hosts.read_text(encoding="utf-8").split()
    host.known_hosts.write_text(f"{name} {kind} {other}\n", encoding="utf-8")
    outcome = failed(release(project, "one"))
    assert "somebody may be in between" in outcome.message
    assert not project.live.exists()


def test_a_key_that_is_revoked_is_refused_although_it_is_known(
    project: Project, host: sshd.Sshd
) -> None:
    line = host.known_hosts.read_text(encoding="utf-8")
    host.known_hosts.write_text(f"{line}@revoked {line.replace('[', '*,[')}", encoding="utf-8")
    assert "is not known" in failed(release(project, "one")).message
    odd = "@cert-authority * ssh-ed25519 AAAA\nhost ssh-rsa !!!\n\xff\n"
    host.known_hosts.write_text(odd + line, encoding="latin-1")
    assert isinstance(release(project, "two"), Succeeded)


def test_a_host_that_does_not_let_us_in_says_what_to_do(project: Project, host: sshd.Sshd) -> None:
    host.authorized.write_text("", encoding="utf-8")
    outcome = failed(release(project, "one"))
    assert "does not let us in" in outcome.message
    assert "~/.ssh/authorized_keys" in outcome.message


def test_the_agent_of_the_user_is_asked_for_keys(
    project: Project, host: sshd.Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, hidden = host.home / ".ssh" / "id_ed25519", tmp_path / "key"
    socket = Path(f"/tmp/agent-{os.getpid()}")
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as agent:
        try:
            until(socket.exists)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
            subprocess.run(["ssh-add", "-q", key], check=True)
            key.rename(hidden)
            assert isinstance(release(project, "one"), Succeeded)
        finally:
            agent.terminate()
            if hidden.exists():
                hidden.rename(key)


def test_an_alias_of_the_ssh_configuration_stands_for_host_port_and_user(
    project: Project, host: sshd.Sshd
) -> None:
    user = Address.read(project.group.targets[0]).user
    config = host.home / ".ssh" / "config"
    config.write_text(
        f"Host web1\n  HostName 127.0.0.1\n  Port {host.port}\n  User {user}\n", encoding="utf-8"
    )
    project.group = replace(project.group, targets=(f"ssh://web1{project.live}",))
    try:
        assert isinstance(release(project, "one"), Succeeded)
    finally:
        config.unlink()


def test_a_host_that_nobody_answers_at_is_one_failed_target(
    project: Project, host: sshd.Sshd
) -> None:
    gone = host.url(project.folder / "gone").replace(str(host.port), "1")
    project.group = replace(
        project.group, targets=(gone, *project.group.targets), config="AllAtOnce"
    )
    outcome = release(project, "one")
    assert isinstance(outcome, Succeeded)
    assert outcome.summary == "Deployment Succeeded: 1 of 2 targets"
    assert any("could not be reached within 15 seconds" in line for line in project.said)
    project.group = replace(project.group, config="OneAtATime")
    told = failed(release(project, "two")).message
    assert "check that the host runs" in told
    assert "1 were not tried" in told


def test_a_host_without_the_python_that_is_asked_for_says_so(project: Project) -> None:
    project.group = replace(project.group, python="python9.9")
    outcome = failed(release(project, "one"))
    assert "python9.9" in outcome.message
    assert "not found" in outcome.message


# ------------------------------------------------------------------ hosts that die


def test_a_host_that_dies_in_the_middle_is_a_clear_failure_and_leaves_nothing_running(
    project: Project, host: sshd.Sshd
) -> None:
    outcomes: list[Outcome] = []
    body = 'echo $$ > "$PIPELINEKIT_TARGET/pid"\nsleep 300\n'
    job = project.job(SPEC, {"app/a": "", **scripts("one", AfterInstall=body)})
    deploying = threading.Thread(target=lambda: outcomes.append(codedeploy.carry_out(job)))
    deploying.start()
    pid = project.live / "pid"
    until(lambda: pid.exists() and pid.read_text(encoding="utf-8").strip())
    table = processes()
    for child in [each.pid for each in table if each.parent == host.pid]:
        lines = {each.pid for each in table if each.parent == child} | {child}
        for each in lines:
            if b"sshd" in Path(f"/proc/{each}/cmdline").read_bytes():
                os.kill(each, signal.SIGKILL)
    deploying.join(20)
    outcome = failed(outcomes[0])
    assert outcome.code == FailureType.SYSTEM_UNAVAILABLE
    assert outcome.message.startswith("AfterInstall on ssh://")
    assert "the host broke off" in outcome.message
    number = int(pid.read_text(encoding="utf-8"))
    until(lambda: number not in {each.pid for each in processes()})
    assert isinstance(release(project, "two"), Succeeded)
    assert [path.name for path in (project.live / "srv").iterdir()] == ["two"]


def test_a_host_that_falls_silent_is_given_up_in_time(project: Project, host: sshd.Sshd) -> None:
    remote = RemoteHost(Address.read(host.url(project.live)), "python3", silence_seconds=7)
    remote.connect(project.said.append)
    remote.ask("lock", deployment="d-1")
    program = next(
        pid
        for pid in family(host.pid, processes())
        if b"host_program" in Path(f"/proc/{pid}/cmdline").read_bytes()
        and b"sshd" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    os.kill(program, signal.SIGSTOP)
    begin = time.monotonic()
    try:
        with pytest.raises(DeploymentError, match="said nothing for 7 seconds") as failure:
            remote.ask("begin", deployment="d-1")
    finally:
        with suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL)
    assert failure.value.code == UNREACHABLE
    assert time.monotonic() - begin < 20
    with pytest.raises(DeploymentError, match="is gone"):
        remote.ask("begin", deployment="d-1")


def test_a_host_that_waits_for_another_deployment_is_not_silent(
    project: Project, host: sshd.Sshd
) -> None:
    remote = RemoteHost(Address.read(host.url(project.live)), "python3", silence_seconds=7)
    remote.connect(project.said.append)
    with Target(project.live).locked(lambda: None):
        asked = threading.Thread(target=remote.ask, args=("lock",), kwargs={"deployment": "d-1"})
        asked.start()
        asked.join(10)
        assert asked.is_alive()
    asked.join(10)
    assert not asked.is_alive()
    remote.close()
