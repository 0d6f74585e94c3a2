"""What is known of a version of an object in a bucket, and how it is written down."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from mimetypes import MimeTypes
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

UNKNOWN_TYPE: Final = "binary/octet-stream"
TICK_NS: Final = 50_000_000
"""How long a file may be written to without its times telling; generous, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What goes with the content of an object.

    Attributes:
        content_type: Such as `text/html`; guessed from the key when empty.
        cache_control: How long it may be cached, as HTTP writes it.
        acl: The canned ACL, which a folder records and does not enforce.
        kms_key: The key that S3 would encrypt with; a folder records it and encrypts nothing.
        metadata: The user's own, by name without `x-amz-meta-`.
    """

    content_type: str = ""
    cache_control: str = ""
    acl: str = "private"
    kms_key: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object.

    Attributes:
        key: Where the object lies in the bucket.
        id: The version's id.
        at: When it came into being, or was first seen, in UTC.
        file: Its content, which must not be changed.
        digest: SHA-256 in hexadecimal.
        etag: MD5 in hexadecimal, as S3 gives it, without quotes.
        size: Bytes.
        headers: What goes with the content.
    """

    key: str
    id: str
    at: datetime
    file: Path
    digest: str
    etag: str
    size: int
    headers: Headers


class Stamp(NamedTuple):
    """By which one state of a file is told from another without reading it."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Record:
    """A change of an object.

    Attributes:
        number: Of the change, from 1.
        version: What it became; None when it was deleted.
        stamp: Of the file that showed this version; None when it was deleted.
        at_ns: When the stamp was taken.
    """

    number: int
    version: Version | None = None
    stamp: Stamp | None = None
    at_ns: int = 0

    @property
    def name(self) -> str:
        """Give the name of the record's file; names sort by number."""
        return f"{self.number:010d}-{self.version.id if self.version else 'deleted'}.json"

    def stamped(self, seen: Stamp | None) -> "Record":
        """Give the record with another stamp, taken just now."""
        return replace(self, stamp=seen, at_ns=time.time_ns())

    def surely_shows(self, seen: Stamp | None) -> bool:
        """Tell whether a file must still hold this version, by its stamp alone.

        A stamp that was fresh when it was written down does not tell: the file may have been
        written to once more in the same tick of its clock.
        """
        if seen is None or self.stamp is None:
            return seen is self.stamp
        return seen == self.stamp and seen.changed_ns + TICK_NS < self.at_ns


def content_type(key: str) -> str:
    """Guess the type of an object's content from the end of its key, alike on every machine."""
    found, encoding = MimeTypes().guess_type(f"/{PurePosixPath(key).name}")
    return found if found and not encoding else UNKNOWN_TYPE


def record_text(record: Record) -> str:
    """Write a record as JSON."""
    version = record.version and {
        **asdict(record.version),
        "at": record.version.at.isoformat(),
        "file": record.version.file.name,
    }
    data = {
        "number": record.number,
        "version": version,
        "stamp": record.stamp,
        "at_ns": record.at_ns,
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


def read_record(data: Any, contents: Path) -> Record:  # noqa: ANN401 - JSON of a file
    """Read a record.

    Args:
        data: What the JSON holds.
        contents: The folder with the contents of versions.

    Raises:
        KeyError: A member is missing.
        TypeError: A member is of another kind.
        ValueError: The time is none.
    """
    version = data["version"] and Version(
        **{
            **data["version"],
            "at": datetime.fromisoformat(data["version"]["at"]),
            "file": contents / data["version"]["file"],
            "headers": Headers(**data["version"]["headers"]),
        }
    )
    stamp = data["stamp"] and Stamp(*data["stamp"])
    return Record(data["number"], version, stamp, data["at_ns"])
