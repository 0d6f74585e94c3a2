"""Which place a build gets: what the settings say, else what can be had."""

import os
from pathlib import Path

import pytest

from pipelinekit.builds.place import confinement, where
from pipelinekit.model.order import FailureType, Succeeded
from pipelinekit.model.settings import Compute, Settings, Where
from pipelinekit.tools.commands.confinement import HOST, ConfinementError
from pipelinekit.tools.commands.container import Container
from pipelinekit.tools.commands.containers import forget_engine
from pipelinekit.tools.commands.sandbox import Sandbox, sandbox_obstacle
from tests.builds.sites import Site, phases
from tests.containers import own_containers, refuse_to_start


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Let no program be found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox_obstacle.cache_clear()
    forget_engine()
    yield
    monkeypatch.undo()
    sandbox_obstacle.cache_clear()
    forget_engine()


@pytest.mark.sandbox
def test_builds_run_in_a_sandbox_where_one_can_be_made(tmp_path: Path) -> None:
    limits = Compute(network=False, memory_mb=64, processes=9)
    place = confinement(limits, writable=[tmp_path], hidden=[tmp_path.parent])
    assert isinstance(place, Sandbox)
    assert place.place == "sandbox"
    assert (place.limits.network, place.limits.memory_mb, place.limits.processes) == (False, 64, 9)
    assert (place.writable, place.hidden) == ([tmp_path], [tmp_path.parent])


@pytest.mark.sandbox
def test_a_build_in_a_sandbox_does_not_see_the_state_beside_programs_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "tools/state"
    for folder in (tmp_path / "bin", state / "jobs"):
        folder.mkdir(parents=True)
    for name in ("tools/tool", "tools/state/pipelinekit.db"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    site = Site(state / "jobs", Settings(compute=Compute(Where.SANDBOX)))
    look = f"test -e {tmp_path}/tools/tool && test ! -e {state}/pipelinekit.db"
    built = site.build(phases(build=[look, "test -e buildspec.yml"]))
    assert isinstance(built.outcome, Succeeded), built.job.said


@pytest.mark.usefixtures("bare")
def test_builds_run_on_the_host_where_no_sandbox_can_be_made() -> None:
    assert confinement(Compute(), writable=()) is HOST
    assert where(Compute(image="aws/codebuild/standard:7.0")) is Where.HOST


def test_the_settings_have_the_last_word() -> None:
    assert confinement(Compute(Where.HOST, image="shop:1"), writable=()) is HOST
    assert where(Compute(Where.SANDBOX, image="shop:1")) is Where.SANDBOX
    assert where(Compute(image="shop:1")) is Where.CONTAINER


@pytest.mark.container
@pytest.mark.slow
def test_a_project_with_an_image_runs_in_a_container(tmp_path: Path) -> None:
    with own_containers(tmp_path) as image:
        place = confinement(Compute(image=image), writable=[tmp_path])
        assert isinstance(place, Container)
        assert place.place == f"podman {image}"


@pytest.mark.container
@pytest.mark.slow
def test_a_container_that_cannot_start_is_no_failure_of_a_command(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_containers(tmp_path) as image:
        refuse_to_start(monkeypatch, tmp_path)
        site.settings = Settings(compute=Compute(image=image))
        built = site.build(phases(build=["true"], post_build=["true"]))
    assert built.failed.code == FailureType.CONFIGURATION_ERROR
    assert "sh could not be started there: Error: " in built.failed.message
    assert "-- phase post_build --" not in built.job.said


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("compute", "advice"),
    [
        (Compute(Where.SANDBOX), "install bubblewrap"),
        (Compute(image="shop:1"), "install podman"),
        (Compute(Where.CONTAINER), "set image"),
        (Compute(Where.HOST, memory_mb=64), 'where = "sandbox"'),
        (Compute(Where.HOST, processes=64), 'where = "sandbox"'),
        (Compute(Where.HOST, network=False), 'where = "sandbox"'),
        (Compute(network=False), 'where = "sandbox"'),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_to_do(compute: Compute, advice: str) -> None:
    with pytest.raises(ConfinementError, match=advice):
        confinement(compute, writable=())
