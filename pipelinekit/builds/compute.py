"""Chooses the place of a build from what its project and the settings say of it."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipelinekit.builds.place import IMAGES_OF_CODEBUILD, confinement, foreign_system, where
from pipelinekit.builds.task import BuildFailed, Request, Sources
from pipelinekit.model.settings import Compute, Project, Settings, Where
from pipelinekit.tools.commands.confinement import Confinement, ConfinementError

OPEN: Final = Compute()
LINUX: Final = "LINUX_CONTAINER"


def compute_of(project: Project, settings: Settings) -> Compute:
    """Give what a project says of its place, and the settings where it says nothing.

    CHOICE: an image of CodeBuild itself cannot be had outside of AWS, so it stands for the usual
    place of builds.

    Args:
        project: The project.
        settings: Of the project's folder.
    """
    own, usual = project.compute or OPEN, settings.compute
    image = None if _is_of_codebuild(own.image) else own.image
    return Compute(
        where=own.where or usual.where,
        image=image or (None if _is_of_codebuild(usual.image) else usual.image),
        network=own.network and usual.network,
        memory_mb=usual.memory_mb if own.memory_mb is None else own.memory_mb,
        processes=usual.processes if own.processes is None else own.processes,
    )


def refuse_foreign(name: str, project: Project) -> None:
    """Refuse a project whose builds need another system than this machine's.

    Raises:
        BuildFailed: They need Windows, or macOS.
    """
    kind = project.environment_type or LINUX
    if system := foreign_system(kind):
        raise BuildFailed(
            f"the environment of project {name} is a {kind}, and this machine is no {system}; if "
            f"its commands run here too, write environment_type = {LINUX!r} under "
            f"[codebuild.{name}] in pipelinekit.toml"
        )


def place_obstacle(project: Project, settings: Settings) -> str | None:
    """Say why builds of a project have no place here; None when they have one."""
    try:
        confinement(compute_of(project, settings), writable=())
    except ConfinementError as error:
        return str(error)
    return None


def place_of(request: Request, sources: Sources) -> Confinement:
    """Give the place of a build.

    Args:
        request: What is asked for.
        sources: The folders in which it works.

    Raises:
        BuildFailed: That place cannot be had here.
    """
    own = [request.workplace / "tmp", request.private / "shells"]
    for each in own:
        each.mkdir(parents=True, exist_ok=True)
    try:
        return confinement(
            compute_of(request.project, request.job.settings),
            writable=[sources.primary, *sources.others.values(), *own],
            # The state of the project, with its other jobs, where the PATH leads beside it.
            hidden=[request.job.cache.parent],
            scratch=request.private / "scratch",
        )
    except ConfinementError as error:
        raise BuildFailed(str(error)) from None


def place_notes(request: Request) -> Iterator[str]:
    """Say what of the place that was asked for is not so here."""
    kind = request.project.environment_type or LINUX
    if kind != LINUX:
        yield f"environment type {kind}: builds run on what this machine is ({platform.machine()})"
    asked = (request.project.compute or OPEN).image
    compute = compute_of(request.project, request.job.settings)
    if _is_of_codebuild(asked):
        yield f"image {asked} cannot be had outside of AWS; what is installed here is used instead"
    elif asked is not None and where(compute) is not Where.CONTAINER:
        yield f"image {asked} is not used: builds run in the {where(compute)} by the settings"


def home_of(request: Request, place: Confinement) -> Path | None:
    """Give the folder that keeps what a build writes into its home; None where none is kept."""
    folder = request.private / "scratch" / "home"
    return folder if place.place == Where.SANDBOX else None


def _is_of_codebuild(image: str | None) -> bool:
    return image is not None and image.startswith(IMAGES_OF_CODEBUILD)
