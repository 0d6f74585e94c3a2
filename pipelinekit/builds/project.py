"""Builds of a CodeBuild project, as CodeBuild actions and rules ask for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelinekit.builds.batch import carry_out_batch
from pipelinekit.builds.build import buildspec_of, carry_out, concluded, prepare
from pipelinekit.builds.compute import place_obstacle
from pipelinekit.builds.source import INLINE, primary_of, read_sources, read_spec
from pipelinekit.builds.task import BuildFailed, Built, Request
from pipelinekit.model.action import Action
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire.environment_variables import Variables, read_variables, write_variables

PLAIN: Final = Project()
"""A project of which the settings say nothing."""


class VariablesForm:
    """Writes a mapping as CodeBuild's JSON; text is read later, where it can be refused."""

    def write(self, value: object) -> str:
        """Give the JSON for a mapping, and text as it is."""
        return write_variables(value) if isinstance(value, Mapping) else str(value)

    def read(self, text: str) -> object:
        """Give the text."""
        return text


class Wanted(Noun):
    """What an action or a rule says of its build; the keys of its configuration.

    Attributes:
        project: The project, by which `[codebuild.<project>]` is found.
        buildspec: A path in the primary source, or YAML, in place of the project's own.
        env: Values of environment variables by name, or CodeBuild's JSON array.
        primary: The input artifact in which the build starts.
        batch: Whether the builds of the buildspec's section `batch` are run.
        combine: Whether the artifacts of a batch build become one.
    """

    project: str
    buildspec: str | None = None
    env: Mapping[str, str] | str | None = None
    primary: str | None = None
    batch: bool = False
    combine: bool = False


def build_project(job: Job, wanted: Wanted) -> Outcome:
    """Run the build of a project, or its batch of builds, and publish what it made.

    Args:
        job: The attempt of the action or the rule.
        wanted: What it says of the build.
    """

    def work() -> Built:
        _refuse_combining(batch=wanted.batch, combine=wanted.combine)
        request = Request(
            job=job,
            name=wanted.project,
            project=job.settings.projects.get(wanted.project, PLAIN),
            buildspec=wanted.buildspec,
            variables=_overrides(wanted.env),
            primary=wanted.primary,
        )
        sources = read_sources(request)
        if wanted.batch:
            spec = buildspec_of(request, sources)
            return carry_out_batch(request, sources, spec.batch, combine=wanted.combine)
        return carry_out(prepare(request, sources))

    return concluded(job, f"{wanted.project}:{job.order.id}", work)


def project_obstacle(action: Action, settings: Settings) -> str | None:
    """Say why an action's build of a project cannot run here; None when it can.

    Args:
        action: The action, or a rule in the guise of one.
        settings: Of the project's folder.
    """
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
