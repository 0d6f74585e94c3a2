"""Hostile archives: each is refused, and nothing outside of the folder is touched."""

import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelinekit.tools.archives.archive import ArchiveError, Limits, pack, unpack

LINK = stat.S_IFLNK | 0o777


@dataclass
class Item:
    """One entry of a hand-made zip; each field of its two headers can lie by itself."""

    name: bytes
    content: bytes = b"evil"
    mode: int = stat.S_IFREG | 0o644
    flags: int = 0
    method: int = 0
    packed: bytes | None = None
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)
    extra: bytes = b""
    at: int | None = None


def made(*items: Item, before: bytes = b"", **end: int) -> bytes:
    body, directory = before, b""
    for item in items:
        packed = item.content if item.packed is None else item.packed
        facts: dict[str, int | bytes] = {
            "name": item.name,
            "flags": item.flags,
            "method": item.method,
            "crc": zlib.crc32(item.content),
            "packed": len(packed),
            "size": len(item.content),
        }
        here, told = facts | item.local, facts | item.central
        at = len(body) if item.at is None else item.at
        if item.at is None:
            body += struct.pack(
                "<4s5H3L2H",
                b"PK\3\4",
                20,
                here["flags"],
                here["method"],
                0,
                33,
                here["crc"],
                here["packed"],
                here["size"],
                len(bytes(here["name"])),
                len(item.extra),
            )
            body += bytes(here["name"]) + item.extra + packed
        directory += (
            struct.pack(
                "<4s2B5H3L5H2L",
                b"PK\1\2",
                20,
                3,
                20,
                told["flags"],
                told["method"],
                0,
                33,
                told["crc"],
                told["packed"],
                told["size"],
                len(bytes(told["name"])),
                len(item.extra),
                0,
                told.get("disk", 0),
                0,
                item.mode << 16,
                at,
            )
            + bytes(told["name"])
            + item.extra
        )
    count = end.get("count", len(items))
    length, begin = end.get("length", len(directory)), end.get("begin", len(body))
    tail = struct.pack(
        "<4s4H2LH", b"PK\5\6", end.get("disk", 0), 0, count, count, length, begin, 0
    )
    return body + directory + tail


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def link(name: bytes, target: bytes) -> Item:
    return Item(name, target, mode=LINK)


ZEROS = bytes(2_000_000)
GOOD = Item(b"good", b"fine")
LONG = deflated(b"abcdefgh" * 40_000)

