"""CodeBuild on this machine: the buildspec of a project, or its batch of builds, as an action."""

from datetime import timedelta
from typing import Annotated, Final

from msgspec.structs import replace

from pipelinekit import builds
from pipelinekit.builds.wanted import Env, Wanted
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.providers import BUILDS


def build(  # noqa: PLR0913 - a parameter for each key of the configuration
    job: Job,
    project: Annotated[str, Key("ProjectName")],
    *,
    buildspec: Annotated[str | None, Key("BuildspecOverride")] = None,
    env: Env = None,
    primary: Annotated[str | None, Key("PrimarySource")] = None,
    batch: Annotated[bool | None, Key("BatchEnabled")] = None,
    combine: Annotated[bool | None, Key("CombineArtifacts")] = None,
) -> Outcome:
    """Run the buildspec of a CodeBuild project, on this machine.

    All commands share one shell, so that a `cd` or an `export` holds for those that follow. What
    they see of this machine and of the network, `[compute]` of pipelinekit.toml says. They have a
    small environment without credentials: give what they need in
    `[codebuild.<project>.environment]`, or in `env`. Only the addresses of proxies and of the
    indexes of pip and npm are handed over as they are, with passwords, which the log hides. A
    project that is not configured runs the `buildspec.yml` of its source. Output variables are the
    buildspec's `exported-variables`. Values of Parameter Store and Secrets Manager are read as the
    settings say; they are hidden in the log, and never become output variables. A failure says
    which command failed, or what to configure.

    A project of another environment type runs on what this machine is, be it for ARM, a GPU or
    Lambda's compute; those of Windows are refused, and those of macOS but on a Mac.

    A source that is a reference to a commit (`CODEBUILD_CLONE_REF`) is cloned with all of its
    history. The git of a build uses the credential helpers and the ssh agent of this user only
    where the buildspec says `git-credential-helper: yes`, and the build runs on the host.

    Args:
        job: What is to be done.
        project: The project, by which `[codebuild.<project>]` is found.
        buildspec: A path in the primary source, or YAML, in place of the project's own buildspec.
        env: Values of environment variables by name, or CodeBuild's JSON array of `name`, `value`
            and `type`; they prevail over the project's, and those over the buildspec's.
        primary: The input artifact in which the build starts; needed with more than one.
        batch: Whether the builds of the buildspec's section `batch` are run.
        combine: Whether the artifacts of a batch build become one.

    Source: codepipeline.md 7.7.
    """
    return builds.build_project(
        job, Wanted(project, buildspec, env, primary, batch=bool(batch), combine=bool(combine))
    )


def _check(action: Action, settings: Settings) -> str | None:
    return builds.project_obstacle(action, settings)


_TRAITS: Final = Traits(
    category=Category.BUILD,
    provider="CodeBuild",
    owner=Owner.AWS,
    inputs=(1, 5),
    detached=True,
    timeout=timedelta(hours=36),
    check=_check,
    preload=BUILDS,
)
codebuild = provider(_TRAITS)(build)
codebuild_test = provider(replace(_TRAITS, category=Category.TEST, timeout=timedelta(hours=8)))(
    build
)
