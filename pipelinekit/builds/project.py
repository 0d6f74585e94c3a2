"""Builds of a CodeBuild project, as CodeBuild actions and rules ask for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pipelinekit import builds
from pipelinekit.builds.build import buildspec_of, carry_out, concluded, prepare
from pipelinekit.builds.compute import place_obstacle
from pipelinekit.builds.source import INLINE, primary_of, read_sources, read_spec
from pipelinekit.builds.task import BuildFailed, Built, Request
from pipelinekit.builds.wanted import Wanted
from pipelinekit.model.action import Action
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire.environment_variables import Variables, read_variables

PLAIN: Final = Project()
"""A project of which the settings say nothing."""


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
            return builds.carry_out_batch(request, sources, spec.batch, combine=wanted.combine)
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
