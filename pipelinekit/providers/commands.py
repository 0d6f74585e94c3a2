"""Compute/AWS/Commands: shell commands of the pipeline itself, without a project or buildspec."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from pipelinekit import builds
from pipelinekit.model.action import (
    Action,
    Category,
    EnvironmentVariable,
    OutputArtifact,
    Owner,
    SecretType,
)
from pipelinekit.model.order import Failed, FailureType, Outcome
from pipelinekit.model.settings import Project, Settings
from pipelinekit.ports.provider import Job, Traits, provider
from pipelinekit.providers import BUILDS
from pipelinekit.wire.environment_variables import Variables

LINUX: Final = "LINUX_CONTAINER"


def _check(action: Action, settings: Settings) -> str | None:
    stored = (each for each in action.environment if each.type is SecretType.SECRETS_MANAGER)
    secrets = {each.name: each.value for each in stored}
    return (
        _obstacle(action.configuration.get("EnvironmentType", LINUX))
        or builds.secrets_obstacle(settings, Variables(secrets=secrets))
        or builds.place_obstacle(Project(), settings)
    )


def _obstacle(environment_type: str) -> str | None:
    if environment_type == LINUX:
        return None
    return (
        f"EnvironmentType {environment_type} is asked for, and this machine has no Windows "
        f"containers; set it to {LINUX} or leave it out"
    )


@provider(
    Traits(
        category=Category.COMPUTE,
        provider="Commands",
        owner=Owner.AWS,
        inputs=(1, 10),
        outputs=(0, 1),
        detached=True,
        timeout=timedelta(minutes=55),
        check=_check,
        preload=BUILDS,
    )
)
def commands_action(  # noqa: PLR0913 - the action type has these keys
    job: Job,
    *,
    environment_type: str = LINUX,
    compute_type: str = "BUILD_GENERAL1_SMALL",
    vpc_id: str | None = None,
    subnets: str | None = None,
    security_group_ids: str | None = None,
) -> Outcome:
    """Run the commands of the action in one shell, on this machine.

    They start in the folder of the first input; those of the others are at
    `CODEBUILD_SRC_DIR_<name>`. The first command that does not exit with 0 fails the action. The
    output artifact takes the files that its `files` name; output variables are the shell
    variables of `outputVariables`, and may be CodeBuild's own. What the commands see of this
    machine and of the network, `[compute]` of pipelinekit.toml says.

    CHOICE: an output artifact without `files` takes all files of the first input's folder, with
    what the commands made there; the user guide does not say.

    Args:
        job: What is to be done.
        environment_type: LINUX_CONTAINER; Windows is refused.
        compute_type: How large a machine AWS takes; here it is this one.
        vpc_id: The VPC in which AWS runs the commands; here they run in this machine's network.
        subnets: Of that VPC.
        security_group_ids: Of that VPC.

    Source:
        codepipeline.md 7.8.
    """
    if obstacle := _obstacle(environment_type):
        return Failed(obstacle, code=FailureType.CONFIGURATION_ERROR)
    given = {"VpcId": vpc_id, "Subnets": subnets, "SecurityGroupIds": security_group_ids}
    if told := ", ".join(f"{key} {value}" for key, value in given.items() if value):
        job.say(f"{told}: commands run in this machine's network, not in a VPC")
    del compute_type  # this machine is as large as it is
    return builds.build_commands(job)


def commands(
    name: str,
    /,
    *lines: str,
    env: Mapping[str, str | EnvironmentVariable] | None = None,
    variables: tuple[str, ...] = (),
    files: tuple[str, ...] = (),
    artifact: str | None = None,
) -> Action:
    """Write down an action that runs shell commands.

    ```python
    smoke = pk.commands(
        "smoke",
        "make test",
        "export LEVEL=$(cat level)",
        env={"URL": site["URL"], "TOKEN": pk.secret("shop:token")},
        variables=("LEVEL",),
        files=("report/**/*",),
    ).reads(app)
    ```

    Args:
        name: The action's name in its stage.
        lines: The commands, each of one line; `#{src.CommitMessage}` in one is read from an
            environment variable, so that no value can be a command.
        env: Values of environment variables by name; `secret` gives one of Secrets Manager.
        variables: The shell variables that become output variables.
        files: Patterns of the files that the output artifact takes.
        artifact: The name of the output artifact; with `files` it follows from the action's name.

    Source: codepipeline.md 7.8.
    """
    action = commands_action(name)
    written = artifact or (f"{action.namespace}_artifact" if files else None)
    outputs = () if written is None else (OutputArtifact(written, files),)
    shell = tuple(_variable(each, value) for each, value in (env or {}).items())
    return replace(
        action, commands=lines, environment=shell, output_variables=variables, outputs=outputs
    )


def secret(reference: str) -> EnvironmentVariable:
    """Refer to a secret of Secrets Manager, in the `env` of commands.

    Args:
        reference: The secret's name, and perhaps the key of a value in it: `name:json-key`.
    """
    return EnvironmentVariable("", reference, SecretType.SECRETS_MANAGER)


def _variable(name: str, value: str | EnvironmentVariable) -> EnvironmentVariable:
    if isinstance(value, EnvironmentVariable):
        return replace(value, name=name)
    return EnvironmentVariable(name, value)
