"""Archives: equal folders give equal bytes, and what was packed is what is unpacked."""

import os
import random
import stat
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pipelinekit.tools.archives.archive import ArchiveError, Limits, digest, pack, unpack


def fill(folder: Path, order: int = 1) -> Path:
    folder.mkdir()
    files = {
        "app.py": b"print(1)\n",
        "bin/run": b"#!/bin/sh\n",
        "data/große Datei ☃.bin": bytes(range(256)) * 5000,
        "data/deep/er/x": b"",
        "a-b/c": b"1",
        "a/b": b"2",
    }
    for name, content in list(files.items())[::order]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "bin" / "run").chmod(0o700)
    (folder / "empty" / "nest").mkdir(parents=True)
    (folder / "bin" / "app").symlink_to("../app.py")
    (folder / "dangling").symlink_to("none")
    return folder


def picture(folder: Path) -> dict[str, object]:
    """Everything that a round trip must keep: kinds, execute bits, contents, link targets."""
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = "directory"
        else:
            found[name] = (path.read_bytes(), bool(path.stat().st_mode & stat.S_IXUSR))
    return found


def test_a_round_trip_keeps_everything(tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    packed = pack(source, tmp_path / "x.zip")
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert picture(tmp_path / "out") == picture(source)
    assert packed.entries == len(picture(source))
    assert packed.size == (tmp_path / "x.zip").stat().st_size
    assert packed.digest == digest(tmp_path / "x.zip")
    modes = {
        path.stat().st_mode & 0o7777 for path in (tmp_path / "out").rglob("*") if path.exists()
    }
    assert modes == {0o755, 0o644}


def test_equal_folders_give_equal_bytes(tmp_path: Path) -> None:
    first = fill(tmp_path / "first")
    second = fill(tmp_path / "second", order=-1)
    for path in second.rglob("*"):
        if path.is_file():
            path.chmod(path.stat().st_mode | 0o066)
            os.utime(path, (1, 1))
    pack(first, tmp_path / "1.zip")
    pack(second, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    (second / "app.py").write_bytes(b"print(2)\n")
    assert pack(second, tmp_path / "2.zip").digest != digest(tmp_path / "1.zip")


def test_other_zip_programs_read_it(tmp_path: Path) -> None:
    pack(fill(tmp_path / "source"), tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.testzip() is None
        names = [name.rstrip("/") for name in archive.namelist()]
        assert names == sorted(names)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert "empty/nest/" in archive.namelist()


def test_members_choose_what_is_packed(tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    pack(source, tmp_path / "x.zip", ["bin/run", "empty/", "bin/run", "data/deep/er/x"])
    unpack(tmp_path / "x.zip", tmp_path / "out")
    expected = {"bin", "bin/run", "empty", "data", "data/deep", "data/deep/er", "data/deep/er/x"}
    assert set(picture(tmp_path / "out")) == expected


def test_an_archive_in_its_own_folder_leaves_itself_out(tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    first = pack(source, source / "x.zip")
    assert pack(source, source / "x.zip") == first
    assert [path.name for path in source.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "bin/../../x", "..", "a/.."])
def test_a_link_that_leads_out_is_not_packed(target: str, tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    (source / "zlink").symlink_to(target)
    with pytest.raises(ArchiveError, match=r"entry zlink: found a symbolic link .*; leave it out"):
        pack(source, tmp_path / "x.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_what_is_no_file_is_not_packed(tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    os.mkfifo(source / "pipe")
    with pytest.raises(ArchiveError, match="entry pipe: found a device, socket or pipe"):
        pack(source, tmp_path / "x.zip")


@pytest.mark.parametrize(
    "member", ["none", "../x", "/etc/passwd", "way/passwd", "a\\b", "C:x", ""]
)
def test_a_member_outside_or_missing_is_refused(member: str, tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    (source / "way").symlink_to("/etc")
    (tmp_path / "x").write_text("secret", encoding="utf-8")
    with pytest.raises(ArchiveError):
        pack(source, tmp_path / "x.zip", [member])
    assert not (tmp_path / "x.zip").exists()


def test_names_that_cannot_be_unpacked_are_not_packed(tmp_path: Path) -> None:
    for number, name in enumerate([b"a\\b", b"\xff", b"c:d"]):
        source = tmp_path / str(number)
        source.mkdir()
        (Path(os.fsdecode(os.fsencode(source) + b"/" + name))).touch()
        with pytest.raises(ArchiveError, match="rename it"):
            pack(source, tmp_path / "x.zip")


def test_a_folder_that_is_too_deep_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "source" / "/".join("d" * 33)).mkdir(parents=True)
    with pytest.raises(ArchiveError, match="32"):
        pack(tmp_path / "source", tmp_path / "x.zip")


def test_a_failed_pack_leaves_the_old_archive(tmp_path: Path) -> None:
    source = fill(tmp_path / "source")
    kept = pack(source, tmp_path / "x.zip")
    os.mkfifo(source / "pipe")
    with pytest.raises(ArchiveError):
        pack(source, tmp_path / "x.zip")
    assert digest(tmp_path / "x.zip") == kept.digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "x.zip"]


def test_a_file_that_shrinks_beyond_measure_can_still_be_unpacked(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "zeros").write_bytes(bytes(3_000_000))
    (source / "words").write_bytes(b"usual text of some length\n" * 100_000)
    pack(source, tmp_path / "x.zip")
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert picture(tmp_path / "out") == picture(source)


@pytest.mark.slow
def test_packing_and_unpacking_take_little_memory(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with (source / "large").open("wb") as file:
        for seed in range(64):
            file.write(random.Random(seed).randbytes(1024 * 1024))
    tracemalloc.start()
    pack(source, tmp_path / "x.zip")
    unpack(tmp_path / "x.zip", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
    assert digest(tmp_path / "out" / "large") == digest(source / "large")


@pytest.mark.slow
def test_many_files_take_little_time(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for number in range(4000):
        path = source / str(number % 50) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number), encoding="utf-8")
    began = time.process_time()
    assert pack(source, tmp_path / "x.zip").entries == 4050
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert time.process_time() - began < 20


def test_an_empty_folder_is_an_archive(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    assert pack(tmp_path / "source", tmp_path / "x.zip").entries == 0
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_holds_something_is_not_unpacked_into(tmp_path: Path) -> None:
    pack(fill(tmp_path / "source"), tmp_path / "x.zip")
    before = picture(tmp_path / "source")
    with pytest.raises(ArchiveError, match="already; give an empty folder"):
        unpack(tmp_path / "x.zip", tmp_path / "source")
    assert picture(tmp_path / "source") == before


def test_archives_of_other_programs_are_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dir/", "")
        archive.writestr("dir/file", "x" * 1000)
        info = zipfile.ZipInfo("tool")
        info.external_attr = (stat.S_IFREG | 0o6777) << 16
        archive.writestr(info, "#!")
        with archive.open("large", "w", force_zip64=True) as file:
            file.write(b"64")
        archive.comment = b"made elsewhere"
    unpack(tmp_path / "x.zip", tmp_path / "out", Limits(entries=4, total=1004))
    assert (tmp_path / "out" / "dir" / "file").read_text(encoding="utf-8") == "x" * 1000
    assert (tmp_path / "out" / "tool").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "out" / "large").read_bytes() == b"64"


def test_an_archive_that_was_streamed_is_unpacked(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (
        os.fdopen(writing, "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pipe,
    ):
        pipe.writestr("a", "a" * 100)
    with os.fdopen(reading, "rb") as received:
        (tmp_path / "x.zip").write_bytes(received.read())
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text(encoding="utf-8") == "a" * 100
