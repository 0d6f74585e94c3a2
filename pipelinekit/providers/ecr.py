"""Source/AWS/ECR: the container image that stands here for one of a repository."""

import json
from collections.abc import Mapping
from typing import Annotated

from pipelinekit.model.action import Action, Owner
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.commands.containers import (
    ContainerError,
    container_obstacle,
    image_digest,
    inspect_image,
    pull_image,
)
from pipelinekit.wire import images

VARIABLES = frozenset({"ImageDigest", "ImageTag", "ImageURI", "RegistryId", "RepositoryName"})


def _check(action: Action, _: Settings) -> str | None:
    keys = action.configuration
    return _obstacle(keys.get("RepositoryName", ""), keys.get("ImageTag", "latest"))


def _obstacle(repository: str, tag: str) -> str | None:
    return images.unfit(repository, [tag]) or container_obstacle()


@provider(Traits.source("ECR", Owner.AWS, variables=VARIABLES, check=_check))
def ecr(
    job: Job,
    repository: Annotated[str, Key("RepositoryName")],
    tag: Annotated[str, Key("ImageTag")] = "latest",
) -> Outcome:
    """Take the image that a tag of an ECR repository means, as a file that describes it.

    An image of podman or docker stands for the repository: `localhost/` with its name, or what
    the table `[ecr]` of pipelinekit.toml says. Where that begins with the host of a registry, the
    image is pulled first. The artifact holds `imageDetail.json`; as the time when the image was
    pushed it gives the time when it was built.

    Args:
        job: What is to be done.
        repository: The repository's name.
        tag: Which image; a start may name a digest instead.

    Source: codepipeline.md 7.4.
    """
    if obstacle := _obstacle(repository, tag):
        return Failed(obstacle, code=FailureType.CONFIGURATION_ERROR)
    name = images.image_name(repository, job.settings)
    revision = job.order.revision
    wanted = f"{name}@{revision}" if revision else f"{name}:{tag}"
    try:
        image = _image(name, wanted, revision)
    except ContainerError as error:
        return Failed(str(error), code=FailureType.REVISION_UNAVAILABLE)
    if image is None:
        return _missing(repository, wanted)
    job.say(f"Image {wanted}, {image.digest}, {image.size} bytes")
    detail = images.image_detail(repository, image)
    _write(job, detail)
    given = {key: str(value) for key, value in detail.items() if key in VARIABLES}
    variables = {**given, "ImageTag": tag}
    summary = f"Image {repository}:{tag}, {image.digest}"
    taken = Revision(image.digest, summary, created=image.created)
    return Succeeded(variables, summary, external_id=image.digest, revision=taken)


def _image(name: str, wanted: str, revision: str | None) -> images.Image | None:
    if images.registry(name):
        pull_image(wanted)
    facts = _looked_up(name, wanted, revision)
    if facts is None:
        return None
    digest = revision or image_digest(wanted) or ""
    # What was never in a registry may be known by its id alone.
    uri = f"{name}@{digest}" if inspect_image(f"{name}@{digest}") else digest
    return images.Image(name, uri, digest, facts)


def _looked_up(name: str, wanted: str, revision: str | None) -> Mapping[str, object] | None:
    found = inspect_image(wanted)
    if found or revision is None or not images.DIGEST.fullmatch(revision):
        return found
    known = inspect_image(revision)
    return known if known and images.tags_of(known, name) else None


def _write(job: Job, detail: Mapping[str, object]) -> None:
    folder = job.folder / "detail"
    folder.mkdir()
    (folder / "imageDetail.json").write_text(json.dumps(detail, indent=2), encoding="utf-8")
    job.write(folder)


def _missing(repository: str, wanted: str) -> Failed:
    return Failed(
        f"image {wanted} was to be taken for the repository {repository}, and there is no such "
        f"image here; build or pull it, or name another under [ecr] of pipelinekit.toml, such as "
        f'"{repository}" = "localhost/{repository}"',
        code=FailureType.REVISION_UNAVAILABLE,
    )
