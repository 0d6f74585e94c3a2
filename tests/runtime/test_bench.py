"""The bench: inputs unpacked once and whole, outputs published, logs no condition."""

import os
from pathlib import Path

import pytest

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Failed, Order, Outcome, Revision, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, action
from pipelinekit.runtime.bench import Bench, carry_out
from pipelinekit.tools.archives.archive import ArchiveError
from tests.engine.world import step

TYPE = step("x").type
CODE = Artifact("Code", "bucket", "shop/Code/1234567")


@pytest.fixture
def artifacts(tmp_path: Path) -> FolderArtifacts:
    return FolderArtifacts(tmp_path / "store")


def bench(tmp_path: Path, artifacts: FolderArtifacts, *inputs: Artifact) -> Bench:
    order = Order("o", "p", "e", "s", "a", TYPE, inputs=inputs, outputs=(CODE,))
    return Bench(order, Settings(), tmp_path / "jobs" / "o", artifacts)


def published(tmp_path: Path, artifacts: FolderArtifacts) -> Artifact:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "a.txt").write_text("hello", encoding="utf-8")
    made = bench(tmp_path, artifacts)
    made.write(folder)
    (artifact,) = made.written
    return artifact


def test_what_one_job_writes_another_reads(tmp_path: Path, artifacts: FolderArtifacts) -> None:
    artifact = published(tmp_path, artifacts)
    reader = bench(tmp_path / "reader", artifacts, artifact)
    assert (reader.read() / "a.txt").read_text(encoding="utf-8") == "hello"
    assert reader.read("Code") == reader.read()


def test_an_input_is_shared_with_others_only_where_it_is_large(
    tmp_path: Path, artifacts: FolderArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = published(tmp_path, artifacts)
    small = bench(tmp_path / "small", artifacts, artifact)
    assert [each.name for each in small.read().iterdir()] == ["a.txt"]
    assert not small.cache.exists()
    monkeypatch.setattr("pipelinekit.runtime.bench.SMALL", 0)
    large = bench(tmp_path / "large", artifacts, artifact)
    assert [each.name for each in large.read().iterdir()] == ["a.txt"]
    assert (large.cache / "trees").is_dir()


def test_a_half_unpacked_input_is_not_taken_for_whole(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    artifact = published(tmp_path, artifacts)
    reader = bench(tmp_path / "reader", artifacts, artifact)
    path = artifacts.get(artifact)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Exception, match="not what was written"):
        reader.read()
    path.write_bytes(whole)
    assert [each.name for each in reader.read().iterdir()] == ["a.txt"]


def test_what_no_artifact_can_carry_is_told_of_the_artifact(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    (tmp_path / "made").mkdir()
    os.mkfifo(tmp_path / "made" / "pipe")
    with pytest.raises(ArchiveError, match=r"^artifact Code, entry pipe: found .*leave it out$"):
        bench(tmp_path, artifacts).write(tmp_path / "made")


def test_an_artifact_that_is_not_declared_is_refused(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    job = bench(tmp_path, artifacts)
    with pytest.raises(ValidationError, match="declares none"):
        job.read()
    with pytest.raises(ValidationError, match=r"'Other'.*declares Code"):
        job.write(tmp_path, "Other")


@action("Test", "BenchFail")
def stumble(job: Job) -> Outcome:
    """Raise."""
    raise RuntimeError(f"no {job.order.action}")


class Dumb(Exception):
    """What cannot even say what it is."""

    def __str__(self) -> str:
        raise ZeroDivisionError


@action("Test", "BenchSurrogate")
def odd(job: Job) -> Outcome:
    """Name a file whose name is no UTF-8."""
    job.say("reading caf\udce9.csv")
    raise ValueError("caf\udce9.csv is empty")


@action("Test", "BenchDumb")
def dumb(job: Job) -> Outcome:
    """Raise what cannot be told."""
    del job
    raise Dumb


@action("Source", "BenchSource")
def fetch(job: Job) -> Outcome:
    """Write an artifact of a revision."""
    folder = job.folder / "x"
    folder.mkdir(parents=True)
    job.write(folder)
    return Succeeded(revision=Revision("abc"))


def test_the_artifact_of_a_source_knows_its_revision(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    report = carry_out(fetch, bench(tmp_path, artifacts))
    assert [artifact.revision for artifact in report.artifacts] == ["abc"]


def test_a_log_that_cannot_be_written_hides_no_failure(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    (tmp_path / "jobs").write_text("no folder", encoding="utf-8")
    report = carry_out(stumble, bench(tmp_path, artifacts))
    assert isinstance(report.outcome, Failed)
    assert "RuntimeError: no a" in report.outcome.message


def test_names_that_are_no_utf_8_are_told_and_logged(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    report = carry_out(odd, bench(tmp_path, artifacts))
    assert isinstance(report.outcome, Failed)
    assert r"ValueError: caf\udce9.csv is empty" in report.outcome.message
    log = (tmp_path / "jobs" / "o" / "log").read_text(encoding="utf-8")
    assert log.startswith("reading caf\\udce9.csv\nTraceback")


def test_an_exception_without_a_text_fails_its_action(
    tmp_path: Path, artifacts: FolderArtifacts
) -> None:
    report = carry_out(dumb, bench(tmp_path, artifacts))
    assert isinstance(report.outcome, Failed)
    assert report.outcome.message.startswith("Dumb: <exception str() failed>")
