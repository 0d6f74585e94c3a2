"""The export of a commit: what it keeps, and what it refuses."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelinekit.tools.git.repository import GitFault, export, fetch
from tests.tools.git_repositories import (
    commit_file,
    fault,
    git,
    hostile_commit,
    new_bare,
    new_shop,
    store,
    tree,
)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return new_shop(tmp_path / "shop")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return new_bare(tmp_path / "evil.git")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "canary"
    folder.mkdir()
    yield folder / "alive"
    assert list(folder.iterdir()) == []


NAMES = [b"..", b".", b".git", b".GIT", b".Git", b"git~1", b"GIT~1", b".git.", b".git "]
NAMES += [b".git::$INDEX_ALLOCATION", ".g\u200cit".encode(), b"a" * 300, b"../up", b"/abs", b""]


def test_export_keeps_modes_links_and_bytes(shop: Path, tmp_path: Path) -> None:
    (shop / "bin").mkdir()
    (shop / "bin" / "run").write_bytes(bytes(range(256)) * 10_000)
    (shop / "bin" / "run").chmod(0o755)
    (shop / "bin" / "up").symlink_to("../app.py")
    (shop / "empty").touch()
    (shop / "söme\nname").touch()
    git(shop, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    commit = commit_file(shop, ".github/x.yml", "a: 1\n")
    git(shop, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    git(shop, "commit", "--quiet", "-m", "submodule")
    commit = git(shop, "rev-parse", "HEAD")
    fetch(str(shop), branch="main", into=tmp_path / "cache")
    out = tmp_path / "out"
    done = export(tmp_path / "cache", commit, out)
    assert (done.files, done.submodules) == (6, ("vendor/lib",))
    assert (out / "bin" / "run").read_bytes() == bytes(range(256)) * 10_000
    assert os.access(out / "bin" / "run", os.X_OK)
    assert (out / "app.py").stat().st_mode & 0o777 == 0o644
    assert (out / "bin" / "up").read_text(encoding="utf-8") == "print(1)\n"
    assert (out / "söme\nname").exists()
    assert not (out / ".git").exists()
    assert not (out / "vendor").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_with_a_dangerous_name_is_refused(name: bytes, bare: Path, canary: Path) -> None:
    blob = store(bare, "blob", b"evil")
    commit = hostile_commit(bare, ("100644", b"a", blob), ("100644", name, blob))
    with fault(GitFault.HOSTILE):
        export(bare, commit, canary.parent / "out")


@pytest.mark.parametrize(
    "target",
    [b"/etc/passwd", b"..", b"../x", b"a/../../x", b"d/..", b"", b"x" * 5000, b"./../x"],
)
def test_a_symbolic_link_that_leads_out_is_refused(
    target: bytes, bare: Path, tmp_path: Path
) -> None:
    commit = hostile_commit(bare, ("120000", b"link", store(bare, "blob", target)))
    with fault(GitFault.HOSTILE, r"symbolic link .*\(link -> .*\)|more than \d+ bytes"):
        export(bare, commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("canary")
def test_nothing_is_written_through_a_symbolic_link(bare: Path, tmp_path: Path) -> None:
    blob = store(bare, "blob", b"evil")
    link = store(bare, "blob", b"b")
    tree_id = store(bare, "tree", b"100644 alive\0" + bytes.fromhex(blob))
    commit = hostile_commit(bare, ("120000", b"a", link), ("40000", b"a", tree_id))
    with fault(GitFault.HOSTILE):
        export(bare, commit, tmp_path / "out")


def test_duplicate_and_deep_and_large_trees_are_refused(bare: Path, tmp_path: Path) -> None:
    blob = store(bare, "blob", b"evil")
    out = tmp_path / "out"
    twice = hostile_commit(bare, ("100644", b"a", blob), ("100644", b"a", blob))
    with fault(GitFault.HOSTILE, "cannot be made"):
        export(bare, twice, out)
    with fault(GitFault.HOSTILE, "8 bytes, where 7 are allowed"):
        export(bare, twice, out, max_bytes=7)
    deep = store(bare, "tree", b"100644 a\0" + bytes.fromhex(blob))
    for _ in range(70):
        deep = store(bare, "tree", b"40000 d\0" + bytes.fromhex(deep))
    with fault(GitFault.HOSTILE, "more than 64 parts"):
        export(bare, hostile_commit(bare, ("40000", b"d", deep)), out)
    assert not out.exists()


@pytest.mark.slow
def test_a_bomb_of_trees_is_refused_in_little_time(bare: Path, tmp_path: Path) -> None:
    bomb = store(bare, "tree", b"")
    for _ in range(12):
        names = [f"d{n}".encode() for n in range(10)]
        bomb = store(
            bare, "tree", b"".join(b"40000 %s\0" % n + bytes.fromhex(bomb) for n in names)
        )
    began = time.monotonic()
    with fault(GitFault.HOSTILE, "more than 100000 entries"):
        export(bare, hostile_commit(bare, ("40000", b"d", bomb)), tmp_path / "out")
    assert time.monotonic() - began < 20


def test_a_missing_object_leaves_nothing_behind(bare: Path, tmp_path: Path) -> None:
    blob = store(bare, "blob", b"here")
    commit = hostile_commit(bare, ("100644", b"a", blob), ("100644", b"b", "1" * 40))
    with fault(GitFault.HOSTILE, "file b: an object of it is missing; fetch it again"):
        export(bare, commit, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_needs_an_empty_folder(shop: Path, tmp_path: Path) -> None:
    commit = git(shop, "rev-parse", "HEAD")
    (tmp_path / "out").mkdir()
    export(shop / ".git", commit, tmp_path / "out")
    with fault(GitFault.HOSTILE, "already"):
        export(shop / ".git", commit, tmp_path / "out")
    assert tree(tmp_path / "out") == {"app.py": "print(1)\n"}
