"""What a build leaves behind, as its buildspec tells it: artifacts, test reports and a cache."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pipelinekit.model.noun import Noun
from pipelinekit.model.testreport import ReportFormat
from pipelinekit.tools.documents.document import Node
from pipelinekit.wire import lenient

_ARTIFACTS: Final = frozenset(
    {
        "files",
        "name",
        "base-directory",
        "discard-paths",
        "exclude-paths",
        "enable-symlinks",
        "s3-prefix",
        "secondary-artifacts",
        "type",  # of version 0.1, where it could only be zip
    }
)
_REPORTS: Final = frozenset({"files", "file-format", "base-directory", "discard-paths"})
_CACHE: Final = frozenset({"paths", "key", "fallback-keys", "action"})
_MOST_FALLBACK_KEYS: Final = 5


class Artifacts(Noun):
    """Which files an output artifact takes.

    Attributes:
        files: Patterns, relative to the base directory.
        name: What the object is to be called, perhaps with shell commands in it; CodePipeline
            does not ask for it.
        base_directory: Relative to the source; may have a `*`.
        discard_paths: Whether files lose their folders.
        exclude_paths: Patterns of what is left out.
        enable_symlinks: Whether links within the source stay links.
        s3_prefix: What the object's key begins with; CodePipeline does not ask for it.
    """

    files: tuple[str, ...]
    name: str | None = None
    base_directory: str = "."
    discard_paths: bool = False
    exclude_paths: tuple[str, ...] = ()
    enable_symlinks: bool = False
    s3_prefix: str | None = None


class ReportGroup(Noun):
    """Which files tell what the tests came to.

    Attributes:
        name: The report group, or its ARN.
        files: Patterns, relative to the base directory.
        base_directory: Relative to the source.
        discard_paths: Whether files lose their folders.
        format: How the files are written.
    """

    name: str
    files: tuple[str, ...]
    base_directory: str = "."
    discard_paths: bool = False
    format: ReportFormat = ReportFormat.JUNIT_XML


class CacheAction(StrEnum):
    """The one half of caching that a build is to do."""

    RESTORE = "restore"
    SAVE = "save"


class Cache(Noun):
    """What is to be kept between builds.

    Attributes:
        paths: Patterns, absolute or relative to the source.
        key: The name it is kept under, perhaps with shell commands in it; None for one cache that
            each build brings up to date.
        fallback_keys: The beginnings of other names, tried in this order when there is none of
            that name.
        action: The half of it that is to be done; both when None.
    """

    paths: tuple[str, ...] = ()
    key: str | None = None
    fallback_keys: tuple[str, ...] = ()
    action: CacheAction | None = None


def read_artifacts(root: Node) -> tuple[Artifacts | None, dict[str, Artifacts]]:
    """Read the primary artifact of a buildspec, None without one, and the secondary ones by name.

    Args:
        root: The whole buildspec.

    Raises:
        DocumentError: One of them is not as CodeBuild wants it.
    """
    node = root.get("artifacts")
    given = lenient.mapping(node)
    others = lenient.mapping(given.get("secondary-artifacts"))
    secondary = {name: _artifacts(each) for name, each in others.items()}
    if node is None or not given or ("files" not in given and "secondary-artifacts" in given):
        return None, secondary
    return _artifacts(node), secondary


def read_reports(root: Node) -> tuple[ReportGroup, ...]:
    """Read the report groups of a buildspec.

    Args:
        root: The whole buildspec.

    Raises:
        DocumentError: One of them is not as CodeBuild wants it.
    """
    groups = lenient.mapping(root.get("reports"))
    return tuple(
        ReportGroup(
            name=name,
            files=lenient.texts(group.need("files")),
            base_directory=lenient.text(group.get("base-directory")) or ".",
            discard_paths=lenient.flag(group.get("discard-paths")),
            format=_format(group.get("file-format")),
        )
        for name, group in groups.items()
    )


def read_cache(root: Node) -> Cache | None:
    """Read what a buildspec wants kept between builds; None without such a section.

    Args:
        root: The whole buildspec.

    Raises:
        DocumentError: It is not as CodeBuild wants it.
    """
    given = lenient.mapping(root.get("cache"))
    if not given:
        return None
    others = given.get("fallback-keys")
    cache = Cache(
        paths=lenient.texts(given.get("paths")),
        key=lenient.text(given.get("key")),
        fallback_keys=lenient.texts(others),
        action=_action(given.get("action")),
    )
    if others is not None and len(cache.fallback_keys) > _MOST_FALLBACK_KEYS:
        raise others.error(f"CodeBuild takes {_MOST_FALLBACK_KEYS} fallback keys; write fewer")
    return cache


def output_notes(root: Node) -> Iterator[str]:
    """Say which keys of artifacts, reports and cache CodeBuild does not know.

    Args:
        root: The whole buildspec.
    """
    artifacts = root.get("artifacts")
    yield from lenient.unknown(artifacts, _ARTIFACTS)
    for each in lenient.mapping(lenient.mapping(artifacts).get("secondary-artifacts")).values():
        yield from lenient.unknown(each, _ARTIFACTS)
    for group in lenient.mapping(root.get("reports")).values():
        yield from lenient.unknown(group, _REPORTS)
    yield from lenient.unknown(root.get("cache"), _CACHE)


def _artifacts(node: Node) -> Artifacts:
    given = node.mapping()
    return Artifacts(
        files=lenient.texts(node.need("files")),
        name=lenient.text(given.get("name")),
        base_directory=lenient.text(given.get("base-directory")) or ".",
        discard_paths=lenient.flag(given.get("discard-paths")),
        exclude_paths=lenient.texts(given.get("exclude-paths")),
        enable_symlinks=lenient.flag(given.get("enable-symlinks")),
        s3_prefix=lenient.text(given.get("s3-prefix")),
    )


def _format(node: Node | None) -> ReportFormat:
    if node is None or node.data is None:
        return ReportFormat.JUNIT_XML
    written = node.text().upper()
    if written not in set(ReportFormat):
        raise node.error(f"CodeBuild reads {', '.join(ReportFormat)}; write one of them there")
    return ReportFormat(written)


def _action(node: Node | None) -> CacheAction | None:
    if node is None or node.data is None:
        return None
    return CacheAction(node.choice(tuple(CacheAction)))
