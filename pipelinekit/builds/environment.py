"""The environment variables of a build: its own, CodeBuild's, and those that are looked up."""

import os
import re
import time
from collections.abc import Mapping

from pipelinekit.builds.task import BuildFailed, Request, Sources
from pipelinekit.model.settings import Aws, Project, Settings
from pipelinekit.tools.commands.surroundings import odd_variable, small_environment
from pipelinekit.wire.buildspec import Buildspec
from pipelinekit.wire.environment_variables import Variables

ACCOUNT = "000000000000"


def asked_variables(own: Variables, project: Project, spec: Buildspec) -> Variables:
    """Gather the variables of the action, over those of the project, over those of the buildspec.

    Args:
        own: Those of the action, or of one build of a batch.
        project: The project.
        spec: The buildspec.
    """
    of_spec = Variables(spec.variables, spec.parameter_store, spec.secrets_manager)
    of_project = Variables(project.environment, project.parameters, project.secrets)
    return own.over(of_project).over(of_spec)


def environment_of(
    request: Request, sources: Sources, image: str, values: Mapping[str, str], *, git: bool = False
) -> dict[str, str]:
    """Give all environment variables of a build.

    Args:
        request: What is asked for.
        sources: The folders of the build.
        image: What it runs in.
        values: The variables that it was given; CodeBuild's own prevail over them.
        git: Whether its git may use the credential helpers and the ssh agent of this user.

    Raises:
        BuildFailed: No process can be given one of them.
    """
    usual = small_environment(request.workplace / "tmp") | account_variables(request.job.settings)
    environment = {
        **usual,
        **_of_git(credentials=git),
        **values,
        **_of_codebuild(request, sources, image, usual["AWS_REGION"]),
    }
    if odd := odd_variable(environment):
        raise BuildFailed(odd)
    return environment


def account_variables(settings: Settings) -> dict[str, str]:
    """Give what tells AWS's tools where the configured account is; nothing that opens it.

    Args:
        settings: Of the project's folder.
    """
    aws = settings.aws or Aws()
    given = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": aws.region,
        "AWS_DEFAULT_REGION": aws.region,
    }
    return {name: value for name, value in given.items() if value}


def _of_git(*, credentials: bool) -> dict[str, str]:
    if credentials:
        agent = os.environ.get("SSH_AUTH_SOCK")
        return {"GIT_TERMINAL_PROMPT": "0"} | ({"SSH_AUTH_SOCK": agent} if agent else {})
    # An empty helper makes git forget those that the user's own settings name.
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": "",
    }


def _of_codebuild(request: Request, sources: Sources, image: str, region: str) -> dict[str, str]:
    # Left out are those of webhooks and public builds, which a pipeline never has.
    order = request.job.order
    build = f"{request.name}:{order.id}"
    arn = f"arn:aws:codebuild:{region}:{ACCOUNT}"
    own = {
        "CODEBUILD_BUILD_ARN": f"{arn}:build/{build}",
        "CODEBUILD_BUILD_ID": build,
        "CODEBUILD_BUILD_IMAGE": image,
        "CODEBUILD_BUILD_NUMBER": str(order.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_BUILD_URL": request.job.folder.absolute().as_uri(),
        "CODEBUILD_INITIATOR": f"codepipeline/{order.pipeline}",
        "CODEBUILD_KMS_KEY_ID": "alias/aws/s3",
        "CODEBUILD_LOG_PATH": order.id,
        "CODEBUILD_PROJECT_ARN": f"{arn}:project/{request.name}",
        "CODEBUILD_SOURCE_REPO_URL": sources.repository,
        "CODEBUILD_SRC_DIR": str(sources.primary),
        "CODEBUILD_START_TIME": str(time.time_ns() // 1_000_000),
        "PIPELINEKIT_ACTION_EXECUTION_ID": order.id,
    }
    for artifact in (each for each in order.inputs if each.name == sources.name):
        place = f"arn:aws:s3:::{artifact.bucket}/{artifact.object_key}"
        own["CODEBUILD_SOURCE_VERSION"] = place
        own["CODEBUILD_RESOLVED_SOURCE_VERSION"] = artifact.revision
    for name, folder in sources.others.items():
        own["CODEBUILD_SRC_DIR_" + re.sub(r"\W", "_", name)] = str(folder)
    if request.identifier is not None:
        own["CODEBUILD_BATCH_BUILD_IDENTIFIER"] = request.identifier
    return own
