"""A folder keeps the versions of its objects, whoever changes them and whatever goes wrong."""

import errno
import hashlib
import multiprocessing
import os
import pickle
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelinekit.tools.aws.bucket import Bucket, BucketError, BucketFault, Headers


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path / "bucket")


def _file(home: Path, content: bytes) -> Path:
    file = home / f"given-{hashlib.sha256(content).hexdigest()[:8]}"
    file.write_bytes(content)
    return file


def _put(bucket: Bucket, key: str, content: bytes) -> str:
    return bucket.put(key, _file(bucket.folder.parent, content)).id


def _contents(bucket: Bucket, key: str) -> list[bytes]:
    return [version.file.read_bytes() for version in bucket.versions(key)]


# ------------------------------------------------------------------ what is put


def test_an_object_lies_at_its_key_and_is_told_as_s3_tells_it(bucket: Bucket) -> None:
    headers = Headers(cache_control="max-age=60", acl="public-read", metadata={"by": "ann"})
    put = bucket.put("site/index.html", _file(bucket.folder.parent, b"<p>hi"), headers)
    assert (bucket.folder / "site/index.html").read_bytes() == b"<p>hi"
    assert (bucket.folder / "site/index.html").stat().st_mode & 0o777 == 0o644
    got = bucket.get("site/index.html")
    assert got == put
    assert got.file.read_bytes() == b"<p>hi"
    assert got.etag == hashlib.md5(b"<p>hi", usedforsecurity=False).hexdigest()
    assert got.digest == hashlib.sha256(b"<p>hi").hexdigest()
    assert got.size == 5
    assert got.at.utcoffset() is not None
    assert got.headers == Headers("text/html", "max-age=60", "public-read", "", {"by": "ann"})


def test_every_put_makes_a_version_and_equal_content_is_kept_once(bucket: Bucket) -> None:
    ids = [_put(bucket, "app.zip", content) for content in (b"one", b"two", b"one")]
    assert len(set(ids)) == 3
    assert [version.id for version in bucket.versions("app.zip")] == ids[::-1]
    assert _contents(bucket, "app.zip") == [b"one", b"two", b"one"]
    assert len(list((bucket.folder / ".versions/content").iterdir())) == 2
    assert bucket.get("app.zip", ids[1]).file.read_bytes() == b"two"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("a/style.css", "text/css"),
        ("data.json", "application/json"),
        ("app.zip", "application/zip"),
        ("page.html.gz", "binary/octet-stream"),
        ("README", "binary/octet-stream"),
    ],
)
def test_the_content_type_follows_from_the_key(bucket: Bucket, key: str, kind: str) -> None:
    _put(bucket, key, b"x")
    assert bucket.get(key).headers.content_type == kind


def test_a_deleted_object_is_gone_and_its_versions_stay(bucket: Bucket) -> None:
    first = _put(bucket, "app.zip", b"one")
    bucket.delete("app.zip")
    assert not (bucket.folder / "app.zip").exists()
    with pytest.raises(BucketError) as caught:
        bucket.get("app.zip")
    assert caught.value.fault is BucketFault.OBJECT
    assert bucket.get("app.zip", first).file.read_bytes() == b"one"
    with pytest.raises(BucketError):
        bucket.delete("app.zip")
    _put(bucket, "app.zip", b"two")
    assert _contents(bucket, "app.zip") == [b"two", b"one"]


# ------------------------------------------------------------------ what is done by hand


def test_a_file_copied_in_by_hand_is_an_object_with_one_version(bucket: Bucket) -> None:
    bucket.folder.mkdir()
    (bucket.folder / "app.zip").write_bytes(b"by hand")
    got = bucket.get("app.zip")
    assert got.file.read_bytes() == b"by hand"
    assert got.headers == Headers("application/zip")
    assert bucket.get("app.zip") == got
    assert bucket.versions("app.zip") == (got,)


def test_a_change_by_hand_is_a_version_even_if_size_and_time_are_the_same(bucket: Bucket) -> None:
    _put(bucket, "app.zip", b"one")
    place = bucket.folder / "app.zip"
    times = place.stat().st_atime_ns, place.stat().st_mtime_ns
    place.write_bytes(b"two")
    os.utime(place, ns=times)
    assert bucket.get("app.zip").file.read_bytes() == b"two"
    place.write_bytes(b"six")  # at once, in the same tick of the clock
    assert bucket.get("app.zip").file.read_bytes() == b"six"
    assert _contents(bucket, "app.zip") == [b"six", b"two", b"one"]


def test_a_touched_file_is_no_new_version(bucket: Bucket) -> None:
    first = _put(bucket, "app.zip", b"one")
    (bucket.folder / "app.zip").touch()
    assert bucket.get("app.zip").id == first


