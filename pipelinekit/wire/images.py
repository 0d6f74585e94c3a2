"""Translates between a repository of ECR and the container image that stands for it."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.model.settings import Settings

DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_WORD: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_WORD}(?:/{_WORD})*")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


class Image(Noun):
    """A container image that is here.

    Attributes:
        name: Its name without a tag.
        uri: By which exactly this image is found.
        digest: Its digest.
        facts: What podman or docker knows of it.
    """

    name: str
    uri: str
    digest: str
    facts: Mapping[str, object]

    @property
    def created(self) -> datetime:
        """Tell when it came into being, in UTC."""
        return datetime.fromisoformat(str(self.facts["Created"])).astimezone(UTC)

    @property
    def size(self) -> str:
        """Tell its size in bytes."""
        return str(self.facts["Size"])


def image_name(repository: str, settings: Settings) -> str:
    """Give the image, without a tag, that stands for a repository: `localhost/` and its name.

    Args:
        repository: Its name in ECR.
        settings: What the project says, which goes before.
    """
    return settings.images.get(repository, f"localhost/{repository}")


def registry(image: str) -> str | None:
    """Give the host of the registry that an image's name begins with; None for a local image."""
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host) else None


def unfit(repository: str, tags: Iterable[str]) -> str | None:
    """Say which name of an image cannot be one; None when all can."""
    if "#{" not in repository and not _REPOSITORY.fullmatch(repository):
        return (
            f"the repository {repository!r} is asked for, and names are of small letters, digits, "
            f"`.`, `_`, `-` and `/`; correct it"
        )
    for tag in tags:
        if "#{" not in tag and not _TAG.fullmatch(tag):
            return (
                f"the image tag {tag!r} is asked for, and tags are up to 128 letters, digits, "
                f"`.`, `_` and `-`; correct it"
            )
    return None


def tags_of(facts: Mapping[str, object], image: str) -> list[str]:
    """Name the tags that an image has under one name.

    Args:
        facts: What podman or docker knows of it.
        image: The name without a tag.
    """
    known = facts.get("RepoTags")
    names = [str(each) for each in known] if isinstance(known, list) else []
    split = [name.rpartition(":") for name in names]
    return sorted(tag for name, _, tag in split if name == image or name.endswith(f"/{image}"))


def image_detail(repository: str, image: Image) -> dict[str, str | list[str]]:
    """Give what the file `imageDetail.json` holds.

    Args:
        repository: Its name in ECR.
        image: The image that stands for it.

    Source: codepipeline.md 7.4.
    """
    at = image.created.ctime()
    return {
        "ImageSizeInBytes": image.size,
        "ImageDigest": image.digest,
        "Version": "1.0",
        "ImagePushedAt": f"{at[:-4]}UTC {at[-4:]}",
        "RegistryId": registry(image.name) or "localhost",
        "RepositoryName": repository,
        "ImageURI": image.uri,
        "ImageTags": tags_of(image.facts, image.name),
    }
