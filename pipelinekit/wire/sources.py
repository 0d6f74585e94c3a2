"""Translates what git found into what a source action answers."""

from typing import Final

from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Succeeded
from pipelinekit.tools.git.checkout import Checkout
from pipelinekit.tools.git.repository import GitError, GitFault

FORMATS: Final = ("CODE_ZIP", "CODEBUILD_CLONE_REF")
"""How a source can give its commit: as files without history, or as a reference for CodeBuild."""

MAX_MESSAGE_BYTES: Final = 100 * 1024
_UNAVAILABLE: Final = {GitFault.BRANCH, GitFault.COMMIT}


def succeeded(checkout: Checkout, variables: frozenset[str], **names: str) -> Succeeded:
    """Tell which commit a source action took.

    Args:
        checkout: The commit.
        variables: The output variables that the action writes.
        names: Values that git does not know, such as that of `BranchName`.

    Source: codepipeline.md 5.4, 7.3.
    """
    commit = checkout.commit
    committed = commit.committer_date.isoformat().replace("+00:00", "Z")
    facts = {
        "AuthorDate": commit.author_date.isoformat().replace("+00:00", "Z"),
        "AuthorDisplayName": commit.author_name,
        "AuthorEmail": commit.author_email,
        "AuthorId": commit.author_email,
        "CommitId": commit.id,
        "CommitMessage": commit.message.rstrip("\n"),
        "CommitUrl": checkout.page,
        "CommitterDate": committed,
        **names,
    }
    return Succeeded(
        variables={name: _cut(facts[name]) for name in sorted(variables)},
        summary=checkout.title,
        external_id=commit.id,
        external_url=checkout.page,
        revision=Revision(
            id=commit.id,
            summary=checkout.title,
            url=checkout.page,
            change=committed,
            created=commit.committer_date,
            authors=(commit.author_name, commit.author_email),
        ),
    )


def failed(error: GitError) -> Failed:
    """Tell why a source action took no commit."""
    is_unavailable = error.code in _UNAVAILABLE
    code = FailureType.REVISION_UNAVAILABLE if is_unavailable else FailureType.CONFIGURATION_ERROR
    return Failed(str(error), code=code)


def unmapped(repository: str, *lines: str) -> str:
    """Say that nobody knows where a repository of a service is, and what to add.

    Args:
        repository: Its name.
        lines: The lines of pipelinekit.toml.
    """
    return (
        f"repository {repository!r} is to be read, and pipelinekit.toml does not say where it "
        f"is; add a clone URL or a path, such as\n\n" + "\n".join(lines)
    )


def refused_format(output_format: str | None) -> str | None:
    """Say why an `OutputArtifactFormat` cannot be had; None when it can."""
    if output_format in {None, *FORMATS}:
        return None
    return (
        f"OutputArtifactFormat {output_format!r} is asked for, which is none; write one of "
        f"{', '.join(FORMATS)}, or leave it out"
    )


def _cut(value: str) -> str:
    # The encoding that a commit names could yield lone surrogates, which no database takes.
    return value.encode("utf-8", "replace")[:MAX_MESSAGE_BYTES].decode("utf-8", "ignore")
