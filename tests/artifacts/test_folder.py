"""Artifacts in a folder: written once, checked at every read, no name a path."""

import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.model.execution import Artifact
from pipelinekit.ports.artifacts import ArtifactCorruptedError

CODE = Artifact("Code", "bucket", "shop/Code/aB3xY9z")


@pytest.fixture
def artifacts(tmp_path: Path) -> FolderArtifacts:
    return FolderArtifacts(tmp_path / "store")


def put(artifacts: FolderArtifacts, text: str, artifact: Artifact = CODE) -> Artifact:
    file = artifacts.root.with_name("file")
    file.write_text(text, encoding="utf-8")
    return artifacts.put(artifact, file)


def test_what_is_put_can_be_got_with_its_digest_and_size(artifacts: FolderArtifacts) -> None:
    kept = put(artifacts, "hello")
    assert (kept.size, len(kept.digest)) == (5, 64)
    assert artifacts.get(kept).read_text(encoding="utf-8") == "hello"
    path = artifacts.get(kept).relative_to(artifacts.root)
    assert path == Path(f"bucket/shop/Code/aB3xY9z-{kept.digest[:16]}")


def test_what_was_published_is_not_replaced_by_who_writes_the_same_key(
    artifacts: FolderArtifacts,
) -> None:
    first, second = put(artifacts, "the one that counts"), put(artifacts, "a late one")
    assert artifacts.get(first).read_text(encoding="utf-8") == "the one that counts"
    assert artifacts.get(second).read_text(encoding="utf-8") == "a late one"


def test_every_flipped_bit_is_noticed(artifacts: FolderArtifacts) -> None:
    kept = put(artifacts, "hello, this is an artifact")
    path = artifacts.get(kept)
    good = path.read_bytes()
    for place in range(len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            path.write_bytes(bad)
            with pytest.raises(ArtifactCorruptedError, match="SHA-256"):
                artifacts.get(kept)
    path.write_bytes(good)
    artifacts.get(kept)


def test_a_missing_or_a_truncated_object_is_refused(artifacts: FolderArtifacts) -> None:
    kept = put(artifacts, "hello")
    path = artifacts.get(kept)
    path.write_bytes(b"hell")
    with pytest.raises(ArtifactCorruptedError):
        artifacts.get(kept)
    path.unlink()
    with pytest.raises(
        ArtifactCorruptedError, match=r"is missing; .* let all of them share the folder"
    ):
        artifacts.get(kept)


@pytest.mark.parametrize("name", ["..", ".", "../..", "-x", "a.b", ".hidden", "a%2Eb"])
def test_no_name_leads_out_of_the_folder_or_hides(artifacts: FolderArtifacts, name: str) -> None:
    artifact = replace(CODE, bucket=name, object_key=f"{name}/Code/x")
    kept = put(artifacts, "hello", artifact)
    path = artifacts.get(kept)
    assert path.resolve().is_relative_to(artifacts.root.resolve())
    assert not any(part.startswith(".") for part in path.relative_to(artifacts.root).parts)


def test_different_names_are_different_files(artifacts: FolderArtifacts) -> None:
    names = ["..", ".", "%2E", "%2E%2E", "a.b", "a%2Eb"]
    kept = [put(artifacts, n, replace(CODE, object_key=f"{n}/Code/x")) for n in names]
    assert [artifacts.get(each).read_text(encoding="utf-8") for each in kept] == names


def test_a_file_is_taken_and_a_digest_that_it_has_is_kept(artifacts: FolderArtifacts) -> None:
    known = put(artifacts, "hello")
    assert not artifacts.root.with_name("file").exists()
    again = put(artifacts, "hello", replace(CODE, digest=known.digest))
    assert again == known
    wrong = put(artifacts, "hello", replace(CODE, digest="0" * 64))
    with pytest.raises(ArtifactCorruptedError, match="SHA-256"):
        artifacts.get(wrong)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second disk")
def test_a_file_of_another_disk_is_copied(artifacts: FolderArtifacts, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert Path(other).stat().st_dev != tmp_path.stat().st_dev
        file = Path(other, "file")
        file.write_text("hello", encoding="utf-8")
        kept = artifacts.put(CODE, file)
    assert artifacts.get(kept).read_text(encoding="utf-8") == "hello"
