"""The S3 source takes versions of real zips; the S3 deploy action uploads real files."""

import errno
import os
import re
import resource
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import Action
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Provider
from pipelinekit.providers.s3_deploy import s3_deploy
from pipelinekit.providers.s3_source import s3_source
from pipelinekit.tools.archives.archive import digest, pack
from pipelinekit.tools.aws.bucket import Bucket, Headers
from tests.fakes import FolderJob, order

MAPPED = {"store": "buckets/store"}


def _job(action: Action, home: Path, **changes: object) -> FolderJob:
    folder = home / "jobs" / action.name
    folder.mkdir(parents=True)
    settings = Settings(folder=str(home), buckets=MAPPED)
    inputs = {"Program": home / "program"}
    return FolderJob(order(action, **changes), folder, settings, inputs)


def _store(home: Path) -> Bucket:
    return Bucket(home / "buckets/store")


def _zip(home: Path, **files: str) -> Path:
    target = home / "given.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target


def _done(outcome: Outcome) -> Succeeded:
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def _refused(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def _check(declared: Provider[...], action: Action, settings: Settings) -> str | None:
    assert declared.traits.check is not None
    return declared.traits.check(action, settings)


@pytest.mark.parametrize("declared", [s3_source, s3_deploy])
def test_keys_variables_and_limits_are_those_of_the_catalog(declared: Provider[...]) -> None:
    known = TYPES[declared.traits.id]
    assert {each.name: each.required for each in declared.type.properties} == {
        each.name: each.required for each in known.properties
    }
    assert declared.type.variables == known.variables
    assert (declared.type.inputs, declared.type.outputs) == (known.inputs, known.outputs)
    assert declared.type.timeout == known.timeout


# ------------------------------------------------------------------ the source


def test_the_newest_version_of_a_zip_becomes_the_artifact(tmp_path: Path) -> None:
    _store(tmp_path).put("releases/app.zip", _zip(tmp_path, old="old"))
    version = _store(tmp_path).put("releases/app.zip", _zip(tmp_path, new="new"))
    job = _job(s3_source("app", "store", "releases/app.zip"), tmp_path)
    done = _done(s3_source.carry_out(job))
    written = job.written["app_artifact"]
    assert [(path.name, path.read_text(encoding="utf-8")) for path in written.iterdir()] == [
        ("new", "new")
    ]
    assert done.variables == {
        "BucketName": "store",
        "ETag": version.etag,
        "ObjectKey": "releases/app.zip",
        "VersionId": version.id,
    }
    assert done.external_id == version.id
    assert done.summary == f"Amazon S3 version id: {version.id}"
    assert done.revision == Revision(
        id=version.id, summary=done.summary, change=version.etag, created=version.at
    )


def test_a_zip_copied_in_by_hand_is_the_newest_version(tmp_path: Path) -> None:
    first = _store(tmp_path).put("app.zip", _zip(tmp_path, old="old"))
    _zip(tmp_path, new="new").replace(tmp_path / "buckets/store/app.zip")
    job = _job(s3_source("app", "store", "app.zip"), tmp_path)
    done = _done(s3_source.carry_out(job))
    assert done.external_id != first.id
    assert (job.written["app_artifact"] / "new").exists()


def test_a_start_may_ask_for_an_earlier_version(tmp_path: Path) -> None:
    first = _store(tmp_path).put("app.zip", _zip(tmp_path, old="old"))
    _store(tmp_path).put("app.zip", _zip(tmp_path, new="new"))
    action = s3_source("app", "store", "app.zip")
    job = _job(action, tmp_path, revision=first.id)
    assert _done(s3_source.carry_out(job)).external_id == first.id
    assert (job.written["app_artifact"] / "old").exists()


def test_a_start_may_ask_for_another_object(tmp_path: Path) -> None:
    _store(tmp_path).put("app.zip", _zip(tmp_path, usual="usual"))
    other = _store(tmp_path).put("fix/app.zip", _zip(tmp_path, other="other"))
    action = s3_source("app", "store", "app.zip", allow_key_override=True)
    job = _job(action, tmp_path, object_key="fix/app.zip")
    done = _done(s3_source.carry_out(job))
    assert (done.external_id, done.variables["ObjectKey"]) == (other.id, "fix/app.zip")
    assert (job.written["app_artifact"] / "other").exists()


def test_the_uploader_may_give_the_revision_its_summary(tmp_path: Path) -> None:
    told = Headers(metadata={"codepipeline-artifact-revision-summary": "Fix the till"})
    _store(tmp_path).put("app.zip", _zip(tmp_path, a="a"), told)
    job = _job(s3_source("app", "store", "app.zip"), tmp_path)
    done = _done(s3_source.carry_out(job))
    assert done.summary == "Fix the till"
    assert done.revision is not None
    assert done.revision.summary == "Fix the till"


def test_a_missing_object_and_a_missing_version_are_unavailable_revisions(tmp_path: Path) -> None:
    _store(tmp_path).put("app.zip", _zip(tmp_path, a="a"))
    absent = _job(s3_source("absent", "store", "ap.zip"), tmp_path)
    failed = _refused(s3_source.carry_out(absent))
    assert failed.code == FailureType.REVISION_UNAVAILABLE
    assert "there is no such object" in failed.message
    assert "holds app.zip" in failed.message
    unknown = _job(s3_source("unknown", "store", "app.zip"), tmp_path, revision="3sL4kqtJ")
    failed = _refused(s3_source.carry_out(unknown))
    assert failed.code == FailureType.REVISION_UNAVAILABLE
    assert "version 3sL4kqtJ of object app.zip" in failed.message


def test_an_object_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    for name, content in (("app.tar.gz", b"\x1f\x8b" + bytes(50)), ("empty.zip", b"")):
        file = tmp_path / "given"
        file.write_bytes(content)
        _store(tmp_path).put(name, file)
        job = _job(s3_source(name[:5], "store", name), tmp_path)
        failed = _refused(s3_source.carry_out(job))
        assert failed.code == FailureType.CONFIGURATION_ERROR
        assert failed.message == (
            f"object {name} of bucket store: found no ends of a zip archive, where 1 is expected; "
            f"make the archive again with a usual zip program"
        )
        assert job.written == {}


@pytest.mark.parametrize("name", ["../../outside", "/outside", "a/../../outside"])
def test_a_hostile_zip_is_refused_and_writes_nothing_elsewhere(tmp_path: Path, name: str) -> None:
    _store(tmp_path).put("app.zip", _zip(tmp_path, **{name: "bad"}))
    job = _job(s3_source("app", "store", "app.zip"), tmp_path)
    failed = _refused(s3_source.carry_out(job))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "object app.zip of bucket store, entry" in failed.message
    assert job.written == {}
    assert not list(tmp_path.rglob("outside"))


def test_a_source_says_what_to_configure(tmp_path: Path) -> None:
    action = s3_source("app", "other", "app.zip", poll_for_source_changes=False)
    found = _check(s3_source, action, Settings(buckets=MAPPED))
    assert found is not None
    assert found.endswith('such as\n\n[s3]\n"other" = "buckets/other"')
    failed = _refused(s3_source.carry_out(_job(action, tmp_path)))
    assert failed == Failed(found, code=FailureType.CONFIGURATION_ERROR)
    assert _check(s3_source, action, Settings(buckets={"other": "there"})) is None
    astray = s3_source("app", "store", "../app.zip")
    assert "the path part '..'" in str(_check(s3_source, astray, Settings(buckets=MAPPED)))


def test_a_bucket_whose_folder_is_missing_is_a_fault_of_configuration(tmp_path: Path) -> None:
    job = _job(s3_source("app", "store", "app.zip"), tmp_path)
    failed = _refused(s3_source.carry_out(job))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "there is no such folder; make it" in failed.message
    assert not (tmp_path / "buckets").exists()


# ------------------------------------------------------------------ the deploy action


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    (folder / "css").mkdir(parents=True)
    (folder / "index.html").write_text("<p>hi", encoding="utf-8")
    (folder / "css/site.css").write_text("p {}", encoding="utf-8")
    return folder


def _objects(home: Path) -> list[str]:
    folder = _store(home).folder
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith(".versions/"))


