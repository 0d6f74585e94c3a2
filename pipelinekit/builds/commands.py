"""Builds that are written down as mere commands: those of Commands actions and their like."""

from typing import Final

from pipelinekit.builds.build import carry_out, concluded, prepare
from pipelinekit.builds.reference import read_reference
from pipelinekit.builds.source import read_sources
from pipelinekit.builds.task import BuildFailed, Built, Request, Sources
from pipelinekit.model.action import EnvironmentVariable, SecretType
from pipelinekit.model.order import Order, Outcome
from pipelinekit.model.settings import Project
from pipelinekit.ports.provider import Job
from pipelinekit.wire.buildspec import Artifacts, Buildspec, Phase
from pipelinekit.wire.environment_variables import Variables

ALL_FILES: Final = ("**/*",)


def build_commands(job: Job) -> Outcome:
    """Run the commands of an order in one shell, and publish what they made.

    They start in the folder of its first input; without inputs, in an empty one. The first command
    that does not exit with 0 is the last one.

    Args:
        job: Its order has the commands, and what they take and give away.
    """
    name = f"{job.order.pipeline}-{job.order.action}"  # where a build has that of its project
    return concluded(job, f"{name}:{job.order.id}", lambda: _carry_out(job, name))


def _carry_out(job: Job, name: str) -> Built:
    order = job.order
    for each in order.inputs:
        if read_reference(job.read(each.name)):
            raise BuildFailed(
                f"input {each.name} is a mere reference to a commit, which only CodeBuild actions "
                f"can read; set OutputArtifactFormat of the source to CODE_ZIP"
            )
    request = Request(
        job=job,
        name=name,
        project=Project(),
        variables=_variables(order.environment),
        primary=order.inputs[0].name if order.inputs else None,
    )
    sources = read_sources(request) if order.inputs else _nothing(request)
    return carry_out(prepare(request, sources, _spec(order)))


def _nothing(request: Request) -> Sources:
    folder = request.workplace / "source"
    folder.mkdir(parents=True)
    return Sources("", folder)


def _spec(order: Order) -> Buildspec:
    outputs = {
        output.name: Artifacts(order.files.get(output.name) or ALL_FILES)
        for output in order.outputs
    }
    return Buildspec(
        version="0.2",
        phases=(Phase("build", order.commands),),
        exported_variables=order.exported,
        secondary=outputs,
    )


def _variables(given: tuple[EnvironmentVariable, ...]) -> Variables:
    secrets = [each for each in given if each.type is SecretType.SECRETS_MANAGER]
    return Variables(
        plain={each.name: each.value for each in given if each not in secrets},
        secrets={each.name: each.value for each in secrets},
    )
