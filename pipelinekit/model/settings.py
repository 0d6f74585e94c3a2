"""What a project says about its surroundings: where repositories, builds and deployments are."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Project:
    """A CodeBuild project that runs here.

    Attributes:
        buildspec: A path in the source, or inline YAML; `buildspec.yml` when absent.
        environment: Shell variables of every build of the project.
        timeout_minutes: How long a build may take.
    """

    buildspec: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class DeploymentGroup:
    """A CodeDeploy deployment group whose hosts are folders of this machine.

    Attributes:
        targets: The folders; a destination of the appspec lies beneath each of them.
        environment: Shell variables of every hook.
        rollback: Whether a failed deployment puts the last good revision back.
        keep: How many revisions stay on a target.
    """

    targets: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    rollback: bool = True
    keep: int = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one project folder.

    Attributes:
        folder: The folder that relative paths start from.
        repositories: Clone URLs by CodeCommit repository name or `owner/repository`.
        connections: Clone URL patterns by connection ARN, `{repository}` standing for its full id.
        projects: CodeBuild projects by name.
        groups: Deployment groups by `application/group`.
    """

    folder: str = "."
    repositories: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    groups: Mapping[str, DeploymentGroup] = field(default_factory=dict)