HOSTILE: dict[str, tuple[bytes, str]] = {
    "parent": (made(GOOD, Item(b"../alive")), "path part '..'"),
    "parent inside": (made(Item(b"a/../../alive")), "path part '..'"),
    "parent at the end": (made(Item(b"a/..")), "path part '..'"),
    "absolute": (made(Item(b"/tmp/alive")), "absolute path"),
    "two slashes": (made(Item(b"a//alive")), "path part ''"),
    "dot": (made(Item(b"./alive")), r"path part '\.'"),
    "empty name": (made(Item(b"")), "path part ''"),
    "only a slash": (made(Item(b"/", b"", mode=stat.S_IFDIR | 0o755)), "path part ''"),
    "backslash": (made(Item(b"..\\alive")), "backslash"),
    "drive": (made(Item(b"C:alive")), "drive letter"),
    "share": (made(Item(b"//server/share/x")), "drive letter|absolute"),
    "NUL": (made(Item(b"a\0b")), "NUL"),
    "long name": (made(Item(b"n" * 256)), "more than 255 bytes"),
    "very long name": (made(Item(b"n" * 60_000)), "name that is too long"),
    "deep": (made(Item(b"d/" * 40 + b"x")), "more than 32 parts"),
    "name not UTF-8": (made(Item(b"\xff\xfe", flags=0x800)), "not UTF-8"),
    "link out": (made(link(b"l", b"../canary/alive")), "leads out"),
    "absolute link": (made(link(b"l", b"/etc/passwd")), "absolute or empty target"),
    "empty link": (made(link(b"l", b"")), "absolute or empty target"),
    "link up through a name": (made(link(b"d", b"."), link(b"l", b"d/..")), "climbs after a name"),
    "link of two steps": (made(link(b"a/l", b"../..")), "leads out"),
    "long link": (made(link(b"l", b"x/" * 3000)), "more than 4095 bytes"),
    "link not UTF-8": (made(link(b"l", b"\xff")), "not UTF-8"),
    "file through a link": (made(link(b"l", b"a"), Item(b"l/alive")), "a file or link above it"),
    "file before its link": (made(Item(b"l/alive"), link(b"l", b"a")), "a file or link above it"),
    "link through a link": (made(link(b"l", b"a"), link(b"l/m", b"b")), "a file or link above it"),
    "file as directory": (made(Item(b"f"), Item(b"f/g")), "a file or link above it"),
    "duplicate": (made(Item(b"a"), Item(b"a", b"other")), "a second entry of this name"),
    "duplicate link": (made(link(b"a", b"x"), Item(b"a")), "a second entry of this name"),
    "duplicate directory": (
        made(Item(b"a/", b"", mode=0), Item(b"a/", b"", mode=0)),
        "a second entry of this name",
    ),
    "file and directory": (made(Item(b"a"), Item(b"a/", b"", mode=0)), "a second entry"),
    "directory with bytes": (made(Item(b"a/", b"evil", mode=0)), "a directory that is a file"),
    "directory that is a link": (made(link(b"a/", b"x")), "a directory that is a file"),
    "directory without slash": (made(Item(b"a", b"", mode=stat.S_IFDIR)), "is a directory"),
    "device": (made(Item(b"d", b"", mode=stat.S_IFBLK | 0o666)), "a device"),
    "character device": (made(Item(b"d", b"", mode=stat.S_IFCHR | 0o666)), "a device"),
    "pipe": (made(Item(b"d", b"", mode=stat.S_IFIFO | 0o666)), "a device, socket or pipe"),
    "socket": (made(Item(b"d", b"", mode=stat.S_IFSOCK | 0o666)), "a device, socket or pipe"),
    "encrypted": (made(Item(b"a", flags=1)), "encryption"),
    "strongly encrypted": (made(Item(b"a", flags=0x40)), "encryption"),
    "hidden headers": (made(Item(b"a", flags=0x2000)), "encryption"),
    "encrypted in one header": (made(Item(b"a", local={"flags": 1})), "two headers that disagree"),
    "other name inside": (made(Item(b"a", local={"name": b"b"})), "two headers that disagree"),
    "other size inside": (made(Item(b"a", local={"size": 3})), "two headers that disagree"),
    "other packed inside": (made(Item(b"a", local={"packed": 3})), "two headers that disagree"),
    "other checksum inside": (made(Item(b"a", local={"crc": 3})), "two headers that disagree"),
    "other method inside": (made(Item(b"a", local={"method": 8})), "two headers that disagree"),
    "later sizes that lie": (
        made(Item(b"a", flags=8, local={"size": 3})),
        "two headers that disagree",
    ),
    "wrong checksum": (
        made(Item(b"a", local={"crc": 3}, central={"crc": 3})),
        "other bytes than its headers promise",
    ),
    "two sizes": (made(Item(b"a", local={"size": 9}, central={"size": 9})), "two sizes of bytes"),
    "smaller than it says": (
        made(Item(b"a", b"x" * 9, method=8, packed=deflated(b"x" * 8))),
        "other bytes than its headers promise",
    ),
    "larger than it says": (
        made(Item(b"a", b"x" * 9, method=8, packed=deflated(b"x" * 900_000))),
        "more bytes than its headers promise",
    ),
    "bytes after the end": (
        made(Item(b"a", b"x" * 9, method=8, packed=deflated(b"x" * 9) + b"more")),
        "bytes after the end",
    ),
    "cut compression": (
        made(Item(b"a", b"abcdefgh" * 40_000, method=8, packed=LONG[: len(LONG) // 2])),
        "without an end|other bytes",
    ),
    "broken compression": (made(Item(b"a", b"x" * 9, method=8, packed=b"\xff" * 9)), "be read"),
    "unknown method": (made(Item(b"a", method=12)), "the compression method 12"),
    "bomb by ratio": (
        made(Item(b"a", ZEROS, method=8, packed=deflated(ZEROS))),
        "more than 100 bytes out of each byte",
    ),
    "beyond the data": (
        made(Item(b"a", local={"packed": 99, "size": 99}, central={"packed": 99, "size": 99})),
        "bytes beyond the end of the data",
    ),
    "header beyond the end": (made(Item(b"a", at=5000)), "a header that is cut off"),
    "header that is none": (made(GOOD, Item(b"a", at=3)), "two headers that disagree|cut off"),
    "more entries than it has": (made(GOOD, count=2), "fewer entries than"),
    "fewer entries than it has": (made(GOOD, Item(b"a"), count=1), "belong to no entry"),
    "directory elsewhere": (made(GOOD, begin=3), "a directory that is not where"),
    "shifted": (b"#!/bin/sh\n" + made(GOOD), "a directory that is not where"),
    "several disks": (made(GOOD, disk=1), "on several disks"),
    "entry on another disk": (made(Item(b"a", central={"disk": 2})), "directory that is damaged"),
    "bytes after it": (made(GOOD) + b"more", "no ends of a zip archive"),
    "two ends": (
        made(GOOD)[:-2] + struct.pack("<H", 22) + made(),
        "2 ends of a zip archive",
    ),
    "wide sizes that are missing": (
        made(Item(b"a", central={"size": 0xFFFFFFFF})),
        "sizes that are missing",
    ),
    "wide end that is missing": (made(GOOD, count=0xFFFF), "no second end"),
    "empty": (b"", "no ends of a zip archive"),
    "no zip": (b"\x1f\x8b" + b"x" * 1000, "no ends of a zip archive"),
    "cut off": (made(GOOD)[:-30], "no ends of a zip archive"),
}


def overlapping() -> bytes:
    """Two entries whose bytes are partly the same: the second header lies in the first's bytes."""
    inner = made(Item(b"b", b"y" * 10))[: 31 + 10]
    outer = Item(b"a", inner + b"z" * 10)
    whole = made(outer, Item(b"b", b"y" * 10, at=31))
    assert whole[31:35] == b"PK\3\4"
    return whole


HOSTILE["overlap in part"] = (overlapping(), "bytes that belong to another entry too")


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """A folder to unpack in, with canaries all round it that must be as they were."""
    (tmp_path / "canary").mkdir()
    (tmp_path / "canary" / "alive").write_text("alive", encoding="utf-8")
    (tmp_path / "alive").write_text("alive", encoding="utf-8")

    def seen() -> dict[str, object]:
        paths = [path for path in tmp_path.rglob("*") if path.name != "x.zip"]
        return {str(path): path.is_file() and path.read_bytes() for path in paths}

    before = seen()
    yield lambda: tmp_path
    assert seen() == before


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    case: str, outside: Callable[[], Path]
) -> None:
    content, words = HOSTILE[case]
    folder = outside()
    (folder / "x.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match=words) as caught:
        unpack(folder / "x.zip", folder / "out")
    assert str(caught.value).startswith("x.zip")
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(entries=2), "3 entries, where 2 are allowed"),
        (Limits(total=2999), "more than 2999 bytes in all"),
        (Limits(depth=1), "more than 1 parts"),
    ],
)
def test_limits_are_kept(limits: Limits, words: str, outside: Callable[[], Path]) -> None:
    folder = outside()
    items = [Item(b"a", b"x" * 1000), Item(b"b", b"y" * 1000), Item(b"c/d", b"z" * 1000)]
    (folder / "x.zip").write_bytes(made(*items))
    with pytest.raises(ArchiveError, match=words):
        unpack(folder / "x.zip", folder / "out", limits)
    assert not (folder / "out").exists()
    unpack(folder / "x.zip", folder / "canary" / "out", Limits(entries=3, total=3000, depth=2))
    for path in sorted((folder / "canary" / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / "canary" / "out").rmdir()


def test_an_empty_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "x.zip").write_bytes(made(GOOD, Item(b"a/b"), link(b"l", b"..")))
    with pytest.raises(ArchiveError):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_the_hand_made_archives_are_good_when_nothing_lies(tmp_path: Path) -> None:
    items = [GOOD, Item(b"d/", b"", mode=0), Item(b"d/x", ZEROS[:9], method=8)]
    items[-1].packed = deflated(ZEROS[:9])
    (tmp_path / "x.zip").write_bytes(made(*items, link(b"d/l", b"../good"), before=b"#!"))
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert (tmp_path / "out" / "d" / "l").read_bytes() == b"fine"


