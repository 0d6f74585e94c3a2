"""Real images are built, described, pushed to a registry and pulled from it."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import Action
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Provider
from pipelinekit.providers.ecr import ecr
from pipelinekit.providers.ecr_build import ecr_build
from pipelinekit.tools.commands.containers import (
    build_image,
    forget_engine,
    image_digest,
    tag_image,
)
from pipelinekit.wire import images
from tests.containers import own_containers
from tests.fakes import FolderJob, order
from tests.image_registry import served_registry

SCRATCH = "FROM scratch\nCOPY greeting /greeting\n"


def in_podman(test: Callable[..., None]) -> Callable[..., None]:
    """Give a test a podman that has nothing of the user's."""
    for mark in (pytest.mark.container, pytest.mark.slow, pytest.mark.usefixtures("podman")):
        test = mark(test)
    return test


def _job(
    action: Action, home: Path, settings: Settings | None = None, **changes: object
) -> FolderJob:
    folder = home / "jobs" / action.name
    folder.mkdir(parents=True)
    given = settings or Settings(folder=str(home))
    return FolderJob(order(action, **changes), folder, given, {"Code": home / "source"})


def _done(outcome: Outcome) -> Succeeded:
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def _refused(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def _check(declared: Provider[...], action: Action) -> str | None:
    assert declared.traits.check is not None
    return declared.traits.check(action, Settings())


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with own_containers(tmp_path_factory.mktemp("containers")):
        yield


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "Dockerfile").write_text(SCRATCH, encoding="utf-8")
    (folder / "greeting").write_text("hello", encoding="utf-8")
    return folder


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served_registry() as host:
        settings = tmp_path / "registries.conf"
        insecure = f'[[registry]]\nlocation = "{host}"\ninsecure = true\n'
        settings.write_text(insecure, encoding="utf-8")
        monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(settings))
        yield host


@pytest.mark.parametrize("declared", [ecr, ecr_build])
def test_keys_variables_and_limits_are_those_of_the_catalog(declared: Provider[...]) -> None:
    known = TYPES[declared.traits.id]
    assert {each.name: each.required for each in declared.type.properties} == {
        each.name: each.required for each in known.properties
    }
    assert declared.type.variables == known.variables
    assert (declared.type.inputs, declared.type.outputs) == (known.inputs, known.outputs)
    assert declared.type.timeout == known.timeout


# ------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("localhost/shop", None),
        ("shop", None),
        ("team/shop", None),
        ("localhost:5000/shop", "localhost:5000"),
        ("registry.example.org/team/shop", "registry.example.org"),
    ],
)
def test_a_registry_is_told_by_a_dot_or_a_port(image: str, host: str | None) -> None:
    assert images.registry(image) == host


@pytest.mark.parametrize(
    ("repository", "tags", "told"),
    [
        ("Shop", ["1"], "the repository 'Shop'"),
        ("--help", ["1"], "the repository '--help'"),
        ("team//shop", ["1"], "the repository 'team//shop'"),
        ("shop", ["1", ""], "the image tag ''"),
        ("shop", ["-q"], "the image tag '-q'"),
        ("shop", ["t" * 129], "the image tag 't"),
        ("shop", ["ä"], "the image tag 'ä'"),
    ],
)
def test_a_name_that_no_image_can_have_is_told(
    repository: str, tags: list[str], told: str
) -> None:
    assert told in str(images.unfit(repository, tags))


def test_usual_names_and_those_of_variables_are_fit() -> None:
    assert images.unfit("team/my-shop_1.2", ["latest", "1.0-rc_1", "#{src.CommitId}"]) is None
    assert images.unfit("shop-#{variables.env}", ["latest"]) is None


