"""The repository of a source: a commit of it as an artifact, and a clone of it for a build."""

import json
from pathlib import Path

from msgspec.structs import asdict

from pipelinekit.builds.misuse import FORMAT
from pipelinekit.builds.reference import FILE, Reference
from pipelinekit.builds.task import BuildFailed, Request
from pipelinekit.model.order import FailureType
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.git.checkout import (
    Checkout,
    Wanted,
    address,
    check_out,
    clone,
    find,
    without_secret,
)
from pipelinekit.tools.git.repository import GitError


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


def clone_reference(request: Request, name: str, reference: Reference) -> Path:
    """Clone the repository of an input that only names a commit, with its whole history.

    Args:
        request: Of the build.
        name: The input's name.
        reference: What it says.

    Returns:
        The folder of the clone, in which the commit is checked out.

    Raises:
        BuildFailed: The commit cannot be had.
    """
    job = request.job
    folder = job.folder / "clones" / name
    try:
        wanted = Wanted(address_of(reference, job.settings), reference.branch, reference.commit)
        clone(wanted, reference.url, folder, job.say)
    except GitError as error:
        raise BuildFailed(
            f"input {name} is a reference to a commit, which is to be cloned: {error}",
            FailureType.REVISION_UNAVAILABLE,
        ) from None
    return folder


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
