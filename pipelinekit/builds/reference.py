"""An artifact that only names a commit (CODEBUILD_CLONE_REF), as a build finds it."""

from pathlib import Path
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.tools.documents.document import DocumentError, read

FILE: Final = "codebuild-clone-ref.json"


class Reference(Noun):
    """A commit of a repository, and the names by which the settings know the repository.

    Attributes:
        url: The address, without user and password.
        commit: The full id.
        branch: The branch on which it was found.
        repository: What the source action calls the repository.
        connection: The ARN of its connection; empty for CodeCommit.
    """

    url: str
    commit: str
    branch: str
    repository: str
    connection: str = ""


def read_reference(folder: Path) -> Reference | None:
    """Read the artifact in a folder; None when it is an artifact of files.

    Args:
        folder: Where the artifact was unpacked.
    """
    if [each.name for each in folder.iterdir()] != [FILE]:
        return None
    try:
        root = read(folder / FILE).root
        return Reference(**{key: root.need(key).text() for key in Reference.__struct_fields__})
    except DocumentError:
        return None