def test_what_was_put_back_by_hand_is_newest_and_not_what_came_between(bucket: Bucket) -> None:
    _put(bucket, "app.zip", b"one")
    place, aside = bucket.folder / "app.zip", bucket.folder / "aside"
    place.rename(aside)
    _put(bucket, "app.zip", b"two")
    aside.replace(place)
    assert bucket.get("app.zip").file.read_bytes() == b"one"
    assert _contents(bucket, "app.zip") == [b"one", b"two", b"one"]


def test_what_was_changed_by_hand_is_kept_before_it_is_overwritten(bucket: Bucket) -> None:
    _put(bucket, "app.zip", b"one")
    (bucket.folder / "app.zip").write_bytes(b"by hand")
    _put(bucket, "app.zip", b"two")
    assert _contents(bucket, "app.zip") == [b"two", b"by hand", b"one"]


def test_a_file_removed_by_hand_is_a_deleted_object(bucket: Bucket) -> None:
    _put(bucket, "app.zip", b"one")
    (bucket.folder / "app.zip").unlink()
    for _ in range(2):
        with pytest.raises(BucketError, match="there is no such object"):
            bucket.get("app.zip")
    assert _contents(bucket, "app.zip") == [b"one"]
    (bucket.folder / "app.zip").write_bytes(b"one")
    assert _contents(bucket, "app.zip") == [b"one", b"one"]


def test_a_bucket_that_was_copied_elsewhere_has_the_same_versions(bucket: Bucket) -> None:
    ids = [_put(bucket, "app.zip", content) for content in (b"one", b"two")]
    copied = Bucket(bucket.folder.parent / "elsewhere")
    shutil.copytree(bucket.folder, copied.folder)
    assert [version.id for version in copied.versions("app.zip")] == ids[::-1]
    assert copied.get("app.zip").file.is_relative_to(copied.folder)


# ------------------------------------------------------------------ what cannot be had


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../outside",
        "a/../../outside",
        "a//b",
        "a/",
        "./a",
        "a\0b",
        ".versions/lock",
        ".Versions/lock",
        "k" * 256,
        "a/" * 600 + "b",
        "\udc80",
    ],
)
def test_a_key_that_leads_elsewhere_is_refused(bucket: Bucket, key: str) -> None:
    before = sorted(bucket.folder.parent.iterdir())
    for act in (bucket.get, bucket.versions, bucket.delete):
        with pytest.raises(BucketError) as caught:
            act(key)
        assert caught.value.fault is BucketFault.KEY
    with pytest.raises(BucketError, match="write plain names"):
        bucket.put(key, Path(__file__))
    assert sorted(bucket.folder.parent.iterdir()) == before


def test_no_key_leads_through_a_link_out_of_the_bucket(bucket: Bucket, tmp_path: Path) -> None:
    bucket.folder.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (bucket.folder / "door").symlink_to(outside)
    (bucket.folder / "window").symlink_to(outside / "secret")
    with pytest.raises(BucketError, match="leads out of"):
        bucket.get("door/secret")
    with pytest.raises(BucketError, match="leads out of"):
        _put(bucket, "door/new", b"x")
    with pytest.raises(BucketError, match="a link or a device"):
        bucket.get("window")
    with pytest.raises(BucketError, match="a link or a device"):
        _put(bucket, "window", b"x")
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


def test_a_missing_object_is_told_with_what_lies_there(bucket: Bucket) -> None:
    _put(bucket, "releases/app-1.zip", b"x")
    with pytest.raises(BucketError) as caught:
        bucket.get("releases/app.zip")
    assert caught.value.fault is BucketFault.OBJECT
    assert "releases holds app-1.zip; copy the file there" in str(caught.value)


def test_a_missing_version_and_a_missing_folder_are_told(bucket: Bucket) -> None:
    with pytest.raises(BucketError, match="there is no such folder; make it") as caught:
        bucket.get("app.zip")
    assert caught.value.fault is BucketFault.FOLDER
    _put(bucket, "app.zip", b"x")
    with pytest.raises(BucketError, match="there is no such version") as caught:
        bucket.get("app.zip", "../../lock")
    assert caught.value.fault is BucketFault.VERSION


def test_a_key_cannot_be_an_object_and_a_folder_at_once(bucket: Bucket) -> None:
    _put(bucket, "a/b", b"x")
    for key in ("a", "a/b/c"):
        with pytest.raises(BucketError, match="a file and a folder at once") as caught:
            _put(bucket, key, b"y")
        assert caught.value.fault is BucketFault.KEY
        with pytest.raises(BucketError):
            bucket.get(key)
    assert _contents(bucket, "a/b") == [b"x"]
    _nothing_is_left_over(bucket, contents=1)


def test_a_damaged_record_is_named(bucket: Bucket) -> None:
    _put(bucket, "app.zip", b"x")
    (record,) = (bucket.folder / ".versions/objects").glob("*/*.json")
    record.write_text("{}", encoding="utf-8")
    with pytest.raises(BucketError, match=r"is damaged .*remove that file"):
        bucket.get("app.zip")


