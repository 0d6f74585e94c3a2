"""What a revision says about how it is put on a host: its files, permissions and scripts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

BEFORE_BLOCK_TRAFFIC: Final = "BeforeBlockTraffic"
BLOCK_TRAFFIC: Final = "BlockTraffic"
AFTER_BLOCK_TRAFFIC: Final = "AfterBlockTraffic"
APPLICATION_STOP: Final = "ApplicationStop"
DOWNLOAD_BUNDLE: Final = "DownloadBundle"
BEFORE_INSTALL: Final = "BeforeInstall"
INSTALL: Final = "Install"
AFTER_INSTALL: Final = "AfterInstall"
APPLICATION_START: Final = "ApplicationStart"
VALIDATE_SERVICE: Final = "ValidateService"
BEFORE_ALLOW_TRAFFIC: Final = "BeforeAllowTraffic"
ALLOW_TRAFFIC: Final = "AllowTraffic"
AFTER_ALLOW_TRAFFIC: Final = "AfterAllowTraffic"

BLOCKING: Final = (BEFORE_BLOCK_TRAFFIC, BLOCK_TRAFFIC, AFTER_BLOCK_TRAFFIC)
INSTALLING: Final = (
    APPLICATION_STOP,
    DOWNLOAD_BUNDLE,
    BEFORE_INSTALL,
    INSTALL,
    AFTER_INSTALL,
    APPLICATION_START,
    VALIDATE_SERVICE,
)
ALLOWING: Final = (BEFORE_ALLOW_TRAFFIC, ALLOW_TRAFFIC, AFTER_ALLOW_TRAFFIC)

UNSCRIPTED: Final = (
    "Start",
    DOWNLOAD_BUNDLE,
    INSTALL,
    BLOCK_TRAFFIC,
    ALLOW_TRAFFIC,
    "End",
)
SCRIPTED: Final = tuple(event for event in INSTALLING if event not in UNSCRIPTED)
LOAD_BALANCED: Final = tuple(event for event in (*BLOCKING, *ALLOWING) if event not in UNSCRIPTED)
OF_PREVIOUS: Final = frozenset({BEFORE_BLOCK_TRAFFIC, AFTER_BLOCK_TRAFFIC, APPLICATION_STOP})
"""The events whose scripts come from the revision that runs, not from the one that is to come."""

EVENT_SECONDS: Final = 3600
"""How long the scripts of one lifecycle event may take together, in seconds."""

JOB_FAILED: Final = "JobFailed"
CONFIGURATION_ERROR: Final = "ConfigurationError"
PERMISSION_ERROR: Final = "PermissionError"
UNREACHABLE: Final = "SystemUnavailable"


class DeploymentError(Exception):
    """A revision cannot be put on its host: what was found, what to do, and a code for it."""

    def __init__(self, message: str, code: str = JOB_FAILED) -> None:
        """Keep the sentence and the code.

        Args:
            message: What was asked, what was found, what to do.
            code: The kind of failure.
        """
        super().__init__(message)
        self.code = code


class FileExistsBehavior(StrEnum):
    """What becomes of a file that is in the way and was not put there by a deployment."""

    DISALLOW = "DISALLOW"
    OVERWRITE = "OVERWRITE"
    RETAIN = "RETAIN"


class FileType(StrEnum):
    """The kinds of things that permissions are given to."""

    FILE = "file"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class FileMapping:
    """One entry of `files`.

    Attributes:
        source: A file or folder, relative to the revision; `.` is all of it.
        destination: The folder it goes to, absolute on the host.
    """

    source: PurePosixPath
    destination: PurePosixPath


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of `permissions`; what is None stays as it was copied.

    Attributes:
        object: A file, or the folder whose content is meant, absolute on the host.
        pattern: `**` for all below the folder, else a pattern for names directly in it.
        exceptions: Patterns of names directly in the folder that are left out.
        types: Whether files, directories or both are meant.
        mode: The permission bits.
        acls: Entries of access control lists.
        context: The SELinux label's `user`, `type` and `range`.
        line: Where it stands in the document, from 1.
    """

    object: PurePosixPath
    pattern: str = "**"
    exceptions: tuple[str, ...] = ()
    types: frozenset[FileType] = frozenset(FileType)
    owner: str | None = None
    group: str | None = None
    mode: int | None = None
    acls: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Script:
    """One script of a lifecycle event.

    Attributes:
        location: The script, relative to the revision.
        timeout_seconds: How long it may take.
        runas: The user it runs as; None for the one who deploys.
        line: Where it stands in the document, from 1.
    """

    location: PurePosixPath
    timeout_seconds: int = EVENT_SECONDS
    runas: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class AppSpec:
    """What a revision says about how it is deployed to a host.

    Attributes:
        hooks: The scripts by lifecycle event.
        ignored: A sentence for each key that CodeDeploy does not know and passes over.
    """

    files: tuple[FileMapping, ...] = ()
    file_exists_behavior: FileExistsBehavior = FileExistsBehavior.DISALLOW
    permissions: tuple[Permission, ...] = ()
    hooks: Mapping[str, tuple[Script, ...]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


def as_json(spec: AppSpec) -> str:
    """Write an AppSpec as JSON, which a host without a YAML reader can read again."""
    return json.dumps(asdict(spec), default=_plain)


def from_json(text: str) -> AppSpec:
    """Read what `as_json` has written."""
    data = json.loads(text)
    return AppSpec(
        files=tuple(
            FileMapping(PurePosixPath(each["source"]), PurePosixPath(each["destination"]))
            for each in data["files"]
        ),
        file_exists_behavior=FileExistsBehavior(data["file_exists_behavior"]),
        permissions=tuple(
            Permission(
                **each
                | {
                    "object": PurePosixPath(each["object"]),
                    "exceptions": tuple(each["exceptions"]),
                    "types": frozenset(map(FileType, each["types"])),
                    "acls": tuple(each["acls"]),
                }
            )
            for each in data["permissions"]
        ),
        hooks={
            event: tuple(
                Script(**each | {"location": PurePosixPath(each["location"])}) for each in scripts
            )
            for event, scripts in data["hooks"].items()
        },
        ignored=tuple(data["ignored"]),
    )


def _plain(value: PurePosixPath | Iterable[str]) -> str | list[str]:
    return str(value) if isinstance(value, PurePosixPath) else sorted(value)
