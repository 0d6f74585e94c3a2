"""Packs folders into zips that are equal when the folders are, and unpacks zips of strangers.

`pack` writes what `unpack` accepts, and `unpack` accepts what cannot harm: see `zip_entries` for
the checks of an archive, and `tree_writer` for the writing of its files.
"""

import contextlib
import hashlib
import io
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from pipelinekit.tools.archives.tree_writer import (
    TreeWriter,
    UnsafeEntryError,
    check_target,
    filling,
)
from pipelinekit.tools.archives.zip_entries import (
    RATIO_FREE_BYTES,
    ArchiveError,
    Entry,
    Kind,
    Limits,
    ZipReader,
    checked_parts,
)
from pipelinekit.tools.durable import replaced

__all__ = ["LIMITS", "ArchiveError", "Limits", "Packed", "digest", "pack", "unpack"]

LIMITS: Final = Limits()
_CHUNK: Final = 1024 * 1024
_BEGINNING: Final = (1980, 1, 1, 0, 0, 0)
_DOS_DIRECTORY: Final = 0x10
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MODES: Final = {
    Kind.FILE: stat.S_IFREG | 0o644,
    Kind.DIRECTORY: stat.S_IFDIR | 0o755,
    Kind.LINK: stat.S_IFLNK | 0o777,
}


class Packed(NamedTuple):
    """What was packed: the SHA-256 of the archive in hexadecimal, its bytes and its entries."""

    digest: str
    size: int
    entries: int


def digest(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pack(folder: Path, target: Path, members: Iterable[str] | None = None) -> Packed:
    """Pack a folder into a zip; equal folders give equal bytes, whenever and wherever packed.

    Times and owners are left out, modes become 0644 or 0755, symbolic links stay links.

    Args:
        folder: What to pack.
        target: The archive; it appears when it is complete, and never packs itself.
        members: The paths in the folder to pack, with `/` between their parts; a directory stands
            for itself only.  Left out, all of the folder.

    Raises:
        ArchiveError: A member is missing, no file, directory or link, has a name that cannot be
            unpacked everywhere, or is a link that leads out of the folder.
    """
    name = str(folder)
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        paths = _all_paths(root, folder, target) if members is None else members
        chosen = {path.rstrip("/"): _parts(path, name) for path in paths}
        with replaced(target) as file, zipfile.ZipFile(file, "w") as archive:
            for path in sorted(chosen):
                with _member(root, chosen[path], name) as member:
                    _add(archive, path, member)
    finally:
        os.close(root)
    return Packed(digest(target), target.stat().st_size, len(chosen))


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS) -> None:
    """Unpack a zip of a stranger into a new or empty folder; nothing else is touched.

    Args:
        archive: The zip.
        folder: Where to write; left as it was when the archive is refused.
        limits: The largest archive that is accepted.

    Raises:
        ArchiveError: It is no zip, is damaged, ambiguous, encrypted or too large, has a name, a
            link or a device that does not belong into a folder, or the folder is not empty.
    """
    with archive.open("rb") as file:
        reader = ZipReader(file, archive.name, limits)
        entries = reader.entries()
        try:
            with filling(folder) as writer:
                for entry in entries:
                    _unpack_one(reader, entry, writer)
        except UnsafeEntryError as error:
            do = "give an empty folder, or make the archive again"
            raise ArchiveError(archive.name, "", error.found, do) from None


def _unpack_one(reader: ZipReader, entry: Entry, writer: TreeWriter) -> None:
    try:
        if entry.kind is Kind.DIRECTORY:
            writer.directory(entry.parts)
        elif entry.kind is Kind.FILE:
            with writer.file(entry.parts, executable=entry.executable) as file:
                file.writelines(reader.content(entry))
        else:
            target = b"".join(reader.content(entry))
            writer.link(entry.parts, target.decode("utf-8"))
    except UnsafeEntryError as error:
        reader.refuse(entry.path, error.found)
    except UnicodeDecodeError:
        reader.refuse(entry.path, "a symbolic link that is not UTF-8")


def _parts(path: str, name: str) -> tuple[str, ...]:
    try:
        path.encode("utf-8")
        return checked_parts(path, LIMITS.depth)
    except UnicodeEncodeError:
        raise ArchiveError(name, path, "a name that is not UTF-8", "rename it") from None
    except UnsafeEntryError as error:
        raise ArchiveError(name, path, error.found, "rename it, or leave it out") from None


