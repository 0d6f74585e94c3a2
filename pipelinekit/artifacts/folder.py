"""Artifacts in a local folder, under CodePipeline's keys in S3 and their own digests."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from msgspec.structs import replace

from pipelinekit.model.execution import Artifact
from pipelinekit.ports.artifacts import ArtifactCorruptedError
from pipelinekit.tools.archives.archive import digest
from pipelinekit.tools.durable import replaced, sync
from pipelinekit.tools.failpoint import failpoint

ABANDONED_SECONDS = 24 * 3600
DIGEST_CHARACTERS = 16


class FolderArtifacts:
    """A folder that stands for S3; a bucket is a folder in it.

    Args:
        root: The folder, made when it is first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, artifact: Artifact, file: Path) -> Artifact:
        """Take a file as the artifact's object; give the artifact with digest and size.

        An object is never replaced: its content is part of its name. A repeated attempt writes
        the same key again, and so may an engine that wakes up after another took its work over.
        The file is moved where that is possible.
        """
        known = artifact.digest or digest(file)
        kept = replace(artifact, digest=known, size=file.stat().st_size)
        target = self._path(kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(file, target)
        return kept

    def get(self, artifact: Artifact) -> Path:
        """Give a file that holds the artifact's object, its digest checked just now."""
        path = self._path(artifact)
        try:
            found = digest(path)
        except FileNotFoundError:
            raise ArtifactCorruptedError(
                f"artifact {artifact.name} was to be read and {path} is missing; run the action "
                f"that writes it again, or, where engines at several places use one database, let "
                f"all of them share the folder {self.root}"
            ) from None
        if found != artifact.digest:
            raise ArtifactCorruptedError(
                f"artifact {artifact.name} was to be read and {path} is not what was written "
                f"(SHA-256 {found}, not {artifact.digest}); run the action that writes it again"
            )
        return path

    def key_of(self, artifact: Artifact) -> str:
        """Give what all files of an artifact's object have in common, whatever their digests."""
        return str(self._named(artifact))

    def files(self) -> Iterator[tuple[str, Path]]:
        """Go through the files of all objects, each with its key.

        What is left of writing that was killed has a key of its own.
        """
        long_ago = time.time() - ABANDONED_SECONDS
        for path in self.root.rglob("*"):
            with suppress(FileNotFoundError):
                if path.is_file() and (path.name[0] != "." or path.stat().st_mtime < long_ago):
                    yield str(path).rpartition("-")[0], path

    def _path(self, artifact: Artifact) -> Path:
        named = self._named(artifact)
        return named.with_name(f"{named.name}-{artifact.digest[:DIGEST_CHARACTERS]}")

    def _named(self, artifact: Artifact) -> Path:
        parts = [artifact.bucket, *artifact.object_key.split("/")]
        return self.root.joinpath(*(_component(part) for part in parts))


def _move(file: Path, target: Path) -> None:
    with file.open("rb") as source:
        if file.stat().st_dev != target.parent.stat().st_dev:
            with replaced(target, "artifact") as written:
                shutil.copyfileobj(source, written)
            return
        failpoint("artifact.fsync.before")
        os.fsync(source.fileno())
    failpoint("artifact.rename.before")
    file.rename(target)
    failpoint("artifact.rename.after")
    sync(target.parent)
    failpoint("artifact.sync.after")


def _component(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E")  # no name is a way up, or hidden
