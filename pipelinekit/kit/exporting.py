"""Writes pipelines as others keep them: CodePipeline, CloudFormation, Terraform."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from pipelinekit.engine.secrets import known_secrets
from pipelinekit.kit.registry import action_types
from pipelinekit.model.action import Owner
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.pipeline import LOCAL_BUCKET, LOCAL_ROLE, Pipeline
from pipelinekit.model.settings import Project
from pipelinekit.tools.documents.document import JSON, Form
from pipelinekit.wire import codepipeline
from pipelinekit.wire.codebuild_members import CLOUDFORMATION, TERRAFORM, Members, in_words
from pipelinekit.wire.codebuild_project import assumed, write_project
from pipelinekit.wire.templates.cloudformation_writer import write_cloudformation
from pipelinekit.wire.templates.gaps import placeholders
from pipelinekit.wire.templates.terraform_writer import write_terraform

PROJECT_KEY: Final = "ProjectName"
NO_PROJECTS: Final[Mapping[str, Project]] = {}


class Target(StrEnum):
    """In which form a pipeline is written."""

    JSON = "json"
    YAML = "yaml"
    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"


_Writer = Callable[[Pipeline, list[dict[str, JSON]]], str]
_WRITERS: Final[Mapping[Target, _Writer]] = {
    Target.JSON: lambda pipeline, _: codepipeline.text(pipeline, Form.JSON),
    Target.YAML: lambda pipeline, _: codepipeline.text(pipeline, Form.YAML),
    Target.CLOUDFORMATION: write_cloudformation,
    Target.TERRAFORM: write_terraform,
}
_WORDS: Final = {Target.CLOUDFORMATION: CLOUDFORMATION, Target.TERRAFORM: TERRAFORM}
"""The forms that have projects, and what they call their members."""


def export(
    pipeline: Pipeline, to: str = "json", projects: Mapping[str, Project] = NO_PROJECTS
) -> str:
    """Write a pipeline, with its CodeBuild projects where the form has them.

    Args:
        pipeline: The definition.
        to: `json` and `yaml` for CodePipeline itself, `cloudformation` for a template in YAML,
            `terraform` for resources.
        projects: The CodeBuild projects that are known, by name; those it uses are written.

    Raises:
        ValidationError: There is no such form, or the form has no words for the pipeline.
    """
    if to not in set(Target):
        known = ", ".join(Target)
        raise ValidationError(f"an export to {to!r} was asked for; choose one of {known}")
    written = _projects(pipeline, projects, Target(to))
    return _WRITERS[Target(to)](pipeline, [members for members, _ in written.values()])


def _projects(
    pipeline: Pipeline, projects: Mapping[str, Project], to: Target
) -> dict[str, tuple[Members, tuple[str, ...]]]:
    """Write the projects of a pipeline, each with the names of what the form has no words for."""
    if to not in _WORDS:
        return {}
    return {
        name: in_words(write_project(name, projects[name], pipeline.role_arn), _WORDS[to])
        for name in project_names(pipeline)
        if name in projects
    }


def project_names(pipeline: Pipeline) -> list[str]:
    """List the CodeBuild projects that the actions and rules of a pipeline name."""
    named = [
        configuration[PROJECT_KEY]
        for stage in pipeline.stages
        for configuration in (
            *(action.configuration for action in stage.actions),
            *(rule.configuration for rule in stage.rules),
        )
        if PROJECT_KEY in configuration
    ]
    return list(dict.fromkeys(named))


def export_notes(pipeline: Pipeline, to: Target, projects: Mapping[str, Project]) -> Iterator[str]:
    """Say what of an export means something here only, or has to be added at AWS."""
    yield from _at_home(pipeline)
    yield from _in_clear(pipeline)
    if to in {Target.JSON, Target.YAML}:
        return
    if pipeline.role_arn == LOCAL_ROLE:
        yield f"roleArn {LOCAL_ROLE} is a stand-in: write a role of the account there"
    if pipeline.artifact_store is not None and pipeline.artifact_store.location == LOCAL_BUCKET:
        yield f"bucket {LOCAL_BUCKET} is a stand-in: write a bucket of the account there"
    written = _projects(pipeline, projects, to)
    for name in project_names(pipeline):
        if name not in projects:
            yield f"project {name} is not known here, so that the export has none of that name"
        else:
            yield from _of_project(name, projects[name], written[name][1], to)
    left = placeholders(f"{codepipeline.text(pipeline)}{written}")
    if left:
        yield f"placeholders are still there: {', '.join(dict.fromkeys(left))}"


def _of_project(name: str, project: Project, wordless: Iterable[str], to: Target) -> Iterator[str]:
    if project.cache:
        yield f"project {name}: its cache is left out"
    if names := ", ".join(wordless):
        yield f"project {name}: {names} left out, for which an export to {to} has no words"
    if names := ", ".join(assumed(project)):
        yield (
            f"project {name}: {names} assumed, for nobody has told it; write it there, or into a "
            f"codebuild.yaml as `aws codebuild batch-get-projects` prints it"
        )


def _in_clear(pipeline: Pipeline) -> Iterator[str]:
    for action, key, _value in known_secrets(pipeline, action_types()):
        yield (
            f"action {action}: its {key} is written as it is, and is secret; keep the export "
            f"where nobody else reads it"
        )


def _at_home(pipeline: Pipeline) -> Iterator[str]:
    for stage in pipeline.stages:
        for action in stage.actions:
            if action.type.owner is Owner.CUSTOM:
                yield (
                    f"action {stage.name}/{action.name} runs here only: AWS CodePipeline does not "
                    f"know {action.type}, unless the account has a custom action type of that name"
                )
        for rule in stage.rules:
            if rule.type.owner == Owner.CUSTOM:
                yield (
                    f"rule {stage.name}/{rule.name} runs here only: AWS CodePipeline does not "
                    f"know it, and has no rule types of one's own"
                )