def _all_paths(root: int, folder: Path, target: Path) -> list[str]:
    itself = os.path.relpath(target.resolve(), folder.resolve())
    found: list[str] = []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        if len(found) > LIMITS.entries or above.count("/") > LIMITS.depth:
            too_much = f"more than {LIMITS.entries} entries, or {LIMITS.depth} levels"
            raise ArchiveError(str(folder), "", too_much, "choose the members to pack")
        for child, is_folder in _children(root, above, str(folder)):
            found.append(above + child)
            if is_folder:
                waiting.append(f"{above}{child}/")
    return [path for path in found if path != itself]


def _children(root: int, above: str, name: str) -> list[tuple[str, bool]]:
    try:
        with (
            _opened(root, tuple(above.split("/")[:-1])) as descriptor,
            os.scandir(descriptor) as entries,
        ):
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        do = "check its permissions"
        raise ArchiveError(name, above, str(error.strerror), do) from None


@contextlib.contextmanager
def _opened(root: int, parts: tuple[str, ...]) -> Iterator[int]:
    descriptor = os.open(".", _DIRECTORY, dir_fd=root)
    try:
        for part in parts:
            below = os.open(part, _DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


class _Member(NamedTuple):
    kind: Kind
    content: BinaryIO
    size: int
    is_executable: bool = False


@contextlib.contextmanager
def _member(root: int, parts: tuple[str, ...], name: str) -> Iterator[_Member]:
    path = "/".join(parts)
    try:
        with _opened(root, parts[:-1]) as above:
            member = _found(above, parts)
    except UnsafeEntryError as error:
        raise ArchiveError(name, path, error.found, "leave it out") from None
    except UnicodeEncodeError:
        raise ArchiveError(name, path, "a link that is not UTF-8", "leave it out") from None
    except OSError as error:
        found = f"no member that can be read ({error.strerror})"
        raise ArchiveError(name, path, found, "check its path and permissions") from None
    with member.content:
        yield member


def _found(above: int, parts: tuple[str, ...]) -> _Member:
    mode = os.stat(parts[-1], dir_fd=above, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        link = os.readlink(parts[-1], dir_fd=above)
        check_target(parts, link)
        return _Member(Kind.LINK, io.BytesIO(link.encode("utf-8")), len(link.encode("utf-8")))
    if stat.S_ISDIR(mode):
        return _Member(Kind.DIRECTORY, io.BytesIO(), 0)
    if not stat.S_ISREG(mode):
        raise UnsafeEntryError("a device, socket or pipe")
    file = os.fdopen(os.open(parts[-1], _FILE, dir_fd=above), "rb")
    facts = os.fstat(file.fileno())
    if not stat.S_ISREG(facts.st_mode):
        file.close()
        raise UnsafeEntryError("a device, socket or pipe")
    return _Member(Kind.FILE, file, facts.st_size, bool(facts.st_mode & stat.S_IXUSR))


def _add(archive: zipfile.ZipFile, path: str, member: _Member) -> None:
    is_folder = member.kind is Kind.DIRECTORY
    info = zipfile.ZipInfo(f"{path}/" if is_folder else path, date_time=_BEGINNING)
    info.create_system = 3  # Unix, whose modes follow
    info.external_attr = (_MODES[member.kind] | (0o111 if member.is_executable else 0)) << 16
    info.external_attr |= _DOS_DIRECTORY if is_folder else 0
    info.file_size = member.size
    if member.kind is Kind.FILE and not _is_dense(member):
        info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as entry:
        shutil.copyfileobj(member.content, entry, _CHUNK)


def _is_dense(member: _Member) -> bool:
    # What shrinks more than `unpack` lets grow is stored as it is, or no one could read it again
    if member.size <= RATIO_FREE_BYTES:
        return False
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = 0
    while chunk := member.content.read(_CHUNK):
        packed += len(packer.compress(chunk))
        if packed * LIMITS.ratio >= member.size:
            break
    else:
        packed += len(packer.flush())
    member.content.seek(0)
    return packed * LIMITS.ratio < member.size