def test_an_error_survives_the_way_between_processes(bucket: Bucket) -> None:
    with pytest.raises(BucketError) as caught:
        bucket.get("/")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (str(again), again.fault) == (str(caught.value), BucketFault.KEY)


# ------------------------------------------------------------------ disks that refuse


def _nothing_is_left_over(bucket: Bucket, contents: int) -> None:
    hidden = bucket.folder / ".versions"
    assert sorted(each.name for each in hidden.iterdir()) == ["content", "lock", "objects"]
    assert len(list((hidden / "content").iterdir())) == contents
    assert not list((hidden / "objects").glob("*/pending.json"))


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_cannot_be_written_leaves_the_old_object_whole(bucket: Bucket) -> None:
    first = _put(bucket, "app.zip", b"one")
    large = _file(bucket.folder.parent, bytes(100_000))
    with _largest_file(50_000), pytest.raises(BucketError) as caught:
        bucket.put("app.zip", large)
    assert caught.value.fault is BucketFault.DISK
    assert os.strerror(errno.EFBIG) in str(caught.value)
    assert "the space on its disk" in str(caught.value)
    assert (bucket.folder / "app.zip").read_bytes() == b"one"
    assert [version.id for version in bucket.versions("app.zip")] == [first]
    _nothing_is_left_over(bucket, contents=1)
    bucket.put("app.zip", large)
    assert bucket.get("app.zip").size == 100_000


@contextmanager
def _small_disk(place: Path, size: str) -> Iterator[None]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.parametrize("size", [200_000, 150_000])  # no room for the content; for its copy
def test_a_full_disk_leaves_the_old_object_whole(tmp_path: Path, size: int) -> None:
    with _small_disk(tmp_path / "disk", "200k"):
        bucket = Bucket(tmp_path / "disk/bucket")
        bucket.put("app.zip", _file(tmp_path, b"one"))
        with pytest.raises(BucketError, match=os.strerror(errno.ENOSPC)) as caught:
            bucket.put("app.zip", _file(tmp_path, bytes(size)))
        assert caught.value.fault is BucketFault.DISK
        assert _contents(bucket, "app.zip") == [b"one"]
        _nothing_is_left_over(bucket, contents=1)


@pytest.mark.root
@pytest.mark.slow
def test_a_read_only_bucket_can_be_read_and_not_written(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with _small_disk(disk, "1m"):
        bucket = Bucket(disk / "bucket")
        first = bucket.put("app.zip", _file(tmp_path, b"one"))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(BucketError, match=os.strerror(errno.EROFS)):
            bucket.put("app.zip", _file(tmp_path, b"two"))
        assert bucket.get("app.zip") == first


# ------------------------------------------------------------------ many at once, and killed


def _put_often(folder: Path, given: Path, times: int) -> None:
    for _ in range(times):
        Bucket(folder).put("app.zip", given)


@pytest.mark.slow
def test_no_version_is_lost_between_processes(bucket: Bucket, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    given = [_file(tmp_path, bytes([number]) * 100_000) for number in range(4)]
    writers = [
        context.Process(target=_put_often, args=(bucket.folder, file, 15)) for file in given
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    versions = bucket.versions("app.zip")
    assert len({version.id for version in versions}) == 60
    assert len({version.digest for version in versions}) == 4
    for version in versions:
        assert hashlib.sha256(version.file.read_bytes()).hexdigest() == version.digest
    assert (bucket.folder / "app.zip").read_bytes() == versions[0].file.read_bytes()


KILLED = """
import os, sys
from pathlib import Path
from pipelinekit.tools.aws.bucket import Bucket

STEPS = {"open", "os.rename", "os.remove", "os.mkdir"}
calls = 0
def count(event, arguments):
    global calls
    if event in STEPS and ".versions" in str(arguments[0]):
        calls += 1
        if calls == int(sys.argv[3]):
            os._exit(9)

sys.addaudithook(count)
Bucket(Path(sys.argv[1])).put("app.zip", Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_writer_may_be_killed_at_any_moment(bucket: Bucket, tmp_path: Path) -> None:
    first = _put(bucket, "app.zip", b"one")
    _put(bucket, "other.zip", b"else")
    given = _file(tmp_path, b"two")
    for moment in range(1, 100):
        folder = tmp_path / f"bucket-{moment}"
        shutil.copytree(bucket.folder, folder)
        command = [sys.executable, "-c", KILLED, str(folder), str(given), str(moment)]
        status = subprocess.run(command, check=False).returncode
        trial = Bucket(folder)
        shown = (folder / "app.zip").read_bytes()
        got = trial.get("app.zip")
        assert got.file.read_bytes() == shown
        assert _contents(trial, "app.zip")[-1:] == [b"one"]
        assert len(trial.versions("app.zip")) == (1 if shown == b"one" else 2)
        assert (got.id == first) == (shown == b"one")
        trial.put("app.zip", given)
        _nothing_is_left_over(trial, contents=3)
        if status == 0:
            break
        assert status == 9
    assert 10 < moment < 99