@pytest.mark.usefixtures("program")
def test_the_files_of_the_artifact_become_an_object_each(tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"old")
    _store(tmp_path).put("old.html", tmp_path / "given")
    action = s3_deploy(
        "live",
        "store",
        extract=True,
        acl="public-read",
        cache_control="public, max-age=60",
        kms_key="arn:aws:kms:eu-west-1:111122223333:key/k",
    ).reads("Program")
    job = _job(action, tmp_path)
    assert _done(s3_deploy.carry_out(job)) == Succeeded(
        summary="Deployment Succeeded", external_id="store"
    )
    assert _objects(tmp_path) == ["css/site.css", "index.html", "old.html"]
    page = _store(tmp_path).get("index.html")
    assert page.file.read_bytes() == b"<p>hi"
    assert page.headers == Headers(
        "text/html",
        "public, max-age=60",
        "public-read",
        "arn:aws:kms:eu-west-1:111122223333:key/k",
    )
    assert f"store/index.html: 5 bytes, text/html, version {page.id}" in job.said
    assert "nothing is encrypted here" in "\n".join(job.said)


@pytest.mark.usefixtures("program")
def test_with_extract_the_object_key_is_the_beginning_of_all_keys(tmp_path: Path) -> None:
    action = s3_deploy("live", "store", extract=True, key="site/v1/").reads("Program")
    done = _done(s3_deploy.carry_out(_job(action, tmp_path)))
    assert done.external_id == "store/site/v1"
    assert _objects(tmp_path) == ["site/v1/css/site.css", "site/v1/index.html"]


