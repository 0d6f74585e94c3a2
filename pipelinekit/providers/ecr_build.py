"""Build/AWS/ECRBuildAndPublish: a container image, built here, pushed to a registry if any."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.commands.containers import (
    ContainerError,
    build_image,
    container_obstacle,
    push_image,
)
from pipelinekit.tools.documents.places import printable
from pipelinekit.wire import images

VARIABLES = frozenset({"ECRImageDigestId", "ECRRepositoryName"})
DOCKERFILE: Final = "Dockerfile"
REGISTRIES: Final = ("private", "public")
SHOWN: Final = 12


def _check(action: Action, _: Settings) -> str | None:
    keys = action.configuration
    repository, tags = keys.get("ECRRepositoryName", ""), keys.get("ImageTags", "latest")
    return _obstacle(repository, tags, keys.get("RegistryType"))


@provider(
    Traits(
        category=Category.BUILD,
        provider="ECRBuildAndPublish",
        owner=Owner.AWS,
        inputs=(1, 1),
        outputs=(0, 0),
        variables=VARIABLES,
        detached=True,
        timeout=timedelta(hours=1),
        check=_check,
    )
)
def ecr_build(
    job: Job,
    repository: Annotated[str, Key("ECRRepositoryName")],
    *,
    dockerfile: Annotated[str | None, Key("DockerFilePath")] = None,
    tags: Annotated[str, Key("ImageTags")] = "latest",
    registry_type: str | None = None,
) -> Outcome:
    """Build a container image from the input artifact, and push it where there is a registry.

    podman builds it, or docker. The image is named `localhost/` and the repository, or as the
    table `[ecr]` of pipelinekit.toml says; where that begins with the host of a registry, such as
    `registry.example.org/shop`, it is pushed there. Otherwise it stays here.

    Args:
        job: The attempt; its input holds the Dockerfile.
        repository: The repository's name.
        dockerfile: The folder of the Dockerfile in the artifact, from which it can copy; the root
            when None.
        tags: The image's tags, with commas between them.
        registry_type: `private`, also when None, or `public`; the registry itself is the one
            of `[ecr]` in both cases.

    Source: codepipeline.md 7.9.
    """
    if obstacle := _obstacle(repository, tags, registry_type):
        return Failed(obstacle, code=FailureType.CONFIGURATION_ERROR)
    source = job.read()
    folder = (source / (dockerfile or ".")).resolve()
    if fault := _misplaced(source, folder, dockerfile or "."):
        return Failed(fault, code=FailureType.CONFIGURATION_ERROR)
    image = images.image_name(repository, job.settings)
    try:
        digest, summary = _published(image, _split(tags), folder)
    except ContainerError as error:
        return Failed(str(error))
    job.say(f"{summary}; {digest}")
    variables = {"ECRImageDigestId": digest, "ECRRepositoryName": repository}
    return Succeeded(variables, summary, external_id=digest, place="container")


def _obstacle(repository: str, tags: str, registry_type: str | None) -> str | None:
    if registry_type not in {None, *REGISTRIES} and "#{" not in str(registry_type):
        return (
            f"RegistryType {registry_type!r} is asked for, and a registry is "
            f"{' or '.join(REGISTRIES)}; write one of them"
        )
    return images.unfit(repository, _split(tags)) or container_obstacle()


def _published(image: str, tags: list[str], folder: Path) -> tuple[str, str]:
    names = [f"{image}:{tag}" for tag in tags]
    digest = build_image(folder, folder / DOCKERFILE, names)
    went = "not pushed, for no registry is configured"
    if host := images.registry(image):
        pushed = [push_image(name) for name in names]
        digest, went = pushed[0], f"pushed to {host}"
    return digest, f"Image {', '.join(names)} built, {went}"


def _split(tags: str) -> list[str]:
    return [tag.strip() for tag in tags.split(",")]


def _misplaced(source: Path, folder: Path, asked: str) -> str | None:
    if not folder.is_relative_to(source.resolve()):
        return f"DockerFilePath {asked} leads out of the artifact; name a folder in it"
    if (folder / DOCKERFILE).is_file():
        return None
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    shown = ", ".join(map(printable, names[:SHOWN])) + ", ..." * (len(names) > SHOWN)
    return (
        f"a {DOCKERFILE} was looked for in the folder {asked} of the artifact, which holds "
        f"{shown or 'nothing'}; add it there, or set DockerFilePath to its folder"
    )
