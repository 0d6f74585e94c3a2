"""Where the commands of a build run: the host, a sandbox or a container."""

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipelinekit.model.settings import Compute, Where
from pipelinekit.tools.commands.confinement import HOST, Confinement, ConfinementError
from pipelinekit.tools.commands.container import Container
from pipelinekit.tools.commands.containers import container_engine, container_obstacle
from pipelinekit.tools.commands.sandbox import Sandbox, sandbox_obstacle
from pipelinekit.tools.jobs.cgroup import Limits

IMAGES_OF_CODEBUILD: Final = "aws/codebuild/"


def where(compute: Compute) -> Where:
    """Tell where commands run: where the settings say, else where they are best kept apart.

    CHOICE: the images of CodeBuild itself can be had by CodeBuild alone, so that a project that
    names one runs without an image.

    Args:
        compute: What the settings say.
    """
    if compute.where is not None:
        return compute.where
    if compute.image is not None and not compute.image.startswith(IMAGES_OF_CODEBUILD):
        return Where.CONTAINER
    return Where.HOST if sandbox_obstacle() else Where.SANDBOX


def foreign_system(environment_type: str) -> str | None:
    """Name the system that builds of an environment type need, where it is not that of here.

    CHOICE: a build for another processor, a GPU or Lambda's compute runs on what this machine has.

    Args:
        environment_type: As CodeBuild has it, such as LINUX_CONTAINER.
    """
    if environment_type.startswith("WINDOWS"):
        return "Windows"
    if environment_type.startswith("MAC") and platform.system() != "Darwin":
        return "macOS"
    return None


def confinement(
    compute: Compute,
    *,
    writable: Sequence[Path],
    readable: Sequence[Path] = (),
    hidden: Sequence[Path] = (),
    scratch: Path | None = None,
) -> Confinement:
    """Give the place for the commands of a build.

    What is not named is out of reach of a sandbox or a container, so that the folder for
    temporary files and that of the shell are named too. Never named as writable is a folder
    that the engine itself writes into by name, such as the job's own.

    Args:
        compute: What the settings say.
        writable: Folders and files that commands may change.
        readable: Folders and files that they may read besides.
        hidden: Folders that they find empty, but for what else is named beneath them.
        scratch: A folder for what a sandbox has in `/tmp` and in the home; in memory when None.

    Raises:
        ConfinementError: What is asked for cannot be had here; it says what to do.
    """
    limits = Limits(compute.network, compute.memory_mb, compute.processes)
    match where(compute):
        case Where.HOST:
            return _host(limits)
        case Where.SANDBOX:
            if obstacle := sandbox_obstacle():
                raise ConfinementError(f"builds are to run in a sandbox, but {obstacle}")
            return Sandbox(limits, writable, readable, hidden, scratch)
        case Where.CONTAINER:
            return _container(compute.image, limits, writable, readable)


def _host(limits: Limits) -> Confinement:
    if limits != Limits():
        raise ConfinementError(
            "the network, memory_mb or processes of builds are to be limited, but on the host "
            'itself nothing holds them to it; set where = "sandbox" under [compute] in '
            "pipelinekit.toml (bubblewrap makes it), or take the limits out"
        )
    return HOST


def _container(
    image: str | None, limits: Limits, writable: Sequence[Path], readable: Sequence[Path]
) -> Confinement:
    if image is None:
        raise ConfinementError(
            "builds are to run in a container, but no image is named; set image under [compute] "
            "in pipelinekit.toml"
        )
    engine = container_engine()
    if engine is None:
        raise ConfinementError(f"builds are to run in {image}, but {container_obstacle()}")
    return Container(engine, image, limits, writable, readable)
