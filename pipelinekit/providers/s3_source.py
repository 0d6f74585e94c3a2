"""Source/AWS/S3: an archive in the folder that stands here for a versioned bucket."""

from typing import Annotated, Final

from pipelinekit.model.action import Action, Owner
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Job, Key, Traits, provider
from pipelinekit.tools.archives.archive import ArchiveError, unpack
from pipelinekit.tools.aws.bucket import BucketError, Version, check_key
from pipelinekit.wire import buckets

VARIABLES = frozenset({"BucketName", "ETag", "ObjectKey", "VersionId"})
SUMMARY: Final = "codepipeline-artifact-revision-summary"


def _check(action: Action, settings: Settings) -> str | None:
    try:
        buckets.find(action.configuration.get("S3Bucket", ""), settings)
        check_key(action.configuration.get("S3ObjectKey", ""))
    except BucketError as error:
        return str(error)
    return None


@provider(Traits.source("S3", Owner.AWS, variables=VARIABLES, check=_check))
def s3_source(
    job: Job,
    bucket: Annotated[str, Key("S3Bucket")],
    key: Annotated[str, Key("S3ObjectKey")],
    *,
    poll_for_source_changes: bool | None = None,
    allow_key_override: Annotated[bool | None, Key("AllowOverrideForS3ObjectKey")] = None,
) -> Outcome:
    """Take the newest version of a zip in a bucket, or the object or version a start names.

    Which folder stands for the bucket, the table `[s3]` of pipelinekit.toml says. The object lies
    there at its key: whatever is copied to that place is its newest version.

    Args:
        job: What is to be done.
        bucket: The bucket's name.
        key: Where the zip lies in it, such as `releases/app.zip`.
        poll_for_source_changes: Whether new versions start the pipeline in AWS; nothing looks
            for them here.
        allow_key_override: Whether a start may name another key.

    Source: codepipeline.md 7.2.
    """
    del poll_for_source_changes, allow_key_override  # for AWS, and for who starts the pipeline
    key = job.order.object_key or key
    try:
        found = buckets.find(bucket, job.settings).get(key, job.order.revision)
    except BucketError as error:
        return buckets.failed(error)
    job.say(f"Object {key} of bucket {bucket}, version {found.id}, {found.size} bytes")
    folder = job.folder / "unpacked"
    try:
        unpack(found.file, folder)
    except ArchiveError as error:
        whole = f"object {key} of bucket {bucket}"
        told = ArchiveError(whole, error.entry, error.found, error.do)
        return Failed(str(told), code=FailureType.CONFIGURATION_ERROR)
    job.write(folder)
    return _succeeded(bucket, found)


def _succeeded(bucket: str, found: Version) -> Succeeded:
    metadata = found.headers.metadata
    summary = metadata.get(SUMMARY) or f"Amazon S3 version id: {found.id}"
    return Succeeded(
        variables={
            "BucketName": bucket,
            "ETag": found.etag,
            "ObjectKey": found.key,
            "VersionId": found.id,
        },
        summary=summary,
        external_id=found.id,
        revision=Revision(id=found.id, summary=summary, change=found.etag, created=found.at),
    )
