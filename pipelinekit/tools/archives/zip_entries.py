"""Reads the entries of a zip of a stranger, and refuses all that two readers could take two ways.

Nothing in the archive is believed that is not checked: the headers of an entry must agree, its
bytes must be its own, its name must be a plain path, and it must be what its headers say.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import PureWindowsPath
from typing import BinaryIO, Final, NamedTuple, NoReturn

from pipelinekit.tools.archives.tree_writer import MAX_NAME_BYTES, UnsafeEntryError, parts_of
from pipelinekit.tools.documents.places import printable

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_CENTRAL: Final = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL: Final = struct.Struct("<4s2B4HL2L2H")
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED: Final = 0x2041  # bits 0, 6 and 13
_DESCRIPTOR: Final = 0x8
_UTF_8: Final = 0x800
_COMPARED: Final = _ENCRYPTED | _DESCRIPTOR | _UTF_8
_STORED, _DEFLATED = 0, 8
RATIO_FREE_BYTES: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024


class ArchiveError(Exception):
    """An archive that cannot be made, or must not be unpacked."""

    def __init__(self, name: str, entry: str, found: str, do: str) -> None:
        """Keep the parts of the sentence.

        Args:
            name: The archive, or the folder that was to be packed.
            entry: The entry, or "" for the archive as a whole.
            found: What is wrong.
            do: What to do about it.
        """
        place = printable(name, 200) + (f", entry {printable(entry)}" if entry else "")
        super().__init__(f"{place}: found {found}; {do}")
        self.name = name
        self.entry = entry
        self.found = found
        self.do = do

    def __reduce__(self) -> "tuple[type[ArchiveError], tuple[str, str, str, str]]":
        return type(self), (self.name, self.entry, self.found, self.do)


class Limits(NamedTuple):
    """The largest archive that is unpacked: entries, bytes in all, growth, and depth of paths.

    `ratio` is counted for entries of more than 1 MiB.
    """

    entries: int = 100_000
    total: int = 2 * 1024**3
    ratio: int = 100
    depth: int = 32


class Kind(Enum):
    """What an entry becomes."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


class Entry(NamedTuple):
    """One checked entry, and where its bytes lie in the archive."""

    parts: tuple[str, ...]
    kind: Kind
    executable: bool
    method: int
    checksum: int
    packed: int
    size: int
    header: int
    start: int

    @property
    def path(self) -> str:
        """The name in the archive."""
        return "/".join(self.parts)


def checked_parts(name: str, depth: int) -> tuple[str, ...]:
    """Split the name of an entry, or refuse it.

    Args:
        name: The path with `/` between its parts; one at the end is left out.
        depth: The largest number of parts.

    Raises:
        UnsafeEntryError: It is no plain path on any system.
    """
    if "\\" in name or "\0" in name:
        raise UnsafeEntryError("a backslash or NUL in the name")
    if PureWindowsPath(name).drive:
        raise UnsafeEntryError("a drive letter in the name")
    if len(name) > depth * (MAX_NAME_BYTES + 1):
        raise UnsafeEntryError("a name that is too long")
    return parts_of(name.removesuffix("/"), depth)


