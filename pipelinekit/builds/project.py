"""Builds of a CodeBuild project, as CodeBuild actions and rules ask for them."""

from collections.abc import Mapping
from typing import Final

from pipelinekit import builds
from pipelinekit.builds.build import (
    BUILDSPEC,
    buildspec_of,
    carry_out,
    concluded,
    prepare,
    refuse_idle,
)
from pipelinekit.builds.compute import place_obstacle, refuse_foreign
from pipelinekit.builds.environment import asked_variables
from pipelinekit.builds.outputs import wanted_artifacts
from pipelinekit.builds.source import primary_of, read_sources, told_spec
from pipelinekit.builds.task import BuildFailed, Built, Request
from pipelinekit.builds.wanted import Wanted
from pipelinekit.model.action import Action
from pipelinekit.model.order import Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job
from pipelinekit.tools.documents.document import DocumentError
from pipelinekit.wire.buildspec import Batch, Buildspec
from pipelinekit.wire.environment_variables import Variables, read_variables

PLAIN: Final = Project()
"""A project of which the settings say nothing."""
NO_SPEC: Final = Buildspec("0.2", ())
LATER: Final = "#{"
"""What stands for a value that the execution tells."""


def build_project(job: Job, wanted: Wanted) -> Outcome:
    """Run the build of a project, or its batch of builds, and publish what it made.

    Args:
        job: The attempt of the action or the rule.
        wanted: What it says of the build.
    """
    project = job.settings.projects.get(wanted.project, PLAIN)

    def work() -> Built:
        _refuse_combining(batch=wanted.batch, combine=wanted.combine)
        refuse_foreign(wanted.project, project)
        request = Request(
            job=job,
            name=wanted.project,
            project=project,
            buildspec=wanted.buildspec,
            variables=_overrides(wanted.env),
            primary=wanted.primary,
        )
        sources = read_sources(request)
        if wanted.batch:
            batch = _batch_of(buildspec_of(request, sources), wanted.project)
            return builds.carry_out_batch(request, sources, batch, combine=wanted.combine)
        return carry_out(prepare(request, sources))

    return concluded(job, f"{wanted.project}:{job.order.id}", work)


def project_obstacle(action: Action, settings: Settings) -> str | None:
    """Say why an action's build of a project cannot run here; None when it can.

    Args:
        action: The action, or a rule in the guise of one.
        settings: Of the project's folder.
    """
    given = action.configuration
    name = given.get("ProjectName", "")
    project = settings.projects.get(name, PLAIN)
    batch = given.get("BatchEnabled") == "true"
    try:
        _refuse_combining(batch=batch, combine=given.get("CombineArtifacts") == "true")
        primary_of(action.inputs, given.get("PrimarySource"))
        refuse_foreign(name, project)
        spec = _told_spec(action, project)
        if batch and spec:
            _batch_of(spec, name)
        elif spec:
            refuse_idle(spec, name)
            wanted_artifacts(spec, tuple(output.name for output in action.outputs))
        variables = _told_variables(action, project, None if batch else spec)
    except BuildFailed as refused:
        return str(refused)
    return builds.secrets_obstacle(settings, variables) or place_obstacle(project, settings)


def _told_spec(action: Action, project: Project) -> Buildspec | None:
    own = action.configuration.get("BuildspecOverride", "")
    name = action.configuration.get("ProjectName", "")
    return None if LATER in own else told_spec(own or project.buildspec or BUILDSPEC, name)


def _told_variables(action: Action, project: Project, spec: Buildspec | None) -> Variables:
    env = action.configuration.get("EnvironmentVariables")
    if env is not None and LATER in env:  # it is no JSON yet, and may override any other
        return Variables()
    return asked_variables(_overrides(env), project, spec or NO_SPEC)


def _batch_of(spec: Buildspec, project: str) -> Batch:
    if spec.batch is None:
        raise BuildFailed(
            f"a batch build is asked for, but the buildspec of project {project} has no section "
            f"batch; add one, or take BatchEnabled out of the action"
        )
    return spec.batch


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
