"""Where artifacts are kept."""

from pathlib import Path
from typing import Protocol

from pipelinekit.model.execution import Artifact


class ArtifactCorruptedError(Exception):
    """An artifact's object is missing, or is not what was written; nothing was read."""


class Artifacts(Protocol):
    """An artifact store: objects are written once and checked at every read."""

    def put(self, artifact: Artifact, file: Path) -> Artifact:
        """Take a file as the artifact's object; give the artifact with digest and size.

        Args:
            artifact: What it is; a digest that it has already is that of the file.
            file: It is the store's from now on, which may move it.
        """
        ...

    def get(self, artifact: Artifact) -> Path:
        """Give a file that holds the artifact's object, its digest checked just now.

        Raises:
            ArtifactCorruptedError: The object is missing or its digest is another.
        """
        ...
