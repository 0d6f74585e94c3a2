"""A folder that stands for a versioned S3 bucket: objects at their keys, their history beside.

Anyone may copy a file to a key, change or remove it there: that becomes a version, or a deletion,
the moment the key is next looked at.  The hidden folder `.versions` of the bucket holds:

- `lock`: locked (flock) by whoever looks at an object or changes one,
- `content/<SHA-256>`: each content once,
- `objects/<SHA-256 of the key>/<number>-<version id>.json`: what is known of each version; the
  record `pending.json` belongs to a change that was not finished, and counts if it shows.
"""

import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import uuid4

from pipelinekit.tools.archives.tree_writer import UnsafeEntryError, parts_of
from pipelinekit.tools.aws.bucket_records import (
    Headers,
    Record,
    Stamp,
    Version,
    content_type,
    read_record,
    record_text,
)
from pipelinekit.tools.durable import replaced, sync

__all__ = ["Bucket", "BucketError", "BucketFault", "Headers", "Version", "check_key"]

HIDDEN: Final = ".versions"
MAX_KEY_BYTES: Final = 1024
PENDING: Final = "pending.json"
_CHUNK: Final = 1024 * 1024
_SHOWN: Final = 8
_TWO_KINDS: Final = (FileExistsError, IsADirectoryError, NotADirectoryError)


class BucketFault(StrEnum):
    """What kind of thing went wrong: DISK means that something cannot be read or written."""

    KEY = "KEY"
    OBJECT = "OBJECT"
    VERSION = "VERSION"
    FOLDER = "FOLDER"
    DISK = "DISK"


class BucketError(Exception):
    """An object that cannot be had or kept; `fault` says which kind of thing is wrong."""

    def __init__(self, fault: BucketFault, asked: str, found: str, do: str) -> None:
        """Keep the kind of fault, and put the three parts together.

        Args:
            fault: The kind of fault.
            asked: What was to be done.
            found: What was found.
            do: What to do about it.
        """
        super().__init__(f"{asked}: {found}; {do}")
        self.fault = fault
        self.parts = (asked, found, do)

    def __reduce__(self) -> "tuple[type[BucketError], tuple[BucketFault, str, str, str]]":
        return type(self), (self.fault, *self.parts)


def check_key(key: str) -> tuple[str, ...]:
    """Split a key into its parts, or refuse it.

    Raises:
        BucketError: KEY, where the key is empty, too long, no UTF-8, leads out of the bucket or
            into its hidden folder, or names no file.
    """
    try:
        size = len(key.encode("utf-8"))
        parts = parts_of(key, MAX_KEY_BYTES)
    except UnicodeEncodeError:
        raise _odd_key(key, "it is not UTF-8") from None
    except UnsafeEntryError as error:
        raise _odd_key(key, f"it holds {error.found}") from None
    if size > MAX_KEY_BYTES:
        raise _odd_key(key, f"it has {size} bytes, and {MAX_KEY_BYTES} are allowed")
    if parts[0].casefold() == HIDDEN:
        raise _odd_key(key, f"{HIDDEN} holds the versions of the bucket")
    return parts


