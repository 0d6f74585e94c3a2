"""Commands in a sandbox: what they see, what they cannot reach, what limits them."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.commands.confinement import HOST, Confinement, ConfinementError
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.commands.sandbox import Sandbox
from pipelinekit.tools.commands.shell import Shell, ShellTimeout
from pipelinekit.tools.jobs.cgroup import Limits, make_group

pytestmark = pytest.mark.sandbox

ORDINARY = 65534

CREDENTIALS = (
    ".aws/credentials",
    ".aws/sso/cache/token.json",
    ".ssh/id_ed25519",
    ".docker/config.json",
    ".netrc",
    ".git-credentials",
    ".config/gh/hosts.yml",
    ".kube/config",
    ".npmrc",
    ".cargo/credentials.toml",
    ".local/share/keyrings/login.keyring",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give this process a home of its own, with something secret in every corner."""
    home = tmp_path / "home"
    for name in CREDENTIALS:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("secret", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "state/jobs/1"
    (folder / "source").mkdir(parents=True)
    return folder


def shell(
    job: Path, place: Confinement | None = None, *, user: str | None = None, **variables: str
) -> Shell:
    launch = Launch(
        (place or HOST).shell(None) or "",
        {"PATH": os.environ["PATH"], "HOME": str(Path.home()), **variables},
        start=job / "source",
        within=place or Sandbox(writable=[job]),
        user=user,
    )
    return Shell(launch, job / "shell")


def on_the_host(command: str) -> bool:
    return subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode == 0


def test_commands_share_one_shell_and_change_only_what_is_named(job: Path) -> None:
    with shell(job) as opened:
        assert opened.run("export LEVEL=info; mkdir app; cd app; touch made", "1") == 0
        assert opened.run('test "$LEVEL$(hostname)" = infosandbox && test -e made', "2") == 0
        assert opened.run("(exit 7)", "3") == 7
        assert opened.run("exit 5", "4") == 5
        assert opened.run('test "$LEVEL" = info && test "${PWD##*/}" = app', "5") == 0
        assert opened.variables(["LEVEL"]) == {"LEVEL": "info"}
        opened.run(f"touch {job.parent}/made", "6")
        for place in ("/usr", "/etc", "/opt", "/"):
            assert opened.run(f"touch {place}/made 2>/dev/null", "6") != 0, place
        for place in ("/tmp", "/dev/shm", '"$HOME"'):
            assert opened.run(f"touch {place}/made", "7") == 0, place
    assert (job / "source/app/made").exists()
    for outside in (Path("/tmp"), Path.home(), job.parent):
        assert not (outside / "made").exists()


def test_what_a_build_needs_is_there(job: Path) -> None:
    with shell(job) as opened:
        for need in (
            "git --version",
            "python3 -c 'import ssl, sqlite3, multiprocessing as m; m.Lock()'",
            "test -r /etc/passwd && test -r /etc/ssl && test -r /etc/resolv.conf",
            "test -c /dev/null && test -r /proc/self/status && head -c 9 /dev/urandom",
        ):
            assert opened.run(f"{need} >/dev/null", "1") == 0, need


def test_there_are_no_processes_of_others_and_no_capabilities(job: Path) -> None:
    with shell(job) as opened:
        opened.run("ls /proc | grep -c '^[0-9]' > count; cat /proc/self/status > status", "1")
        assert opened.run(f"kill -0 {os.getpid()}", "2") != 0
    assert int((job / "source/count").read_text(encoding="utf-8")) < 8
    status = (job / "source/status").read_text(encoding="utf-8")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert [int(lines[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == [0] * 4
    assert lines["NoNewPrivs"] == "1"


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials_in_the_home_are_out_of_reach(job: Path, home: Path, name: str) -> None:
    with shell(job) as opened:
        assert opened.run(f"test -e {home / name}", "1") == 1
        assert opened.run(f'cat "$HOME"/{name}', "2") != 0
    assert on_the_host(f"cat {home / name}")


def test_the_home_of_the_account_is_out_of_reach_too(job: Path, home: Path) -> None:
    real = pwd.getpwuid(os.geteuid()).pw_dir
    assert Path(real) != home
    with shell(job) as opened:
        assert opened.run(f"ls -A {real}/.ssh {real}/.aws {real}/.bashrc", "1") != 0


def test_variables_of_this_process_do_not_reach_a_command(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-engine")
    monkeypatch.setenv("PIPELINEKIT_JOB", str(job))
    with shell(job, GIVEN="to-the-build") as opened:
        assert opened.run("env > own; cat /proc/*/environ > all 2>/dev/null; true", "1") == 0
    assert "GIVEN=to-the-build" in (job / "source/own").read_text(encoding="utf-8")
    everything = (job / "source/all").read_text(encoding="utf-8")
    assert f"PIPELINEKIT_JOB={job}" in everything
    assert "of-the-engine" not in everything


def test_variables_of_a_build_are_not_shown_to_other_users(job: Path) -> None:
    place = Sandbox(writable=[job])
    with shell(job, place, PASSWORD="secret-of-the-build") as opened:
        opened.run("tr '\\0' ' ' < /proc/1/cmdline > line; test \"$PASSWORD\"", "1")
        told = (job / "source/line").read_text(encoding="utf-8")
        assert "bwrap" in told
        assert "secret-of-the-build" not in told
        files = [path for path in (job / "shell").iterdir() if path.is_file()]
        assert any("secret-of-the-build" in path.read_text(encoding="utf-8") for path in files)
    assert (job / "shell").stat().st_mode & 0o077 == 0


def test_odd_variables_reach_a_command_as_they_do_without_a_sandbox(job: Path) -> None:
    odd = {"npm_config_@shop:registry": "here", "UID": "4", "LINES": "a\nb'c\"$d`e`"}
    with shell(job, None, **odd) as opened:
        assert opened.run("env | grep -q '^npm_config_@shop:registry=here$'", "1") == 0
        assert opened.variables(["LINES"]) == {"LINES": odd["LINES"]}


@pytest.mark.parametrize("network", [True, False])
def test_the_network_is_there_or_not(job: Path, *, network: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        call = f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)"
        place = Sandbox(Limits(network=network), writable=[job])
        with shell(job, place) as opened:
            status = opened.run(f'python3 -c "{call}" 2>/dev/null', "1")
    assert status == (0 if network else 1)


def test_a_socket_of_a_daemon_is_out_of_reach(job: Path, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    call = f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with shell(job) as opened:
            assert opened.run(f'python3 -c "{call}" 2>/dev/null', "1") == 1
            for place in ("/run/docker.sock", "/var/run/docker.sock", "/run/podman", "/run/dbus"):
                assert opened.run(f"test -e {place}", "2") == 1
        assert on_the_host(f'python3 -c "{call}"')


def test_the_state_of_the_engine_is_hidden_but_for_the_job(job: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "pipelinekit.db").touch()
    (state / "jobs/2").mkdir()
    (job / "result").touch()
    place = Sandbox(writable=[job / "source", job / "shell"], readable=[tmp_path], hidden=[state])
    (tmp_path / "read").touch()
    with shell(job, place) as opened:
        assert opened.run(f"test -e {tmp_path}/read && touch made", "1") == 0
        for path in ("pipelinekit.db", "jobs/2", "jobs/1/result"):
            assert opened.run(f"test -e {state / path}", "2") == 1
        assert opened.run(f"touch {tmp_path}/more 2>/dev/null", "3") != 0
    assert (job / "source/made").exists()


def test_programs_of_the_home_that_the_path_leads_to_are_there(
    job: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(home / "tool/bin/greet", 'cat "${0%/*}/../lib/word"')
    (home / "tool/lib").mkdir()
    (home / "tool/lib/word").write_text("hello", encoding="utf-8")
    program(
        home / ".local/share/far/venv/bin/far",
        'test -d "$(dirname "$(readlink -f "$0")")/../lib" && echo far',
    )
    (home / ".local/share/far/venv/lib").mkdir()
    (home / ".local/bin").mkdir()
    (home / ".local/bin/far").symlink_to(home / ".local/share/far/venv/bin/far")
    program(home / ".cargo/bin/cargo", "echo cargo")
    folders = [home / "tool/bin", home / ".local/bin", home / ".cargo/bin", home / "not/there"]
    monkeypatch.setenv("PATH", ":".join([*map(str, folders), "relative", os.environ["PATH"]]))
    with shell(job) as opened:
        assert opened.run("greet > said && far >> said && cargo >> said", "1") == 0
        assert opened.run(f"touch {home}/tool/lib/more 2>/dev/null", "2") != 0
        for name in (".cargo/credentials.toml", ".local/share/keyrings", ".aws"):
            assert opened.run(f"test -e {home / name}", "3") == 1
    assert (job / "source/said").read_text(encoding="utf-8") == "hellofar\ncargo\n"


def test_of_a_project_whose_programs_are_on_the_path_only_those_are_seen(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "shop"
    program(project / "bin/greet", 'cat "${0%/*}/../lib/word"')
    for name in ("lib/word", "pyvenv.cfg", "secrets.toml", ".env", "state/pipelinekit.db"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("hello", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{project}/bin:{os.environ['PATH']}")
    with shell(job) as opened:
        assert opened.run(f"greet > said && test -e {project}/pyvenv.cfg", "1") == 0
        assert opened.run(f"ls -A {project} > seen", "2") == 0
    assert (job / "source/seen").read_text(encoding="utf-8") == "bin\nlib\npyvenv.cfg\n"


@pytest.mark.parametrize("holds", [False, True])
def test_a_toolchain_is_seen_whole_unless_it_holds_what_is_hidden(
    job: Path, home: Path, monkeypatch: pytest.MonkeyPatch, *, holds: bool
) -> None:
    program(home / "jdk/bin/java", 'cat "${0%/*}/../conf/security"')
    for name in ("lib/modules", "conf/security", "state/db"):
        (home / "jdk" / name).parent.mkdir(exist_ok=True)
        (home / "jdk" / name).write_text("hello", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{home}/jdk/bin:{os.environ['PATH']}")
    place = Sandbox(writable=[job], hidden=[home / "jdk/state"] if holds else [])
    with shell(job, place) as opened:
        assert (opened.run("java", "1") == 0) is not holds
        assert (opened.run(f"test -e {home}/jdk/state/db", "2") == 0) is not holds


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_folder_that_is_kept_holds_what_goes_to_tmp_and_to_the_home(job: Path) -> None:
    place = Sandbox(writable=[job / "source", job / "shell"], scratch=job / "scratch")
    with shell(job, place) as opened:
        assert opened.run('touch /tmp/here "$HOME/there"; exit 0', "1") == 0
        assert opened.run('test -e /tmp/here && test -e "$HOME/there"', "2") == 0
    assert (job / "scratch/tmp/here").exists()
    assert (job / "scratch").stat().st_mode & 0o077 == 0


def test_links_that_a_command_lays_lead_nothing_out_of_the_sandbox(
    job: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"KEY=secret\0")
    with shell(job) as opened:
        opened.run(f"ln -sf {secret} {job}/shell/variables; ln -s {secret} {job}/shell/2", "1")
        assert opened.run("echo written", "2") == 0
        opened.run(f"ln -sf {secret} {job}/shell/variables; chmod a-w {job}/shell", "3")
        with pytest.raises(OSError, match="symbolic links"):
            opened._files.read("variables")  # noqa: SLF001 - what is read after each look at variables
    assert secret.read_bytes() == b"KEY=secret\0"


@pytest.mark.slow
def test_a_command_whose_time_is_up_dies_with_all_below_it(job: Path) -> None:
    with shell(job) as opened:
        opened.run("true", "1")
        opened._deadline = time.monotonic() + 0.3  # noqa: SLF001 - the start takes no part
        with pytest.raises(ShellTimeout):
            opened.run("setsid sleep 8765 & sleep 8765", "2")
    time.sleep(0.2)
    assert not [
        entry for entry in Path("/proc").glob("[0-9]*/cmdline") if b"8765" in reading(entry)
    ]


def reading(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


# ------------------------------------------------------------------ limits


@pytest.fixture
def limited(job: Path) -> Sandbox:
    limits = Limits(memory_mb=64, processes=20)
    group = make_group(limits)
    if group is None:
        pytest.skip("no control group can be made here")
    group.remove()
    return Sandbox(limits, writable=[job])


@pytest.mark.root
def test_memory_and_processes_are_limited_and_the_reason_is_told(
    job: Path, limited: Sandbox
) -> None:
    hungry = "python3 -c 'x = bytearray(200_000_000)'"
    with shell(job, limited) as opened:
        assert opened.run("true", "1") == 0
        assert limited.complaint() is None
        assert opened.run(hungry, "2") == 137
        assert "64 MiB" in (limited.complaint() or "")
        assert opened.run("true", "3") == 0
        opened.run("(for i in $(seq 30); do sleep 1 & done; wait) 2>refused", "4")
    assert "64 MiB" in (limited.complaint() or "")
    assert "ork" in (job / "source/refused").read_text(encoding="utf-8")
    assert not list(Path("/sys/fs/cgroup").rglob(f"pipelinekit-{os.getpid()}-*"))


@pytest.mark.root
def test_two_processes_that_are_too_large_together_are_ended(job: Path, limited: Sandbox) -> None:
    half = "python3 -c 'import time; x = b\"1\" * 40_000_000; time.sleep(1)'"
    with shell(job, limited) as opened:
        assert opened.run(half, "1") == 0
        assert opened.run(f"{half} & other=$!; {half} && wait $other", "2") == 137


@pytest.fixture
def foreign() -> Iterator[Path]:
    """Give a folder that an ordinary user can work in, wherever this one may not."""
    folder = Path(tempfile.mkdtemp())
    (folder / "source").mkdir()
    for path in (folder, folder / "source"):
        os.chown(path, ORDINARY, ORDINARY)
    yield folder
    shutil.rmtree(folder)


def as_ordinary_user(function: Callable[[], bool]) -> bool:
    """Tell what a function comes to in a process that is not root."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            os.setgroups([])
            os.setresgid(ORDINARY, ORDINARY, ORDINARY)
            os.setresuid(ORDINARY, ORDINARY, ORDINARY)
            status = 0 if function() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.root
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("true", 0),
        ("tail /dev/zero", 1),
        ("(for i in $(seq 40); do sleep 1 & done; wait) 2>refused; ! grep -q ork refused", 1),
    ],
)
def test_an_ordinary_user_can_limit_what_each_process_takes(
    foreign: Path, command: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    place = Sandbox(Limits(memory_mb=256, processes=30), writable=[foreign])

    def holds() -> bool:
        with shell(foreign, place) as opened:
            return opened.run(command, "1") == status

    assert as_ordinary_user(holds)


# ------------------------------------------------------------------ other users


@pytest.mark.root
def test_commands_run_as_another_user_without_any_privilege(job: Path) -> None:
    place = Sandbox(writable=[job / "source", job / "shell-nobody"], scratch=job / "scratch")
    (job / "source").chmod(0o777)
    (job / "source/closed").touch(0o600)
    environment = {"PATH": os.environ["PATH"], "HOME": "/root"}
    launch = Launch("/bin/sh", environment, job / "source", place, "nobody")
    with Shell(launch, job / "shell-nobody") as opened:
        assert opened.run('test "$(id -un) $USER" = "nobody nobody"; touch made', "1") == 0
        assert opened.run("grep -q 'CapEff:.0000000000000000' /proc/self/status", "2") == 0
        assert opened.run("cat closed 2>/dev/null", "3") != 0
        assert opened.run('touch "$HOME/mine" /tmp/mine', "4") == 0
        assert opened.run("export A=b; exit 3", "5") == 3
        assert opened.variables(["HOME"]) == {"HOME": "/nonexistent"}
    assert (job / "source/made").stat().st_uid == 65534


def test_a_user_that_is_not_here_is_refused(job: Path) -> None:
    with pytest.raises(ConfinementError, match="nobody-knows"):
        shell(job, user="nobody-knows")


def test_without_bubblewrap_it_is_said_what_to_install(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(job))
    with pytest.raises(ConfinementError, match="install bubblewrap"):
        Sandbox().command(["true"], {}, job)


# ------------------------------------------------------------------ what it costs


@pytest.mark.slow
def test_a_sandbox_costs_some_milliseconds(tmp_path: Path) -> None:
    def seconds(place: Confinement, turn: int) -> float:
        job = tmp_path / f"{place.place}-{turn}"
        (job / "source").mkdir(parents=True)
        began = time.perf_counter()
        with shell(job, place) as opened:
            assert opened.run("true", "1") == 0
        return time.perf_counter() - began

    turns = range(20)
    cost = min(seconds(Sandbox(writable=[tmp_path]), turn) for turn in turns) - min(
        seconds(HOST, turn) for turn in turns
    )
    assert cost < 0.05
