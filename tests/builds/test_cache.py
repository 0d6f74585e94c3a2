"""A cache is there again in the next build, whole or not at all, and harms nothing of anyone's."""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count, takewhile
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipelinekit.builds import cache as caches
from pipelinekit.builds.cache import BuildCache, Ground, asked
from pipelinekit.builds.cache_shelf import MOST_KEPT, DamagedCache, Shelf
from pipelinekit.model.settings import Compute, Settings, Where
from pipelinekit.providers.codebuild import codebuild
from pipelinekit.tools.commands.launch import Launch
from pipelinekit.tools.commands.shell import Shell
from pipelinekit.wire.buildspec_outputs import Cache, CacheAction
from tests.builds.sites import Site, phases
from tests.cli.project import until

PATHS = ("deps/**/*",)


class Builds:
    """Builds of one project, each in a source of its own.

    Args:
        folder: Of all of them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._number = 0

    def source(self, **files: str) -> Path:
        """Make a new source with these files, `__` standing for `/`."""
        self._number += 1
        source = self.folder / f"source-{self._number}"
        source.mkdir()
        for name, text in files.items():
            file = source / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return source

    def cache(self, cache: Cache, ground: Ground) -> BuildCache:
        """Take the cache of a build."""
        return BuildCache.of(self.folder / "shared", "shop", cache, ground, self.said.append)

    def run(
        self,
        cache: Cache,
        source: Path,
        work: Callable[[Path], object] = lambda _: None,
        variables: Mapping[str, str] | None = None,
    ) -> Path:
        """Run one build on the host, and give its source."""
        build = self.cache(cache, Ground(source))
        scratch = self.folder / f"shell-{source.name}"
        environment = {"PATH": os.environ["PATH"], **(variables or {})}
        with Shell(Launch("/bin/sh", environment, source), scratch) as shell:
            build.restore(shell)
        work(source)
        build.keep()
        return source

    @property
    def kept(self) -> list[Path]:
        """List the files of the caches."""
        return sorted((self.folder / "shared" / "builds" / "shop").iterdir())


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    """Give a project without a cache."""
    return Builds(tmp_path)


def install(version: str) -> Callable[[Path], object]:
    """Make the work of a build that installs something."""

    def work(source: Path) -> None:
        folder = source / "deps" / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tool").write_text(version, encoding="utf-8")
        (folder / "tool").chmod(0o755)
        (folder / "link").unlink(missing_ok=True)
        (folder / "link").symlink_to("tool")
        os.utime(folder / "tool", (1_000_000_000, 1_000_000_000))

    return work


def tool(source: Path) -> str:
    return (source / "deps" / "bin" / "tool").read_text(encoding="utf-8")


def test_files_are_there_again_with_their_times_modes_and_links(builds: Builds) -> None:
    builds.run(Cache(PATHS), builds.source(), install("1"))
    again = builds.run(Cache(PATHS), builds.source()) / "deps" / "bin"
    assert tool(again.parents[1]) == "1"
    assert (again / "tool").stat().st_mtime == 1_000_000_000
    assert os.access(again / "tool", os.X_OK)
    assert (again / "link").readlink() == Path("tool")
    assert builds.said[0] == "cache: nothing is kept yet"
    assert builds.said[1].startswith("cache: kept 2 files, ")
    assert builds.said[2].startswith("cache: restored 2 files in ")


def test_without_a_key_each_build_brings_the_one_cache_up_to_date(builds: Builds) -> None:
    builds.run(Cache(PATHS), builds.source(), install("1"))
    builds.run(Cache(PATHS), builds.source(), install("2"))
    assert tool(builds.run(Cache(PATHS), builds.source())) == "2"
    assert len(builds.kept) == 1


def test_a_cache_that_has_a_key_is_never_changed(builds: Builds) -> None:
    cache = Cache(PATHS, key="v1")
    builds.run(cache, builds.source(), install("1"))
    builds.run(cache, builds.source(), install("2"))
    assert tool(builds.run(cache, builds.source())) == "1"
    assert builds.said[-1] == "cache v1: it is kept already, and stays as it is"


def test_the_hash_of_files_and_variables_make_the_key(builds: Builds) -> None:
    cache = Cache(PATHS, key='"$TOOL"-$(codebuild-hash-files lock "**/*.lock")-$(cat lock)')
    variables = {"TOOL": "npm"}
    builds.run(cache, builds.source(lock="a", app__b="x"), install("1"), variables)
    label = builds.said[0].partition(":")[0]
    assert label.startswith('cache "npm"-')
    assert label.endswith("-a")
    assert len(label) == len('cache "npm"-') + 64 + len("-a")
    builds.run(cache, builds.source(lock="b"), install("2"), variables)
    assert tool(builds.run(cache, builds.source(lock="a"), variables=variables)) == "1"
    assert tool(builds.run(cache, builds.source(lock="b"), variables=variables)) == "2"


@pytest.mark.parametrize("key", ["$NOTHING", "$(codebuild-hash-files ../lock)"])
def test_a_key_without_a_value_keeps_nothing_and_is_said(builds: Builds, key: str) -> None:
    builds.run(Cache(PATHS, key=key), builds.source(), install("1"))
    assert len(builds.said) == 1
    assert f"the key {key} has no value, so that nothing is kept" in builds.said[0]


def test_a_fallback_stands_in_by_its_beginning_and_the_latest_one_is_taken(builds: Builds) -> None:
    for version in ("1", "2"):
        builds.run(Cache(PATHS, key=f"npm-{version}"), builds.source(), install(version))
    builds.run(Cache(PATHS, key="pip-3"), builds.source(), install("3"))
    for age, path in enumerate(sorted(builds.kept, key=lambda each: -each.stat().st_mtime)):
        os.utime(path, (10**9 - age, 10**9 - age))  # what was kept in one moment is told apart
    cache = Cache(PATHS, key="npm-9", fallback_keys=("gem-", "npm-"))
    assert tool(builds.run(cache, builds.source())) == "2"
    assert "cache npm-9: nothing is kept yet; npm-2 stands in for it" in builds.said


def test_a_cache_of_other_paths_is_another_one(builds: Builds) -> None:
    builds.run(Cache(PATHS, key="v1"), builds.source(), install("1"))
    other = Cache(("deps/bin/*",), key="v1", fallback_keys=("v",))
    assert not (builds.run(other, builds.source()) / "deps").exists()


def test_only_one_half_is_done_where_the_buildspec_asks_for_it(builds: Builds) -> None:
    restoring, saving = (Cache(PATHS, action=action) for action in CacheAction)
    builds.run(restoring, builds.source(), install("1"))
    assert builds.said == ["cache: nothing is kept yet"]
    builds.run(saving, builds.source(), install("2"))
    assert not (builds.run(saving, builds.source()) / "deps").exists()
    assert tool(builds.run(restoring, builds.source())) == "2"


def test_what_the_source_holds_is_not_replaced_by_what_was_kept(builds: Builds) -> None:
    builds.run(Cache(PATHS), builds.source(), install("old"))
    source = builds.source(deps__bin__tool="new")
    assert tool(builds.run(Cache(PATHS), source)) == "new"
    assert (source / "deps" / "bin" / "link").is_symlink()


@pytest.mark.parametrize(
    "path", ["/root/.m2/**/*", "~/.cache/pip", "/$HOME/.gradle/", "/var/lib/x", "../up/**/*"]
)
def test_what_is_not_the_builds_own_is_said_and_left_alone(builds: Builds, path: str) -> None:
    builds.run(Cache((path,)), builds.source())
    (said,) = builds.said
    assert said.startswith(f"cache: {path} is not the build's own on this machine")
    assert said.endswith("or run the build in a sandbox, which has a home of its own")
    assert not (builds.folder / "shared").exists()


def test_the_home_of_a_confined_build_is_kept_under_any_of_its_names(builds: Builds) -> None:
    cache = Cache(("/root/.m2/**/*", "~/.npm", "$HOME/.pip/*", "/home/ann/.gem/*", "/tmp/x"))
    grounds = [
        Ground(builds.source(), builds.source(), "/home/ann"),
        Ground(builds.source(), builds.source(), "/home/ann"),
    ]
    for name in (".m2/a/b", ".npm/c", ".pip/d", ".gem/e"):
        file = (grounds[0].home or Path()) / name
        file.parent.mkdir(parents=True)
        file.write_text(name, encoding="utf-8")
    for ground in grounds:
        build = builds.cache(cache, ground)
        folder = builds.folder / f"shell-{ground.source.name}"
        with Shell(Launch("/bin/sh", {}, ground.source), folder) as shell:
            build.restore(shell)
        build.keep()
    home = grounds[1].home or Path()
    found = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert found == {".m2/a/b", ".npm/c", ".pip/d", ".gem/e"}
    assert builds.said[0].startswith("cache: /tmp/x is not the build's own")


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("path", ["/root/.m2/**/*", "~/.m2/**/*"])
def test_what_a_build_leaves_in_the_home_of_its_sandbox_is_there_in_the_next(
    site: Site, path: str
) -> None:
    site.settings = Settings(compute=Compute(where=Where.SANDBOX))
    action = codebuild("build", project=str(site.folder)).reads("app")
    text = phases(build=["mkdir -p ~/.m2; echo $RANDOM$$ >> ~/.m2/kept; cat ~/.m2/kept > found"])
    spec = json.dumps({**json.loads(text), "cache": {"paths": [path]}})
    first, second = (site.build(spec, action) for _ in range(2))
    assert first.succeeded.place == "sandbox"
    assert second.succeeded.place == "sandbox"
    assert second.text("found").startswith(first.text("found"))
    assert len(second.text("found").splitlines()) == 2
    assert list(first.job.private.iterdir()) == []


def test_a_link_in_the_source_leads_no_cache_out_of_it(builds: Builds) -> None:
    builds.run(Cache(PATHS), builds.source(), install("1"))
    outside = builds.source()
    source = builds.source()
    (source / "deps").symlink_to(outside)
    builds.run(Cache(PATHS), source)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("harm", [slice(0, 900), slice(0, 0), slice(40, None)])
def test_a_damaged_cache_is_left_out_and_let_go(builds: Builds, harm: slice) -> None:
    builds.run(Cache(PATHS), builds.source(), install("1"))
    (kept,) = builds.kept
    kept.write_bytes(kept.read_bytes()[harm])
    source = builds.run(Cache(PATHS, action=CacheAction.RESTORE), builds.source())
    assert list(source.iterdir()) == []
    assert "cache: left out and let go, since it is damaged" in builds.said[-1]
    assert builds.kept == []


def test_a_damaged_cache_is_no_fallback(builds: Builds) -> None:
    builds.run(Cache(PATHS, key="npm-1"), builds.source(), install("1"))
    builds.kept[0].write_bytes(b"no cache")
    cache = Cache(PATHS, key="npm-2", fallback_keys=("npm-",))
    builds.run(cache, builds.source(), install("2"))
    assert tool(builds.run(cache, builds.source())) == "2"


def test_a_cache_that_is_too_large_is_not_kept(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "LARGEST", 3)
    builds.run(Cache(PATHS), builds.source(), install("1234"))
    assert "cache: not kept: its files have" in builds.said[-1]
    builds.run(Cache(PATHS), builds.source())
    assert builds.said[-1] == "cache: not kept: nothing is at its paths"


def test_the_caches_that_were_used_last_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    half = tmp_path / "shelf" / ".abc.cache.xyz"
    for number in range(MOST_KEPT):
        shelf.keep(f"{number}", {"source/file": file})
    for age, path in enumerate((tmp_path / "shelf").iterdir()):
        os.utime(path, (10**9 + age, 10**9 + age))
    half.write_bytes(b"of a build that was killed")
    os.utime(half, (10**9, 10**9))
    oldest = shelf.names()[-1]
    shelf.restore(oldest, {"source": tmp_path / "out"})
    shelf.keep("new", {"source/file": file})
    assert len(shelf.names()) == MOST_KEPT
    assert {"new", oldest} <= set(shelf.names())
    assert not half.exists()


def test_any_name_of_a_project_stays_beneath_the_folder_of_builds(tmp_path: Path) -> None:
    source = tmp_path / "source"
    install("1")(source)
    for project in ("..", "../../x", "a/b", "."):
        build = BuildCache.of(tmp_path / "shared", project, Cache(PATHS), Ground(source), print)
        with Shell(Launch("/bin/sh", {}, source), tmp_path / f"s{len(project)}") as shell:
            build.restore(shell)
        build.keep()
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["builds"]
    assert len(list((tmp_path / "shared" / "builds").iterdir())) == 4


def test_the_paths_of_the_project_are_added_to_those_of_the_buildspec() -> None:
    assert asked(None, ()) is None
    assert asked(Cache(key="k"), ()) is None
    assert asked(Cache(("a",), key="k"), ("a", "b")) == Cache(("a", "b"), key="k")


def keep_often(shelf: Path, folder: Path, times: int) -> None:
    """Keep a cache again and again, all of whose files hold the same number."""
    folder.mkdir()
    for number in range(times):
        files = {}
        for name in range(20):
            path = folder / f"{name}"
            path.write_text(f"{os.getpid()} {number}", encoding="utf-8")
            files[f"source/{name}"] = path
        Shelf(shelf).keep("one", files)


def restored(shelf: Shelf, folder: Path) -> list[str]:
    """Give the text of each file of the cache."""
    shelf.restore("one", {"source": folder})
    return [path.read_text(encoding="utf-8") for path in folder.iterdir()]


@pytest.mark.slow
def test_builds_at_the_same_time_see_one_cache_or_the_other_whole(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    start = get_context("spawn").Process
    writers = [start(target=keep_often, args=(shelf, tmp_path / name, 25)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    until(lambda: Shelf(shelf).has("one"))

    def read(name: str) -> list[list[str]]:
        alive = takewhile(lambda _: any(writer.is_alive() for writer in writers), count())
        return [restored(Shelf(shelf), tmp_path / f"{name}-{number}") for number in alive]

    with ThreadPoolExecutor() as threads:
        seen = [texts for reader in threads.map(read, ("x", "y")) for texts in reader]
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert all(len(texts) == 20 for texts in seen)
    assert all(len(set(texts)) == 1 for texts in seen)
    assert len({texts[0] for texts in seen}) > 1


def test_a_cache_that_was_let_go_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Shelf(tmp_path).restore("one", {})
    assert not issubclass(DamagedCache, OSError)
