"""Source/AWS/CodeCommit: a branch of the repository that stands here for one of CodeCommit."""

import json
from typing import Annotated

from pipelinekit.builds.repository import take_commit
from pipelinekit.model.action import Action, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.git.repository import GitError
from pipelinekit.wire import sources

VARIABLES = frozenset(
    {
        "AuthorDate",
        "BranchName",
        "CommitId",
        "CommitMessage",
        "CommitterDate",
        "RepositoryName",
    }
)


def _check(action: Action, settings: Settings) -> str | None:
    keys = action.configuration
    return _obstacle(settings, keys.get("RepositoryName", ""), keys.get("OutputArtifactFormat"))


def _obstacle(settings: Settings, repository: str, output_format: str | None) -> str | None:
    if repository in settings.repositories:
        return sources.refused_format(output_format)
    line = f"{json.dumps(repository)} = {json.dumps(f'../{repository}.git')}"
    return sources.unmapped(repository, "[repositories]", line)


@provider(Traits.source("CodeCommit", Owner.AWS, variables=VARIABLES, check=_check))
def codecommit(
    job: Job,
    repository: Annotated[str, Key("RepositoryName")],
    branch: Annotated[str, Key("BranchName")],
    *,
    poll_for_source_changes: bool | None = None,
    output_artifact_format: str | None = None,
) -> Outcome:
    """Take the last commit of a branch of a CodeCommit repository.

    Where the repository is, the table `[repositories]` of pipelinekit.toml says.

    Args:
        job: What is to be done.
        repository: The repository's name.
        branch: The branch, without `refs/heads/`.
        poll_for_source_changes: Whether new commits start the pipeline in AWS; nothing looks for
            them here.
        output_artifact_format: CODE_ZIP, also when absent: the files of the commit. With
            CODEBUILD_CLONE_REF the artifact names the commit, and a CodeBuild action, the only
            one that can read it, clones the repository with its history.

    Source: codepipeline.md 7.3.
    """
    del poll_for_source_changes  # kept for AWS
    obstacle = _obstacle(job.settings, repository, output_artifact_format)
    if obstacle:
        return Failed(obstacle, code=FailureType.CONFIGURATION_ERROR)
    try:
        found = take_commit(job, branch, output_artifact_format, repository)
    except GitError as error:
        return sources.failed(error)
    return sources.succeeded(found, VARIABLES, BranchName=branch, RepositoryName=repository)
