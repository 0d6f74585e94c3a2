"""Which pushes and pull requests start a pipeline (V2)."""

from enum import StrEnum

from pipelinekit.model.noun import Noun


class PullRequestEvent(StrEnum):
    """What happened to a pull request."""

    OPEN = "OPEN"
    UPDATED = "UPDATED"
    CLOSED = "CLOSED"


class Patterns(Noun):
    """Globs that accept a value: no exclude matches, and an include matches or there is none.

    Attributes:
        includes: 1 to 8 globs of up to 255 characters, or none.
        excludes: 1 to 8 globs of up to 255 characters, or none; they win over includes.
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


class PushFilter(Noun):
    """A push that starts the pipeline: every criterion that is given must accept it."""

    tags: Patterns | None = None
    branches: Patterns | None = None
    file_paths: Patterns | None = None


class PullRequestFilter(Noun):
    """A pull request that starts the pipeline; `branches` are its destination branches."""

    events: tuple[PullRequestEvent, ...] = ()
    branches: Patterns | None = None
    file_paths: Patterns | None = None


class GitConfiguration(Noun):
    """The filters of one source action; any filter that accepts an event starts the pipeline."""

    source_action_name: str
    push: tuple[PushFilter, ...] = ()
    pull_request: tuple[PullRequestFilter, ...] = ()


class Trigger(Noun):
    """A declared trigger of the pipeline."""

    git_configuration: GitConfiguration
    provider_type: str = "CodeStarSourceConnection"
