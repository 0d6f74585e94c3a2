"""Deploy/AWS/S3: an artifact, or the files in it, uploaded to the folder of a bucket."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from uuid import uuid4

from pipelinekit.model.action import Action, Category, Owner
from pipelinekit.model.errors import ValidationError
from pipelinekit.model.noun import Noun
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.archives.archive import pack
from pipelinekit.tools.aws.bucket import Bucket, BucketError, Headers, check_key
from pipelinekit.wire import buckets

ACLS: Final = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)


def _check(action: Action, settings: Settings) -> str | None:
    try:
        given = action.configuration
        known = {name: text for name, text in given.items() if "#{" not in text}
        _refuse(given, known, settings)
    except (BucketError, ValidationError) as error:
        return str(error)
    return None


@provider(
    Traits(
        category=Category.DEPLOY,
        provider="S3",
        owner=Owner.AWS,
        inputs=(1, 1),
        outputs=(0, 0),
        variables=frozenset(),
        detached=True,
        timeout=timedelta(minutes=90),
        check=_check,
    )
)
def s3_deploy(  # noqa: PLR0913 - the action type has these keys
    job: Job,
    bucket: Annotated[str, Key("BucketName")],
    *,
    extract: bool,
    key: Annotated[str | None, Key("ObjectKey")] = None,
    acl: Annotated[str | None, Key("CannedACL")] = None,
    cache_control: str | None = None,
    kms_key: Annotated[str | None, Key("KMSEncryptionKeyARN")] = None,
) -> Outcome:
    """Upload the input artifact to a bucket, as one zip or file by file.

    Which folder stands for the bucket, the table `[s3]` of pipelinekit.toml says; it is made when
    it is missing. Objects that are not uploaded again stay. An upload that fails in the middle
    leaves what came before it; the log names each object.

    Args:
        job: The attempt; its input is uploaded.
        bucket: The bucket's name.
        extract: Whether the files of the artifact become an object each.
        key: The key of the zip; the beginning of all keys when files are extracted. `{datetime}`
            becomes the time in UTC, such as `2026-01-31_23-59-59`, and `{uuid}` a random id.
        acl: A canned ACL, which is recorded with each version: a folder does not enforce it.
        cache_control: The Cache-Control header, recorded with each version.
        kms_key: A KMS key, recorded with each version: a folder encrypts nothing.

    Source: codepipeline.md 7.11.
    """
    base = _filled(key or "")
    headers = Headers(cache_control=cache_control or "", acl=acl or ACLS[0], kms_key=kms_key or "")
    try:
        _refuse(job.order.configuration, job.order.configuration, job.settings)
        place = _Place(bucket, buckets.find(bucket, job.settings), base, headers)
        return _upload(job, place, _uploads(job, base, extract=extract))
    except ValidationError as error:
        return Failed(str(error), code=FailureType.CONFIGURATION_ERROR)
    except BucketError as error:
        return buckets.failed(error)


class _Place(Noun, gc=True):
    """Where the objects go: to keys that begin with `base`, each with the same headers."""

    name: str
    bucket: Bucket
    base: str
    headers: Headers

    @property
    def external_id(self) -> str:
        """Name it as S3 does."""
        return f"{self.name}/{self.base}" if self.base else self.name


def _upload(job: Job, place: _Place, uploads: Mapping[str, Path]) -> Outcome:
    _tell(job, place.bucket, place.headers)
    for number, (key, file) in enumerate(uploads.items()):
        try:
            version = place.bucket.put(key, file, place.headers)
        except BucketError as error:
            job.say(f"{number} of {len(uploads)} objects were uploaded, which stay; then: {error}")
            return buckets.failed(error, place.external_id)
        kind = version.headers.content_type
        job.say(f"{place.name}/{key}: {version.size} bytes, {kind}, version {version.id}")
    return Succeeded(summary="Deployment Succeeded", external_id=place.external_id)


def _refuse(keys: Mapping[str, str], known: Mapping[str, str], settings: Settings) -> None:
    if "BucketName" in known:
        buckets.find(known["BucketName"], settings)
    if not keys.get("ObjectKey") and keys.get("Extract", "").lower() == "false":
        raise ValidationError(
            "the artifact is to be uploaded as one zip, and no ObjectKey says where; give one, or "
            "set Extract to true"
        )
    if known.get("ObjectKey"):
        check_key(_filled(known["ObjectKey"]))
    if known.get("CannedACL", ACLS[0]) not in ACLS:
        raise ValidationError(
            f"CannedACL {known['CannedACL']!r} is asked for, and objects can have "
            f"{', '.join(ACLS)}; write one of them"
        )
    if not known.get("CacheControl", "-").isprintable():
        raise ValidationError(
            f"CacheControl {known['CacheControl']!r} is asked for, and no header holds such "
            f"characters; write it in one line, such as public, max-age=3600"
        )


def _filled(key: str) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S")
    return key.replace("{datetime}", now).replace("{uuid}", str(uuid4())).rstrip("/")


def _uploads(job: Job, base: str, *, extract: bool) -> dict[str, Path]:
    folder = job.read()
    if not extract:
        zipped = job.folder / "upload.zip"
        pack(folder, zipped)
        return {base: zipped}
    beginning = f"{base}/" if base else ""
    uploads = {beginning + name: file for name, file in _files(folder)}
    for key in uploads:
        check_key(key)
    if not uploads:
        raise ValidationError(
            f"the files of artifact {job.order.inputs[0].name} were to be uploaded, and it holds "
            f"none; correct the action that writes it"
        )
    return uploads


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file():
            yield name, path
        elif path.is_symlink():
            raise ValidationError(
                f"{name} of the artifact was to be uploaded, and is a link to a folder or to "
                f"nothing, which S3 has not; put files in its place"
            )


def _tell(job: Job, target: Bucket, headers: Headers) -> None:
    job.say(f"The bucket is the folder {target.folder}")
    if headers.acl != ACLS[0]:
        job.say(f"CannedACL {headers.acl} is recorded; who may read the folder, its modes say")
    if headers.kms_key:
        job.say(f"KMSEncryptionKeyARN {headers.kms_key} is recorded; nothing is encrypted here")
