"""An artifact that only names a commit (CODEBUILD_CLONE_REF): written and read."""

import json
from pathlib import Path
from typing import Final

from msgspec.structs import asdict

from pipelinekit.builds.misuse import FORMAT
from pipelinekit.model.noun import Noun
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.documents.document import DocumentError, read
from pipelinekit.tools.git.checkout import (
    Checkout,
    Wanted,
    address,
    check_out,
    find,
    without_secret,
)

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


def repository_url(settings: Settings, repository: str, connection: str = "") -> str:
    """Give the address of a repository, as the settings have it.

    Args:
        settings: Of the project.
        repository: Its name or full id.
        connection: The ARN of its connection.

    Raises:
        KeyError: The settings know neither.
        GitError: They have no address of a repository there.
    """
    known = settings.repositories.get(repository)
    if known is None:
        known = settings.connections[connection].replace("{repository}", repository)
    return address(known, settings.folder)


def take_commit(
    job: Job, branch: str, output_format: str | None, repository: str, connection: str = ""
) -> Checkout:
    """Have a source action write its artifact: the files of a commit, or a reference to it.

    Args:
        job: The attempt of the source action; it may ask for a commit.
        branch: The branch whose last commit is wanted otherwise.
        output_format: The action's OutputArtifactFormat.
        repository: What the action calls the repository.
        connection: The ARN of its connection; empty for CodeCommit.

    Raises:
        KeyError: The settings know neither repository nor connection.
        GitError: The commit cannot be had.
    """
    url = repository_url(job.settings, repository, connection)
    wanted = Wanted(url, branch, job.order.revision)
    if output_format == FORMAT:
        found = find(wanted, job.cache / "git", job.folder / "reference", job.say)
        named = Reference(without_secret(url), found.commit.id, branch, repository, connection)
        found.folder.mkdir()
        text = json.dumps(asdict(named), indent=2)
        (found.folder / FILE).write_text(f"{text}\n", encoding="utf-8")
    else:
        found = check_out(wanted, job.cache / "git", job.folder, job.say)
    job.write(found.folder)
    return found


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


def address_of(reference: Reference, settings: Settings) -> str:
    """Give the address to clone from: the settings' own, which may hold a password.

    Args:
        reference: The commit.
        settings: Of the project, who may have changed since the reference was written.

    Raises:
        GitError: The settings have no address of a repository there.
    """
    try:
        known = repository_url(settings, reference.repository, reference.connection)
    except KeyError:
        return reference.url
    return known if without_secret(known) == reference.url else reference.url