def test_without_extract_the_zip_itself_is_uploaded(tmp_path: Path, program: Path) -> None:
    action = s3_deploy("live", "store", extract=False, key="app.zip").reads("Program")
    done = _done(s3_deploy.carry_out(_job(action, tmp_path)))
    assert done.external_id == "store/app.zip"
    pack(program, tmp_path / "same.zip")
    uploaded = _store(tmp_path).get("app.zip")
    assert uploaded.digest == digest(tmp_path / "same.zip")
    assert uploaded.headers.content_type == "application/zip"


@pytest.mark.usefixtures("program")
def test_placeholders_of_the_key_are_filled_in(tmp_path: Path) -> None:
    key = "app-{datetime}-{uuid}.zip"
    action = s3_deploy("live", "store", extract=False, key=key).reads("Program")
    before = datetime.now(UTC).replace(microsecond=0)
    done = _done(s3_deploy.carry_out(_job(action, tmp_path)))
    found = re.fullmatch(r"store/app-(.{19})-[0-9a-f-]{36}\.zip", done.external_id)
    assert found is not None
    at = datetime.strptime(found[1], "%Y-%m-%d_%H-%M-%S").replace(tzinfo=UTC)
    assert before <= at <= datetime.now(UTC)
    assert _objects(tmp_path) == [done.external_id.removeprefix("store/")]


def test_the_content_of_a_linked_file_is_uploaded_and_a_linked_folder_is_refused(
    tmp_path: Path, program: Path
) -> None:
    (program / "home.html").symlink_to("index.html")
    action = s3_deploy("live", "store", extract=True).reads("Program")
    _done(s3_deploy.carry_out(_job(action, tmp_path)))
    assert _store(tmp_path).get("home.html").file.read_bytes() == b"<p>hi"
    (program / "styles").symlink_to("css")
    again = s3_deploy("again", "store", extract=True).reads("Program")
    failed = _refused(s3_deploy.carry_out(_job(again, tmp_path)))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "styles of the artifact was to be uploaded, and is a link to a folder" in failed.message
    assert len(_store(tmp_path).versions("index.html")) == 1


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"Extract": "false"}, "no ObjectKey says where"),
        ({"Extract": "true", "ObjectKey": "../x"}, "the path part '..'"),
        ({"Extract": "true", "ObjectKey": ".versions"}, ".versions holds the versions"),
        ({"Extract": "false", "ObjectKey": "/"}, "write plain names"),
        ({"Extract": "true", "CannedACL": "log-delivery-write"}, "write one of them"),
        ({"Extract": "true", "CacheControl": "no-store\r\nX: y"}, "no header holds such"),
        ({"Extract": "true", "BucketName": "other"}, '[s3]\n"other" = "buckets/other"'),
    ],
)
@pytest.mark.usefixtures("program")
def test_what_cannot_be_uploaded_is_refused_before_and_while_it_runs(
    tmp_path: Path, keys: dict[str, str], told: str
) -> None:
    action = Action(
        "live", s3_deploy.traits.id, {"BucketName": "store", **keys}, inputs=("Program",)
    )
    found = _check(s3_deploy, action, Settings(buckets=MAPPED))
    assert told in str(found)
    failed = _refused(s3_deploy.carry_out(_job(action, tmp_path)))
    assert told in failed.message
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert not (tmp_path / "buckets").exists()


def test_what_variables_will_say_is_not_judged_before_they_are_put_in() -> None:
    action = s3_deploy(
        "live", "#{src.Where}", extract=False, key="../#{src.CommitId}", acl="#{src.Acl}"
    )
    assert _check(s3_deploy, action, Settings(buckets=MAPPED)) is None


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("key", "value"), [("CannedACL", "x#{y"), ("CacheControl", "x\r\nX: #{y")]
)
def test_what_variables_have_said_is_judged_whatever_it_looks_like(
    tmp_path: Path, key: str, value: str
) -> None:
    """5.3: what is put in for a variable is plain text."""
    keys = {"BucketName": "store", "Extract": "true", key: value}
    action = Action("live", s3_deploy.traits.id, keys, inputs=("Program",))
    failed = _refused(s3_deploy.carry_out(_job(action, tmp_path)))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert key in failed.message


def test_an_artifact_without_files_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "program/empty").mkdir(parents=True)
    action = s3_deploy("live", "store", extract=True).reads("Program")
    failed = _refused(s3_deploy.carry_out(_job(action, tmp_path)))
    assert "artifact Program were to be uploaded, and it holds none" in failed.message


def test_an_upload_that_fails_in_the_middle_says_what_was_uploaded(
    tmp_path: Path, program: Path
) -> None:
    (program / "large.bin").write_bytes(bytes(100_000))
    action = s3_deploy("live", "store", extract=True, key="site").reads("Program")
    job = _job(action, tmp_path)
    job.read()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        failed = _refused(s3_deploy.carry_out(job))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert failed.code == FailureType.JOB_FAILED
    assert failed.external_id == "store/site"
    assert "object site/large.bin of" in failed.message
    assert os.strerror(errno.EFBIG) in failed.message
    assert job.said[-1].startswith("2 of 3 objects were uploaded, which stay; then: ")
    assert _objects(tmp_path) == ["site/css/site.css", "site/index.html"]