class Bucket:
    """A folder with the objects of a bucket; made when it is first written to.

    Args:
        folder: Where the objects lie, each at its key.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, key: str, file: Path, headers: Headers | None = None) -> Version:
        """Keep a file as the newest version of an object.

        Args:
            key: Where it lies, with `/` between the parts.
            file: What is copied.
            headers: What goes with it; the type is guessed from the key when it is empty.

        Raises:
            BucketError: KEY or DISK; the object is what it was before.
        """
        with self._shelf(key, "kept", make=True) as shelf:
            return shelf.put(file, headers or Headers())

    def get(self, key: str, version: str | None = None) -> Version:
        """Give an object, as it lies there now or as it was in a version.

        Args:
            key: Where it lies.
            version: The id of a version; the newest when None.

        Raises:
            BucketError: OBJECT when there is none, VERSION when it never had this one, KEY,
                FOLDER when that is missing, or DISK.
        """
        with self._shelf(key, "read") as shelf:
            newest = shelf.look()
            if version is None:
                return self._there(key, newest)
            found = next((each for each in shelf.versions() if each.id == version), None)
        if found is None:
            asked = f"version {version} of object {key} of {self.folder}"
            do = "take one of its versions, or none to have the newest"
            raise BucketError(BucketFault.VERSION, asked, "there is no such version", do)
        return found

    def versions(self, key: str) -> tuple[Version, ...]:
        """Give all versions of an object, the newest first; deletions leave none.

        Raises:
            BucketError: KEY, FOLDER when that is missing, or DISK.
        """
        with self._shelf(key, "read") as shelf:
            shelf.look()
            return tuple(shelf.versions())

    def delete(self, key: str) -> None:
        """Remove an object; its versions stay, as they do in S3.

        Raises:
            BucketError: OBJECT when there is none, KEY, FOLDER or DISK.
        """
        with self._shelf(key, "removed") as shelf:
            self._there(key, shelf.look())
            shelf.remove()

    def _there(self, key: str, newest: Record | None) -> Version:
        if newest is not None and newest.version is not None:
            return newest.version
        above = (self.folder / key).parent
        names = sorted(each.name for each in above.iterdir()) if above.is_dir() else []
        names = [name for name in names if name != HIDDEN]
        shown = ", ".join(names[:_SHOWN]) + ", ..." * (len(names) > _SHOWN) or "nothing"
        raise BucketError(
            BucketFault.OBJECT,
            f"object {key} of {self.folder}",
            f"there is no such object; {above} holds {shown}",
            "copy the file there, or correct the key",
        )

    @contextmanager
    def _shelf(self, key: str, done: str, *, make: bool = False) -> Iterator["_Shelf"]:
        place = self.folder.joinpath(*check_key(key))
        asked = f"object {key} of {self.folder} was to be {done}"
        try:
            if make:
                self.folder.mkdir(parents=True, exist_ok=True)
            elif not self.folder.is_dir():
                do = "make it, and copy the object there"
                raise BucketError(BucketFault.FOLDER, asked, "there is no such folder", do)
            if not place.parent.resolve().is_relative_to(self.folder.resolve()):
                raise _odd_key(key, f"{place.parent} leads out of {self.folder}")
            with _locked(self.folder / HIDDEN):
                yield _Shelf(self.folder / HIDDEN, key, place)
        except _TWO_KINDS as error:
            found = f"{error.filename} cannot be a file and a folder at once"
            raise BucketError(BucketFault.KEY, asked, found, "choose another key") from None
        except OSError as error:
            found = f"{error.strerror} ({error.filename or self.folder})"
            do = "look after the folder, its permissions and the space on its disk"
            raise BucketError(BucketFault.DISK, asked, found, do) from None


class _Shelf:
    def __init__(self, hidden: Path, key: str, place: Path) -> None:
        name = hashlib.sha256(key.encode("utf-8")).hexdigest()
        self._hidden = hidden
        self._records = hidden / "objects" / name
        self._contents = hidden / "content"
        self._key = key
        self._place = place

    def look(self) -> Record | None:
        """Give the newest record, after what was done by hand has become one."""
        self._settle()
        newest = next(self._newest_first(), None)
        seen = _stamp(self._place)
        if newest and newest.surely_shows(seen):
            return newest
        if seen is None:
            return self._write(self._next()) if newest and newest.version else newest
        if newest and newest.version and newest.version.digest == self._digest():
            with suppress(OSError):  # it only spares the next one the reading
                self._write(newest.stamped(seen))
            return newest
        return self._take_in(seen)

    def versions(self) -> Iterator[Version]:
        return (record.version for record in self._newest_first() if record.version)

    def put(self, file: Path, headers: Headers) -> Version:
        for litter in self._hidden.glob(".*"):  # of a writer that was killed
            litter.unlink()
        draft = self._hidden / "draft"
        self.look()  # so that nothing that is undone belongs to what was done by hand
        with ExitStack() as undo:
            version = self._keep(file, headers, undo)
            with version.file.open("rb") as source, replaced(draft) as copy:
                shutil.copyfileobj(source, copy, _CHUNK)
                os.fchmod(copy.fileno(), 0o644)
            undo.callback(draft.unlink, missing_ok=True)
            self.look()  # the copying took its time
            pending = replace(self._next(), version=version, stamp=_stamp(draft))
            undo.callback((self._records / PENDING).unlink, missing_ok=True)
            self._write(pending, PENDING)
            _make(self._place.parent)
            draft.replace(self._place)
            undo.pop_all()
        sync(self._place.parent)
        self._settle()
        return version

    def remove(self) -> None:
        self._write(self._next(), PENDING)
        self._place.unlink()
        sync(self._place.parent)
        self._settle()

    def _settle(self) -> None:
        pending = self._records / PENDING
        if not pending.exists():
            return
        record = self._read(pending)
        seen = _stamp(self._place)
        if _same_file(record.stamp, seen):
            self._write(record.stamped(seen))
        pending.unlink()
        sync(self._records)

    def _take_in(self, seen: Stamp) -> Record:
        with ExitStack() as undo:
            version = self._keep(self._place, Headers(), undo)
            if _stamp(self._place) != seen:
                raise BucketError(
                    BucketFault.OBJECT,
                    f"object {self._key}",
                    f"{self._place} is being written just now",
                    "ask again when it is complete",
                )
            record = self._write(replace(self._next(), version=version).stamped(seen))
            undo.pop_all()
        return record

    def _digest(self) -> str:
        with self._place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _keep(self, file: Path, headers: Headers, undo: ExitStack) -> Version:
        _make(self._contents)
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        incoming = self._hidden / "incoming"
        size = 0
        with file.open("rb") as source, replaced(incoming) as copy:
            while chunk := source.read(_CHUNK):
                copy.write(chunk)
                sha256.update(chunk)
                md5.update(chunk)
                size += len(chunk)
            os.fchmod(copy.fileno(), 0o444)
        content = self._contents / sha256.hexdigest()
        if content.exists():
            incoming.unlink()
        else:
            incoming.rename(content)
            undo.callback(content.unlink)
            sync(self._contents)
        return Version(
            key=self._key,
            id=uuid4().hex,
            at=datetime.now(UTC),
            file=content,
            digest=content.name,
            etag=md5.hexdigest(),
            size=size,
            headers=replace(headers, content_type=headers.content_type or content_type(self._key)),
        )

    def _next(self) -> Record:
        newest = next(self._newest_first(), None)
        return Record(number=newest.number + 1 if newest else 1)

    def _newest_first(self) -> Iterator[Record]:
        if self._records.is_dir():
            names = sorted(each.name for each in self._records.iterdir())
            yield from (
                self._read(self._records / name) for name in names[::-1] if name[0].isdigit()
            )

    def _read(self, file: Path) -> Record:
        try:
            return read_record(json.loads(file.read_text(encoding="utf-8")), self._contents)
        except (ValueError, KeyError, TypeError) as error:
            asked = f"the versions of object {self._key}"
            found = f"{file} is damaged ({type(error).__name__}: {error})"
            raise BucketError(BucketFault.DISK, asked, found, "remove that file") from None

    def _write(self, record: Record, name: str = "") -> Record:
        _make(self._records)
        with replaced(self._records / (name or record.name)) as file:
            file.write(record_text(record).encode("utf-8"))
        return record


def _odd_key(key: str, found: str) -> BucketError:
    shown = key if len(key) <= MAX_KEY_BYTES else f"{key[:MAX_KEY_BYTES]}..."
    do = "write plain names with / between them, such as site/index.html"
    return BucketError(BucketFault.KEY, f"the object key {shown!r}", found, do)


@contextmanager
def _locked(hidden: Path) -> Iterator[None]:
    hidden.mkdir(exist_ok=True)
    lock = os.open(hidden / "lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _stamp(place: Path) -> Stamp | None:
    try:
        facts = place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(facts.st_mode):
        return None
    if not stat.S_ISREG(facts.st_mode):
        asked, found = f"the object at {place}", "it is a link or a device"
        raise BucketError(BucketFault.OBJECT, asked, found, "put the file itself there")
    return Stamp(facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _same_file(draft: Stamp | None, seen: Stamp | None) -> bool:
    # A rename changes the time of the last change.
    return draft == seen or bool(draft and seen and draft[:3] == seen[:3])


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir()
        sync(folder.parent)
