"""Commands in containers: what they see and write, what limits them, how they end."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.commands.confinement import ConfinementError
from pipelinekit.tools.commands.container import Container
from pipelinekit.tools.commands.containers import (
    ContainerEngine,
    ContainerError,
    build_image,
    container_engine,
    container_obstacle,
    container_program,
    forget_engine,
    image_digest,
    images,
    inspect_image,
    pull_image,
    push_image,
    tag_image,
)
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.commands.shell import Shell, ShellTimeout
from pipelinekit.tools.jobs.cgroup import Limits
from tests.containers import container_names, own_containers, refuse_to_start

pytestmark = [pytest.mark.container, pytest.mark.slow]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_containers(tmp_path_factory.mktemp("containers")) as name:
        yield name


def engine() -> ContainerEngine:
    found = container_engine()
    assert found is not None, container_obstacle()
    return found


def shell(place: Container, folder: Path, user: str | None = None, **variables: str) -> Shell:
    start = folder / "source"
    start.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(start), **variables}
    launch = Launch(place.shell(None) or "", environment, start, place, user)
    return Shell(launch, folder / "shell")


def test_commands_share_one_shell_in_the_image_and_write_as_this_user(
    image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    with shell(place, tmp_path, SECRET='it\'s\na "secret"') as opened:
        assert opened.run("export LEVEL=info; mkdir made; cd made; touch file", "1") == 0
        assert opened.run('test "$LEVEL" = info && test "${PWD##*/}" = made', "2") == 0
        assert opened.run("(exit 7)", "3") == 7
        assert opened.run("busybox; exit 5", "4") == 5
        assert opened.run("true", "5") == 0
        assert opened.variables(["LEVEL", "SECRET"])["SECRET"] == 'it\'s\na "secret"'
        assert len(container_names()) == 1
    assert (tmp_path / "source/made/file").stat().st_uid == os.geteuid()
    assert "BusyBox" in capfd.readouterr().out
    assert container_names() == []
    assert place.place == f"podman {image}"


def test_an_image_that_cannot_be_had_is_asked_for_once_and_told(
    image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert image
    place = Container(engine(), "localhost:1/none:1", writable=[tmp_path])
    with (
        shell(place, tmp_path) as opened,
        pytest.raises(ConfinementError, match="image localhost:1/none:1, which is not here"),
    ):
        opened.run("true", "1")
    assert capfd.readouterr().err.count("Trying to pull") == 1


def test_what_a_command_prints_is_there_before_its_answer(
    image: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    many = 100_000
    expected = ""
    with shell(place, tmp_path) as opened:
        for number in range(20):
            opened.run(f"printf '%0{many}d\\n' {number}; echo at last >&2", "1")
            os.write(1, b"answered\n")
            expected += f"{number:0{many}d}\nat last\nanswered\n"
        opened.run("sleep 0.1; trap 'echo goodbye' EXIT", "2")
    assert capfd.readouterr().out == f"{expected}goodbye\n"


def test_a_container_that_cannot_start_is_told_in_the_words_of_what_starts_it(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    launch = Launch("zsh", {}, tmp_path, place)
    with (
        Shell(launch, tmp_path / "zsh") as opened,
        pytest.raises(ConfinementError, match=r"zsh could not be started there: .*zsh: not found"),
    ):
        opened.run("true", "1")
    refuse_to_start(monkeypatch, tmp_path)
    with (
        shell(place, tmp_path) as opened,
        pytest.raises(ConfinementError, match=r"sh could not be started there: Error: .*rlimit"),
    ):
        opened.run("exit 0", "1")


def test_only_what_is_named_is_there_and_what_is_readable_stays_as_it_is(
    image: str, tmp_path: Path
) -> None:
    (tmp_path / "job").mkdir()
    for name in ('kept, and "read"', "secret"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    readable = tmp_path / 'kept, and "read"'
    place = Container(engine(), image, writable=[tmp_path / "job"], readable=[readable])
    with shell(place, tmp_path / "job", KEPT=str(readable)) as opened:
        assert opened.run('test -e "$KEPT/file"', "1") == 0
        assert opened.run('touch "$KEPT/more"', "2") != 0
        assert opened.run(f"test -e {tmp_path / 'secret'}", "3") == 1
        assert opened.run("test -e /home || test -e /work", "4") == 1


def test_the_hosts_own_paths_and_users_are_left_outside(image: str, tmp_path: Path) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    with shell(place, tmp_path, USER="somebody") as opened:
        values = opened.variables(["PATH", "HOME", "USER", "TMPDIR"])
    assert values["PATH"] != os.environ["PATH"]
    assert values["HOME"] == "/root"
    assert values["USER"] == "somebody"
    assert values["TMPDIR"] == str(tmp_path / "source")


@pytest.mark.parametrize("network", [True, False])
def test_the_network_is_there_or_not(image: str, tmp_path: Path, *, network: bool) -> None:
    place = Container(engine(), image, Limits(network=network), writable=[tmp_path])
    with shell(place, tmp_path) as opened:
        opened.run("wc -l < /proc/net/route > lines", "1")
    lines = int((tmp_path / "source/lines").read_text(encoding="utf-8"))
    here = len(Path("/proc/net/route").read_text(encoding="utf-8").splitlines())
    assert lines == (here if network else 1)


@pytest.mark.root
def test_memory_and_processes_are_limited_and_the_reason_is_told(
    image: str, tmp_path: Path
) -> None:
    limits = Limits(memory_mb=64, processes=20)
    place = Container(engine(), image, limits, writable=[tmp_path])
    with shell(place, tmp_path) as opened:
        assert opened.run("true", "1") == 0
        assert place.complaint() is None
        assert opened.run("tail /dev/zero", "2") == 137
        assert "64 MiB" in (place.complaint() or "")
        assert opened.run("for i in $(printf '%s ' 1 2 3 4 5 6); do sleep 5 & done", "3") == 0
        many = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do sleep 5 & done; wait"
        assert opened.run(f"({many}) 2> refused; grep -q fork refused", "4") == 0


def test_a_limit_that_cannot_be_held_is_refused(image: str, tmp_path: Path) -> None:
    weak = ContainerEngine(
        "podman", "podman", rootless=True, holds_memory=False, holds_processes=False
    )
    place = Container(weak, image, Limits(memory_mb=64))
    with pytest.raises(ConfinementError, match="memory_mb = 64"):
        place.command(["true"], {}, tmp_path)


@pytest.mark.root
def test_a_user_of_the_image_can_be_asked_for(image: str, tmp_path: Path) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    tmp_path.chmod(0o755)
    with shell(place, tmp_path, user="worker") as opened:
        assert opened.run('test "$(id -u)" = 4321', "1") == 0
        assert opened.run("touch /root", "2") != 0
    with pytest.raises(ConfinementError, match="nobody-knows"):
        place.uid("nobody-knows")


def test_a_container_is_gone_when_the_time_was_up(image: str, tmp_path: Path) -> None:
    place = Container(engine(), image, writable=[tmp_path])
    with shell(place, tmp_path) as opened:
        assert opened.run("true", "1") == 0
        opened._deadline = 0.0  # noqa: SLF001 - so that the start of a container takes no part
        with pytest.raises(ShellTimeout):
            opened.run("setsid sleep 600 & sleep 600", "2")
    gone_soon()


def gone_soon() -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not container_names():
            return
        time.sleep(0.05)
    pytest.fail(f"{container_names()} are still there")


def test_what_a_dead_runner_left_is_removed_before_the_next_start(
    image: str, tmp_path: Path
) -> None:
    left_over = "pipelinekit_some-job_1_1_another-boot_1"
    engine().ask("create", "--name", left_over, image, "true")
    engine().ask("create", "--name", "foreign", image, "true")
    place = Container(engine(), image, writable=[tmp_path])
    with shell(place, tmp_path) as opened:
        assert opened.run("true", "1") == 0
    assert container_names() == ["foreign"]
    engine().ask("rm", "foreign")


def test_an_image_is_built_tagged_listed_and_known_by_its_digest(
    image: str, tmp_path: Path
) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM {image}\nARG WORD\nRUN echo $WORD > /word\n", encoding="utf-8")
    digest = build_image(tmp_path, dockerfile, ["localhost/built:1"], {"WORD": "hello"})
    tag_image("localhost/built:1", "localhost/built:latest")
    assert digest == image_digest("localhost/built:latest") != image_digest(image)
    assert digest.startswith("sha256:")
    assert len(digest) == 71
    assert {"localhost/built:1", "localhost/built:latest", image} <= set(images())
    assert inspect_image("localhost/nothing:1") is None
    assert image_digest("localhost/nothing:1") is None


def test_a_build_that_fails_and_a_registry_that_is_not_there_are_told(
    image: str, tmp_path: Path
) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM {image}\nRUN false\n", encoding="utf-8")
    with pytest.raises(ContainerError, match="podman build"):
        build_image(tmp_path, dockerfile, ["localhost/failed:1"])
    tag_image(image, "127.0.0.1:9/shop:1")
    with pytest.raises(ContainerError, match="podman push"):
        push_image("127.0.0.1:9/shop:1")
    with pytest.raises(ContainerError, match="podman pull"):
        pull_image("no such name")


def test_without_podman_and_docker_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, image: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    forget_engine()
    try:
        assert container_program() is None
        assert "install podman" in (container_obstacle() or "")
        with pytest.raises(ContainerError, match="install podman"):
            image_digest(image)
    finally:
        monkeypatch.undo()
        forget_engine()
