"""From a zip in a bucket through a build to the files of another bucket."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelinekit as pk
from pipelinekit.model.errors import CannotRunHere
from pipelinekit.providers.s3_deploy import s3_deploy
from pipelinekit.providers.s3_source import s3_source
from pipelinekit.tools.aws.bucket import Bucket

BUILDSPEC = """\
version: 0.2
phases:
  build:
    commands:
      - mkdir public
      - sed "s/NAME/$(cat name.txt)/" page.html > public/index.html
artifacts:
  base-directory: public
  files: "**/*"
"""
WAIT = 60.0
BUCKETS = {"drops": "drops", "site": "site"}

pytestmark = pytest.mark.slow


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[pk.Kit]:
    settings = pk.Settings(folder=str(tmp_path), buckets=BUCKETS)
    with pk.Kit(tmp_path / "home", settings=settings, by="ann") as made:
        yield made


def _line() -> pk.Pipeline:
    app = s3_source("app", "drops", "app.zip")
    pages = pk.codebuild("pages", "pages").reads(app).writes("public")
    live = s3_deploy(
        "live", "site", extract=True, key="#{app.VersionId}", cache_control="no-cache"
    ).reads("public")
    return (
        pk.Pipeline("shop")
        >> pk.Stage("Source", app)
        >> pk.Stage("Build", pages)
        >> pk.Stage("Production", live)
    )


def _drop(home: Path, name: str) -> None:
    (home / "drops").mkdir(exist_ok=True)
    with zipfile.ZipFile(home / "drops/app.zip", "w") as archive:
        archive.writestr("buildspec.yml", BUILDSPEC)
        archive.writestr("page.html", "<p>Hello NAME")
        archive.writestr("name.txt", name)


def test_what_is_dropped_into_a_bucket_is_built_and_served_from_another(
    kit: pk.Kit, tmp_path: Path
) -> None:
    _drop(tmp_path, "Ada")
    first = kit.start(_line()).wait(timeout=WAIT)
    assert first.status == "Succeeded", first.logs("pages")
    _drop(tmp_path, "Grace")
    second = kit.start("shop").wait(timeout=WAIT)
    ids = [run.actions[0].variables["VersionId"] for run in (first, second)]
    assert ids == [version.id for version in Bucket(tmp_path / "drops").versions("app.zip")][::-1]
    site = Bucket(tmp_path / "site")
    pages = [site.get(f"{version}/index.html") for version in ids]
    assert [page.file.read_text(encoding="utf-8") for page in pages] == [
        "<p>Hello Ada",
        "<p>Hello Grace",
    ]
    assert pages[1].headers.cache_control == "no-cache"
    again = kit.start("shop", revisions={"app": ids[0]}).wait(timeout=WAIT)
    assert again.actions[0].external_id == ids[0]
    assert len(site.versions(f"{ids[0]}/index.html")) == 2


def test_a_start_without_the_buckets_says_what_to_configure(tmp_path: Path) -> None:
    settings = pk.Settings(folder=str(tmp_path))
    with (
        pk.Kit(tmp_path / "home", settings=settings, work=False) as kit,
        pytest.raises(CannotRunHere) as caught,
    ):
        kit.start(_line())
    for bucket in BUCKETS:
        assert f'[s3]\n"{bucket}" = "buckets/{bucket}"' in str(caught.value)
