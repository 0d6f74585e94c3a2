"""Trees that several want at once: made once, one for each, none left behind."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelinekit.tools.archives.shared_tree import ABANDONED_SECONDS, SharedTrees


@pytest.fixture
def trees(tmp_path: Path) -> SharedTrees:
    return SharedTrees(tmp_path / "trees")


def left(tmp_path: Path) -> list[str]:
    return [each.name for each in (tmp_path / "trees").iterdir() if each.is_dir()]


def filled(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "below").mkdir()
    (folder / "below/run").write_text("run", encoding="utf-8")
    (folder / "below/run").chmod(0o755)
    (folder / "link").symlink_to("below/run")


def slow(made: list[int]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        made.append(1)
        time.sleep(0.2)
        filled(folder)

    return make


def test_who_is_alone_takes_the_tree_away(trees: SharedTrees, tmp_path: Path) -> None:
    trees.put("abcd", tmp_path / "mine", filled)
    assert (tmp_path / "mine/link").readlink() == Path("below/run")
    assert left(tmp_path) == []


def test_several_at_once_have_it_made_once_and_get_one_each(
    trees: SharedTrees, tmp_path: Path
) -> None:
    made: list[int] = []
    with ThreadPoolExecutor(5) as pool:
        targets = [tmp_path / str(number) for number in range(5)]
        list(pool.map(lambda target: trees.put("abcd", target, slow(made)), targets))
    assert made == [1]
    assert left(tmp_path) == []
    (targets[0] / "below/run").write_text("changed", encoding="utf-8")
    for target in targets[1:]:
        assert (target / "link").read_text(encoding="utf-8") == "run"
        assert (target / "below/run").stat().st_mode & 0o777 == 0o755


def test_when_making_fails_the_next_one_makes_it(trees: SharedTrees, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        filled(folder)
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        trees.put("abcd", tmp_path / "one", fail)
    assert left(tmp_path) == []
    trees.put("abcd", tmp_path / "two", filled)
    assert (tmp_path / "two/link").exists()


def test_different_trees_are_made_side_by_side(trees: SharedTrees, tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)

    def make(folder: Path) -> None:
        both.wait()
        filled(folder)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: trees.put(name, tmp_path / name, make), ["abcd", "bcde"]))
    assert left(tmp_path) == []


def test_what_killed_processes_left_is_used_or_swept_away(
    trees: SharedTrees, tmp_path: Path
) -> None:
    folder = tmp_path / "trees"
    folder.mkdir()
    long_ago = time.time() - ABANDONED_SECONDS - 60
    for name in ("abcd", "bcde", ".draft-x"):
        filled(folder / name)
        os.utime(folder / name, (long_ago, long_ago))
    filled(folder / "fresh")
    made: list[int] = []
    trees.put("abcd", tmp_path / "mine", slow(made))
    assert made == []
    trees.put("cdef", tmp_path / "other", filled)
    assert left(tmp_path) == ["fresh"]
