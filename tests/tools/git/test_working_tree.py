"""Taking the files of a folder as they lie there."""

import os
from pathlib import Path

import pytest

from pipelinekit.tools.git import working_tree
from pipelinekit.tools.git.working_tree import TreeError, commits, head, take
from tests.tools.git_repositories import commit_file, git, tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    made.mkdir()
    return made


@pytest.fixture
def repository(folder: Path) -> Path:
    git(folder, "init", "--quiet", "-b", "main")
    commit_file(folder, "a.txt", "a", "first")
    return folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")


def taken(folder: Path, *patterns: str, besides: str = "") -> list[str]:
    into = folder.parent / "copy"
    take(folder, into, patterns, besides)
    return list(tree(into))


def test_in_a_repository_those_are_taken_that_git_knows_or_would_add(repository: Path) -> None:
    write(repository, "new.txt", ".hidden", "b/c.txt", "data.log", ".pipelinekit/db")
    write(repository, "runs/out.ipynb", "b/__pycache__/c.pyc")
    (repository / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (repository / "a.txt").write_text("changed", encoding="utf-8")
    assert taken(repository, besides="runs") == [
        ".gitignore", ".hidden", "a.txt", "b/c.txt", "new.txt",
    ]  # fmt: skip
    assert tree(repository.parent / "copy")["a.txt"] == "changed"


def test_what_was_deleted_and_not_committed_is_not_missed(repository: Path) -> None:
    write(repository, "b.txt")
    (repository / "a.txt").unlink()
    assert taken(repository) == ["b.txt"]


def test_elsewhere_all_are_taken_whose_names_begin_with_no_dot(folder: Path) -> None:
    write(folder, "a.txt", ".env", ".venv/x.py", "b/c.txt", "node_modules/d.js", "runs/e.ipynb")
    assert taken(folder, besides="runs") == ["a.txt", "b/c.txt"]


def test_patterns_say_which_are_taken(folder: Path) -> None:
    write(folder, "a.ipynb", "data/x.csv", "data/deep/y.csv", "data/z.txt")
    assert taken(folder, "a.ipynb", "data/**/*.csv") == [
        "a.ipynb",
        "data/deep/y.csv",
        "data/x.csv",
    ]


def test_links_stay_links_unless_they_lead_out_of_the_folder(folder: Path) -> None:
    write(folder, "a.txt")
    (folder / "inner").symlink_to("a.txt")
    (folder / "outer").symlink_to("/etc/passwd")
    (folder / "dangling").symlink_to("nothing")
    found = take(folder, folder.parent / "copy")
    assert found.left_out == ("dangling", "outer")
    assert tree(folder.parent / "copy") == {"a.txt": "a.txt", "inner": "-> a.txt"}


def test_equal_files_have_equal_digests(folder: Path) -> None:
    write(folder, "a.txt")
    first, second = (take(folder, folder.parent / name) for name in ("one", "two"))
    write(folder, "b.txt")
    third = take(folder, folder.parent / "three")
    assert first.digest == second.digest != third.digest


def test_too_many_or_too_large_files_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "a.txt", "b.txt")
    monkeypatch.setattr(working_tree, "MOST_BYTES", 5)
    with pytest.raises(TreeError, match="name those that are wanted"):
        take(folder, folder.parent / "large")
    monkeypatch.setattr(working_tree, "MOST_FILES", 1)
    with pytest.raises(TreeError, match="has 2 files, and 1 is the most"):
        take(folder, folder.parent / "many")


@pytest.mark.parametrize("pattern", ["*.csv", "../*"])
def test_patterns_of_nothing_or_of_elsewhere_are_refused(folder: Path, pattern: str) -> None:
    write(folder, "a.txt")
    with pytest.raises(TreeError):
        take(folder, folder.parent / "copy", (pattern,))


def test_a_name_that_is_no_utf_8_is_told(folder: Path, repository: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9")).write_text("x", encoding="utf-8")
    for place in (folder, repository):
        with pytest.raises(TreeError, match=r"caf.* has a name that is not UTF-8; rename it"):
            taken(place)


def test_the_commit_is_told_and_whether_something_has_changed_since(repository: Path) -> None:
    at = head(repository)
    assert at is not None
    assert (at.author_name, at.title, at.changed) == ("Ada Ünal", "first", False)
    write(repository, ".pipelinekit/db", "runs/a.ipynb", "sub/.ipynb_checkpoints/x")
    same = head(repository, "runs")
    assert same is not None
    assert not same.changed
    write(repository, "b.txt")
    changed = head(repository)
    assert changed is not None
    assert changed.changed


def test_no_repository_and_a_new_one_are_at_no_commit(folder: Path) -> None:
    assert head(folder) is None
    git(folder, "init", "--quiet")
    assert head(folder) is None


def test_commits_between_two_are_listed_the_newest_first(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    commit_file(repository, "a.txt", "b", "second | <b>")
    last = commit_file(repository, "a.txt", "c", "third")
    found = commits(repository, first, last, 10)
    assert [title for _, _, title in found] == ["third", "second | <b>"]
    assert len(commits(repository, first, last, 1)) == 1
    with pytest.raises(TreeError, match="no history"):
        commits(repository, "0" * 40, last, 10)
    with pytest.raises(TreeError, match="no history"):
        commits(repository, "--output=x", last, 10)