class ZipReader:
    """Reads the entries of one open archive."""

    def __init__(self, file: BinaryIO, name: str, limits: Limits) -> None:
        """Read from a file that is open and can be sought in.

        Args:
            file: The archive.
            name: Its name for errors.
            limits: What is accepted.
        """
        self._file = file
        self._name = name
        self._limits = limits
        self._written = 0

    def entries(self) -> list[Entry]:
        """Check all headers, and give the entries in the order of the directory.

        Raises:
            ArchiveError: It is no zip, or one of its entries is refused.
        """
        count, begin, end = self._directory()
        if count > self._limits.entries:
            self.refuse("", f"{count} entries, where {self._limits.entries} are allowed")
        found = []
        position = begin
        for _ in range(count):
            entry, position = self._central(position, end, begin)
            found.append(entry)
        if position != end:
            self.refuse("", "bytes in the directory that belong to no entry")
        self._check_twins(found)
        self._check_overlap(found, begin)
        return found

    def content(self, entry: Entry) -> Iterator[bytes]:
        """Give the bytes of an entry, counted and checked on the way.

        Raises:
            ArchiveError: There are more or other bytes than the headers say, or too many.
        """
        size = checksum = 0
        chunks = self._stored(entry) if entry.method == _STORED else self._inflated(entry)
        try:
            for chunk in chunks:
                size += len(chunk)
                self._check_growth(entry, size, len(chunk))
                checksum = zlib.crc32(chunk, checksum)
                yield chunk
        except zlib.error as error:
            self.refuse(entry.path, f"compressed bytes that cannot be read ({error})")
        if size != entry.size or checksum != entry.checksum:
            self.refuse(entry.path, "other bytes than its headers promise")

    def refuse(self, entry: str, found: str) -> NoReturn:
        """Raise the error that names this archive.

        Raises:
            ArchiveError: Always.
        """
        do = "make the archive again with a usual zip program"
        raise ArchiveError(self._name, entry, found, do)

    def _check_growth(self, entry: Entry, size: int, more: int) -> None:
        self._written += more
        if size > entry.size:
            self.refuse(entry.path, "more bytes than its headers promise")
        if self._written > self._limits.total:
            self.refuse(entry.path, f"more than {self._limits.total} bytes in all")
        if size > RATIO_FREE_BYTES and size > entry.packed * self._limits.ratio:
            self.refuse(entry.path, f"more than {self._limits.ratio} bytes out of each byte")

    def _stored(self, entry: Entry) -> Iterator[bytes]:
        self._file.seek(entry.start)
        for begin in range(0, entry.packed, _CHUNK):
            yield self._file.read(min(_CHUNK, entry.packed - begin))

    def _inflated(self, entry: Entry) -> Iterator[bytes]:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in self._stored(entry):
            waiting = packed
            while waiting and not stream.eof:
                yield stream.decompress(waiting, _CHUNK)
                waiting = stream.unconsumed_tail
            if waiting or stream.unused_data:
                self.refuse(entry.path, "bytes after the end of its compressed bytes")
        while not stream.eof and (rest := stream.decompress(b"", _CHUNK)):
            yield rest
        if not stream.eof:
            self.refuse(entry.path, "compressed bytes without an end")

    def _read(self, position: int, length: int) -> bytes:
        self._file.seek(position)
        content = self._file.read(length)
        if len(content) != length:
            self.refuse("", "a header that is cut off")
        return content

    def _directory(self) -> tuple[int, int, int]:
        size = self._file.seek(0, 2)
        tail_start = max(0, size - _END.size - _MAX_16)
        tail = self._read(tail_start, size - tail_start)
        ends = [at for at in _places_of(b"PK\5\6", tail) if _is_end(tail, at)]
        if len(ends) != 1:
            self.refuse("", f"{len(ends) or 'no'} ends of a zip archive, where 1 is expected")
        position = tail_start + ends[0]
        _, *disks, here, count, length, begin, _ = _END.unpack_from(tail, ends[0])
        if _MAX_16 in {here, count} or _MAX_32 in {length, begin}:
            disks, here, count, length, begin, position = self._directory_64(position)
        if any(disks) or here != count:
            self.refuse("", "a part of an archive on several disks")
        if begin + length != position:
            self.refuse("", "a directory that is not where it is said to be")
        return count, begin, position

    def _directory_64(self, position: int) -> tuple[list[int], int, int, int, int, int]:
        at = position - _LOCATOR_64.size - _END_64.size
        if at < 0:
            self.refuse("", "no second end, which a large archive must have")
        mark, disk, told, disks = _LOCATOR_64.unpack(
            self._read(at + _END_64.size, _LOCATOR_64.size)
        )
        end, _, _, _, *numbers = _END_64.unpack(self._read(at, _END_64.size))
        if (mark, end, told) != (b"PK\6\7", b"PK\6\6", at):
            self.refuse("", "no second end, which a large archive must have")
        *places, here, count, length, begin = numbers
        return [disk, max(0, disks - 1), *places], here, count, length, begin, at

    def _central(self, position: int, end: int, data_end: int) -> tuple[Entry, int]:
        if position + _CENTRAL.size > end:
            self.refuse("", "fewer entries than are said to be there")
        head = _CENTRAL.unpack(self._read(position, _CENTRAL.size))
        mark, _, _, _, _, flags, method, _, _, checksum, packed, size = head[:12]
        name_length, extra_length, comment_length, disk, _, attributes, header = head[12:]
        after = position + _CENTRAL.size + name_length + extra_length + comment_length
        if mark != b"PK\1\2" or after > end or disk not in {0, _MAX_16}:
            self.refuse("", "a directory that is damaged")
        raw = self._read(position + _CENTRAL.size, name_length + extra_length)
        name = self._decoded(raw[:name_length], flags)
        wide = _widened(raw[name_length:], packed, size, header)
        if wide is None:
            self.refuse(name, "sizes that are missing")
        packed, size, header = wide
        self._check_method(name, flags, method)
        if method == _STORED and size != packed:
            self.refuse(name, "two sizes of bytes that are not compressed")
        kind, executable = self._kind(name, attributes, size)
        same = (flags & _COMPARED, method, checksum, packed, size)
        start = self._local(name, raw[:name_length], header, same)
        if start + packed > data_end:
            self.refuse(name, "bytes beyond the end of the data")
        parts = self._parts(name)
        made = Entry(parts, kind, executable, method, checksum, packed, size, header, start)
        return made, after

    def _check_method(self, name: str, flags: int, method: int) -> None:
        if flags & _ENCRYPTED:
            self.refuse(name, "encryption")
        if method not in {_STORED, _DEFLATED}:
            self.refuse(name, f"the compression method {method}")

    def _local(self, name: str, raw: bytes, header: int, same: tuple[int, ...]) -> int:
        head = _LOCAL.unpack(self._read(header, _LOCAL.size))
        mark, _, _, flags, method, _, _, checksum, packed, size, name_length, extra_length = head
        rest = self._read(header + _LOCAL.size, name_length + extra_length)
        told = (checksum, *(_widened(rest[name_length:], packed, size) or ())[:2])
        if flags & _DESCRIPTOR and (checksum, packed, size) in _LATER:
            told = same[2:]
        here = (flags & _COMPARED, method, *told)
        if mark != b"PK\3\4" or rest[:name_length] != raw or here != same:
            self.refuse(name, "two headers that disagree")
        return header + _LOCAL.size + len(rest)

    def _decoded(self, raw: bytes, flags: int) -> str:
        try:
            return raw.decode("utf-8" if flags & _UTF_8 else "cp437")
        except UnicodeDecodeError:
            self.refuse(repr(raw[:60]), "a name that is not UTF-8")

    def _parts(self, name: str) -> tuple[str, ...]:
        try:
            return checked_parts(name, self._limits.depth)
        except UnsafeEntryError as error:
            self.refuse(name, error.found)

    def _kind(self, name: str, attributes: int, size: int) -> tuple[Kind, bool]:
        mode = attributes >> 16
        of_mode = {0: None, stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY}
        of_mode[stat.S_IFLNK] = Kind.LINK
        if stat.S_IFMT(mode) not in of_mode:
            self.refuse(name, "a device, socket or pipe")
        by_name = Kind.DIRECTORY if name.endswith("/") else Kind.FILE
        kind = of_mode[stat.S_IFMT(mode)] or by_name
        if (kind is Kind.DIRECTORY) != (by_name is Kind.DIRECTORY) or (
            kind is Kind.DIRECTORY and size
        ):
            self.refuse(name, "a directory that is a file, or a file that is a directory")
        return kind, bool(mode & stat.S_IXUSR)

    def _check_twins(self, entries: list[Entry]) -> None:
        solid = {entry.parts for entry in entries if entry.kind is not Kind.DIRECTORY}
        seen: set[tuple[str, ...]] = set()
        for entry in entries:
            if entry.parts in seen:
                self.refuse(entry.path, "a second entry of this name")
            seen.add(entry.parts)
            if any(entry.parts[:depth] in solid for depth in range(1, len(entry.parts))):
                self.refuse(entry.path, "a file or link above it, where a directory must be")

    def _check_overlap(self, entries: list[Entry], data_end: int) -> None:
        following = data_end
        for entry in sorted(entries, key=lambda entry: entry.header, reverse=True):
            if entry.start + entry.packed > following:
                self.refuse(entry.path, "bytes that belong to another entry too")
            following = entry.header


_LATER: Final = {(0, 0, 0), (0, _MAX_32, _MAX_32)}


def _places_of(mark: bytes, text: bytes) -> Iterator[int]:
    at = text.find(mark)
    while at >= 0:
        yield at
        at = text.find(mark, at + 1)


def _is_end(tail: bytes, at: int) -> bool:
    if at + _END.size > len(tail):
        return False
    comment_length = int(_END.unpack_from(tail, at)[-1])
    return at + _END.size + comment_length == len(tail)


def _widened(extra: bytes, packed: int, size: int, header: int = 0) -> tuple[int, int, int] | None:
    wide = _wide_numbers(extra)
    try:
        size = next(wide) if size == _MAX_32 else size
        packed = next(wide) if packed == _MAX_32 else packed
        header = next(wide) if header == _MAX_32 else header
    except StopIteration:
        return None
    return packed, size, header


def _wide_numbers(extra: bytes) -> Iterator[int]:
    while len(extra) >= 4:  # noqa: PLR2004 - an id and a length
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            numbers = extra[4 : 4 + length]
            whole = len(numbers) // 8 * 8
            yield from (number for (number,) in struct.iter_unpack("<Q", numbers[:whole]))
        extra = extra[4 + length :]
