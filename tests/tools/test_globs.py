"""The globs of artifacts: what they match, what they leave out, and that they never lead out."""

import os
from pathlib import Path

import pytest

from pipelinekit.tools.globs import GlobError, Globs, stage

FILES = (
    "README.md index.html .env dist/app.js dist/app.map dist/css/site.css dist/.cache/x "
    "lib/a.jar lib/deep/b.jar lib/deep/[id].js my-one/f my-two/g"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in FILES.split():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return tmp_path / "source"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*", FILES),
        ("*", "README.md index.html .env"),
        ("*.html", "index.html"),
        ("README.md", "README.md"),
        ("./README.md", "README.md"),
        ("dist", "dist/app.js dist/app.map dist/css/site.css dist/.cache/x"),
        ("dist/", "dist/app.js dist/app.map dist/css/site.css dist/.cache/x"),
        ("dist/*", "dist/app.js dist/app.map"),
        ("dist/**", "dist/app.js dist/app.map dist/css/site.css dist/.cache/x"),
        ("dist/**/*", "dist/app.js dist/app.map dist/css/site.css dist/.cache/x"),
        ("**/*.jar", "lib/a.jar lib/deep/b.jar"),
        ("**/deep/*", "lib/deep/b.jar lib/deep/[id].js"),
        ("lib/deep/[id].js", "lib/deep/[id].js"),
        ("lib/?.jar", "lib/a.jar"),
        ("my-*/*", "my-one/f my-two/g"),
        (".", FILES),
        ("nothing/*", ""),
        ("nothing", ""),
    ],
)
def test_a_pattern_selects_files(source: Path, pattern: str, expected: str) -> None:
    assert set(Globs((pattern,)).select(source).files) == set(expected.split())


def test_an_absolute_path_within_the_source_is_taken(source: Path) -> None:
    globs = Globs((f"{source}/dist/*.js",), base=str(source))
    assert set(globs.select(source).files) == {"dist/app.js"}


@pytest.mark.parametrize(
    "globs",
    [
        Globs(("../secret",)),
        Globs(("dist/../../secret",)),
        Globs(("/etc/passwd",)),
        Globs(("*",), base=".."),
        Globs(("*",), base="/etc"),
        Globs(("*",), exclude=("../*",)),
    ],
)
def test_no_pattern_leads_out_of_the_source(source: Path, globs: Globs) -> None:
    (source.parent / "secret").write_text("secret", encoding="utf-8")
    with pytest.raises(GlobError, match="source"):
        globs.select(source)


def test_excluded_files_and_folders_are_left_out(source: Path) -> None:
    globs = Globs(("**/*",), exclude=("**/*.jar", "dist/css", "**/.*", "my-*/**/*"))
    left = {"README.md", "index.html", "dist/app.js", "dist/app.map", "lib/deep/[id].js"}
    assert set(globs.select(source).files) == left


def test_names_begin_at_the_base_directory(source: Path) -> None:
    assert set(Globs(("**/*.css",), base="dist").select(source).files) == {"css/site.css"}


def test_a_base_directory_with_a_star_joins_folders(source: Path) -> None:
    assert set(Globs(("*",), base="my-*").select(source).files) == {"f", "g"}


def test_two_base_directories_with_one_name_are_refused(source: Path) -> None:
    (source / "my-two/f").write_text("other", encoding="utf-8")
    with pytest.raises(GlobError, match="both become f"):
        Globs(("*",), base="my-*").select(source)


def test_paths_are_discarded_unless_names_collide(source: Path) -> None:
    assert set(Globs(("**/*.jar",), flat=True).select(source).files) == {"a.jar", "b.jar"}
    (source / "a.jar").write_text("other", encoding="utf-8")
    with pytest.raises(GlobError, match="both become a"):
        Globs(("**/*.jar",), flat=True).select(source)


def test_links_are_copied_kept_or_left_out(source: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret", encoding="utf-8")
    links = source / "links"
    links.mkdir()
    for name, target in {
        "file": "../README.md",
        "folder": "../dist",
        "outside": "../../outside",
        "absolute": str(source / "index.html"),
        "nowhere": "missing",
    }.items():
        (links / name).symlink_to(target)

    copied = Globs(("links/**/*",)).select(source)
    assert set(copied.files) == {"links/file", "links/absolute"}
    assert copied.left_out == ("links/folder", "links/nowhere", "links/outside")
    stage(copied, tmp_path / "copied")
    assert not (tmp_path / "copied/links/file").is_symlink()
    assert (tmp_path / "copied/links/file").read_text(encoding="utf-8") == "README.md"

    kept = Globs(("links/**/*",), keep_links=True).select(source)
    assert "links/outside" in kept.left_out
    stage(kept, tmp_path / "kept")
    assert (tmp_path / "kept/links/file").readlink() == Path("../README.md")
    assert (tmp_path / "kept/links/folder").readlink() == Path("../dist")


def test_a_linked_folder_in_a_pattern_does_not_lead_out(source: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret").write_text("secret", encoding="utf-8")
    (source / "link").symlink_to("../elsewhere")
    assert Globs(("link/*", "link")).select(source).files == {}
    with pytest.raises(GlobError, match="out of the source"):
        Globs(("*",), base="link").select(source)


def test_what_is_staged_is_independent_in_name_and_equal_in_content(
    source: Path, tmp_path: Path
) -> None:
    (source / "dist/app.js").chmod(0o755)
    stage(Globs(("dist/**/*",)).select(source), tmp_path / "out")
    staged = tmp_path / "out/dist/app.js"
    assert staged.read_text(encoding="utf-8") == "dist/app.js"
    assert os.access(staged, os.X_OK)
