"""Source/ThirdParty/GitHub: a branch of a GitHub repository, by an OAuth token."""

from typing import Annotated

from pipelinekit.model.action import Owner
from pipelinekit.model.order import Outcome
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.git.checkout import Wanted, address, check_out
from pipelinekit.tools.git.repository import GitError
from pipelinekit.wire import sources

VARIABLES = frozenset(
    {
        "AuthorDate",
        "BranchName",
        "CommitId",
        "CommitMessage",
        "CommitUrl",
        "CommitterDate",
        "RepositoryName",
    }
)


@provider(Traits.source("GitHub", Owner.THIRD_PARTY, variables=VARIABLES))
def github(  # noqa: PLR0913 - the action type has these keys
    job: Job,
    owner: str,
    repo: str,
    branch: str,
    token: Annotated[str, Key("OAuthToken", secret=True)],
    *,
    poll_for_source_changes: bool | None = None,
) -> Outcome:
    """Take the last commit of a branch of a GitHub repository.

    It is read from GitHub, unless the table `[repositories]` of pipelinekit.toml says where
    `owner/repository` is instead; then `CommitUrl` is empty if that is not at a known host.

    Args:
        job: What is to be done.
        owner: Whose repository it is.
        repo: The repository's name.
        branch: The branch, without `refs/heads/`.
        token: A token that may read it. Only git is told, and only for the site of the
            repository; neither a log nor a list of processes shows it.
        poll_for_source_changes: Whether new commits start the pipeline in AWS; nothing looks for
            them here.

    Source: codepipeline.md 7.6.
    """
    del poll_for_source_changes  # kept for AWS
    name = f"{owner}/{repo}"
    url = job.settings.repositories.get(name, f"https://github.com/{name}.git")
    try:
        place = address(url, job.settings.folder)
        wanted = Wanted(place, branch, job.order.revision, token)
        found = check_out(wanted, job.cache / "git", job.folder, job.say)
    except GitError as error:
        return sources.failed(error)
    job.write(found.folder)
    return sources.succeeded(found, VARIABLES, BranchName=branch, RepositoryName=repo)
