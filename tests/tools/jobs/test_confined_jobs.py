"""A confined job that is halted, or whose runner is killed, leaves no process and no container."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.commands.confinement import Confinement
from pipelinekit.tools.commands.container import Container
from pipelinekit.tools.commands.containers import container_engine, remove_containers
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.commands.sandbox import Sandbox
from pipelinekit.tools.commands.shell import Shell
from pipelinekit.tools.jobs import gate
from pipelinekit.tools.jobs.gate import GRACE_SECONDS
from pipelinekit.tools.jobs.halting import halt, sweep
from pipelinekit.tools.jobs.process import JSON, Spawner, Standing, look
from tests.containers import container_names, own_containers

pytestmark = [pytest.mark.slow, pytest.mark.container]

OTHERS: set[str] = set()
"""The sleepers of somebody else."""

LASTING = "setsid sleep 4321 & (trap '' TERM; sleep 4321) & touch begun; sleep 4321"


def build_in_sandbox(payload: dict[str, JSON]) -> dict[str, JSON]:
    source = Path(str(payload["source"]))
    return build(Sandbox(writable=[source.parent]), source)


def build_in_container(payload: dict[str, JSON]) -> dict[str, JSON]:
    source = Path(str(payload["source"]))
    engine = container_engine()
    assert engine is not None
    return build(Container(engine, str(payload["image"]), writable=[source.parent]), source)


def build(place: Confinement, source: Path) -> dict[str, JSON]:
    environment = {name: os.environ[name] for name in ("PATH", "PIPELINEKIT_JOB")}
    launch = Launch(place.shell(None) or "", environment, source, place)
    with Shell(launch, source.parent / "shell") as shell:
        return {"status": shell.run(LASTING, "lasting.sh")}


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    with Spawner() as ready:
        yield ready


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own_containers(tmp_path_factory.mktemp("containers")) as name:
        yield name


def started(
    spawner: Spawner,
    folder: Path,
    function: Callable[[dict[str, JSON]], dict[str, JSON]],
    image: str = "",
) -> int:
    source = folder / "place" / "source"
    source.mkdir(parents=True)
    target = f"{__name__}:{function.__name__}"
    spawner.start(folder, target, {"source": str(source), "image": image})
    until((source / "begun").exists)
    until(lambda: len(sleepers()) == 3)
    owner = gate.owner_of(folder)
    assert owner is not None
    return owner.pid


@pytest.fixture(autouse=True)
def _others() -> None:
    OTHERS.clear()
    OTHERS.update(sleepers())


def sleepers() -> list[str]:
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", b"4321"]:
            lines.append(str(entry))
    return [line for line in lines if line not in OTHERS]


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


@pytest.mark.sandbox
def test_a_halted_job_leaves_nothing_in_its_sandbox(spawner: Spawner, tmp_path: Path) -> None:
    started(spawner, tmp_path / "job", build_in_sandbox)
    assert halt(tmp_path / "job", grace=0.3).result == {"halted": True}
    assert not sleepers()


@pytest.mark.sandbox
def test_a_sandbox_dies_with_its_killed_runner(spawner: Spawner, tmp_path: Path) -> None:
    os.kill(started(spawner, tmp_path / "job", build_in_sandbox), signal.SIGKILL)
    until(lambda: not sleepers(), seconds=5)
    assert look(tmp_path / "job").standing is Standing.LOST


@pytest.mark.container
def test_a_halted_job_leaves_no_container(spawner: Spawner, tmp_path: Path, image: str) -> None:
    started(spawner, tmp_path / "job", build_in_container, image)
    assert len(container_names()) == 1
    began = time.monotonic()
    assert halt(tmp_path / "job").result == {"halted": True}
    assert time.monotonic() - began < GRACE_SECONDS / 2
    assert not sleepers()
    assert not container_names()


@pytest.mark.container
def test_the_container_of_a_killed_runner_is_removed_before_the_rest_is_swept_away(
    spawner: Spawner, tmp_path: Path, image: str
) -> None:
    os.kill(started(spawner, tmp_path / "job", build_in_container, image), signal.SIGKILL)
    until(lambda: look(tmp_path / "job").standing is Standing.LOST)
    remove_containers(tmp_path / "job")  # podman cannot, once its monitor is swept away
    assert not container_names()
    sweep(tmp_path / "job")
    until(lambda: not sleepers(), seconds=2)


def test_a_job_without_containers_asks_nobody_for_them(tmp_path: Path) -> None:
    began = time.perf_counter()
    remove_containers(tmp_path)
    assert time.perf_counter() - began < 0.05