def seeds(folder: Path) -> list[bytes]:
    source = folder / "source"
    (source / "d" / "e").mkdir(parents=True)
    (source / "d" / "x").write_bytes(b"some text\n" * 50)
    (source / "y").write_bytes(b"y")
    (source / "l").symlink_to("d/x")
    pack(source, folder / "seed.zip")
    with zipfile.ZipFile(folder / "wide.zip", "w") as archive:
        with archive.open("a", "w", force_zip64=True) as file:
            file.write(b"wide")
        archive.writestr("b", "b")
    good = [(folder / name).read_bytes() for name in ("seed.zip", "wide.zip")]
    return good * 20 + [content for content, _ in HOSTILE.values() if 60 < len(content) < 2000]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    content = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content))
        if chance.random() < 0.1:
            del content[at : at + chance.randint(1, 20)]
            content += b"PK\5\6"
        else:
            content[at] = chance.choice([0, 1, 8, 0x2E, 0x2F, 0xFF, chance.randrange(256)])
    return bytes(content)


def remove_tree_that_stays_inside(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), key=lambda path: -len(path.parts)):
        assert path.resolve().is_relative_to(folder.resolve())
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()
    folder.rmdir()


@pytest.mark.slow
def test_mutated_archives_are_unpacked_or_refused_but_touch_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    beginnings = seeds(tmp_path)
    jail = tmp_path / "jail"
    jail.mkdir()
    refused = 0
    for _ in range(5000):
        (jail / "x.zip").write_bytes(mutated(chance.choice(beginnings), chance))
        try:
            unpack(jail / "x.zip", jail / "out")
            remove_tree_that_stays_inside(jail / "out")
        except ArchiveError:
            refused += 1
        assert [path.name for path in jail.iterdir()] == ["x.zip"]
    assert 1000 < refused < 4990  # both answers were given
