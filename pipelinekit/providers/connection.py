"""Source/AWS/CodeStarSourceConnection: a branch of a repository at a git host."""

import json
from typing import Annotated, Final

from pipelinekit.builds.repository import repository_url, take_commit
from pipelinekit.model.action import Action, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.git.checkout import host
from pipelinekit.tools.git.repository import GitError
from pipelinekit.wire import sources

VARIABLES = frozenset(
    {
        "AuthorDate",
        "AuthorDisplayName",
        "AuthorEmail",
        "AuthorId",
        "BranchName",
        "CommitId",
        "CommitMessage",
        "ConnectionArn",
        "FullRepositoryName",
        "ProviderType",
    }
)
_HOSTS: Final = {"github": "GitHub", "bitbucket": "Bitbucket", "gitlab": "GitLab"}


def _check(action: Action, settings: Settings) -> str | None:
    keys = action.configuration
    repository, arn = keys.get("FullRepositoryId", ""), keys.get("ConnectionArn", "")
    return _obstacle(settings, repository, arn, keys.get("OutputArtifactFormat"))


def _obstacle(
    settings: Settings, repository: str, arn: str, output_format: str | None
) -> str | None:
    if repository in settings.repositories or arn in settings.connections:
        return sources.refused_format(output_format)
    all_of_it = f"{json.dumps(arn)} = {json.dumps('https://github.com/{repository}.git')}"
    this_one = f"{json.dumps(repository)} = {json.dumps(f'../{repository}.git')}"
    return sources.unmapped(
        repository, "[connections]", all_of_it, "", "# or", "[repositories]", this_one
    )


@provider(Traits.source("CodeStarSourceConnection", Owner.AWS, variables=VARIABLES, check=_check))
def connection(  # noqa: PLR0913 - the action type has these keys
    job: Job,
    arn: Annotated[str, Key("ConnectionArn")],
    repository: Annotated[str, Key("FullRepositoryId")],
    branch: Annotated[str, Key("BranchName")],
    *,
    output_artifact_format: str | None = None,
    detect_changes: bool | None = None,
) -> Outcome:
    """Take the last commit of a branch of a repository at GitHub, Bitbucket or GitLab.

    Where the repository is, the tables `[repositories]` and `[connections]` of pipelinekit.toml
    say, in this order. `AuthorId` is the author's e-mail address, the only id that git knows.

    Args:
        job: What is to be done.
        arn: The connection.
        repository: `owner/repository`, or `group/sub/project`.
        branch: The branch, without `refs/heads/`.
        output_artifact_format: CODE_ZIP, also when absent: the files of the commit. With
            CODEBUILD_CLONE_REF the artifact names the commit, and a CodeBuild action, the only
            one that can read it, clones the repository with its history.
        detect_changes: Whether new commits start the pipeline in AWS; nothing looks for them
            here.

    Source: codepipeline.md 7.5.
    """
    del detect_changes  # kept for AWS
    obstacle = _obstacle(job.settings, repository, arn, output_artifact_format)
    if obstacle:
        return Failed(obstacle, code=FailureType.CONFIGURATION_ERROR)
    try:
        found = take_commit(job, branch, output_artifact_format, repository, arn)
    except GitError as error:
        return sources.failed(error)
    connected = _connected(job.settings, repository, arn)
    return sources.succeeded(found, VARIABLES, BranchName=branch, **connected)


def _connected(settings: Settings, repository: str, arn: str) -> dict[str, str]:
    at = host(repository_url(settings, repository, arn))
    kind = next((name for part, name in _HOSTS.items() if part in at), "Git")
    return {"ConnectionArn": arn, "FullRepositoryName": repository, "ProviderType": kind}
