"""Source/Custom/Git: a branch of any git repository."""

from pathlib import PurePosixPath
from typing import Annotated

from pipelinekit.model.action import Action
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.git.checkout import Wanted, address, check_out
from pipelinekit.tools.git.repository import GitError
from pipelinekit.wire import sources

VARIABLES = frozenset(
    {
        "AuthorDate",
        "AuthorDisplayName",
        "AuthorEmail",
        "BranchName",
        "CommitId",
        "CommitMessage",
        "CommitterDate",
        "RepositoryName",
    }
)


def _check(action: Action, settings: Settings) -> str | None:
    try:
        address(action.configuration.get("RepositoryUrl", ""), settings.folder)
    except GitError as error:
        return str(error)
    return None


@provider(Traits.source("Git", variables=VARIABLES, check=_check))
def git(
    job: Job,
    url: Annotated[str, Key("RepositoryUrl")],
    branch: Annotated[str, Key("BranchName")] = "main",
) -> Outcome:
    """Take the last commit of a branch of any git repository.

    What is not committed is not taken, nor are submodules. Over ssh the keys and the agent of
    the user are used; credential helpers are not.

    Args:
        job: What is to be done.
        url: An https, ssh or file address, or a path; a relative one starts from the project.
        branch: The branch, without `refs/heads/`.
    """
    try:
        wanted = Wanted(address(url, job.settings.folder), branch, job.order.revision)
        found = check_out(wanted, job.cache / "git", job.folder, job.say)
    except GitError as error:
        return sources.failed(error)
    job.write(found.folder)
    repository = PurePosixPath(wanted.url).name.removesuffix(".git")
    return sources.succeeded(found, VARIABLES, BranchName=branch, RepositoryName=repository)
