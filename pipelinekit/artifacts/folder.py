"""Artifacts in a local folder, under CodePipeline's keys in S3 and their own digests."""

import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from pipelinekit.model.execution import Artifact
from pipelinekit.ports.artifacts import ArtifactCorruptedError
from pipelinekit.tools.archive import digest
from pipelinekit.tools.durable import replaced

DIGEST_CHARACTERS = 16


class FolderArtifacts:
    """A folder that stands for S3; a bucket is a folder in it.

    Args:
        root: The folder, made when it is first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, artifact: Artifact, file: Path) -> Artifact:
        """Keep a file as the artifact's object; give the artifact with digest and size.

        An object is never replaced: its content is part of its name. A repeated attempt writes
        the same key again, and so may an engine that wakes up after another took its work over.
        """
        kept = replace(artifact, digest=digest(file), size=file.stat().st_size)
        target = self._path(kept)
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as source, replaced(target, "artifact") as written:
            shutil.copyfileobj(source, written)
        return kept

    def get(self, artifact: Artifact) -> Path:
        """Give a file that holds the artifact's object, its digest checked just now."""
        path = self._path(artifact)
        try:
            found = digest(path)
        except FileNotFoundError:
            raise ArtifactCorruptedError(
                f"artifact {artifact.name} was to be read and {path} is missing; run the action "
                f"that writes it again"
            ) from None
        if found != artifact.digest:
            raise ArtifactCorruptedError(
                f"artifact {artifact.name} was to be read and {path} is not what was written "
                f"(SHA-256 {found}, not {artifact.digest}); run the action that writes it again"
            )
        return path

    def _path(self, artifact: Artifact) -> Path:
        parts = [artifact.bucket, *artifact.object_key.split("/")]
        named = self.root.joinpath(*(_component(part) for part in parts))
        return named.with_name(f"{named.name}-{artifact.digest[:DIGEST_CHARACTERS]}")


def _component(text: str) -> str:
    return quote(text, safe="").replace(".", "%2E")  # no name is a way up, or hidden
