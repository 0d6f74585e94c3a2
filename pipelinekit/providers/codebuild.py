"""CodeBuild on this machine: the buildspec of a project, or its batch of builds, as an action."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.builds.batch import carry_out_batch
from pipelinekit.builds.build import buildspec_of, carry_out, concluded, prepare
from pipelinekit.builds.compute import place_obstacle
from pipelinekit.builds.source import INLINE, primary_of, read_sources, read_spec
from pipelinekit.builds.task import BuildFailed, Built, Request
from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.document import DocumentError
from pipelinekit.wire.environment_variables import Variables, read_variables, write_variables

PLAIN: Final = Project()
"""A project of which the settings say nothing."""


class _Variables:
    """Writes a mapping as CodeBuild's JSON; text is read later, where it can be refused."""

    def write(self, value: object) -> str:
        return write_variables(value) if isinstance(value, Mapping) else str(value)

    def read(self, text: str) -> object:
        return text


def build(  # noqa: PLR0913 - a parameter for each key of the configuration
    job: Job,
    project: Annotated[str, Key("ProjectName")],
    *,
    buildspec: Annotated[str | None, Key("BuildspecOverride")] = None,
    env: Annotated[
        Mapping[str, str] | str | None, Key("EnvironmentVariables", form=_Variables())
    ] = None,
    primary: Annotated[str | None, Key("PrimarySource")] = None,
    batch: Annotated[bool | None, Key("BatchEnabled")] = None,
    combine: Annotated[bool | None, Key("CombineArtifacts")] = None,
) -> Outcome:
    """Run the buildspec of a CodeBuild project, on this machine.

    All commands share one shell, so that a `cd` or an `export` holds for those that follow. What
    they see of this machine and of the network, `[compute]` of pipelinekit.toml says. They have a
    small environment without credentials: give what they need in
    `[codebuild.<project>.environment]`, or in `env`. A project that is not configured runs the
    `buildspec.yml` of its source. Output variables are the buildspec's `exported-variables`.
    Values of Parameter Store and Secrets Manager are read as the settings say; they are hidden in
    the log, and never become output variables.

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

    Returns:
        Failed, with the command that failed or with what to configure; Succeeded otherwise.

    Source:
        codepipeline.md 7.7.
    """

    def work() -> Built:
        _refuse_combining(batch=bool(batch), combine=bool(combine))
        request = Request(
            job=job,
            name=project,
            project=job.settings.projects.get(project, PLAIN),
            buildspec=buildspec,
            variables=_overrides(env),
            primary=primary,
        )
        sources = read_sources(request)
        if batch:
            spec = buildspec_of(request, sources)
            return carry_out_batch(request, sources, spec.batch, combine=bool(combine))
        return carry_out(prepare(request, sources))

    return concluded(job, f"{project}:{job.order.id}", work)


def _check(action: Action, settings: Settings) -> str | None:
    given = action.configuration
    env = given.get("EnvironmentVariables")
    inline = given.get("BuildspecOverride", "")
    try:
        _refuse_combining(
            batch=given.get("BatchEnabled") == "true",
            combine=given.get("CombineArtifacts") == "true",
        )
        primary_of(action.inputs, given.get("PrimarySource"))
        if INLINE.match(inline) and "#{" not in inline:
            read_spec(Path(), inline, given.get("ProjectName", ""))
        if env is not None and "#{" not in env:  # else it is no JSON yet
            _overrides(env)
    except BuildFailed as refused:
        return str(refused)
    return place_obstacle(settings.projects.get(given.get("ProjectName", ""), PLAIN), settings)


_TRAITS: Final = Traits(
    category=Category.BUILD,
    provider="CodeBuild",
    owner=Owner.AWS,
    inputs=(1, 5),
    detached=True,
    timeout=timedelta(hours=36),
    check=_check,
)
codebuild = provider(_TRAITS)(build)
codebuild_test = provider(replace(_TRAITS, category=Category.TEST, timeout=timedelta(hours=8)))(
    build
)


def _refuse_combining(*, batch: bool, combine: bool) -> None:
    if combine and not batch:
        raise BuildFailed(
            "CombineArtifacts is true, and BatchEnabled is not, so that there are no artifacts to "
            "combine; set BatchEnabled to true, or take CombineArtifacts out"
        )


def _overrides(env: Mapping[str, str] | str | None) -> Variables:
    try:
        return read_variables(env) if isinstance(env, str) else Variables(dict(env or {}))
    except DocumentError as error:
        raise BuildFailed(str(error)) from None