def test_without_podman_and_docker_both_are_refused_with_what_to_install(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert source.exists()
    monkeypatch.setenv("PATH", str(tmp_path))
    forget_engine()
    try:
        taken, built = ecr("app", "shop"), ecr_build("make", "shop").reads("Code")
        found = _check(ecr, taken)
        assert "install podman" in str(found)
        assert _check(ecr_build, built) == found
        for outcome in (
            ecr.carry_out(_job(taken, tmp_path)),
            ecr_build.carry_out(_job(built, tmp_path)),
        ):
            assert outcome == Failed(str(found), code=FailureType.CONFIGURATION_ERROR)
    finally:
        forget_engine()


# ------------------------------------------------------------------ the source


@in_podman
def test_a_local_image_is_described_with_all_members(tmp_path: Path, source: Path) -> None:
    names = ["localhost/team/shop:latest", "localhost/team/shop:1.0"]
    digest = build_image(source, source / "Dockerfile", names)
    job = _job(ecr("app", "team/shop"), tmp_path)
    done = _done(ecr.carry_out(job))
    text = (job.written["app_artifact"] / "imageDetail.json").read_text(encoding="utf-8")
    detail = json.loads(text)
    pushed = detail.pop("ImagePushedAt").replace("UTC", "+0000")
    assert done.revision is not None
    assert done.revision.created is not None
    built = done.revision.created.replace(microsecond=0)
    assert datetime.strptime(pushed, "%a %b %d %H:%M:%S %z %Y") == built
    assert 0 < int(detail.pop("ImageSizeInBytes")) < 100_000
    uri = f"localhost/team/shop@{digest}"
    assert detail == {
        "ImageDigest": digest,
        "Version": "1.0",
        "RegistryId": "localhost",
        "RepositoryName": "team/shop",
        "ImageURI": uri,
        "ImageTags": ["1.0", "latest"],
    }
    assert image_digest(uri) == digest
    assert done.variables == {
        "ImageDigest": digest,
        "ImageTag": "latest",
        "ImageURI": uri,
        "RegistryId": "localhost",
        "RepositoryName": "team/shop",
    }
    assert done.external_id == done.revision.id == digest


@in_podman
def test_a_start_may_ask_for_an_image_by_its_digest(tmp_path: Path, source: Path) -> None:
    first = build_image(source, source / "Dockerfile", ["localhost/shop:old"])
    (source / "greeting").write_text("hello again", encoding="utf-8")
    second = build_image(source, source / "Dockerfile", ["localhost/shop:latest"])
    assert first != second
    job = _job(ecr("app", "shop"), tmp_path, revision=first)
    assert _done(ecr.carry_out(job)).variables["ImageDigest"] == first
    for number, unknown in enumerate(("sha256:" + "0" * 64, "--help")):
        job = _job(ecr(f"no{number}", "shop"), tmp_path, revision=unknown)
        assert _refused(ecr.carry_out(job)).code == FailureType.REVISION_UNAVAILABLE


@in_podman
def test_the_project_may_name_another_image_and_a_missing_one_is_told(
    tmp_path: Path, source: Path
) -> None:
    digest = build_image(source, source / "Dockerfile", ["localhost/other:2"])
    settings = Settings(images={"shop": "localhost/other"})
    job = _job(ecr("app", "shop", "2"), tmp_path, settings)
    assert _done(ecr.carry_out(job)).variables["ImageURI"] == f"localhost/other@{digest}"
    lost = _refused(ecr.carry_out(_job(ecr("lost", "absent", "2"), tmp_path)))
    assert lost.code == FailureType.REVISION_UNAVAILABLE
    assert "image localhost/absent:2 was to be taken" in lost.message
    assert '"absent" = "localhost/absent"' in lost.message


# ------------------------------------------------------------------ the build


@in_podman
def test_an_image_is_built_tagged_and_stays_here_without_a_registry(
    tmp_path: Path, source: Path
) -> None:
    (source / "docker").mkdir()
    for name in ("Dockerfile", "greeting"):
        (source / name).rename(source / "docker" / name)
    action = ecr_build("make", "till", dockerfile="docker", tags="latest, 1.0").reads("Code")
    job = _job(action, tmp_path)
    done = _done(ecr_build.carry_out(job))
    digest = image_digest("localhost/till:1.0")
    assert digest == image_digest("localhost/till:latest")
    assert done.variables == {"ECRImageDigestId": digest, "ECRRepositoryName": "till"}
    assert done.external_id == digest
    assert done.place == "container"
    assert done.summary == (
        "Image localhost/till:latest, localhost/till:1.0 built, not pushed, for no registry is "
        "configured"
    )


@in_podman
@pytest.mark.usefixtures("source")
def test_what_was_pushed_to_a_registry_is_what_the_source_then_takes(
    tmp_path: Path, registry: str
) -> None:
    settings = Settings(images={"shop": f"{registry}/shop"})
    action = ecr_build("make", "shop", tags="1,latest").reads("Code")
    done = _done(ecr_build.carry_out(_job(action, tmp_path, settings)))
    assert done.summary.endswith(f"built, pushed to {registry}")
    names = [f"{registry}/shop:1", f"{registry}/shop:latest"]
    tag_image(names[0], "localhost/kept:1")  # so that podman's own manifest stays too
    subprocess.run(["podman", "rmi", *names], check=True, capture_output=True)
    assert image_digest(names[0]) is None
    taken = _done(ecr.carry_out(_job(ecr("app", "shop", "1"), tmp_path, settings)))
    assert taken.variables["ImageDigest"] == done.variables["ECRImageDigestId"]
    assert taken.variables["RegistryId"] == registry
    tag_image(names[0], f"{registry}/shop:local")  # which the registry does not have
    lost = _refused(ecr.carry_out(_job(ecr("lost", "shop", "local"), tmp_path, settings)))
    assert lost.code == FailureType.REVISION_UNAVAILABLE


@in_podman
def test_a_build_that_fails_and_a_registry_that_is_not_there_fail_the_action(
    tmp_path: Path, source: Path
) -> None:
    nowhere = Settings(images={"shop": "127.0.0.1:1/shop"})
    unpushed = _job(ecr_build("push", "shop").reads("Code"), tmp_path, nowhere)
    failed = _refused(ecr_build.carry_out(unpushed))
    assert failed.code == FailureType.JOB_FAILED
    assert "podman push 127.0.0.1:1/shop:latest" in failed.message
    (source / "Dockerfile").write_text("FROM scratch\nCOPY absent /\n", encoding="utf-8")
    broken = _job(ecr_build("make", "broken").reads("Code"), tmp_path)
    failed = _refused(ecr_build.carry_out(broken))
    assert failed.code == FailureType.JOB_FAILED
    assert "podman build" in failed.message
    assert image_digest("localhost/broken:latest") is None


@in_podman
@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("docs", "the folder docs of the artifact, which holds guide.md"),
        ("absent", "the folder absent of the artifact, which holds nothing"),
        ("..", "leads out of the artifact"),
        ("/etc", "leads out of the artifact"),
        ("door", "leads out of the artifact"),
    ],
)
def test_a_dockerfile_that_is_not_in_the_artifact_is_told(
    tmp_path: Path, source: Path, folder: str, told: str
) -> None:
    (source / "docs").mkdir()
    (source / "docs/guide.md").touch()
    (source / "door").symlink_to("/etc")
    action = ecr_build("make", "shop", dockerfile=folder).reads("Code")
    failed = _refused(ecr_build.carry_out(_job(action, tmp_path)))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert told in failed.message


@in_podman
def test_what_variables_will_say_is_not_judged_before_they_are_put_in() -> None:
    action = ecr_build("make", "#{a.b}", tags="#{src.CommitId},latest", registry_type="#{a.c}")
    assert _check(ecr_build, action) is None
    assert _check(ecr, ecr("app", "shop")) is None
    odd = ecr_build("make", "shop", registry_type="secret")
    assert "a registry is private or public" in str(_check(ecr_build, odd))
